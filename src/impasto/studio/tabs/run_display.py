"""What the page shows of a run, or of several side by side: on the stage, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import gradio as gr

from impasto.errors import ImpastoError, SignalError
from impasto.media.read_write import find_medium
from impasto.studio.components import result_view
from impasto.studio.components.controls import without_dashes
from impasto.studio.components.notice import NOTHING, notice
from impasto.studio.components.preview import preview_file
from impasto.studio.history import LATEST, Run, json_like
from impasto.studio.jobs import Job
from impasto.studio.masks import masks_in_words
from impasto.studio.painting import View
from impasto.studio.state import StudioState
from impasto.studio.uploads import Upload
from impasto.studio.variations import differing
from impasto.transfer.settings import TransferSettings

_SEEN = ("content", "style", "result")
_WAIT = {"waiting": "waiting", "working": "getting ready"}
DEFAULT = json_like(TransferSettings().as_dict())


def address_of(path: Path) -> str:
    """Where the server gives a file of a run away."""
    return f"/gradio_api/file={quote(str(path))}"


class Watched(NamedTuple):
    """The components that show a run and what can be done with it; or new values of them, by the same names."""

    result: Any
    run: Any
    stop: Any
    go_on: Any
    download: Any
    notice: Any

    @classmethod
    def only(cls, **changes: Any) -> Watched:
        """New values of those that are named; the others stay."""
        return cls(**{name: changes.get(name, gr.skip()) for name in cls._fields})


def of_job(state: StudioState, job: Job, run: Run, content: str) -> Watched:
    """What there is to see of work in this server; ``content`` is the content as a data URI."""
    view = job.shown if isinstance(job.shown, View) else None
    if job.ended:
        run = state.history.load(run.id)
        if view is None:
            return of_run(state, run)
    scene = {**result_view.EMPTY, "content": content, "about": about(run), "busy": not job.ended, "natural": natural(run)}
    if view is None:
        scene["caption"] = waiting(state, job)
    else:
        scene |= _painted(result_view.data_uri(view.picture), view.costs, view.iterations)
        scene["figure"] = _figure(state, run, view.figure, len(view.costs))
        if not job.ended:
            size = view.size and f"at {view.size}"
            left = "" if view.seconds_left is None else f"{result_view.span(view.seconds_left)} left"
            scene["caption"] = " · ".join(filter(None, (f"{len(view.costs)} of {view.iterations}", size, left)))
    return _watched(state, scene, run, job.ended, job.error)


def waiting(state: StudioState, job: Job) -> str:
    """What a job waits for, in words."""
    before = state.queue.before(job)
    return f"{before} before yours" if before else _WAIT.get(job.state, "")


def of_run(state: StudioState, run: Run) -> Watched:
    """What the history has of a run that is not under way."""
    content = result_view.data_uri(preview_file(state.history.path(run, run.content)))
    scene = {**result_view.EMPTY, "content": content, "about": about(run), "natural": natural(run)}
    latest, seen = state.history.path(run, LATEST), state.history.seen(run)
    killed = latest.exists() and len(seen) > len(run.costs)  # with more to be seen than was kept
    with suppress(ImpastoError, OSError):  # the picture tells enough
        scene["figure"] = _figure(state, run, state.history.figure(run), len(seen))
    if run.result and not killed:
        picture = result_view.data_uri(preview_file(state.history.path(run, run.result)))
        scene |= _painted(picture, run.costs, len(run.costs))
    elif latest.exists():
        costs = seen or run.costs
        scene |= _painted(result_view.data_uri(latest.read_bytes()), costs, len(costs))
        scene["caption"] += f" · {run.state}"
    else:
        scene["caption"] = f"{run.state} before there was a picture"
    shown = _watched(state, scene, run, True, run.error)
    return shown._replace(download=gr.update(visible=False)) if killed else shown


def of_several(state: StudioState, runs: Sequence[Run]) -> Watched:
    """Runs side by side, each by what it differs in."""
    jobs = [state.jobs.get(run.id) for run in runs]
    under_way = [job for job in jobs if job is not None and not job.ended]
    sheet = [
        {
            "id": run.id,
            "title": title,
            "note": _progress(state, run, job),
            "picture": f"{address_of(state.history.picture(run, large=True))}?{job.version if job else len(run.costs)}",
            "download": download_of(state, run, differing([one.settings for one in runs])),
        }
        for run, job, title in zip(runs, jobs, differences(runs), strict=True)
    ]
    scene = {**result_view.EMPTY, "sheet": sheet, "busy": bool(under_way), "about": runs[0].title if _same(runs) else ""}
    hidden = gr.update(visible=False)
    identity = ",".join(run.id for run in runs)
    return Watched(scene, identity, gr.update(visible=bool(under_way)), hidden, hidden, NOTHING)


def differences(runs: Sequence[Run]) -> list[str]:
    """What is different about each of several runs, in a few words."""
    names = differing([run.settings for run in runs])

    def told(run: Run) -> str:
        return ", ".join(filter(None, ("" if _same(runs) else run.title, *run.told(names)))) or run.title

    return [told(run) for run in runs]


def download_of(state: StudioState, run: Run, differing: Sequence[str] = ()) -> dict[str, str] | None:
    """Name and address of the result, if there is one; the name tells what is ``differing`` from others beside it."""
    if not run.result:
        return None
    address = address_of(state.history.path(run, run.result))
    return {"name": run.download_name(differing), "address": address} | ({"picture": "yes"} if natural(run) else {})


def about(run: Run) -> str:
    """What a painting is: content and style, size, strength and time, as far as it is known."""
    size = " × ".join(map(str, reversed(run.size) if len(run.size) == 2 else run.size)) if len(run.size) > 1 else ""
    chosen = [f"{name} {run.settings[name]:g}" for name in ("strength", "beta") if run.settings.get(name) is not None]
    chosen = (chosen or ["strength 0.5"]) + run.told(name for name in run.varied if name not in ("strength", "beta"))
    seconds = result_view.span(run.seconds) if run.seconds else ""
    return " · ".join(filter(None, (run.title, size, *chosen, *masks_in_words(run.masks), seconds)))


def natural(run: Run) -> int:
    """How many pixels wide the painting is; 0 of what is no picture, or where it is not known."""
    return run.size[1] if len(run.size) == 2 else 0


def nothing(state: StudioState, error: object = "", content: str = "") -> Watched:
    """As if nothing had been painted yet: the content if it is chosen, or else an example."""
    scene = {**result_view.EMPTY, "content": content} if content else state.gallery.example()
    unseen = gr.update(visible=False)
    return Watched(scene, "", unseen, unseen, unseen, notice(sentence(error)))


def pictures_of(state: StudioState, chosen: dict[str, Upload], run: str) -> dict[str, Path]:
    """The pictures among content and style, as chosen or else those of the run that is shown, and its result."""
    found = {role: upload.path for role, upload in chosen.items()}
    if run:
        try:
            known = state.history.load(run.partition(",")[0])
        except SignalError:  # forgotten meanwhile
            return found
        files = {"content": known.content, "style": known.styles[0], "result": known.result}
        found = {role: state.history.path(known, name) for role, name in files.items() if name} | found
    return {role: found[role] for role in _SEEN if role in found and find_medium(found[role]).is_picture}


def sentence(error: object) -> str:
    """An error as a sentence, with the settings called as on the page and not as on the command line."""
    text = without_dashes(str(error))
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")


def _same(runs: Sequence[Run]) -> bool:
    return len({run.names for run in runs}) == 1


def _progress(state: StudioState, run: Run, job: Job | None) -> str:
    if job is None or job.ended:
        return "" if run.state == "done" else run.state
    if isinstance(job.shown, View):
        return f"{len(job.shown.costs)} of {job.shown.iterations}"
    return waiting(state, job)


def _painted(picture: str, costs: Sequence[Mapping[str, float]], iterations: int) -> dict[str, Any]:
    return {
        "picture": picture,
        "curves": result_view.curves(costs, iterations),
        "progress": len(costs) / max(iterations, 1),
        "caption": f"{len(costs)} evaluations",
    }


def _figure(state: StudioState, run: Run, figure: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The figure with the addresses of its files, which are other ones under the same names after each evaluation."""

    def found(sheet: Any) -> Any:
        if not isinstance(sheet, Mapping):
            return sheet
        return {**sheet, "address": f"{address_of(state.history.path(run, sheet['file']))}?{number}"}

    if "slices" not in figure:
        return dict(figure)
    return {"slices": [{name: found(value) for name, value in axis.items()} for axis in figure["slices"]]}


def _watched(state: StudioState, scene: dict[str, Any], run: Run, ended: bool, error: str) -> Watched:
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
        stop=gr.update(visible=not ended),
        go_on=gr.update(visible=ended and state.history.can_go_on(run)),
        download=gr.update(visible=kept, value=download_of(state, run)),
        notice=notice(sentence(error)),
    )
