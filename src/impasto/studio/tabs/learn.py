"""The Learn tab: the lecture, with a ready pair of pictures at once, and with one's own when it has been computed."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import gradio as gr

from impasto.errors import ImpastoError
from impasto.lecture.compute import SIGNALS
from impasto.lecture.lecture import Lecture
from impasto.lecture.page import about
from impasto.studio.components.lecture_page import EMPTY, lecture_page
from impasto.studio.components.preview import preview_file
from impasto.studio.components.result_view import data_uri, span
from impasto.studio.jobs import Job
from impasto.studio.lectures import LectureView, Own, Pair, all_own, give_lecture, shown_lecture
from impasto.studio.state import StudioState
from impasto.studio.tabs.paint import NEEDED, QUIET, PaintTab, Values
from impasto.studio.tabs.run_display import pictures_of, sentence

_THUMBNAIL = 160
_READY = "ready"
_NO_PAIR = (
    "Choose two pictures on the Paint tab, a content and a style, and all of this can be computed with them; with two "
    "series, or with a volume, its last part."
)
_SECONDS_SENT = 3.0  # how long a new part is sent along, as an update may be overtaken by the next


def learn_tab(state: StudioState, tab: gr.Tab, paint: PaintTab) -> None:
    """Put the tab onto the page."""
    page = lecture_page()
    shown = gr.State("")
    learn = _Learn(state, page, shown)
    given: set[Any] = {*paint.files.values(), paint.watched.run, paint.visitor, shown}
    endless: dict[str, Any] = {**QUIET, "concurrency_limit": None}

    def visit(values: Values) -> _Visit:
        chosen = paint.chosen_in(values)
        if set(NEEDED) <= set(chosen) and chosen["content"].kind in SIGNALS:
            found = {role: chosen[role].path for role in NEEDED}
        else:
            found = pictures_of(state, chosen, values[paint.watched.run])
        pair = None
        if set(NEEDED) <= set(found):
            names = [chosen[role].name if role in chosen else role for role in NEEDED]
            pair = Pair(found["content"], found["style"], (names[0], names[1]))
        return _Visit(values[paint.visitor], pair, values[shown])

    async def opened(values: Values) -> AsyncIterator[Values]:
        async for update in learn.open(await asyncio.to_thread(visit, values)):
            yield update

    async def begin(values: Values) -> AsyncIterator[Values]:
        async for update in learn.begin(await asyncio.to_thread(visit, values)):
            yield update

    tab.select(opened, given, [page, shown], **endless)
    page.submit(begin, given, [page, shown], **endless)
    page.stop(state.stop, shown, None, **endless)


class _Visit(NamedTuple):
    """Who looks, with which pictures, and which lecture their page has: its name, "" for none."""

    visitor: str
    pair: Pair | None
    shown: str


class _Learn:
    """What happens on the tab. A lecture of one's own has the name of the job that computes it."""

    def __init__(self, state: StudioState, page: gr.HTML, shown: gr.State) -> None:
        self._state = state
        self._page = page
        self._shown = shown

    async def open(self, visit: _Visit) -> AsyncIterator[Values]:
        """The tab is opened: what is being computed, or was, or the ready lecture."""
        name, job = self._under_way(visit.visitor)
        if job is None:
            yield await asyncio.to_thread(self._at_rest, visit)
        elif name != visit.shown:  # else the page follows it already
            yield await asyncio.to_thread(self._at_rest, visit)
            async for update in self._follow(name, job, visit):
                yield update

    async def begin(self, visit: _Visit) -> AsyncIterator[Values]:
        """Compute the lecture with one's own pictures."""
        try:
            if visit.pair is None:
                yield {self._page: {"hint": _NO_PAIR}}
                return
            digest = await asyncio.to_thread(_digest, visit.pair)
            name = _name(visit.visitor or secrets.token_hex(8), digest)
            job = self._state.begin_job(name, give_lecture(self._state.visits, visit.visitor, visit.pair))
        except ImpastoError as error:
            yield {self._page: {"error": sentence(error)}}
            return
        async for update in self._follow(name, job, visit):
            yield update

    def _under_way(self, visitor: str) -> tuple[str, Job | None]:
        jobs = list(self._state.jobs.items())
        mine = [(name, job) for name, job in jobs if visitor and name.startswith(_name(visitor, "")) and not job.ended]
        return mine[-1] if mine else ("", None)

    def _at_rest(self, visit: _Visit) -> Values:
        owned = all_own(self._state.visits, visit.visitor)
        name = _name(visit.visitor, " ".join(own.digest for own in owned)) if owned else _READY
        lecture = shown_lecture(owned)
        value = {**EMPTY, "of": name, **_told(lecture), "parts": {} if name == visit.shown else dict(lecture.parts)}
        return {self._page: value | self._offer(visit.pair, owned), self._shown: name}

    def _offer(self, pair: Pair | None, owned: Sequence[Own]) -> dict[str, Any]:
        """What can be computed now."""
        if pair is None:
            return {"hint": "" if owned else _NO_PAIR}
        try:
            digest, kind = pair.digest, pair.kind
            own = next((one for one in owned if one.digest == digest), None)
            if own is not None and own.whole:
                return {}
            begun = own is not None
            what = "Compute it with your pictures" if kind == "image" else f"Compute part 8 with your {kind}"
            return {
                "content": data_uri(preview_file(pair.content, _THUMBNAIL)),
                "style": data_uri(preview_file(pair.style, _THUMBNAIL)),
                "begin": "Go on computing" if begun else what,
                "note": "" if begun else "a few minutes; each part is shown when it is there",
            }
        except ImpastoError as error:
            return {"hint": sentence(error)}

    async def _follow(self, name: str, job: Job, visit: _Visit) -> AsyncIterator[Values]:
        """A lecture on the way, part by part; at the end all of it once more."""
        sent: dict[str, float] = {}
        others = await asyncio.to_thread(all_own, self._state.visits, visit.visitor)
        async for _ in job.changes():
            view = job.shown if isinstance(job.shown, LectureView) else None
            if view is None and job.ended:
                rest = await asyncio.to_thread(self._at_rest, visit)
                yield {**rest, self._page: rest[self._page] | {"error": sentence(job.error)}}
                continue
            if view is None:
                yield {self._page: {"busy": True, "note": self._state.place(job) or "getting ready"}, self._shown: name}
                continue
            owned = [view.own, *(own for own in others if own.kind != view.own.kind)]
            lecture, now = shown_lecture(owned), time.monotonic()
            parts = {part: lecture.parts[part] for part in lecture.parts if now - sent.setdefault(part, now) < _SECONDS_SENT}
            left = "" if view.seconds_left is None else f"{span(view.seconds_left)} left"
            value = {**EMPTY, "of": name, **_told(lecture), "parts": parts if not job.ended else dict(lecture.parts)}
            if not job.ended:
                note = self._state.place(job) or left or "getting ready"
                value |= {"busy": True, "progress": view.share, "working": view.part, "live": view.live, "note": note}
            elif not job.error:
                value |= await asyncio.to_thread(self._offer, view.pair, owned)
            value["error"] = sentence(job.error)
            yield {self._page: value, self._shown: name}


def _digest(pair: Pair) -> str:
    return pair.digest


def _name(visitor: str, digest: str) -> str:
    return f"lecture {visitor} {digest}"


def _told(lecture: Lecture) -> dict[str, Any]:
    names = (name.rpartition(".")[0] or name for name in (lecture.content, lecture.style))
    return {"about": about(lecture), "file": "lecture-" + "-in-the-style-of-".join(names)}
