"""A part of the page: a file of HTML that stays, and one of JavaScript that shows a value in it and tells what people do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

_PAGE = Path(__file__).parent / "page"


def part(name: str, value: Any, elem_id: str | None = None, **props: Any) -> gr.HTML:
    """The component made of ``page/NAME.html`` and ``page/NAME.js``; ``props`` are what its script can look up."""
    return gr.HTML(
        value,
        html_template=(_PAGE / f"{name}.html").read_text(encoding="utf-8"),
        js_on_load=(_PAGE / f"{name}.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=elem_id or name,
        **props,
    )
