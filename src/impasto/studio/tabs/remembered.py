"""The Paint tab over a reload: its files and its settings are kept for each visitor, and set up again when the page is opened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError
from impasto.studio.components import controls, signal_input
from impasto.studio.state import StudioState
from impasto.studio.tabs.paint import NEEDED, ROLES, PaintTab, Values
from impasto.studio.uploads import Upload

_PART = "paint"


def remember(state: StudioState, tab: PaintTab, opened: gr.State) -> Callable[[Values], Values]:
    """Keeps the tab as it is now; from then on it has its files from there, as uploads do not stay."""

    def keep(values: Values) -> Values:
        visitor = values[tab.visitor]
        if not values[opened]:  # what a new page fires before it is set up is not what its visitor has chosen
            return {}
        files = tab.chosen_in(values)
        value = {
            "files": {role: upload.as_dict() for role, upload in files.items()},
            "settings": {name: values[field] or "" for name, field in tab.settings.items()},
        }
        with suppress(ImpastoError):  # a page that cannot be kept can still be painted with
            kept = state.visits.keep(visitor, _PART, value, {role: upload.path for role, upload in files.items()})
            moved = {role: replace(files[role], path=path) for role, path in kept.files.items() if path != files[role].path}
            return {tab.files[role]: upload for role, upload in moved.items()}
        return {}

    return keep


def recall(state: StudioState, tab: PaintTab, opened: gr.State) -> Callable[[str], Values]:
    """Sets up the tab as its visitor has left it; a new visitor gets a name."""

    def set_up(visitor: str) -> Values:
        kept = state.visits.recall(visitor, _PART)
        if kept is None:
            return {opened: True} | ({} if visitor else {tab.visitor: state.visits.new()})
        try:
            about = kept.value["files"]
            files = {role: Upload.from_dict(kept.files[role], about[role]) for role in ROLES if role in kept.files}
            texts = {name: str(text) for name, text in kept.value["settings"].items()}
            return {opened: True, **shown(tab, files, texts)}
        except (ImpastoError, ValueError, TypeError, KeyError, AttributeError):  # kept by another version
            return {opened: True}

    return set_up


def shown(tab: PaintTab, files: dict[str, Upload], texts: dict[str, str]) -> Values:
    """The tab with these files and with these texts in its fields.

    Raises:
        SignalError: a file cannot be read.
    """
    shown: Values = {}
    for role, place in tab.inputs.items():
        file = files.get(role)
        value = signal_input.EMPTY if file is None else signal_input.value_of(file)
        shown |= {tab.files[role]: file, place: gr.update(value=value, visible=role in NEEDED or file is not None)}
    if "content" in files:
        shown |= {tab.rows[name]: update for name, update in controls.rows_of_kind(files["content"].kind).items()}
    return shown | {tab.settings[name]: text for name, text in texts.items() if name in tab.settings}


def parts_of(tab: PaintTab) -> list[Any]:
    """The components that :func:`shown` changes."""
    return [*tab.files.values(), *tab.inputs.values(), *tab.rows.values(), *tab.settings.values()]
