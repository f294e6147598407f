"""The controls: one field for each setting, and plain words for those that matter most.

The fields hold the settings as the command line takes them, empty where the default is meant; a row of words only writes
into its field. So whatever the settings can be told, the page can be told too, and be made to show again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, NamedTuple

import gradio as gr

from impasto.errors import SettingsError
from impasto.media.registry import medium_of
from impasto.networks.device import available_devices
from impasto.objective.weighting import layers_text, number_text
from impasto.studio.components import colour_choice, mask_painter
from impasto.transfer.choices import CHOICES, INITS
from impasto.transfer.default_text import default_text
from impasto.transfer.settings import TransferSettings
from impasto.validation import YES_NO, Layers


class PlainWords(NamedTuple):
    """A setting in plain words: what each of them writes into its field, "" being the default.

    Attributes:
        setting: its name.
        label: what the row is called.
        choices: what is written, by the word.
        pictures: whether it is for pictures (True), for all other signals (False), or for all (None).
    """

    setting: str
    label: str
    choices: Mapping[str, str]
    pictures: bool | None = None

    def suits(self, kind: str) -> bool:
        """Whether it is for signals of this kind."""
        return self.pictures in (None, medium_of(kind).is_picture)


PLAIN_WORDS = (
    PlainWords("size", "Size", {"256": "256", "512": "", "1024": "1024", "Full": "full"}, True),
    PlainWords("iterations", "Patience", {"Sketch": "60", "Painting": "", "Fine": "500"}),
    PlainWords("init", "Begin with", {"Content": "", "Noise": "random", "Style": "style"}),
)


class Dial(NamedTuple):
    """A setting as a slider; at its default it writes "".

    Attributes:
        setting: its name.
        label: what the slider is called.
        default: what is meant where nothing is given.
        low: where the slider begins.
        high: where it ends.
        step: between two of its values.
        pictures: as of a :class:`PlainWords`.
        instead: the settings that it stands for, whose fields it empties.
    """

    setting: str
    label: str
    default: float
    low: float = 0.0
    high: float = 1.0
    step: float = 0.05
    pictures: bool | None = None
    instead: tuple[str, ...] = ()

    def suits(self, kind: str) -> bool:
        """Whether it is for signals of this kind."""
        return self.pictures in (None, medium_of(kind).is_picture)


DIALS = (
    Dial("strength", "Strength of the style", 0.5, instead=("alpha", "beta", "init_noise")),
    Dial("stroke", "Brush strokes, fine – broad", 1.0, 0.25, 4, 0.25, True),
    Dial("draw", "Photographic – Painterly", medium_of("image").defaults["draw"], step=0.1, pictures=True),
)
# visitors shall not name files of the server, nor weights that would have to be fetched; and they paint no movies
_HIDDEN = (
    *(s.name for s in fields(TransferSettings) if "FILE" in s.metadata["metavar"] and s.name != "init"),
    "cuts",
)
_USUAL_COLOUR = json.dumps(colour_choice.DEFAULT)
_SHORT = 12  # letters of a default that a field has room for
GROUPS = {
    "Size and time": ("size", "working_rate", "rate", "scales", "iterations", "until_still"),
    "The picture": ("stroke", "draw", "colour", "tv", "tv_cost", "init", "init_noise", "noise", "seed"),
    "J": ("strength", "alpha", "beta", "weighting", "style_cost", "content_layers", "style_layers"),
    "The network": ("network", "preprocessing", "pooling", "padding", "method"),
    "The descent": ("optimizer", "step", "history", "device", "precision", "memory"),
}
NAMES = tuple(setting.name for setting in fields(TransferSettings) if setting.name not in _HIDDEN)


def plain_rows() -> tuple[dict[str, Any], gr.HTML]:
    """The sliders, the ways to treat colours and the rows of plain words, each by the setting that it writes.

    Among them is the place where masks are painted.
    """
    dials = {
        dial.setting: gr.Slider(
            dial.low,
            dial.high,
            value=dial.default,
            step=dial.step,
            label=dial.label,
            elem_classes="dial",
            elem_id=f"dial-{dial.setting}",
            visible=dial.suits("image"),
        )
        for dial in DIALS
    }
    colour, painter = {"colour": colour_choice.colour_choice()}, mask_painter.mask_painter()
    rows = {
        row.setting: gr.Radio(
            list(row.choices), value=_word(row, ""), label=row.label, elem_classes="plain-words", visible=row.suits("image")
        )
        for row in PLAIN_WORDS
    }
    return dials | colour | rows, painter


def rows_of_kind(kind: str) -> dict[str, Any]:
    """Updates of the rows: those for signals of this kind are seen."""
    return {row.setting: gr.update(visible=row.suits(kind)) for row in (*PLAIN_WORDS, *DIALS)}


def fields_of_kind(kind: str) -> dict[str, Any]:
    """Updates of the fields whose rows are not seen for this kind: what those rows have written is taken back."""
    unseen = [row.setting for row in (*PLAIN_WORDS, *DIALS) if not row.suits(kind)]
    return dict.fromkeys([*unseen, *(() if medium_of(kind).is_picture else ("colour",))], gr.update(value=""))


def setting_fields() -> dict[str, Any]:
    """A field for each setting, by its name, in groups."""
    made: dict[str, Any] = {}
    for title, names in GROUPS.items():
        gr.HTML(f"<h3>{title}</h3>", apply_default_css=False, elem_classes="group")
        for name in names:
            made[name] = _field(name)
    return {name: made[name] for name in NAMES}


def _field(name: str) -> gr.Dropdown | gr.Textbox:
    usual, choices = default_text(name), _choices(name)
    long = len(usual) > _SHORT
    info = without_dashes(TransferSettings.__dataclass_fields__[name].metadata["help"])
    common: dict[str, Any] = {
        "elem_id": f"set-{name}",
        "label": name.replace("_", " "),
        "info": f"{info} As usual: {usual}." if long and not choices else info,
        "value": "",
    }
    if choices:
        first = usual if usual in choices else choices[0]
        return gr.Dropdown([(first, ""), *((choice, choice) for choice in choices if choice != first)], **common)
    return gr.Textbox(**common, placeholder="as usual" if long else usual, max_lines=1, max_length=400)


def connect(rows: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Let words write into their fields, and fields find their words: in the browser, so that no click is overtaken."""
    for dial in DIALS:
        slider, field, usual = rows[dial.setting], settings[dial.setting], json.dumps(dial.default)
        emptied = [settings[name] for name in dial.instead]
        text, nothing = f"value === {usual} ? '' : String(value)", "''"
        texts = f"[{', '.join([text] + len(emptied) * [nothing])}]" if emptied else text
        slider.input(None, slider, [field, *emptied], js=f"(value) => {texts}", api_visibility="private")
        field.change(None, field, slider, js=f"(text) => Number((text ?? '').trim() || {usual})", api_visibility="private")
    for row in PLAIN_WORDS:
        radio, field = rows[row.setting], settings[row.setting]
        written = dict(row.choices)
        words = {text: word for word, text in written.items()}
        words[_own_default(row)] = words[""]
        radio.input(None, radio, field, js=f"(word) => ({json.dumps(written)})[word] ?? ''", api_visibility="private")
        field.change(None, field, radio, js=f"(text) => ({json.dumps(words)})[(text ?? '').trim()] ?? ''",
                    api_visibility="private")  # fmt: skip
    rows["colour"].input(
        None, rows["colour"], settings["colour"], js=f"({{ chosen }}) => chosen === {_USUAL_COLOUR} ? '' : chosen",
        api_visibility="private",
    )  # fmt: skip
    settings["colour"].change(**show_colour(rows, settings))


