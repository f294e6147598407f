"""A tile: where the content or the style comes in, and is seen."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impasto.studio import guard
from impasto.studio.guard import Upload
from impasto.studio.painting import shown
from impasto.studio.part import part
from impasto.studio.stage import data_uri

_LONGEST = 640

EMPTY: dict[str, Any] = {"picture": "", "name": "", "note": "", "error": "", "ready": ""}
"""What a tile shows before anything was dropped; every value of a tile has these keys."""


def tile(role: str, ready: list[dict[str, str]]) -> gr.HTML:
    """The component: its value is a dict like :data:`EMPTY`.

    Its events: ``upload`` with the path and the name of a file, ``select`` with the name of one of the ready pictures
    (each with a name and a picture, a data URI), and ``clear``.
    """
    return part("tile", EMPTY, role, label=role, ready=ready, megabytes=guard.MOST_BYTES // guard.MIB)


def tile_value(upload: Upload, ready: str = "") -> dict[str, Any]:
    """What a tile shows of an upload.

    Raises:
        SignalError: it cannot be read.
    """
    height, width = upload.shape
    return {
        **EMPTY,
        "picture": data_uri(shown(upload.path, _LONGEST)),
        "name": upload.name,
        "note": f"{upload.name} · {width} × {height}",
        "ready": ready,
    }
