"""What happens on the Explore tab: pictures are searched, a unit is chosen, and what it wants to see is made."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from impasto.errors import ImpastoError, SettingsError, SignalError
from impasto.explore.sources import Sources
from impasto.studio.components.activation_maps import activation_maps
from impasto.studio.components.unit_browser import (
    ORDERS,
    UnitBrowser,
    browse_uploaded_index,
    search,
    sources_of,
    visualise_feature,
)
from impasto.studio.photographs import sort_photographs
from impasto.studio.state import SHARED, StudioState
from impasto.studio.tabs.explored_before import keep_browser, keep_place, keep_ready, recall, recall_ready
from impasto.studio.tabs.looking import COUNT, Looking
from impasto.studio.tabs.paint import Values
from impasto.studio.tabs.run_display import pictures_of, sentence
from impasto.studio.uploads import Upload


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

    async def open(self, at: Looking, visitor: str = "") -> AsyncIterator[Values]:
        """The tab is opened: what was looked at, or the browser of this studio, which is made now if it is not there."""
        if visitor and not at.visitor:
            at = await asyncio.to_thread(recall, self._state, replace(at, visitor=visitor))
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
        title = f"{len(pictures)} ready pictures"
        known = await asyncio.to_thread(recall_ready, self._state, at.network, pictures, title)
        if known is not None:
            self._state.browsers.keep(at.browser, known)
            yield await asyncio.to_thread(self._opened, at)
            return
        async for update in self._search(at, pictures, title):
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
                self._state.browsers.keep(at.browser, keep_browser(self._state, at, browser))
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
            if not at.browser.startswith(SHARED):
                browser = keep_browser(self._state, at, browser)
            elif browser.index.complete:
                keep_ready(self._state, at.network, browser)
            else:
                return
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
            at = at.chosen(event)
        except (AttributeError, TypeError, ValueError):
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
        (at, found), wanted = at.within(browser), at.unit
        keep_place(self._state, at)
        try:
            sheet = browser.units(at.layer, found[at.first : at.first + COUNT])
            patches, error = browser.patches(at.layer, at.unit), ""
        except SignalError as trouble:
            sheet, patches, error = [], [], sentence(trouble)
        told = "" if found else f"No unit of {at.layer} has a patch of a photograph with “{at.find}” in its name."
        if wanted >= 0 and wanted != at.unit:
            told = f"{at.layer} has no unit {wanted}."
        units = {
            "key": at.browser,
            "layers": browser.layers(),
            "layer": at.layer,
            "about": browser.about(at.layer),
            "first": at.first,
            "count": COUNT,
            "units": len(found),
            "unit": at.unit,
            "order": at.order,
            "orders": ORDERS,
            "find": at.find,
            "told": told,
            "sheet": sheet,
        }
        known = self._state.visualisations.get(_visualisation_key(at, browser.network), "")
        return {
            self._parts.looking: at,
            self._parts.units: units,
            self._parts.unit: {"title": at.title, "patches": patches, "error": error},
            self._parts.wanted: {"title": at.title, "picture": known},
        }

    def source(self, at: Looking, event: gr.EventData) -> dict[str, Any]:
        """Where a patch of the unit is from."""
        browser, opened = self._browser(at), str(time.monotonic_ns())  # the same one may be opened twice
        try:
            found = {} if browser is None else browser.source(at.layer, at.unit, int(event.rank))
        except (AttributeError, TypeError, ValueError):
            return gr.skip()
        except SignalError as error:
            found = {"error": sentence(error)}
        return {**found, "opened": opened}

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
        title, visualisations = at.title, self._state.visualisations
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
            found = activation_maps(pictures, at.layer, at.unit, self._network(at))
        except ImpastoError as error:
            return {"hint": sentence(error)}
        if not found["maps"]:
            return {"hint": "With a content and a style on the Paint tab, you see here where in them it is active."}
        says = f"Heat is the activation of {at.title} at each place; where it is silent there is only the picture in grey."
        return {"title": "Where it is active", "says": says, **found}


def _search_key(at: Looking) -> str:
    return f"search {at.browser}"


def _visualisation_key(at: Looking, network: str) -> str:
    return f"visualise {network} {at.layer}:{at.unit}"