def show_colour(rows: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What lets the ways to treat colours show the one that the field has, as arguments of an event."""
    js = f"(text, value) => ({{ ...value, chosen: (text ?? '').trim() || {_USUAL_COLOUR} }})"
    row = rows["colour"]
    return {"fn": None, "inputs": [settings["colour"], row], "outputs": row, "js": js, "api_visibility": "private"}


def settings_of(values: Mapping[str, str | None]) -> TransferSettings:
    """The settings of what the fields hold, by their names.

    Raises:
        SettingsError: one of them is out of its range, or names a file.
    """
    given = {name: str(value).strip() for name, value in values.items() if value not in (None, "")}
    _check_choices(given)
    return TransferSettings(**{name: value for name, value in given.items() if value})  # pyright: ignore[reportArgumentType]


def mistakes(values: Mapping[str, str | None]) -> dict[str, str]:
    """What is wrong with single fields, by their names; they can also be wrong together."""
    wrong: dict[str, str] = {}
    for name, value in values.items():
        try:
            settings_of({name: value})
        except SettingsError as error:
            wrong[name] = without_dashes(str(error))
    return wrong


def texts_of(settings: Mapping[str, Any], kind: str) -> dict[str, str]:
    """What the fields hold for settings as :meth:`TransferSettings.as_dict` gives them; "" where it is the default.

    Raises:
        SettingsError: these are no settings.
    """
    try:
        given = {name: settings[name] for name in NAMES if settings.get(name) is not None}
        _check_choices(given)
        known = TransferSettings(**given)
        default = replace(TransferSettings(init=known.init).for_kind(kind), init=TransferSettings().init)
    except (TypeError, AttributeError) as error:
        raise SettingsError(f"these settings cannot be read: {error}") from None
    values, usual = {name: getattr(known, name) for name in NAMES}, TransferSettings()
    left = {
        name: (None, getattr(default, name), getattr(usual, name)) for name in NAMES
    }  # what a run has left open is kept so
    return {name: "" if value in left[name] else _text(value) for name, value in values.items()}


def _check_choices(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        choices = _choices(name)
        if choices and (YES_NO[value] if isinstance(value, bool) else value) not in choices:
            raise SettingsError(f"{name} is one of {', '.join(choices)} here")


def _choices(name: str) -> tuple[str, ...]:
    if name == "init":
        return INITS
    if name == "device":
        return ("auto", *available_devices())
    return YES_NO if isinstance(TransferSettings.__dataclass_fields__[name].default, bool) else CHOICES.get(name, ())


def _word(row: PlainWords, text: str) -> str | None:
    text = "" if text == _own_default(row) else text
    return next((word for word, written in row.choices.items() if text == written), None)


def _own_default(row: PlainWords) -> str:
    return str(medium_of("image").defaults.get(row.setting, TransferSettings.__dataclass_fields__[row.setting].default))


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        layers: Layers = value
        return layers_text(layers)
    if isinstance(value, bool):
        return YES_NO[value]
    return number_text(value) if isinstance(value, float) else str(value)


def without_dashes(text: str) -> str:
    """A message of the command line as it is told on a page."""
    return re.sub(r"--(?=[a-z])", "", text)
