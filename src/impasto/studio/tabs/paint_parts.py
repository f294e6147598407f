"""The components of the Paint tab, by what they are for; other tabs read and change them too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.studio.components import controls, signal_input
from impasto.studio.masks import Masks
from impasto.studio.tabs.run_display import Watched
from impasto.studio.tabs.stage import Follow
from impasto.studio.uploads import Upload
from impasto.studio.variations import means_something
from impasto.transfer.settings import TransferSettings

ROLES = ("content", "style", "style 2", "style 3")
NEEDED = ROLES[:2]
Values = dict[Any, Any]
"""What components hold, by the component."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
ENDLESS: dict[str, Any] = {**QUIET, "concurrency_limit": None}
# what comes while the one before is handled, which Gradio drops by itself: of LATEST the last is handled after it, without
# what the event tells, and of EACH and IN_ORDER every one, these one after the other. Two of LATEST for one event would call
# each other for ever: whichever ends lets the whole event happen once more
LATEST: dict[str, Any] = {**QUIET, "trigger_mode": "always_last"}
EACH: dict[str, Any] = {**ENDLESS, "trigger_mode": "multiple"}
IN_ORDER: dict[str, Any] = {**QUIET, "trigger_mode": "multiple"}


def identity_of(event: gr.EventData) -> str:
    """Which run was chosen."""
    return event.id


@dataclass(frozen=True)
class PaintTab:
    """The components of the tab.

    Attributes:
        files: the upload chosen for each role; each of its own, as two can come in at once.
        inputs: where they come in, by role.
        rows: of plain words, by the setting that they write.
        settings: the fields, by the name of the setting.
        watched: what changes with the run that is shown.
        follow: what shows a run, by its id.
        visitor: who looks at the page, as :class:`impasto.studio.visits.Visits` names them; "" before it is opened.
        opened: whether the tab is set up as its visitor has left it.
        masks: of the content and the styles, as :mod:`impasto.studio.masks` has them.
        painter: where they are painted.
        variations: what asks for several at once, by what they are of.
    """

    files: dict[str, gr.State]
    inputs: dict[str, gr.HTML]
    rows: dict[str, Any]
    settings: dict[str, Any]
    watched: Watched
    follow: Follow
    visitor: gr.BrowserState
    opened: gr.State
    masks: gr.State
    painter: gr.HTML
    variations: dict[str, gr.Button]

    @property
    def chosen(self) -> set[Any]:
        """The components that hold what is to be painted and how, and for whom."""
        settings = self.settings.values()
        return {*self.files.values(), *settings, self.masks, self.visitor, self.opened, self.watched.run}

    @property
    def parts(self) -> list[Any]:
        """The components that :meth:`set_up` changes."""
        rows = (*self.rows.values(), *self.variations.values())
        return [*self.files.values(), self.masks, *self.inputs.values(), *rows, *self.settings.values()]

    def chosen_in(self, values: Values) -> dict[str, Upload]:
        """The uploads among the values, by role."""
        return {role: values[file] for role, file in self.files.items() if values[file] is not None}

    def texts_in(self, values: Values) -> dict[str, str]:
        """What the fields hold, by the name of the setting."""
        return {name: values[field] or "" for name, field in self.settings.items()}

    def settings_in(self, values: Values) -> TransferSettings:
        """The settings among the values.

        Raises:
            SettingsError: one of them is out of its range.
        """
        return controls.settings_of(self.texts_in(values))

    def set_up(self, files: dict[str, Upload], texts: dict[str, str], masks: Masks | None = None) -> Values:
        """The tab with these files and masks and with these texts in its fields.

        Raises:
            SignalError: a file cannot be read.
        """
        shown: Values = {self.masks: dict(masks or {})}
        for role, place in self.inputs.items():
            file = files.get(role)
            value = signal_input.EMPTY if file is None else signal_input.value_of(file)
            visible = signal_input.seen(role in NEEDED or file is not None)
            shown |= {self.files[role]: file, place: gr.update(value=value, visible=visible)}
        if "content" in files:
            shown |= self.of_kind(files["content"].kind)
        return shown | {self.settings[name]: text for name, text in texts.items() if name in self.settings}

    def of_kind(self, kind: str) -> Values:
        """What signals of this kind have is seen, and the rest is not."""
        rows: Values = {self.rows[name]: update for name, update in controls.rows_of_kind(kind).items()}
        return rows | {one: gr.update(visible=means_something(name, kind)) for name, one in self.variations.items()}
