"""A signal input: where the content or a style comes in, and is seen."""

from __future__ import annotations

from typing import Any, Literal

import gradio as gr

from impasto.studio import uploads
from impasto.studio.components.component import component
from impasto.studio.components.preview import preview_file
from impasto.studio.components.result_view import data_uri
from impasto.studio.uploads import Upload

_LONGEST = 640

EMPTY: dict[str, Any] = {"picture": "", "name": "", "note": "", "error": "", "ready": "", "weight": 1.0}
"""What it shows before anything was dropped; every value has these keys."""


def seen(visible: bool) -> bool | Literal["hidden"]:
    """How gradio lets a component be seen or not; one that is not on the page at first would not know its ready pictures."""
    return visible or "hidden"


def signal_input(role: str, ready: list[dict[str, str]], visible: bool = True) -> gr.HTML:
    """The component: its value is a dict like :data:`EMPTY`.

    Its events: ``upload`` with the path and the name of a file, ``select`` with the name of one of the ready pictures
    (each with a name and a picture, a data URI), ``input`` with the weight of a style, and ``clear``.
    """
    return component(
        "signal_input",
        EMPTY,
        role.replace(" ", "-"),
        label=role,
        visible=seen(visible),
        ready=ready,
        megabytes=uploads.MOST_BYTES // uploads.MIB,
    )


def value_of(upload: Upload, ready: str = "") -> dict[str, Any]:
    """What it shows of an upload.

    Raises:
        SignalError: it cannot be read.
    """
    return {
        **EMPTY,
        "picture": data_uri(preview_file(upload.path, _LONGEST)),
        "name": upload.name,
        "note": f"{upload.name} · {upload.extent}",
        "ready": ready,
        "weight": upload.weight,
    }
