"""The ways to treat colours, to be chosen by what each does to the pictures that are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from impasto.studio.components.component import component
from impasto.transfer.choices import CHOICES
from impasto.transfer.settings import TransferSettings

COLOUR_WORDS: Mapping[str, tuple[str, str]] = {
    "style": ("Style’s", "The picture takes on the colours of the style."),
    "content": ("Its own", "The picture’s own colours are put back when it is painted."),
    "luminance": ("Light only", "Colours and contrast stay; only the light is painted."),
    "match": ("Matched", "The style’s colours are first turned into those of the picture."),
}
"""A word and a caption for each value of the setting ``colour``."""

DEFAULT: str = TransferSettings.__dataclass_fields__["colour"].default
EMPTY: dict[str, Any] = {"pictures": {}, "chosen": DEFAULT, "coloured": True}
"""What it shows before there are a content and a style; every value has these keys."""


def colour_choice() -> gr.HTML:
    """The component; its value is a dict like :data:`EMPTY`, with a data URI for each way; it hides if the content has no
    colours. Its event is ``input``.
    """
    ways = [{"name": name, "word": COLOUR_WORDS[name][0], "caption": COLOUR_WORDS[name][1]} for name in CHOICES["colour"]]
    return component("colour_choice", EMPTY, ways=ways)
