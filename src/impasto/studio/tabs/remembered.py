"""The Paint tab over a reload: its files and its settings are kept for each visitor, and set up again with the page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from impasto.errors import ImpastoError
from impasto.studio.state import StudioState
from impasto.studio.tabs.paint_parts import ROLES, PaintTab, Values
from impasto.studio.uploads import Upload

PART = "paint"
"""The name of the tab among what a visitor has left."""


def remember(state: StudioState, tab: PaintTab) -> Callable[[Values], None]:
    """Keeps the tab as it is now. It changes nothing on it: while it keeps one state of it the next may be there."""

    def keep(values: Values) -> None:
        if not values[tab.opened]:  # what a new page fires before it is set up is not what its visitor has chosen
            return
        files = tab.chosen_in(values)
        value = {
            "files": {role: upload.as_dict() for role, upload in files.items()},
            "settings": tab.texts_in(values),
        }
        paths = {role: upload.path for role, upload in files.items()}
        with suppress(ImpastoError):  # a page that cannot be kept can still be painted with
            state.visits.keep(values[tab.visitor], PART, value, paths)

    return keep


def recall(state: StudioState, tab: PaintTab) -> Callable[[str], Values]:
    """Sets up the tab as its visitor has left it; a new visitor gets a name."""

    def set_up(visitor: str) -> Any:
        kept = state.visits.recall(visitor, PART)
        if kept is None:
            return {tab.opened: True} | ({} if visitor else {tab.visitor: state.visits.new()})
        try:
            about = kept.value["files"]
            files = {role: Upload.from_dict(kept.files[role], about[role]) for role in ROLES if role in kept.files}
            texts = {str(name): str(text) for name, text in kept.value["settings"].items()}
            return {tab.opened: True, **tab.set_up(files, texts)}
        except (ImpastoError, ValueError, TypeError, KeyError, AttributeError):  # kept by another version
            return {tab.opened: True}

    return set_up
