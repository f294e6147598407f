"""The page: its name and its tabs."""

from __future__ import annotations

import gradio as gr

from impasto.studio.state import StudioState
from impasto.studio.tabs.explore import explore_tab
from impasto.studio.tabs.history import history_tab
from impasto.studio.tabs.learn import learn_tab
from impasto.studio.tabs.paint import paint_tab

_HOUR = 3600


def build(state: StudioState) -> gr.Blocks:
    """The page of a studio."""
    with gr.Blocks(title="impasto", analytics_enabled=False, delete_cache=(_HOUR, 24 * _HOUR), fill_width=True) as page:
        gr.HTML("impasto<span>.</span>", elem_id="title", apply_default_css=False)
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Paint", id="paint"):
                paint = paint_tab(state, page)
            with gr.Tab("Explore", id="explore") as tab:
                explore_tab(state, tab, paint)
            with gr.Tab("Learn", id="learn") as tab:
                learn_tab(state, tab, paint)
            with gr.Tab("History", id="history") as tab:
                history_tab(state, tabs, tab, paint)
    return page
