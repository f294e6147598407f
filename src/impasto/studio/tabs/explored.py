"""What happens on the Explore tab: pictures are searched, a unit is chosen, and what it wants to see is made."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import gradio as gr

from impasto.errors import ImpastoError, SettingsError, SignalError
from impasto.explore.sources import Sources
from impasto.studio.components.unit_browser import (
    UnitBrowser,
    activation_maps,
    browse_uploaded_index,
    search,
    sources_of,
    visualise_feature,
)
from impasto.studio.photographs import sort_photographs
from impasto.studio.state import SHARED, StudioState
from impasto.studio.tabs.paint import Values
from impasto.studio.tabs.run_display import pictures_of, sentence
from impasto.studio.uploads import Upload

_COUNT = 24  # units side by side
_FIRST_LAYER = "relu3_1"


@dataclass(frozen=True)
class Looking:
    """What a visitor looks at.

    Attributes:
        browser: the name of a unit browser.
        layer: of its network.
        first: the place of the first unit that is seen of the layer.
        unit: the number of the one that is seen large.
        network: what the next search asks.
    """

    browser: str = SHARED
    layer: str = ""
    first: int = 0
    unit: int = 0
    network: str = "vgg19"


class ExploreTab(NamedTuple):
    """The components of the tab; what happens on it gives new values by component."""

    looking: gr.State
    network: gr.Dropdown
    photographs: gr.HTML
    units: gr.HTML
    unit: gr.HTML
    wanted: gr.HTML


class Explored:
    """What happens on the tab.

    Args:
        state: of the studio.
        parts: the components whose values change.
        networks: the names of those that can be asked, the usual one first.
    """

    def __init__(self, state: StudioState, parts: ExploreTab, networks: Sequence[str]) -> None:
        self._state = state
        self._parts = parts
        self._networks = networks

    async def open(self, at: Looking) -> AsyncIterator[Values]:
        """The tab is opened: what was looked at, or the browser of this studio, which is made now if it is not there."""
        if self._browser(at) is not None:
            yield await asyncio.to_thread(self._opened, at)
            return
        async for update in self.ready(at):
            yield update

    async def ready(self, at: Looking) -> AsyncIterator[Values]:
        """Back to the index of this studio, or the ready pictures."""
        at = replace(at, browser=self._shared(at.network))
        if at.browser in self._state.browsers:
            yield await asyncio.to_thread(self._opened, at)
            return
        pictures = self._state.gallery.pictures()
        async for update in self._search(at, pictures, f"{len(pictures)} ready pictures"):
            yield update

    async def switch(self, at: Looking, network: str) -> AsyncIterator[Values]:
        """Another network: the same pictures are looked at by it."""
        at = replace(at, network=network)
        browser = None if at.browser.startswith(SHARED) else self._state.browsers.get(at.browser)
        if browser is None:
            updates = self.ready(at)
        else:
            updates = self._search(replace(at, browser=secrets.token_hex(8)), browser.sources, browser.title)
        async for update in updates:
            yield update

    async def uploaded(self, at: Looking, event: gr.EventData) -> AsyncIterator[Values]:
        """Photographs came in, and perhaps an index of them."""
        at = replace(at, browser=secrets.token_hex(8))
        try:
            found = await asyncio.to_thread(sort_photographs, event.files, self._state.uploads)
            photographs, refused = found.photographs, found.refused
            if found.index is not None:
                browser = browse_uploaded_index(found.index, {upload.name: upload.path for upload in photographs})
                self._state.browsers.keep(at.browser, browser)
                yield await asyncio.to_thread(self._opened, at)
                return
            if not photographs:
                raise SignalError(refused[0])
        except ImpastoError as error:
            yield self._told(error)
            return
        title = f"{len(photographs)} photographs" + (f", {len(refused)} refused: {refused[0]}" if refused else "")
        async for update in self._search(at, sources_of([(u.name, u.path) for u in photographs]), title):
            yield update

    async def _search(self, at: Looking, sources: Sources, title: str) -> AsyncIterator[Values]:
        def keep(browser: UnitBrowser) -> None:
            # a shared browser is seen by all visitors: it shall not be incomplete because one of them stopped the search
            if browser.index.complete or not at.browser.startswith(SHARED):
                self._state.browsers.keep(at.browser, browser)

        try:
            job = self._state.begin_job(_search_key(at), search(sources, title, keep, at.network))
        except ImpastoError as error:
            yield self._told(error)
            return
        async for _ in job.changes():
            if not job.ended:
                note = self._state.place(job) or f"looking at {title}"
                busy = {"busy": True, "progress": job.shown or 0, "note": note}
                yield {self._parts.photographs: busy, self._parts.looking: at}
        if at.browser in self._state.browsers:
            yield await asyncio.to_thread(self._opened, at)
        else:
            yield self._told(job.error, "stopped")

    def stop_search(self, at: Looking) -> None:
        """Nobody needs the search any more, or what it has is enough."""
        self._state.stop(_search_key(at))

    def choose(self, at: Looking, event: gr.EventData) -> Values:
        """Another layer, other units, or another unit."""
        try:
            first, unit = max(0, int(event.first)), -1 if event.unit is None else int(event.unit)
            at = replace(at, layer=str(event.layer), first=first, unit=unit)
        except (TypeError, ValueError):
            return gr.skip()
        browser = self._browser(at)
        return gr.skip() if browser is None else self._look(at, browser)

    def _browser(self, at: Looking) -> UnitBrowser | None:
        """What is looked at; where it was made room for, the browser of this studio, if there is one yet."""
        return self._state.browsers.get(at.browser) or self._state.browsers.get(SHARED)

    def _shared(self, network: str) -> str:
        """The name of the browser of this studio for a network."""
        shared = self._state.browsers.get(SHARED)
        usual = shared.network if shared is not None and shared.network in self._networks else self._networks[0]
        return SHARED if network == usual else f"{SHARED} {network}"

    def _told(self, error: object, note: str = "") -> Values:
        """A sentence beside the photographs; all else stays."""
        return {self._parts.photographs: {"note": note, "error": sentence(error)}}

    def _opened(self, at: Looking) -> Values:
        """Pictures that are looked at from now on, by the network that was asked."""
        browser = self._browser(at)
        if browser is None:
            return gr.skip()
        network = browser.network if browser.network in self._networks else at.network
        seen = self._look(replace(at, network=network), browser)
        return {**seen, self._parts.photographs: {"note": browser.note}, self._parts.network: network}

    def _look(self, at: Looking, browser: UnitBrowser) -> Values:
        if at.browser not in self._state.browsers:
            at = replace(at, browser=SHARED)
        at = _within(at, browser)
        title = _title(at)
        try:
            sheet = browser.units(at.layer, at.first, _COUNT)
            patches, error = browser.patches(at.layer, at.unit), ""
        except SignalError as trouble:
            sheet, patches, error = [], [], sentence(trouble)
        units = {
            "key": at.browser,
            "layers": browser.layers(),
            "layer": at.layer,
            "first": at.first,
            "count": _COUNT,
            "units": browser.layers()[at.layer],
            "unit": at.unit,
            "sheet": sheet,
        }
        known = self._state.visualisations.get(_visualisation_key(at, browser.network), "")
        return {
            self._parts.looking: at,
            self._parts.units: units,
            self._parts.unit: {"title": title, "patches": patches, "error": error},
            self._parts.wanted: {"title": title, "picture": known},
        }

    def _network(self, at: Looking) -> str:
        """The network of what is looked at.

        Raises:
            SettingsError: it is of an index from elsewhere, and not among those that can be asked here.
        """
        browser = self._browser(at)
        name = at.network if browser is None else browser.network
        if name not in self._networks:
            raise SettingsError(f"the index is of {name}; the studio itself can only ask {', '.join(self._networks)}")
        return name

    async def visualise(self, at: Looking) -> AsyncIterator[dict[str, Any]]:
        """The picture that the unit wants to see is made."""
        if not at.layer:
            return
        title, visualisations = _title(at), self._state.visualisations
        try:
            network = self._network(at)
            key = _visualisation_key(at, network)
            work = visualise_feature(at.layer, at.unit, lambda picture: visualisations.keep(key, picture), network)
            job = self._state.begin_job(key, work)
        except ImpastoError as error:
            yield {"title": title, "error": sentence(error)}
            return
        async for _ in job.changes():
            if not job.ended:
                note = self._state.place(job) or "climbing from noise"
                yield {"title": title, "busy": True, "progress": job.shown or 0, "note": note}
        yield {"title": title, "picture": visualisations.get(key, ""), "error": sentence(job.error)}

    def stop_visualisation(self, at: Looking) -> None:
        """Nobody needs the picture any more."""
        browser = self._browser(at)
        if browser is not None:
            self._state.stop(_visualisation_key(at, browser.network))

    def maps(self, at: Looking, chosen: dict[str, Upload], run: str) -> dict[str, Any]:
        """Where the unit is active in content, style and result."""
        if not at.layer:
            return {}
        try:
            pictures = pictures_of(self._state, chosen, run)
            maps = activation_maps(pictures, at.layer, at.unit, self._network(at))
        except ImpastoError as error:
            return {"hint": sentence(error)}
        hint = "" if maps else "With a content and a style on the Paint tab, you see here where in them it is active."
        return {"title": "where it is active" if maps else "", "maps": maps, "hint": hint}


def _within(at: Looking, browser: UnitBrowser) -> Looking:
    """What is looked at, if the browser has it; else what is next to it."""
    layers = browser.index.layers
    layer = at.layer if at.layer in layers else _FIRST_LAYER if _FIRST_LAYER in layers else next(iter(layers))
    numbers = list(layers[layer])
    first = min(at.first, (len(numbers) - 1) // _COUNT * _COUNT)
    return replace(at, layer=layer, first=first, unit=at.unit if at.unit in layers[layer] else numbers[first])


def _title(at: Looking) -> str:
    return f"{at.layer} · unit {at.unit}"


def _search_key(at: Looking) -> str:
    return f"search {at.browser}"


def _visualisation_key(at: Looking, network: str) -> str:
    return f"visualise {network} {at.layer}:{at.unit}"
