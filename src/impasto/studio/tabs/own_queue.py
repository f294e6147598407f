"""What a visitor has asked for and is not yet painted, in its order, and what of it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import gradio as gr

from impasto.errors import SignalError
from impasto.studio.components.component import component
from impasto.studio.painting import View
from impasto.studio.state import StudioState
from impasto.studio.tabs.paint_parts import ENDLESS, QUIET, PaintTab, Values, identity_of
from impasto.studio.tabs.run_display import Watched, address_of, waiting

Handler = Callable[[Values, gr.Request], AsyncIterator[Watched]]
_SECONDS = 1.0


class OwnQueue:
    """The list below the stage. It looks at the queue once a second while something of it is not done."""

    def __init__(self, state: StudioState) -> None:
        self._state = state
        self.list = component("own_queue", [])
        self.clock = gr.Timer(_SECONDS, active=False)

    def connect(self, tab: PaintTab) -> None:
        """Let what is clicked happen."""
        shown = [self.list, self.clock]
        self.clock.tick(self.look, [tab.visitor, self.list], shown, **ENDLESS)
        self.list.delete(self._cancel, tab.visitor, shown, **QUIET)
        self.list.input(self._hasten, tab.visitor, shown, **QUIET)
        self.list.select(identity_of, None, tab.watched.run, **QUIET).then(
            tab.follow, tab.watched.run, list(tab.watched), trigger_mode="multiple", **ENDLESS
        )

    def waking(self, handle: Handler) -> Callable[..., AsyncIterator[tuple[Any, ...]]]:
        """What a handler shows, and the clock, which goes from the first of it on."""

        async def wake(values: Values, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
            clock: Any = gr.Timer(active=True)
            async for update in handle(values, request):
                yield *update, clock
                clock = gr.skip()

        return wake

    def look(self, visitor: str, seen: list[dict[str, Any]] | None = None) -> tuple[Any, Any]:
        """The list as it is now, and whether it is to be looked at again."""
        rows = self._rows(visitor)
        active = any(row["state"] != "ended" for row in rows)
        return gr.skip() if rows == seen else rows, gr.Timer(active=active)

    def _rows(self, visitor: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        waits = False
        for identity, job in self._state.own(visitor):
            try:
                run = self._state.history.load(identity)
            except SignalError:  # it left nothing, or was forgotten
                continue
            note = run.state if job.ended else waiting(self._state, job)
            if not job.ended and isinstance(job.shown, View):
                note = f"{len(job.shown.costs)} of {job.shown.iterations}"
            state = "ended" if job.ended else job.state
            picture = f"{address_of(self._state.history.picture(run))}?{len(run.costs)}"
            rows.append(
                {
                    "id": identity,
                    "title": run.title,
                    "note": note,
                    "state": state,
                    "picture": picture,
                    "earlier": state == "waiting" and waits,
                }
            )
            waits = waits or state == "waiting"
        return rows

    def _cancel(self, visitor: str, event: gr.EventData) -> tuple[Any, Any]:
        if event.id in dict(self._state.own(visitor)):
            self._state.stop(event.id)
        return self.look(visitor)

    def _hasten(self, visitor: str, event: gr.EventData) -> tuple[Any, Any]:
        job = dict(self._state.own(visitor)).get(event.id)
        if job is not None:
            self._state.queue.hasten(job)
        return self.look(visitor)
