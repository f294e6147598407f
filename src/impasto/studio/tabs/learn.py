"""The Learn tab: the method on one page, with one's own pictures."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError, SignalError
from impasto.studio.components.component import component
from impasto.studio.components.learn_figures import LearnProgress, compute_figures
from impasto.studio.components.preview import preview_file
from impasto.studio.components.result_view import data_uri, span
from impasto.studio.state import StudioState
from impasto.studio.tabs.paint import NEEDED, QUIET, PaintTab, Values
from impasto.studio.tabs.run_display import pictures_of, sentence
from impasto.studio.uploads import Upload

_MISSING = "Choose a content and a style on the Paint tab; this page is computed with them."
_SIZE = 480


def learn_tab(state: StudioState, tab: gr.Tab, paint: PaintTab) -> None:
    """Put the tab onto the page."""
    page = component("learn_figures", {})
    going = gr.State("")
    seen = _Lessons(state, page, going)
    chosen: set[Any] = {*paint.files.values(), paint.watched.run}
    endless: dict[str, Any] = {**QUIET, "concurrency_limit": None}

    def opened(values: Values) -> Any:
        return seen.open(paint.chosen_in(values), values[paint.watched.run], values[going], values[page])

    async def begin(values: Values) -> AsyncIterator[Values]:
        async for update in seen.begin(paint.chosen_in(values), values[paint.watched.run]):
            yield update

    tab.select(opened, {*chosen, going, page}, page, **endless)
    page.submit(begin, chosen, [page, going], **endless)
    page.stop(state.stop, going, None, **endless)


class _Lessons:
    """What happens on the tab: ``page`` shows the figures, ``going`` holds the name of the job that computes them."""

    def __init__(self, state: StudioState, page: gr.HTML, going: gr.State) -> None:
        self._state = state
        self._page = page
        self._going = going

    def open(self, chosen: dict[str, Upload], run: str, going: str, value: dict[str, Any] | None) -> Any:
        """The tab is opened: the pictures it is about, unless figures are being computed."""
        job = self._state.jobs.get(going)
        if job is not None and not job.ended:
            return gr.skip()
        try:
            pictures = self._pictures(chosen, run)
        except ImpastoError as error:
            return {"hint": str(error)}
        same = value and all(value.get(role) == picture for role, picture in pictures.items())
        return gr.skip() if same else {**pictures, "ready": True}

    def _pictures(self, chosen: dict[str, Upload], run: str) -> dict[str, str]:
        found = pictures_of(self._state, chosen, run)
        if not set(NEEDED) <= set(found):
            raise SignalError(_MISSING)
        return {role: data_uri(preview_file(found[role], _SIZE)) for role in NEEDED}

    async def begin(self, chosen: dict[str, Upload], run: str) -> AsyncIterator[Values]:
        """Paint all figures."""
        key = f"lesson {secrets.token_hex(8)}"
        try:
            pictures = await asyncio.to_thread(self._pictures, chosen, run)
            found = pictures_of(self._state, chosen, run)
            job = self._state.begin_job(key, compute_figures(found["content"], found["style"]))
        except ImpastoError as error:
            yield {self._page: {"hint": sentence(error)}, self._going: ""}
            return
        async for _ in job.changes():
            now = job.shown or LearnProgress()
            note = self._state.place(job) or (f"{span(now.seconds_left)} left" if now.working else "getting ready")
            shown = {
                **pictures,
                "figures": now.figures,
                "working": "" if job.ended else now.working,
                "progress": now.share,
                "note": "" if job.ended else note,
                "busy": not job.ended,
                "ready": job.ended,
                "error": sentence(job.error),
            }
            yield {self._page: shown, self._going: key}
