"""What the page shows of a run: in the result view, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import gradio as gr

from impasto.errors import SignalError
from impasto.media.read_write import find_medium
from impasto.studio.components import result_view
from impasto.studio.components.preview import preview_file
from impasto.studio.history import Run
from impasto.studio.jobs import Job
from impasto.studio.painting import View
from impasto.studio.state import StudioState
from impasto.studio.uploads import Upload

_SEEN = ("content", "style", "result")
_WAIT = {"waiting": "waiting", "working": "getting ready"}


def address_of(path: Path) -> str:
    """Where the server gives a file of a run away."""
    return f"/gradio_api/file={quote(str(path))}"


class Watched(NamedTuple):
    """The components that show a run and what can be done with it; or new values of them, by the same names."""

    result: Any
    run: Any
    paint: Any
    stop: Any
    go_on: Any
    download: Any

    @classmethod
    def only(cls, **changes: Any) -> Watched:
        """New values of those that are named; the others stay."""
        return cls(**{name: changes.get(name, gr.skip()) for name in cls._fields})


def of_job(state: StudioState, job: Job, run: Run, content: str) -> Watched:
    """What there is to see of work in this server; ``content`` is the content as a data URI."""
    view = job.shown if isinstance(job.shown, View) else None
    scene = {**result_view.EMPTY, "content": content, "busy": not job.ended, "error": sentence(job.error)}
    if view is None:
        before = state.queue.before(job)
        scene["caption"] = f"{before} before yours" if before else _WAIT.get(job.state, "")
    else:
        scene |= _painted(result_view.data_uri(view.picture), view.costs, view.iterations)
        if not job.ended:
            size = view.size and f"at {view.size}"
            left = "" if view.seconds_left is None else f"{result_view.span(view.seconds_left)} left"
            scene["caption"] = " · ".join(filter(None, (f"{len(view.costs)} of {view.iterations}", size, left)))
    return _watched(state, scene, state.history.load(run.id) if job.ended and view else run, job.ended)


def of_run(state: StudioState, run: Run) -> Watched:
    """What the history has of a run that is not under way."""
    scene = {
        **result_view.EMPTY,
        "content": result_view.data_uri(preview_file(state.history.path(run, run.content))),
        "error": sentence(run.error),
    }
    if run.result:
        picture = result_view.data_uri(preview_file(state.history.path(run, run.result)))
        scene |= _painted(picture, run.costs, len(run.costs))
    elif run.state == "interrupted":
        scene["caption"] = "interrupted before there was a picture"
    return _watched(state, scene, run, True)


def told(error: object) -> Watched:
    """A sentence in the result view; all else stays."""
    return Watched.only(result={**result_view.EMPTY, "hint": "", "error": sentence(error)})


def nothing() -> Watched:
    """As if nothing had been painted yet."""
    seen, unseen = gr.update(visible=True), gr.update(visible=False)
    return Watched(result=result_view.EMPTY, run="", paint=seen, stop=unseen, go_on=unseen, download=unseen)


def pictures_of(state: StudioState, chosen: dict[str, Upload], run: str) -> dict[str, Path]:
    """The pictures among content and style, as chosen or else those of the run that is shown, and its result."""
    found = {role: upload.path for role, upload in chosen.items()}
    if run:
        try:
            known = state.history.load(run)
        except SignalError:  # forgotten meanwhile
            return found
        files = {"content": known.content, "style": known.styles[0], "result": known.result}
        found = {role: state.history.path(known, name) for role, name in files.items() if name} | found
    return {role: found[role] for role in _SEEN if role in found and find_medium(found[role]).is_picture}


def sentence(error: object) -> str:
    """An error as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")


def _painted(picture: str, costs: Sequence[Mapping[str, float]], iterations: int) -> dict[str, Any]:
    return {
        "picture": picture,
        "curves": result_view.curves(costs, iterations),
        "progress": len(costs) / max(iterations, 1),
        "caption": f"{len(costs)} evaluations",
    }


def _watched(state: StudioState, scene: dict[str, Any], run: Run, ended: bool) -> Watched:
    kept = ended and bool(run.result)
    if kept and run.result.endswith(".wav"):
        files = {"result": run.result, "content": run.content, "style": run.styles[0]}
        # the number of evaluations, since a result that went on is another sound under the same name
        scene["sounds"] = [
            {"name": name, "address": f"{address_of(state.history.path(run, file))}?{len(run.costs)}"}
            for name, file in files.items()
        ]
    return Watched(
        result=scene,
        run=run.id,
        paint=gr.update(visible=ended),
        stop=gr.update(visible=not ended),
        go_on=gr.update(visible=ended and state.history.can_go_on(run)),
        download=gr.update(visible=kept, value=str(state.history.path(run, run.result)) if kept else None),
    )
