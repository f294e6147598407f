"""The page: its name and its tabs."""

from __future__ import annotations

import gradio as gr

from impasto.studio.house import House
from impasto.studio.paint import paint_tab

_HOUR = 3600


def build(house: House) -> gr.Blocks:
    """The page of a studio."""
    with gr.Blocks(title="impasto", analytics_enabled=False, delete_cache=(_HOUR, 24 * _HOUR), fill_width=True) as page:
        gr.HTML("impasto<span>.</span>", elem_id="title", apply_default_css=False)
        with gr.Tabs(elem_id="tabs"), gr.Tab("Paint"):
            paint_tab(house, page)
    return page
