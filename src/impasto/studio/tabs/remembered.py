"""The Paint tab over a reload: its files and its settings are kept for each visitor, and set up again with the page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from impasto.errors import ImpastoError
from impasto.studio.masks import Mask
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
        files, masks = tab.chosen_in(values), values[tab.masks]
        value = {
            "files": {role: upload.as_dict() for role, upload in files.items()},
            "settings": tab.texts_in(values),
            "masks": {name: {"file": mask.file.as_dict(), "of": mask.of} for name, mask in masks.items()},
        }
        paths = {role: upload.path for role, upload in files.items()}
        paths |= {f"mask {name}": mask.file.path for name, mask in masks.items()}
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
            masks = {
                str(name): Mask(Upload.from_dict(kept.files[f"mask {name}"], known["file"]), tuple(known["of"]))
                for name, known in kept.value.get("masks", {}).items()
                if f"mask {name}" in kept.files
            }
            return {tab.opened: True, **tab.set_up(files, texts, masks)}
        except (ImpastoError, ValueError, TypeError, KeyError, AttributeError):  # kept by another version
            return {tab.opened: True}

    return set_up
