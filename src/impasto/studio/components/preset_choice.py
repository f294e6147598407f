"""The choice of a preset: it writes what a course, a paper or another program paints with into all fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import gradio as gr

from impasto.studio.components.controls import texts_of
from impasto.transfer.presets import PRESETS
from impasto.transfer.settings import TransferSettings

USUAL = "impasto's own"
_ASK = "choose …"
_OF_THE_MACHINE = ("device", "precision", "memory")  # left as they are


@cache
def preset_texts() -> dict[str, dict[str, str]]:
    """What the fields hold for each preset, by its name; without those whose weights would have to be fetched."""
    names = [name for name, preset in PRESETS.items() if "weights" not in preset.settings]
    return {name: texts_of(TransferSettings.preset(name).as_dict(), "image") for name in names}


def preset_choice() -> gr.Dropdown:
    """The choice, which is as if nothing had been chosen as soon as it has written: the fields can be changed after it."""
    names = [*preset_texts(), USUAL]
    return gr.Dropdown(
        [(_ASK, ""), *((name, name) for name in names)],
        value="",
        label="take over the settings of",
        info="; ".join(f"{name}: {PRESETS[name].source}" for name in names if name in PRESETS) + ".",
        elem_id="preset",
    )


def connect(choice: gr.Dropdown, settings: Mapping[str, Any]) -> None:
    """Let it write into the fields of the ``settings``, which are given by their names."""
    texts = {**preset_texts(), USUAL: dict.fromkeys(settings, "")}
    names = [name for name in settings if name not in _OF_THE_MACHINE]
    written = {preset: ["", *(of_preset[name] for name in names)] for preset, of_preset in texts.items()}
    js = f"(preset, ...fields) => ({json.dumps(written)})[preset] ?? [preset, ...fields]"
    fields = [choice, *(settings[name] for name in names)]
    choice.input(None, fields, fields, js=js, api_visibility="private")
