"""What happens to the masks of the Paint tab: they are painted or given, kept, and dropped when they no longer fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError
from impasto.studio.components import mask_painter
from impasto.studio.masks import CONTENT, PAINTED, STYLES, WORDS, check_mask, fitting, in_order, mask_settings
from impasto.studio.state import StudioState
from impasto.studio.tabs.paint_parts import IN_ORDER, LATEST, ROLES, PaintTab, Values
from impasto.studio.tabs.remembered import PART
from impasto.studio.tabs.run_display import sentence
from impasto.studio.uploads import Upload, inspect
from impasto.transfer.settings import TransferSettings


class PaintMasks:
    """The masks of all pages that are open."""

    def __init__(self, state: StudioState, tab: PaintTab) -> None:
        self._state, self._tab = state, tab

    def connect(self) -> None:
        """Let what is painted and given be kept, and the masks be shown that there are."""
        tab, files = self._tab, self._tab.files.values()
        known: set[Any] = {*files, tab.masks, tab.visitor}
        changed = [tab.masks, tab.painter]
        tab.painter.upload(self._given, known, changed, **IN_ORDER)
        tab.painter.clear(self._cleared, known, changed, **IN_ORDER)
        gr.on(
            [*(file.change for file in files), tab.masks.change],
            self._show,
            known,
            changed,
            concurrency_limit=None,
            **LATEST,
        )

    def _given(self, values: Values, event: gr.EventData) -> Values:
        """A file is a mask from now on; regions are either painted or given."""
        tab, name = self._tab, str(event.mask)
        files, masks = tab.chosen_in(values), dict(values[tab.masks])
        of = files.get(_role(name))
        if name not in WORDS or of is None:
            return gr.skip()
        try:
            found = inspect(event.path, event.name, self._state.uploads)
            mask = check_mask(name, found, of)
        except ImpastoError as error:
            return {tab.painter: mask_painter.value_of(files, masks, error=sentence(error), wrong=name)}
        path = self._state.visits.adopt(values[tab.visitor], PART, found.path)
        masks[name] = replace(mask, file=replace(found, path=path))
        if name in (PAINTED, CONTENT):
            masks.pop(CONTENT if name == PAINTED else PAINTED, None)
        return {tab.masks: masks}

    def _cleared(self, values: Values, event: gr.EventData) -> Values:
        tab = self._tab
        masks = {name: mask for name, mask in values[tab.masks].items() if name != event.mask}
        return {tab.masks: masks, tab.painter: mask_painter.value_of(tab.chosen_in(values), masks)}

    def _show(self, values: Values) -> Values:
        """The masks that fit the pictures that there are now; what no longer does is dropped, and told."""
        tab = self._tab
        files = tab.chosen_in(values)
        masks, dropped = fitting(values[tab.masks], files)
        try:
            if not dropped:
                return {tab.painter: mask_painter.value_of(files, masks)}
            pictures = " and ".join(dict.fromkeys(files[_role(name)].name for name in dropped))
            told = f"{pictures} has another shape, so {' and '.join(WORDS[name] for name in dropped)} had to go."
            return {tab.masks: masks, tab.painter: mask_painter.value_of(files, masks, told)}
        except ImpastoError:  # told where the file came in
            return {tab.painter: mask_painter.EMPTY}


def masks_in(state: StudioState, tab: PaintTab, values: Values) -> dict[str, Upload]:
    """The masks with which the pictures among the values are painted, as a run keeps them.

    Raises:
        SignalError: a mask cannot be read, or a region has no counterpart.
    """
    files = tab.chosen_in(values)
    if "content" not in files or files["content"].kind != "image":
        return {}
    masks, _ = fitting(values[tab.masks], files)
    found = in_order(masks, [role for role in ROLES[1:] if role in files], state.uploads)
    mask_settings(found, sum(role in files for role in ROLES[1:]), state.uploads)  # raises if they cannot be painted with
    return found


def with_masks(state: StudioState, settings: TransferSettings, masks: dict[str, Upload], styles: int) -> TransferSettings:
    """The settings with those that the masks are."""
    return replace(settings, **mask_settings(masks, styles, state.uploads))


def _role(name: str) -> str:
    return name if name in STYLES else "content"
