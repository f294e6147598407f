"""What happens at the signal inputs of the Paint tab: files come in, are weighed against each other, and go again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from PIL import Image

from impasto.errors import ImpastoError
from impasto.studio.components import controls, result_view, signal_input
from impasto.studio.state import StudioState
from impasto.studio.tabs.paint_parts import NEEDED, ROLES, PaintTab, Values
from impasto.studio.tabs.remembered import PART
from impasto.studio.tabs.run_display import sentence
from impasto.studio.uploads import Upload, inspect


class Changes(NamedTuple):
    """What happens at a signal input; each takes the file that is there, the id of the run that is shown and the visitor."""

    uploaded: Callable[..., Values]
    chosen: Callable[..., Values]
    cleared: Callable[..., Values]


def changes(state: StudioState, tab: PaintTab, role: str) -> Changes:
    """What happens at the input of a role."""

    def answer(file: Upload | None, value: dict[str, Any], run: str) -> Values:
        changed: Values = {tab.files[role]: file, tab.inputs[role]: value}
        if role != "content":
            return changed
        if not run:  # a painting stays on the stage
            idle = {**result_view.EMPTY, "content": value["picture"]} if file else state.gallery.example()
            changed[tab.watched.result] = idle
        if file is not None:
            changed |= tab.of_kind(file.kind)
            changed |= {tab.settings[name]: update for name, update in controls.fields_of_kind(file.kind).items()}
        return changed

    def take(there: Upload | None, run: str, visitor: str, find: Callable[[], Upload], ready: str = "") -> Values:
        try:
            found = find()
            upload = replace(found, path=state.visits.adopt(visitor, PART, found.path))
            return answer(upload, signal_input.value_of(upload, ready), run)
        except ImpastoError as error:  # what is there stays
            value = signal_input.EMPTY if there is None else signal_input.value_of(there)
            return {tab.inputs[role]: {**value, "error": sentence(error), "at": time.time()}}

    def uploaded(there: Upload | None, run: str, visitor: str, event: gr.EventData) -> Values:
        return take(there, run, visitor, lambda: inspect(event.path, event.name, state.uploads))

    def chosen(there: Upload | None, run: str, visitor: str, event: gr.EventData) -> Values:
        return take(there, run, visitor, lambda: state.gallery.upload(role.split()[0], event.name), event.name)

    def cleared(there: Upload | None, run: str, visitor: str) -> Values:
        return answer(None, signal_input.EMPTY, run)

    return Changes(uploaded, chosen, cleared)


def weigh(file: Upload | None, event: gr.EventData) -> Upload | None:
    """The style with the weight that was chosen."""
    return file and replace(file, weight=min(max(float(event.weight), 0.1), 2.0))


def add_style(tab: PaintTab, button: gr.Button) -> Callable[[Values], Values]:
    """One more input than there are further styles."""

    def add(values: Values) -> Values:
        files, extra = tab.chosen_in(values), ROLES[len(NEEDED) :]
        given = sum(role in files for role in extra)
        visible = {role: role in files or number <= given for number, role in enumerate(extra)}
        shown = {tab.inputs[role]: gr.update(visible=signal_input.seen(there)) for role, there in visible.items()}
        return {**shown, button: gr.update(visible=not all(visible.values()))}

    return add


def offer(tab: PaintTab, button: gr.Button) -> Callable[[Values], Values]:
    """Offer the settings that one of the files carries."""

    def offered(values: Values) -> Values:
        return {button: gr.update(visible=any(_settings_inside(file.path) for file in tab.chosen_in(values).values()))}

    return offered


def take_up(tab: PaintTab, button: gr.Button) -> Callable[[Values], Values]:
    """Write the settings that one of the files carries into the fields."""

    def taken(values: Values) -> Values:
        carried = (_settings_inside(file.path) for file in tab.chosen_in(values).values())
        try:
            texts = controls.texts_of(next(filter(None, carried), {}), "image")
        except ImpastoError as error:
            raise gr.Error(str(error)) from None
        return {button: gr.update(visible=False), **{tab.settings[name]: text for name, text in texts.items()}}

    return taken


def _settings_inside(path: Path) -> dict[str, Any] | None:
    """The settings that a painting of impasto carries."""
    try:
        with Image.open(path) as picture:
            # pictures that do not say how far they are drawn are older than that setting, and are not
            return {"draw": 0.0} | dict(json.loads(picture.info["impasto"])["settings"])
    except Exception:  # anything can be wrong with a file from outside; then it carries no settings
        return None
