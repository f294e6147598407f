"""The Paint tab: a content, a style, a few words on how, and the painting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from impasto.errors import ImpastoError, SignalError
from impasto.studio import controls, stage, tile
from impasto.studio.guard import Upload, inspect
from impasto.studio.house import House
from impasto.studio.jobs import Job
from impasto.studio.painting import View, shown

ROLES = ("content", "style")
_PAUSE = 0.15  # seconds between two looks at a job
_WAIT = {"waiting": "waiting", "working": "getting ready"}


class Buttons(NamedTuple):
    """What can be done with the run on the stage."""

    paint: gr.Button
    stop: gr.Button
    go_on: gr.Button
    download: gr.DownloadButton


def paint_tab(house: House, page: gr.Blocks) -> None:
    """Put the tab onto the page."""
    chosen = gr.State(dict[str, Upload]())
    current = gr.BrowserState("", storage_key="impasto-run", secret="run")
    with gr.Row(equal_height=False):
        with gr.Column(elem_id="side"):
            with gr.Row(elem_id="tiles"):
                tiles = [tile.tile(role, house.gallery.thumbnails(role)) for role in ROLES]
            take_up = gr.Button("Take up the settings of this painting", visible=False, size="sm")
            words = controls.words()
            with gr.Accordion("More", open=False, elem_id="more"):
                exact = controls.exact_fields()
            estimate = gr.Markdown("", elem_id="estimate")
            with gr.Column(elem_id="actions"):
                buttons = Buttons(
                    gr.Button("Paint", variant="primary", elem_id="paint"),
                    gr.Button("Stop", variant="primary", visible=False, elem_id="stop"),
                    gr.Button("Continue", visible=False, elem_id="continue"),
                    gr.DownloadButton("Download PNG", visible=False, elem_id="download"),
                )
        with gr.Column(elem_id="main"):
            scene = stage.stage()
    panel = controls.Controls(words, exact)
    controls.connect(panel)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    for role, component in zip(ROLES, tiles, strict=True):
        change = _changes(house, role)
        for event, handle in (("upload", change.uploaded), ("select", change.chosen), ("clear", change.cleared)):
            getattr(component, event)(
                handle, [chosen, current], [chosen, component, scene, take_up], concurrency_limit=None, **quiet
            ).then(_estimate(house), [chosen, *exact], estimate, **quiet)
    gr.on(
        [c.change for c in (*words, *exact)],
        _estimate(house),
        [chosen, *exact],
        estimate,
        trigger_mode="always_last",
        **quiet,
    )
    take_up.click(_restored, chosen, [*exact, *words, take_up], **quiet)

    watched = [scene, current, *buttons]
    follow = _follower(house)

    async def begin(files: dict[str, Upload], *values: str | None) -> AsyncIterator[list[Any]]:
        try:
            if len(files) < len(ROLES):
                missing = " and a ".join(role for role in ROLES if role not in files)
                raise SignalError(f"a {missing} is missing: drop one, or choose one of the small pictures")
            run = house.begin(files["content"], files["style"], controls.settings_of(values))
        except ImpastoError as error:
            yield _told(str(error))
            return
        async for update in follow(run.id):
            yield update

    async def go_on(identity: str) -> AsyncIterator[list[Any]]:
        try:
            house.go_on(identity)
        except ImpastoError as error:
            yield _told(str(error))
            return
        async for update in follow(identity):
            yield update

    async def attach(identity: str) -> AsyncIterator[list[Any]]:
        if identity not in house.jobs:
            yield [gr.skip() for _ in watched]
            return
        async for update in follow(identity):
            yield update

    endless: dict[str, Any] = {**quiet, "concurrency_limit": None}
    buttons.paint.click(begin, [chosen, *exact], watched, **endless)
    buttons.go_on.click(go_on, current, watched, **endless)
    buttons.stop.click(house.stop, current, None, concurrency_limit=None, **quiet)
    page.load(attach, current, watched, **endless)


class _Changes(NamedTuple):
    """What happens on a tile; each takes the chosen files and the id of the run on the stage."""

    uploaded: Callable[..., Any]
    chosen: Callable[..., Any]
    cleared: Callable[..., Any]


def _changes(house: House, role: str) -> _Changes:
    def answer(files: dict[str, Upload], value: dict[str, Any], run: str) -> list[Any]:
        busy = run in house.jobs and not house.jobs[run].ended
        scene = gr.skip() if busy or role != "content" else {**stage.EMPTY, "content": value["picture"]}
        return [files, value, scene, gr.update(visible=any(_settings_inside(file.path) for file in files.values()))]

    def take(files: dict[str, Upload], run: str, find: Callable[[], Upload], ready: str = "") -> list[Any]:
        try:
            upload = find()
            return answer({**files, role: upload}, tile.tile_value(upload, ready), run)
        except ImpastoError as error:
            rest = {other: file for other, file in files.items() if other != role}
            return answer(rest, {**tile.EMPTY, "error": _of(error)}, run)

    def uploaded(files: dict[str, Upload], run: str, event: gr.EventData) -> list[Any]:
        return take(files, run, lambda: inspect(event.path, event.name, house.uploads))

    def chosen(files: dict[str, Upload], run: str, event: gr.EventData) -> list[Any]:
        return take(files, run, lambda: house.gallery.upload(role, event.name), event.name)

    def cleared(files: dict[str, Upload], run: str) -> list[Any]:
        return answer({other: file for other, file in files.items() if other != role}, tile.EMPTY, run)

    return _Changes(uploaded, chosen, cleared)


def _estimate(house: House) -> Callable[..., str]:
    def estimate(files: dict[str, Upload], *values: str | None) -> str:
        if "content" not in files:
            return ""
        try:
            return house.speed.tell(files["content"].shape, controls.settings_of(values))
        except ImpastoError as error:
            return str(error)

    return estimate


def _restored(files: dict[str, Upload]) -> list[Any]:
    inside = next((found for found in (_settings_inside(file.path) for file in files.values()) if found), {})
    try:
        texts = controls.texts_of(inside, "image")
    except ImpastoError as error:
        raise gr.Error(str(error)) from None
    return [*texts, *controls.words_of(texts), gr.update(visible=False)]


def _settings_inside(path: Path) -> dict[str, Any] | None:
    """The settings that a painting of impasto carries."""
    try:
        with Image.open(path) as picture:
            return dict(json.loads(picture.info["impasto"])["settings"])
    except Exception:  # of a file from outside anything may be wrong, and then it simply carries none
        return None


def _follower(house: House) -> Callable[[str], AsyncIterator[list[Any]]]:
    async def follow(identity: str) -> AsyncIterator[list[Any]]:
        job = house.jobs[identity]
        run = house.history.load(identity)
        content = stage.data_uri(await asyncio.to_thread(shown, house.history.path(run, run.content)))
        seen = None
        while seen != job.version:
            seen = job.version
            yield _watched(house, job, identity, content)
            while seen == job.version and not job.ended:
                await asyncio.sleep(_PAUSE)

    return follow


def _watched(house: House, job: Job, identity: str, content: str) -> list[Any]:
    """Values for the stage, the run's id and the buttons."""
    view = job.shown if isinstance(job.shown, View) else None
    scene = {**stage.EMPTY, "content": content, "busy": not job.ended, "error": _of(job.error)}
    if view:
        done = len(view.costs)
        scene |= {
            "picture": stage.data_uri(view.picture),
            "curves": stage.curves(view.costs, view.iterations),
            "progress": done / view.iterations,
            "caption": f"{done} evaluations"
            if job.ended
            else f"{done} of {view.iterations} · {stage.span(view.seconds_left)} left",
        }
    else:
        before = house.desk.before(job)
        scene["caption"] = f"{before} before yours" if before else _WAIT.get(job.state, "")
    kept = job.ended and view is not None
    return [
        scene,
        identity,
        gr.update(visible=job.ended),
        gr.update(visible=not job.ended),
        gr.update(visible=kept),
        gr.update(visible=kept, value=str(_result(house, identity)) if kept else None),
    ]


def _result(house: House, identity: str) -> Path:
    run = house.history.load(identity)
    return house.history.path(run, run.result)


def _told(error: str) -> list[Any]:
    """A sentence on the stage; all else stays."""
    return [{**stage.EMPTY, "hint": "", "error": _of(error)}, *(gr.skip() for _ in range(5))]


def _of(error: object) -> str:
    """An error as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")
