"""The Explore tab: layer by layer and unit by unit through the network, with one's own pictures."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impasto.explore.trained import explored_networks
from impasto.studio import uploads
from impasto.studio.components.component import component
from impasto.studio.photographs import MOST_PHOTOGRAPHS
from impasto.studio.state import StudioState
from impasto.studio.tabs.explored import Explored, ExploreTab
from impasto.studio.tabs.looking import Looking
from impasto.studio.tabs.paint import PaintTab
from impasto.studio.tabs.paint_parts import EACH, ENDLESS, IN_ORDER, LATEST, Values


def explore_tab(state: StudioState, tab: gr.Tab, paint: PaintTab) -> None:
    """Put the tab onto the page."""
    names = explored_networks()
    with gr.Row(equal_height=False):
        with gr.Column(elem_id="browse"):
            network = gr.Dropdown(
                list(names), value=names[0], label="Network", elem_id="network", visible=len(names) > 1, interactive=True
            )
            photographs = component("photographs", {}, megabytes=uploads.MOST_BYTES // uploads.MIB, most=MOST_PHOTOGRAPHS)
            units = component("unit_browser", {})
        with gr.Column(elem_id="look"):
            with gr.Row(elem_id="pair"):
                unit = component("unit_patches", {})
                wanted = component("feature_visualisation", {})
            maps = component("activation_maps", {})
            source = component("unit_source", {})
    looking = gr.State(Looking(network=names[0]))
    parts = ExploreTab(looking, network, photographs, units, unit, wanted)
    seen = Explored(state, parts, names)

    def show_maps(values: Values) -> dict[str, Any]:
        return seen.maps(values[looking], paint.chosen_in(values), values[paint.watched.run])

    about: set[Any] = {looking, *paint.files.values(), paint.watched.run}
    anything = list(parts)
    events = (
        tab.select(seen.open, [looking, paint.visitor], anything, **ENDLESS),
        network.input(seen.switch, [looking, network], anything, **ENDLESS),
        photographs.upload(seen.uploaded, looking, anything, **ENDLESS),
        photographs.clear(seen.ready, looking, anything, **ENDLESS),
        units.select(seen.choose, looking, anything, **IN_ORDER),
    )
    for event in events:
        event.then(show_maps, about, maps, concurrency_limit=None, **LATEST)
    for place in (unit, source):
        place.select(seen.source, looking, source, **EACH)
    photographs.stop(seen.stop_search, looking, None, **ENDLESS)
    wanted.submit(seen.visualise, looking, wanted, **ENDLESS)
    wanted.stop(seen.stop_visualisation, looking, None, **ENDLESS)
