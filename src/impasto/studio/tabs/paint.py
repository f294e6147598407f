"""The Paint tab: a content, a style, a few words on how, and the painting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
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
from impasto.transfer.settings import TransferSettings

ROLES = ("content", "style", "style 2", "style 3")
NEEDED = ROLES[:2]
Values = dict[Any, Any]
"""What components hold, by the component."""
Follow = Callable[[str], AsyncIterator[Watched]]
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class PaintTab:
    """The components of the tab; other tabs read and change them too.

    Attributes:
        files: the upload chosen for each role; each of its own, as two can come in at once.
        inputs: where they come in, by role.
        rows: of plain words, by the setting that they write.
        settings: the fields, by the name of the setting.
        watched: what changes with the run that is shown.
        follow: what shows a run, by its id.
        visitor: who looks at the page, as :class:`impasto.studio.visits.Visits` names them; "" before it is opened.
    """

    files: dict[str, gr.State]
    inputs: dict[str, gr.HTML]
    rows: dict[str, gr.Radio | gr.Slider]
    settings: dict[str, Any]
    watched: Watched
    follow: Follow
    visitor: gr.BrowserState

    def chosen_in(self, values: Values) -> dict[str, Upload]:
        """The uploads among the values, by role."""
        return {role: values[file] for role, file in self.files.items() if values[file] is not None}

    def settings_in(self, values: Values) -> TransferSettings:
        """The settings among the values.

        Raises:
            SettingsError: one of them is out of its range.
        """
        return controls.settings_of({name: values[field] for name, field in self.settings.items()})


def paint_tab(state: StudioState, page: gr.Blocks) -> PaintTab:
    """Put the tab onto the page."""
    from impasto.studio.tabs.remembered import parts_of, recall, remember

    files = {role: gr.State(None) for role in ROLES}
    current = gr.BrowserState("", storage_key="impasto-run", secret="run")
    visitor = gr.BrowserState("", storage_key="impasto-visitor", secret="visitor")
    opened = gr.State(False)
    with gr.Row(equal_height=False):
        with gr.Column(elem_id="side"):
            with gr.Row(elem_id="inputs"):
                inputs = {
                    role: signal_input.signal_input(role, state.gallery.thumbnails(role.split()[0]), visible=role in NEEDED)
                    for role in ROLES
                }
            another = gr.Button("another style", elem_id="add-style", size="sm")
            take_up = gr.Button("Take up the settings of this painting", visible=False, size="sm")
            rows = controls.preset_rows()
            estimate = gr.Markdown("", elem_id="estimate")
            with gr.Column(elem_id="actions"):
                buttons = {
                    "paint": gr.Button("Paint", variant="primary", elem_id="paint"),
                    "stop": gr.Button("Stop", variant="primary", visible=False, elem_id="stop"),
                    "go_on": gr.Button("Continue", visible=False, elem_id="continue"),
                    "download": gr.DownloadButton("Download", visible=False, elem_id="download"),
                }
            with gr.Accordion("More", open=False, elem_id="more"):
                settings = controls.setting_fields()
        with gr.Column(elem_id="main"):
            view = result_view.result_view()
    controls.connect(rows, settings)
    watched = Watched(view, current, **buttons)
    tab = PaintTab(files, inputs, rows, settings, watched, _follower(state), visitor)
    endless: dict[str, Any] = {**QUIET, "concurrency_limit": None}
    all_files: set[Any] = set(files.values())
    given = all_files | set(settings.values())

    for role, component in inputs.items():
        change = _changes(state, tab, role)
        changed: list[Any] = [files[role], component]
        if role == "content":
            changed += [view, *rows.values(), *(settings[name] for name in rows)]
        component.input(_weigh, files[role], files[role], **endless)
        for event, handle in (("upload", change.uploaded), ("select", change.chosen), ("clear", change.cleared)):
            stored = getattr(component, event)(handle, current, changed, **endless)
            stored.then(_estimate(state, tab), given, estimate, **QUIET)
            stored.then(_offer(tab, take_up), all_files, [take_up], **QUIET)
            stored.then(remember(state, tab, opened), {*given, visitor, opened}, [*files.values()], **QUIET)
    changes = [component.change for component in (*rows.values(), *settings.values())]
    gr.on(changes, _estimate(state, tab), given, estimate, trigger_mode="always_last", **QUIET).then(
        remember(state, tab, opened), {*given, visitor, opened}, [*files.values()], **QUIET
    )
    another.click(_add_style(tab, another), all_files, [*inputs.values(), another], **QUIET)
    take_up.click(_take_up(tab, take_up), all_files, [*settings.values(), take_up], **QUIET)

    watched.paint.click(_begin(state, tab), given, list(watched), **endless)
    watched.go_on.click(_go_on(state, tab.follow), current, list(watched), **endless)
    watched.stop.click(state.stop, current, None, **endless)
    page.load(recall(state, tab, opened), visitor, [opened, visitor, *parts_of(tab)], **endless).then(
        tab.follow, current, list(watched), **endless
    )
    return tab


def _begin(state: StudioState, tab: PaintTab) -> Callable[[Values], AsyncIterator[Watched]]:
    async def begin(values: Values) -> AsyncIterator[Watched]:
        files = tab.chosen_in(values)
        try:
            missing = " and a ".join(role for role in NEEDED if role not in files)
            if missing:
                raise SignalError(f"choose a {missing} first: drop a file, or click one of the small pictures")
            styles = [files[role] for role in ROLES[1:] if role in files]
            run = state.begin(files["content"], styles, tab.settings_in(values))
        except ImpastoError as error:
            yield told(error)
            return
        async for update in tab.follow(run.id):
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
            yield Watched.only()
            return
        async for _ in job.changes():
            try:
                yield of_job(state, job, run, content)
            except SignalError:  # forgotten while it was painted
                yield nothing()
                return

    return follow


class _Changes(NamedTuple):
    """What happens at a signal input; each takes the id of the run that is shown."""

    uploaded: Callable[..., Values]
    chosen: Callable[..., Values]
    cleared: Callable[..., Values]


def _changes(state: StudioState, tab: PaintTab, role: str) -> _Changes:
    def answer(file: Upload | None, value: dict[str, Any], run: str) -> Values:
        changed: Values = {tab.files[role]: file, tab.inputs[role]: value}
        if role != "content":
            return changed
        job = state.jobs.get(run)
        if job is None or job.ended:
            changed[tab.watched.result] = {**result_view.EMPTY, "content": value["picture"]}
        if file is not None:
            changed |= {tab.rows[name]: update for name, update in controls.rows_of_kind(file.kind).items()}
            changed |= {tab.settings[name]: update for name, update in controls.fields_of_kind(file.kind).items()}
        return changed

    def take(run: str, find: Callable[[], Upload], ready: str = "") -> Values:
        try:
            upload = find()
            return answer(upload, signal_input.value_of(upload, ready), run)
        except ImpastoError as error:
            return answer(None, {**signal_input.EMPTY, "error": sentence(error)}, run)

    def uploaded(run: str, event: gr.EventData) -> Values:
        return take(run, lambda: inspect(event.path, event.name, state.uploads))

    def chosen(run: str, event: gr.EventData) -> Values:
        return take(run, lambda: state.gallery.upload(role.split()[0], event.name), event.name)

    def cleared(run: str) -> Values:
        return answer(None, signal_input.EMPTY, run)

    return _Changes(uploaded, chosen, cleared)


def _weigh(file: Upload | None, event: gr.EventData) -> Upload | None:
    return file and replace(file, weight=min(max(float(event.weight), 0.1), 2.0))


def _add_style(tab: PaintTab, button: gr.Button) -> Callable[[Values], Values]:
    """One more input than there are further styles."""

    def add_style(values: Values) -> Values:
        files, extra = tab.chosen_in(values), ROLES[len(NEEDED) :]
        there = sum(role in files for role in extra)
        visible = {role: role in files or number <= there for number, role in enumerate(extra)}
        shown = {tab.inputs[role]: gr.update(visible=seen) for role, seen in visible.items()}
        return {**shown, button: gr.update(visible=not all(visible.values()))}

    return add_style


def _estimate(state: StudioState, tab: PaintTab) -> Callable[[Values], str]:
    def estimate(values: Values) -> str:
        files = tab.chosen_in(values)
        if "content" not in files:
            return ""
        try:
            return state.speed.tell(files["content"], tab.settings_in(values))
        except ImpastoError as error:
            return str(error)

    return estimate


def _offer(tab: PaintTab, button: gr.Button) -> Callable[[Values], Values]:
    """Offer the settings that one of the files carries."""

    def offer(values: Values) -> Values:
        return {button: gr.update(visible=any(_settings_inside(file.path) for file in tab.chosen_in(values).values()))}

    return offer


def _take_up(tab: PaintTab, button: gr.Button) -> Callable[[Values], Values]:
    def take_up(values: Values) -> Values:
        carried = (_settings_inside(file.path) for file in tab.chosen_in(values).values())
        try:
            texts = controls.texts_of(next(filter(None, carried), {}), "image")
        except ImpastoError as error:
            raise gr.Error(str(error)) from None
        return {button: gr.update(visible=False), **{tab.settings[name]: text for name, text in texts.items()}}

    return take_up


def _settings_inside(path: Path) -> dict[str, Any] | None:
    """The settings that a painting of impasto carries."""
    try:
        with Image.open(path) as picture:
            return dict(json.loads(picture.info["impasto"])["settings"])
    except Exception:  # anything can be wrong with a file from outside; then it carries no settings
        return None
