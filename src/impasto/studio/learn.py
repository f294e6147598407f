"""The Learn tab: the method on one page, with one's own pictures."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError, SignalError
from impasto.studio.guard import Upload
from impasto.studio.house import House
from impasto.studio.lesson import Lesson, lesson
from impasto.studio.paint import NEEDED, QUIET, Easel
from impasto.studio.part import part
from impasto.studio.portrait import portrait_of
from impasto.studio.scene import pictures_of, sentence
from impasto.studio.stage import data_uri, span

_MISSING = "Choose a content and a style on the Paint tab; this page is computed with them."
_SIZE = 480


def learn_tab(house: House, tab: gr.Tab, easel: Easel) -> None:
    """Put the tab onto the page."""
    page = part("learn", {})
    going = gr.State("")
    seen = _Lessons(house)
    chosen = [easel.chosen, easel.watched.run]
    endless: dict[str, Any] = {**QUIET, "concurrency_limit": None}
    tab.select(seen.open, [*chosen, going, page], page, **endless)
    page.submit(seen.begin, chosen, [page, going], **endless)
    page.stop(house.stop, going, None, **endless)


class _Lessons:
    def __init__(self, house: House) -> None:
        self._house = house

    def open(self, chosen: dict[str, Upload], run: str, going: str, value: dict[str, Any] | None) -> Any:
        """The tab is opened: the pictures it is about, unless a lesson is on the page."""
        if going in self._house.jobs and not self._house.jobs[going].ended:
            return gr.skip()
        try:
            pictures = self._pictures(chosen, run)
        except ImpastoError as error:
            return {"hint": str(error)}
        same = value and all(value.get(role) == picture for role, picture in pictures.items())
        return gr.skip() if same else {**pictures, "ready": True}

    def _pictures(self, chosen: dict[str, Upload], run: str) -> dict[str, str]:
        found = pictures_of(self._house, chosen, run)
        if not set(NEEDED) <= set(found):
            raise SignalError(_MISSING)
        return {role: data_uri(portrait_of(found[role], _SIZE)) for role in NEEDED}

    async def begin(self, chosen: dict[str, Upload], run: str) -> AsyncIterator[list[Any]]:
        """Paint all figures."""
        key = f"lesson {secrets.token_hex(8)}"
        try:
            pictures = await asyncio.to_thread(self._pictures, chosen, run)
            found = pictures_of(self._house, chosen, run)
            job = self._house.begin_job(key, lesson(found["content"], found["style"]))
        except ImpastoError as error:
            yield [{"hint": sentence(error)}, ""]
            return
        async for _ in job.changes():
            now = job.shown or Lesson()
            note = self._house.place(job) or (f"{span(now.seconds_left)} left" if now.working else "getting ready")
            yield [
                {
                    **pictures,
                    "figures": now.figures,
                    "working": "" if job.ended else now.working,
                    "progress": now.share,
                    "note": "" if job.ended else note,
                    "busy": not job.ended,
                    "ready": job.ended,
                    "error": sentence(job.error),
                },
                key,
            ]
