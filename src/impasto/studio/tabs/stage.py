"""The stage: which run a page shows, and what begins, stops and goes on there.

What is shown, and what Stop, Continue and Download belong to, is always one run; or several side by side, whose ids stand
with commas between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError
from impasto.studio.components import result_view
from impasto.studio.components.notice import notice
from impasto.studio.components.preview import preview_file
from impasto.studio.history import Run
from impasto.studio.state import StudioState
from impasto.studio.tabs.run_display import Watched, nothing, of_job, of_run, of_several, sentence
from impasto.studio.uploads import Upload
from impasto.studio.variations import differing
from impasto.transfer.settings import TransferSettings

Follow = Callable[[str, gr.Request], AsyncIterator[Watched]]
_PAUSE = 0.4  # seconds between two looks at several runs


class Stage:
    """The stages of all pages that are open."""

    def __init__(self, state: StudioState) -> None:
        self.state = state

    async def follow(self, identity: str, request: gr.Request) -> AsyncIterator[Watched]:
        """Show a run until it has ended, or as the history has it."""
        async for update in self.show(identity, request):
            yield update

    def idle(self, content: Upload | None) -> Watched:
        """What is shown while there is no run: the content, or an example. What was told meanwhile stays."""
        shown = nothing(self.state, content=result_view.data_uri(preview_file(content.path)) if content else "")
        return shown._replace(notice=gr.skip())

    async def show(self, identity: str, request: gr.Request, before: str = "") -> AsyncIterator[Watched]:
        """Show a run, until it has ended or the page shows another one.

        What fails before there was anything to see leaves no run: then that ``before`` stays, and it is told why.
        """
        mine = object()
        self.state.stages.keep(str(request.session_hash), mine)
        ids = identity.split(",")
        async for update in self._several(ids) if len(ids) > 1 else self._one(identity, before):
            if self.state.stages.get(str(request.session_hash)) is not mine:
                yield Watched.only()  # gradio shows the last update once more when they end
                return
            yield update

    async def begin(
        self,
        content: Upload,
        styles: Sequence[Upload],
        ways: Sequence[TransferSettings],
        visitor: str,
        request: gr.Request,
        before: str,
        masks: Mapping[str, Upload] | None = None,
    ) -> AsyncIterator[Watched]:
        """Paint it in each of these ways, and show that; ``before`` is what is shown now."""
        begun: list[str] = []
        varied = differing([settings.as_dict() for settings in ways])
        try:
            for settings in ways:
                run = await asyncio.to_thread(self.state.begin, content, styles, settings, visitor, masks, varied)
                begun.append(run.id)
        except ImpastoError as error:
            if not begun:
                yield Watched.only(notice=notice(sentence(error)))
                return
        async for update in self.show(",".join(begun), request, before):
            yield update

    async def go_on(self, identity: str, visitor: str, request: gr.Request) -> AsyncIterator[Watched]:
        """Let a run go on."""
        try:
            self.state.go_on(identity, visitor)
        except ImpastoError as error:
            yield Watched.only(notice=notice(sentence(error)))
            return
        async for update in self.show(identity, request):
            yield update

    def stop(self, identity: str) -> None:
        """Let all that is shown end with what there is."""
        for one in identity.split(","):
            self.state.stop(one)

    async def _one(self, identity: str, before: str) -> AsyncIterator[Watched]:
        job = self.state.jobs.get(identity)
        content = ""
        try:
            run = self.state.history.load(identity)
            if job is None:
                yield await asyncio.to_thread(of_run, self.state, run)
                return
            path = self.state.history.path(run, run.content)
            content = result_view.data_uri(await asyncio.to_thread(preview_file, path))
            async for _ in job.changes():
                yield of_job(self.state, job, run, content)
        except ImpastoError:  # forgotten, or it failed before there was anything to see
            failed = job is not None and job.state == "failed"
            error, shown = (job.error, content) if job is not None and failed else ("", "")
            yield await asyncio.to_thread(self._instead, before, error, shown)

    def _instead(self, before: str, error: str, content: str) -> Watched:
        """What was there before, and why it is still there."""
        try:
            ids = before.split(",")
            runs = [self.state.history.load(one) for one in ids]
            seen = of_several(self.state, runs) if len(runs) > 1 else of_run(self.state, runs[0])
            return seen._replace(notice=notice(sentence(error)))
        except ImpastoError:
            return nothing(self.state, error, content)

    async def _several(self, ids: Sequence[str]) -> AsyncIterator[Watched]:
        seen: list[Any] = []
        while True:
            runs = [run for one in ids if (run := self._loaded(one)) is not None]
            jobs = [job for run in runs if (job := self.state.jobs.get(run.id)) is not None]
            now = [(job, job.version) for job in jobs]
            ended = all(job.ended for job in jobs)
            if not runs:
                failed = [job.error for one in ids if (job := self.state.jobs.get(one)) is not None]
                yield nothing(self.state, next(filter(None, failed), ""))
                return
            if now != seen or ended:
                yield await asyncio.to_thread(of_several, self.state, runs)
            if ended:
                return
            seen = now
            await asyncio.sleep(_PAUSE)

    def _loaded(self, identity: str) -> Run | None:
        try:
            return self.state.history.load(identity)
        except ImpastoError:
            return None
