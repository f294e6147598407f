"""A tile: where the content or the style comes in, and is seen."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impasto.studio import guard
from impasto.studio.guard import Upload
from impasto.studio.part import part
from impasto.studio.portrait import portrait_of
from impasto.studio.stage import data_uri

_LONGEST = 640

EMPTY: dict[str, Any] = {"picture": "", "name": "", "note": "", "error": "", "ready": "", "weight": 1.0}
"""What a tile shows before anything was dropped; every value of a tile has these keys."""


def tile(role: str, ready: list[dict[str, str]], visible: bool = True) -> gr.HTML:
    """The component: its value is a dict like :data:`EMPTY`.

    Its events: ``upload`` with the path and the name of a file, ``select`` with the name of one of the ready pictures
    (each with a name and a picture, a data URI), ``input`` with the weight of a style, and ``clear``.
    """
    return part(
        "tile",
        EMPTY,
        role.replace(" ", "-"),
        label=role,
        visible=visible,
        ready=ready,
        megabytes=guard.MOST_BYTES // guard.MIB,
    )


def tile_value(upload: Upload, ready: str = "") -> dict[str, Any]:
    """What a tile shows of an upload.

    Raises:
        SignalError: it cannot be read.
    """
    return {
        **EMPTY,
        "picture": data_uri(portrait_of(upload.path, _LONGEST)),
        "name": upload.name,
        "note": f"{upload.name} · {upload.extent}",
        "ready": ready,
        "weight": upload.weight,
    }
