"""A component of the page: HTML that stays, and JavaScript that shows a value in it and reports what people do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

_FOLDER = Path(__file__).parent
_SHARED = (_FOLDER / "shared.js").read_text(encoding="utf-8")


def component(name: str, value: Any, elem_id: str | None = None, scripts: str = "", **props: Any) -> gr.HTML:
    """The component of ``NAME.html`` and ``NAME.js`` in this folder; its script finds ``props`` by their names.

    ``scripts`` is JavaScript that comes before its own.
    """
    return gr.HTML(
        value,
        html_template=(_FOLDER / f"{name}.html").read_text(encoding="utf-8"),
        js_on_load=_SHARED + scripts + (_FOLDER / f"{name}.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=elem_id or name.replace("_", "-"),
        **props,
    )
