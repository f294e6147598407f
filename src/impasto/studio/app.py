"""The page: its name and its tabs."""

from __future__ import annotations

import gradio as gr

from impasto.studio.explore import explore_tab
from impasto.studio.house import House
from impasto.studio.learn import learn_tab
from impasto.studio.paint import paint_tab
from impasto.studio.shelf import history_tab

_HOUR = 3600


def build(house: House) -> gr.Blocks:
    """The page of a studio."""
    with gr.Blocks(title="impasto", analytics_enabled=False, delete_cache=(_HOUR, 24 * _HOUR), fill_width=True) as page:
        gr.HTML("impasto<span>.</span>", elem_id="title", apply_default_css=False)
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Paint", id="paint"):
                easel = paint_tab(house, page)
            with gr.Tab("Explore", id="explore") as tab:
                explore_tab(house, tab, easel)
            with gr.Tab("Learn", id="learn") as tab:
                learn_tab(house, tab, easel)
            with gr.Tab("History", id="history") as tab:
                history_tab(house, tabs, tab, easel)
    return page
