"""A painter of masks: what of the content stays, and which style goes where, brushed on it in the page or given as files."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from impasto.studio.components.component import component
from impasto.studio.components.preview import preview_file
from impasto.studio.components.result_view import data_uri
from impasto.studio.masks import CONTENT, LABELS, LONGEST, PAINTED, PROTECT, STYLES, Masks, canvas_size, preview_mask
from impasto.studio.uploads import Upload

EMPTY: dict[str, Any] = {
    "picture": "",
    "of": "",
    "width": 0,
    "height": 0,
    "styles": (),
    "masks": {},
    "told": "",
    "error": "",
    "wrong": "",
    "at": 0.0,
}
"""What it shows while there is no content to paint on; every value has these keys."""


def mask_painter() -> gr.HTML:
    """The component; its value is a dict like :data:`EMPTY`.

    Its events: ``upload`` with the path and the name of a file and the name of the mask that it is (what is painted comes
    so, too), and ``clear`` with the name of a mask.
    """
    names = {"protect": PROTECT, "painted": PAINTED, "content": CONTENT, "roles": STYLES, "labels": LABELS}
    return component("mask_painter", EMPTY, names=names)


def value_of(files: Mapping[str, Upload], masks: Masks, told: str = "", error: str = "", wrong: str = "") -> dict[str, Any]:
    """What it shows of the masks of a content and styles.

    Args:
        files: content and styles by their roles.
        masks: by their names.
        told: what happened to them.
        error: why the mask named ``wrong`` is none.

    Raises:
        SignalError: a file cannot be read.
    """
    content = files.get("content")
    if content is None or content.kind != "image":
        return {**EMPTY, "told": told}
    width, height = canvas_size(content)
    return {
        "picture": _painted_on(content.path),
        "of": _identity(content),
        "width": width,
        "height": height,
        "styles": [{"role": role, "name": Path(files[role].name).stem} for role in STYLES if role in files],
        "masks": {
            name: {
                "name": mask.file.name,
                "id": _identity(mask.file),
                "picture": "" if name in STYLES else preview_mask(name, mask),
            }
            for name, mask in masks.items()
        },
        "told": told,
        "error": error,
        "wrong": wrong,
        "at": time.time(),
    }


@lru_cache(maxsize=8)
def _painted_on(path: Path) -> str:
    return data_uri(preview_file(path, LONGEST))


def _identity(file: Upload) -> str:
    """What is painted has a name of its own from the page; of other files the place is."""
    return file.name if file.name.startswith("painted-") else f"{file.path.parent.name}/{file.path.name}"
