"""The page of a lecture in the studio: the lecture itself, and above it a bar with what can be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from impasto.lecture import page

_FOLDER = Path(__file__).parent

EMPTY: dict[str, Any] = {
    "of": "",
    "parts": {},
    "about": "",
    "file": "lecture",
    "content": "",
    "style": "",
    "begin": "",
    "busy": False,
    "progress": 0.0,
    "working": "",
    "live": "",
    "hint": "",
    "note": "",
    "error": "",
}
"""What it shows before it knows anything.

``of`` names the lecture: when it changes all parts go, and else those in ``parts`` are added to what is there. ``begin`` is
what the button says that computes a lecture with ``content`` and ``style``, pictures of one's own; empty: it is not there.
"""


def lecture_page() -> gr.HTML:
    """The component: its value is a dict like :data:`EMPTY`. Its events: ``submit`` to compute, ``stop``."""
    shared, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("shared.js", "lecture_page.js"))
    bar = (_FOLDER / "lecture_page.html").read_text(encoding="utf-8")
    return gr.HTML(
        EMPTY,
        html_template=f"<style>{page.style()}</style>{bar}{page.body()}",
        js_on_load=shared + page.script() + script,
        apply_default_css=False,
        elem_id="learn",
        shell=page.shell(),
    )
