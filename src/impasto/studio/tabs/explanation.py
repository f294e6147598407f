"""What explains a painting that is shown: its page, made when it is asked for, and saved by the browser."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from impasto.errors import ImpastoError
from impasto.studio.components.notice import NOTHING, notice
from impasto.studio.history import Run
from impasto.studio.jobs import Job
from impasto.studio.state import StudioState
from impasto.studio.tabs.run_display import address_of, sentence

_PAGE = "explained.html"


def explaining(state: StudioState) -> Callable[[str], AsyncIterator[tuple[Any, Any]]]:
    """What gives, for the run that is shown, where its page is and what it is called, and what went wrong."""

    async def explain(identity: str) -> AsyncIterator[tuple[Any, Any]]:
        try:
            run = state.history.load(identity)
            job = state.begin_job(f"explain {identity}", _work(state, run))
        except ImpastoError as error:
            yield {"time": time.time()}, notice(sentence(error))
            return
        async for _ in job.changes():
            pass
        if job.state != "done":
            yield {"time": time.time()}, notice(sentence(job.error))
            return
        name = f"{Path(run.download_name()).stem}-explained.html"
        # with the time, as the same page may be asked for twice
        yield {"address": address_of(state.history.path(run, _PAGE)), "name": name, "time": time.time()}, NOTHING

    return explain


def _work(state: StudioState, run: Run) -> Callable[[Job], None]:
    def work(job: Job) -> None:
        page, result = state.history.path(run, _PAGE), state.history.path(run, run.result)
        if page.exists() and page.stat().st_mtime > result.stat().st_mtime:
            return

        from impasto.explanation.explain import explain  # which imports torch

        styles = [state.history.path(run, name) for name in run.styles]
        explain(result, content=state.history.path(run, run.content), style=list(styles)).write(page)

    return work
