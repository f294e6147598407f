"""The Explore tab: layer by layer and unit by unit through the network, with one's own pictures."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from impasto.errors import ImpastoError, SignalError
from impasto.explore.index import PatchIndex
from impasto.studio import uploads
from impasto.studio.components.component import component
from impasto.studio.components.unit_browser import (
    UnitBrowser,
    activation_maps,
    browse_uploaded_index,
    search,
    sources_of,
    visualise_feature,
)
from impasto.studio.state import SHARED, StudioState
from impasto.studio.tabs.paint import QUIET, PaintTab, Values
from impasto.studio.tabs.run_display import pictures_of, sentence
from impasto.studio.uploads import Upload, inspect, safe_name, within

_COUNT = 24  # units side by side
_MOST_PHOTOGRAPHS = 1000
_MOST_INDEX_BYTES = 64 * uploads.MIB
_FIRST_LAYER = "relu3_1"
ENDLESS: dict[str, Any] = {**QUIET, "concurrency_limit": None}


@dataclass(frozen=True)
class Looking:
    """What a visitor looks at: an browser, a layer, some of its units and one of them."""

    browser: str = SHARED
    layer: str = ""
    first: int = 0
    unit: int = 0


def explore_tab(state: StudioState, tab: gr.Tab, paint: PaintTab) -> None:
    """Put the tab onto the page."""
    looking = gr.State(Looking())
    with gr.Row(equal_height=False):
        with gr.Column(elem_id="browse"):
            photos = component("photographs", {}, megabytes=uploads.MOST_BYTES // uploads.MIB)
            units = component("unit_browser", {})
        with gr.Column(elem_id="look"):
            with gr.Row(elem_id="pair"):
                unit = component("unit_patches", {})
                wanted = component("feature_visualisation", {})
            maps = component("activation_maps", {})
    seen = _Seen(state)
    shown = [looking, units, unit, wanted]

    def show_maps(values: Values) -> dict[str, Any]:
        return seen.maps(values[looking], paint.chosen_in(values), values[paint.watched.run])

    about: set[Any] = {looking, *paint.files.values(), paint.watched.run}
    opened = tab.select(seen.open, looking, [photos, *shown], **ENDLESS)
    uploaded = photos.upload(seen.uploaded, looking, [photos, *shown], **ENDLESS)
    cleared = photos.clear(seen.ready, looking, [photos, *shown], **ENDLESS)
    chosen = units.select(seen.choose, looking, shown, **ENDLESS)
    for event in (opened, uploaded, cleared, chosen):
        event.then(show_maps, about, maps, **ENDLESS)
    photos.stop(seen.stop_search, looking, None, **ENDLESS)
    wanted.submit(seen.visualise, looking, wanted, **ENDLESS)
    wanted.stop(lambda at: state.stop(_visualisation_key(at)), looking, None, **ENDLESS)


class _Seen:
    """What happens on the tab; shown are (photographs, looking, units, unit, visualisation), or the last four of them."""

    def __init__(self, state: StudioState) -> None:
        self._state = state

    async def open(self, at: Looking) -> AsyncIterator[list[Any]]:
        """The tab is opened: what was looked at, or the browser of this studio, which is made now if it is not there."""
        browser = self._state.browsers.get(at.browser) or self._state.browsers.get(SHARED)
        if browser is None:
            async for update in self.ready(at):
                yield update
        else:
            yield [{"note": browser.title}, *await asyncio.to_thread(self._look, at)]

    async def ready(self, at: Looking) -> AsyncIterator[list[Any]]:
        """Back to the index of this studio, or the ready pictures."""
        at = replace(at, browser=SHARED)
        browser = self._state.browsers.get(SHARED)
        if browser is not None:
            yield [{"note": browser.title}, *await asyncio.to_thread(self._look, at)]
            return
        pictures = self._state.gallery.pictures()
        async for update in self._search(at, pictures, f"{len(pictures)} ready pictures"):
            yield update

    async def uploaded(self, at: Looking, event: gr.EventData) -> AsyncIterator[list[Any]]:
        """Photographs came in, and perhaps an index of them."""
        at = replace(at, browser=secrets.token_hex(8))
        try:
            index, photographs, refused = await asyncio.to_thread(self._sorted, event.files)
            if index is not None:
                browser = browse_uploaded_index(index, {upload.name: upload.path for upload in photographs})
                self._state.browsers.keep(at.browser, browser)
                yield [{"note": browser.title}, *await asyncio.to_thread(self._look, at)]
                return
            if not photographs:
                raise SignalError(refused[0])
        except ImpastoError as error:
            yield [{"error": sentence(error)}, *(gr.skip() for _ in range(4))]
            return
        title = f"{len(photographs)} photographs" + (f", {len(refused)} refused: {refused[0]}" if refused else "")
        async for update in self._search(at, sources_of([(u.name, u.path) for u in photographs]), title):
            yield update

    def _sorted(self, files: list[dict[str, str]]) -> tuple[PatchIndex | None, list[Upload], list[str]]:
        """The index, the photographs, and why others are neither."""
        index: PatchIndex | None = None
        photographs: list[Upload] = []
        refused: list[str] = []
        for file in files[:_MOST_PHOTOGRAPHS]:
            path, name = str(file["path"]), str(file["name"])
            try:
                if name.lower().endswith(".json"):
                    index = _read_index(path, name, self._state.uploads)
                else:
                    photographs.append(inspect(path, name, self._state.uploads))
            except SignalError as error:
                refused.append(str(error))
        return index, photographs, refused

    async def _search(self, at: Looking, sources: dict[str, Path], title: str) -> AsyncIterator[list[Any]]:
        key = _search_key(at)
        try:
            job = self._state.begin_job(
                key, search(sources, title, lambda browser: self._state.browsers.keep(at.browser, browser))
            )
        except ImpastoError as error:
            yield [{"error": sentence(error)}, *(gr.skip() for _ in range(4))]
            return
        async for _ in job.changes():
            if not job.ended:
                note = self._state.place(job) or f"looking at {title}"
                yield [{"busy": True, "progress": job.shown or 0, "note": note}, at, *(gr.skip() for _ in range(3))]
        browser = self._state.browsers.get(at.browser)
        if browser is not None:
            yield [{"note": browser.title}, *await asyncio.to_thread(self._look, at)]
        else:
            yield [{"note": "stopped", "error": sentence(job.error)}, *(gr.skip() for _ in range(4))]

    def stop_search(self, at: Looking) -> None:
        """Nobody needs the search any more."""
        self._state.stop(_search_key(at))

    def choose(self, at: Looking, event: gr.EventData) -> list[Any]:
        """Another layer, other units, or another unit."""
        try:
            first, unit = max(0, int(event.first)), -1 if event.unit is None else int(event.unit)
            at = replace(at, layer=str(event.layer), first=first, unit=unit)
        except (TypeError, ValueError):
            return [gr.skip() for _ in range(4)]
        return self._look(at)

    def _look(self, at: Looking) -> list[Any]:
        browser = self._state.browsers.get(at.browser)
        if browser is None:
            at, browser = replace(at, browser=SHARED), self._state.browsers.get(SHARED)
        if browser is None:  # it was made room for, and there is no other yet
            return [gr.skip() for _ in range(4)]
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
        known = self._state.visualisations.get(_visualisation_key(at), "")
        return [at, units, {"title": title, "patches": patches, "error": error}, {"title": title, "picture": known}]

    async def visualise(self, at: Looking) -> AsyncIterator[dict[str, Any]]:
        """The picture that the unit wants to see is made."""
        if not at.layer:
            return
        key, title, visualisations = _visualisation_key(at), _title(at), self._state.visualisations
        try:
            job = self._state.begin_job(
                key, visualise_feature(at.layer, at.unit, lambda picture: visualisations.keep(key, picture))
            )
        except ImpastoError as error:
            yield {"title": title, "error": sentence(error)}
            return
        async for _ in job.changes():
            if not job.ended:
                note = self._state.place(job) or "climbing from noise"
                yield {"title": title, "busy": True, "progress": job.shown or 0, "note": note}
        yield {"title": title, "picture": visualisations.get(key, ""), "error": sentence(job.error)}

    def maps(self, at: Looking, chosen: dict[str, Upload], run: str) -> dict[str, Any]:
        """Where the unit is active in content, style and result."""
        if not at.layer:
            return {}
        try:
            pictures = pictures_of(self._state, chosen, run)
            maps = activation_maps(pictures, at.layer, at.unit)
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


def _read_index(path: str, name: str, folder: Path) -> PatchIndex:
    found = within(path, folder)
    if found.stat().st_size > _MOST_INDEX_BYTES:
        raise SignalError(
            f"{safe_name(name)} is too large for an index: up to {_MOST_INDEX_BYTES // uploads.MIB} MB are taken"
        )
    try:
        return PatchIndex.load(found)
    except SignalError as error:
        raise SignalError(str(error).replace(str(found), safe_name(name))) from None


def _title(at: Looking) -> str:
    return f"{at.layer} · unit {at.unit}"


def _search_key(at: Looking) -> str:
    return f"search {at.browser}"


def _visualisation_key(at: Looking) -> str:
    return f"visualise {at.layer}:{at.unit}"
