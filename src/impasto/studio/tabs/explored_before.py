"""The Explore tab over a reload: photographs, their index and the place that was looked at are kept for each visitor.

The index of the ready pictures is kept for all, so that a studio that is opened again need not look at them again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from impasto.errors import ImpastoError
from impasto.explore.index import PatchIndex
from impasto.studio.components.unit_browser import UnitBrowser
from impasto.studio.state import StudioState
from impasto.studio.tabs.looking import Looking

_BROWSER, _PLACE = "explore", "exploring"
_INDEX, _PICTURE = "index", "picture "


def keep_browser(state: StudioState, at: Looking, browser: UnitBrowser) -> UnitBrowser:
    """Keep what a visitor explores; from then on it has its pictures from there, as uploads do not stay."""
    pictures = {_PICTURE + name: source for name, source in browser.sources.items() if isinstance(source, Path)}
    index = state.uploads / f"{secrets.token_hex(8)}.json"
    try:
        browser.index.save(index)
        value = {"browser": at.browser, "title": browser.title}
        kept = state.visits.keep(at.visitor, _BROWSER, value, {_INDEX: index, **pictures})
    except ImpastoError:  # what cannot be kept can still be explored
        return browser
    finally:
        index.unlink(missing_ok=True)
    return replace(browser, sources=_sources(kept.files))


def keep_place(state: StudioState, at: Looking) -> None:
    """Keep what a visitor looks at."""
    with suppress(ImpastoError):
        state.visits.keep(at.visitor, _PLACE, at.as_dict())


def recall(state: StudioState, at: Looking) -> Looking:
    """What the visitor looked at last; what they explored is put among the browsers of the studio."""
    place, kept = state.visits.recall(at.visitor, _PLACE), state.visits.recall(at.visitor, _BROWSER)
    with suppress(ImpastoError, ValueError, TypeError, KeyError, AttributeError):  # kept by another version
        if kept is not None and kept.value["browser"] not in state.browsers:
            index = PatchIndex.load(kept.files[_INDEX])
            browser = UnitBrowser(index, _sources(kept.files), str(kept.value["title"]))
            state.browsers.keep(str(kept.value["browser"]), browser)
        if place is not None:
            known = at.as_dict()
            given = {name: type(known[name])(value) for name, value in place.value.items() if name in known}
            return replace(at, **given)
    return at


def keep_ready(state: StudioState, network: str, browser: UnitBrowser) -> None:
    """Keep the index of the ready pictures by a network."""
    with suppress(ImpastoError):
        browser.index.save(_ready(state, network))


def recall_ready(state: StudioState, network: str, pictures: Mapping[str, Path], title: str) -> UnitBrowser | None:
    """What was found in these pictures by a network, if it was kept."""
    file = _ready(state, network)
    with suppress(ImpastoError):
        index = PatchIndex.load(file) if file.exists() else None
        if index and index.images.keys() | index.skipped.keys() == pictures.keys():
            return UnitBrowser(index, pictures, title)
    return None


def _ready(state: StudioState, network: str) -> Path:
    return state.visits.folder.parent / f"ready-{network}.json"


def _sources(files: Mapping[str, Path]) -> dict[str, Any]:
    return {name.removeprefix(_PICTURE): path for name, path in files.items() if name.startswith(_PICTURE)}
