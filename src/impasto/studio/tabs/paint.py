"""The Paint tab: a content, a style, a few words on how, and the painting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from impasto.errors import ImpastoError, SignalError
from impasto.studio.components import controls, result_view, signal_input
from impasto.studio.components.preview import preview_file
from impasto.studio.state import StudioState
from impasto.studio.tabs.run_display import Watched, nothing, of_job, of_run, sentence, told
from impasto.studio.uploads import Upload, inspect

ROLES = ("content", "style", "style 2", "style 3")
NEEDED = ROLES[:2]
_SAME = [gr.skip() for _ in range(2 * len(controls.PRESETS))]
Follow = Callable[[str], AsyncIterator[Watched]]
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


class Easel(NamedTuple):
    """What other tabs set up, look at, and let go on."""

    chosen: gr.State
    tiles: list[gr.HTML]
    words: list[gr.Radio]
    fields: list[Any]
    watched: Watched
    attach: Follow


def paint_tab(state: StudioState, page: gr.Blocks) -> Easel:
    """Put the tab onto the page."""
    chosen = gr.State(dict[str, Upload]())
    current = gr.BrowserState("", storage_key="impasto-run", secret="run")
    with gr.Row(equal_height=False):
        with gr.Column(elem_id="side"):
            with gr.Row(elem_id="inputs"):
                tiles = [
                    signal_input.signal_input(role, state.gallery.thumbnails(role.split()[0]), visible=role in NEEDED)
                    for role in ROLES
                ]
            another = gr.Button("another style", elem_id="add-style", size="sm")
            take_up = gr.Button("Take up the settings of this painting", visible=False, size="sm")
            words = controls.words()
            estimate = gr.Markdown("", elem_id="estimate")
            with gr.Column(elem_id="actions"):
                buttons = (
                    gr.Button("Paint", variant="primary", elem_id="paint"),
                    gr.Button("Stop", variant="primary", visible=False, elem_id="stop"),
                    gr.Button("Continue", visible=False, elem_id="continue"),
                    gr.DownloadButton("Download", visible=False, elem_id="download"),
                )
            with gr.Accordion("More", open=False, elem_id="more"):
                exact = controls.exact_fields()
        with gr.Column(elem_id="main"):
            scene = result_view.result_view()
    controls.connect(words, exact)
    for role, component in zip(ROLES, tiles, strict=True):
        change = _changes(state, role)
        shown = [chosen, component, scene, take_up, *words, *controls.fields_of_words(exact)]
        component.input(_weigh(role), chosen, chosen, concurrency_limit=None, **QUIET)
        for event, handle in (("upload", change.uploaded), ("select", change.chosen), ("clear", change.cleared)):
            getattr(component, event)(handle, [chosen, current], shown, concurrency_limit=None, **QUIET).then(
                _estimate(state), [chosen, *exact], estimate, **QUIET
            )
    gr.on(
        [c.change for c in (*words, *exact)],
        _estimate(state),
        [chosen, *exact],
        estimate,
        trigger_mode="always_last",
        **QUIET,
    )
    extra = tiles[len(NEEDED) :]
    another.click(_another, chosen, [*extra, another], **QUIET)
    take_up.click(_restored, chosen, [*exact, take_up], **QUIET)

    watched = Watched(scene, current, *buttons)
    follow = _follower(state)
    endless: dict[str, Any] = {**QUIET, "concurrency_limit": None}
    watched.paint.click(_begin(state, follow), [chosen, *exact], list(watched), **endless)
    watched.go_on.click(_go_on(state, follow), current, list(watched), **endless)
    watched.stop.click(state.stop, current, None, **endless)
    page.load(follow, current, list(watched), **endless)
    return Easel(chosen, tiles, words, exact, watched, follow)


def _begin(state: StudioState, follow: Follow) -> Callable[..., AsyncIterator[Watched]]:
    async def begin(files: dict[str, Upload], *values: str | None) -> AsyncIterator[Watched]:
        try:
            missing = " and a ".join(role for role in NEEDED if role not in files)
            if missing:
                raise SignalError(f"choose a {missing} first: drop a file, or click one of the small pictures")
            styles = [files[role] for role in ROLES[1:] if role in files]
            run = state.begin(files["content"], styles, controls.settings_of(values))
        except ImpastoError as error:
            yield told(error)
            return
        async for update in follow(run.id):
            yield update

    return begin


def _go_on(state: StudioState, follow: Follow) -> Follow:
    async def go_on(identity: str) -> AsyncIterator[Watched]:
        try:
            state.go_on(identity)
        except ImpastoError as error:
            yield told(error)
            return
        async for update in follow(identity):
            yield update

    return go_on


def _follower(state: StudioState) -> Follow:
    """What shows a run until it has ended, or as the history has it."""

    async def follow(identity: str) -> AsyncIterator[Watched]:
        job = state.jobs.get(identity)
        try:
            run = state.history.load(identity)
            if job is None:
                yield await asyncio.to_thread(of_run, state, run)
                return
            content = result_view.data_uri(await asyncio.to_thread(preview_file, state.history.path(run, run.content)))
        except ImpastoError:  # forgotten meanwhile
            yield Watched(*(gr.skip() for _ in Watched._fields))
            return
        async for _ in job.changes():
            try:
                yield of_job(state, job, run, content)
            except SignalError:  # forgotten while it was painted
                yield nothing()
                return

    return follow


class _Changes(NamedTuple):
    """What happens on a tile; each takes the chosen files and the id of the run on the stage."""

    uploaded: Callable[..., Any]
    chosen: Callable[..., Any]
    cleared: Callable[..., Any]


def _changes(state: StudioState, role: str) -> _Changes:
    def answer(files: dict[str, Upload], value: dict[str, Any], run: str) -> list[Any]:
        job = state.jobs.get(run)
        busy = job is not None and not job.ended
        scene = gr.skip() if busy or role != "content" else {**result_view.EMPTY, "content": value["picture"]}
        inside = gr.update(visible=any(_settings_inside(file.path) for file in files.values()))
        kind = files["content"].kind if role == "content" and role in files else None
        return [files, value, scene, inside, *(controls.of_kind(kind) if kind else _SAME)]

    def take(files: dict[str, Upload], run: str, find: Callable[[], Upload], ready: str = "") -> list[Any]:
        try:
            upload = find()
            return answer({**files, role: upload}, signal_input.value_of(upload, ready), run)
        except ImpastoError as error:
            rest = {other: file for other, file in files.items() if other != role}
            return answer(rest, {**signal_input.EMPTY, "error": sentence(error)}, run)

    def uploaded(files: dict[str, Upload], run: str, event: gr.EventData) -> list[Any]:
        return take(files, run, lambda: inspect(event.path, event.name, state.uploads))

    def chosen(files: dict[str, Upload], run: str, event: gr.EventData) -> list[Any]:
        return take(files, run, lambda: state.gallery.upload(role.split()[0], event.name), event.name)

    def cleared(files: dict[str, Upload], run: str) -> list[Any]:
        return answer({other: file for other, file in files.items() if other != role}, signal_input.EMPTY, run)

    return _Changes(uploaded, chosen, cleared)


def _weigh(role: str) -> Callable[..., dict[str, Upload]]:
    def weigh(files: dict[str, Upload], event: gr.EventData) -> dict[str, Upload]:
        weight = min(max(float(event.weight), 0.1), 2.0)
        return {**files, role: replace(files[role], weight=weight)} if role in files else files

    return weigh


def _another(files: dict[str, Upload]) -> list[Any]:
    """One more tile than there are further styles."""
    extra = ROLES[len(NEEDED) :]
    there = sum(role in files for role in extra)
    visible = [role in files or number <= there for number, role in enumerate(extra)]
    return [*(gr.update(visible=v) for v in visible), gr.update(visible=not all(visible))]


def _estimate(state: StudioState) -> Callable[..., str]:
    def estimate(files: dict[str, Upload], *values: str | None) -> str:
        if "content" not in files:
            return ""
        try:
            return state.speed.tell(files["content"], controls.settings_of(values))
        except ImpastoError as error:
            return str(error)

    return estimate


def _restored(files: dict[str, Upload]) -> list[Any]:
    inside = next((found for found in (_settings_inside(file.path) for file in files.values()) if found), {})
    try:
        texts = controls.texts_of(inside, "image")
    except ImpastoError as error:
        raise gr.Error(str(error)) from None
    return [*texts, gr.update(visible=False)]


def _settings_inside(path: Path) -> dict[str, Any] | None:
    """The settings that a painting of impasto carries."""
    try:
        with Image.open(path) as picture:
            return dict(json.loads(picture.info["impasto"])["settings"])
    except Exception:  # of a file from outside anything may be wrong, and then it simply carries none
        return None
