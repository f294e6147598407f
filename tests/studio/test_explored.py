"""What happens on the Explore tab, without a page: by which network pictures are searched, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import impasto
from impasto.explore import trained
from impasto.explore.trained import explored_networks
from impasto.networks import registry
from impasto.networks.registry import BUILT_IN, Constructor
from impasto.studio.state import SHARED, StudioState
from impasto.studio.tabs import explored
from impasto.studio.tabs.explored import Explored, ExploreTab
from impasto.studio.tabs.looking import COUNT, Looking


def leaves(spatial_dims: int) -> Any:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 5, 5, padding=2), nn.ReLU(), nn.Conv2d(5, 6, 3, stride=3), nn.ReLU())
    return impasto.wrap(module, {"edges": "1", "veins": "3"}, name="leaves")


# as vgg16 it takes a file, and as bank it is for other signals
OTHERS = (
    Constructor("leaves", leaves),
    Constructor("deep", leaves, takes=("weights",)),
    Constructor("tube", leaves, dims=(1,)),
)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch):
    """A second network is there, of another package."""
    found = lambda: BUILT_IN | {row.name: row for row in OTHERS}  # noqa: E731
    monkeypatch.setattr(registry, "networks", found)
    monkeypatch.setattr(trained, "networks", found)


@pytest.fixture
def state(tmp_path: Path) -> StudioState:
    state = StudioState.in_folder(tmp_path / "studio")
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(noise).resize((64, 48)).save(state.uploads / f"{number}.png")
    state.gallery.contents, state.gallery.styles = {"0.png": state.uploads / "0.png"}, {}
    return state


def parts() -> ExploreTab:
    return ExploreTab(gr.State(), gr.Dropdown(), *(gr.HTML() for _ in range(4)))


def told(tab: ExploreTab, updates: AsyncIterator[dict[Any, Any]]) -> list[dict[str, Any]]:
    """All updates, by the names of the components."""

    async def collect() -> list[dict[str, Any]]:
        names = {id(component): name for name, component in zip(tab._fields, tab, strict=True)}
        return [{names[id(component)]: value for component, value in update.items()} async for update in updates]

    return asyncio.run(collect())


def test_what_needs_no_file_and_looks_at_pictures_can_be_explored_by_anybody(two: None):
    assert explored_networks() == ("vgg19", "leaves")
    assert explored_networks("series") == ("vgg19", "bank", "tube")


def test_without_other_packages_there_is_one():
    assert explored_networks() == ("vgg19",)


@pytest.mark.slow
def test_the_same_pictures_are_looked_at_by_another_network(two: None, state: StudioState):
    tab = parts()
    seen = Explored(state, tab, explored_networks())
    files = [{"path": str(state.uploads / name), "name": name} for name in ("1.png", "2.png")]
    at = Looking(network="leaves")
    *busy, last = told(tab, seen.uploaded(at, SimpleNamespace(files=files)))  # pyright: ignore
    assert all(update["photographs"]["busy"] for update in busy)
    assert last["photographs"]["note"].startswith("2 photographs: too few to tell what a unit looks for")
    assert last["network"] == "leaves"
    assert last["units"]["layers"] == {"edges": 5, "veins": 6}
    at: Looking = last["looking"]
    assert seen.maps(at, {}, "") == seen.maps(replace(at, network="vgg19"), {}, "")  # what is looked at counts
    made = asyncio.run(_last(seen.visualise(at)))
    assert made["picture"].startswith("data:image/")

    *_, last = told(tab, seen.switch(at, "vgg19"))
    assert last["photographs"]["note"].startswith("2 photographs: ") and last["network"] == "vgg19"
    assert last["units"]["layer"] == "relu3_1"
    assert state.browsers[at.browser].network == "leaves"  # who looks at it goes on to

    *_, last = told(tab, seen.switch(Looking(), "leaves"))
    assert last["photographs"]["note"].startswith("1 ready pictures: ")
    assert last["looking"].browser == f"{SHARED} leaves"


async def _last(updates: AsyncIterator[Any]) -> Any:
    return [update async for update in updates][-1]


def test_an_index_of_a_network_that_is_not_here_is_seen_and_not_asked(state: StudioState, two: None):
    path = state.uploads / "1.png"
    index = impasto.top_patches({"1.png": path}, "edges", network=leaves(2))
    replace(index, network="resnet (mine.pth)").save(state.uploads / "index.json")
    tab = parts()
    seen = Explored(state, tab, explored_networks())
    files = [{"path": str(state.uploads / name), "name": name} for name in ("1.png", "index.json")]
    (update,) = told(tab, seen.uploaded(Looking(), SimpleNamespace(files=files)))  # pyright: ignore
    assert len(update["unit"]["patches"]) == 1
    assert update["network"] == "vgg19"  # of the next search
    expected = "The index is of resnet; the studio itself can only ask vgg19, leaves."
    assert seen.maps(update["looking"], {}, "")["hint"] == expected
    assert asyncio.run(_last(seen.visualise(update["looking"])))["error"] == expected


def test_what_one_visitor_stopped_is_not_shown_to_all(state: StudioState, monkeypatch: pytest.MonkeyPatch):
    tab = parts()
    seen = Explored(state, tab, ["vgg19"])
    part = replace(impasto.top_patches({"1.png": state.uploads / "1.png"}, "edges", network=leaves(2)), complete=False)

    def stopped(sources: Any, title: str, keep: Any, network: str) -> Any:
        return lambda job: keep(explored.UnitBrowser(part, sources, title))

    monkeypatch.setattr(explored, "search", stopped)
    *_, last = told(tab, seen.ready(Looking()))
    assert last == {"photographs": {"note": "stopped", "error": ""}}
    files = [{"path": str(state.uploads / name), "name": name} for name in ("1.png", "2.png")]
    *_, last = told(tab, seen.uploaded(Looking(), SimpleNamespace(files=files)))  # pyright: ignore
    assert last["photographs"]["note"].startswith("1 of 2 photographs: ")


def index_of(state: StudioState, *names: str, layers: str = "edges,veins") -> dict[str, Any]:
    """What a page that uploads these pictures and an index of them sends."""
    files = {name: state.uploads / name for name in names}
    impasto.top_patches(files, layers, network=leaves(2)).save(state.uploads / "index.json")
    return {"files": [{"path": str(state.uploads / name), "name": name} for name in (*names, "index.json")]}


def test_a_reload_and_a_new_server_keep_photographs_index_and_place(state: StudioState, two: None, tmp_path: Path):
    tab = parts()
    seen = Explored(state, tab, explored_networks())
    visitor = state.visits.new()
    sent = SimpleNamespace(**index_of(state, "1.png", "2.png"))
    (update,) = told(tab, seen.uploaded(Looking(visitor=visitor), sent))  # pyright: ignore
    event = SimpleNamespace(layer="veins", first=0, unit=4, order="strong", find="")
    before = seen.choose(update["looking"], event)  # pyright: ignore
    assert before[tab.unit]["title"] == "veins · unit 4"

    again = StudioState.in_folder(tmp_path / "studio")  # its uploads are gone, and so is all that was in memory
    assert not list(again.uploads.iterdir())
    (update,) = told(tab, Explored(again, tab, explored_networks()).open(Looking(), visitor))
    assert update["unit"] == before[tab.unit] and update["units"] == before[tab.units]
    assert update["photographs"]["note"].startswith("2 pictures of the index: ")
    other = Explored(again, tab, explored_networks())
    *_, update = told(tab, other.open(Looking(network="leaves", browser=f"{SHARED} leaves"), again.visits.new()))
    assert " ready pictures: " in update["photographs"]["note"]


def test_ready_pictures_are_looked_at_once(state: StudioState, two: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tab, at = parts(), Looking(network="leaves", browser=f"{SHARED} leaves")
    told(tab, Explored(state, tab, explored_networks()).ready(at))
    again = StudioState.in_folder(tmp_path / "studio")
    again.gallery.contents, again.gallery.styles = {"0.png": again.uploads / "0.png"}, {}
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(noise).resize((64, 48)).save(again.uploads / "0.png")
    monkeypatch.setattr(explored, "search", lambda *_: pytest.fail("they were looked at again"))
    (update,) = told(tab, Explored(again, tab, explored_networks()).ready(at))
    assert update["photographs"]["note"].startswith("1 ready pictures: ")


def test_units_are_found_by_number_and_by_photograph(state: StudioState, two: None):
    tab = parts()
    seen = Explored(state, tab, explored_networks())
    (update,) = told(tab, seen.uploaded(Looking(), SimpleNamespace(**index_of(state, "1.png", "2.png"))))  # pyright: ignore
    at: Looking = update["looking"]

    def found(**event: Any) -> dict[str, Any]:
        how = {"layer": "veins", "first": 0, "unit": None, "order": "number", "find": ""} | event
        return seen.choose(at, SimpleNamespace(**how))[tab.units]  # pyright: ignore

    assert (found(find="5")["unit"], found(find="5")["units"]) == (5, 6)
    assert found(find="77")["told"] == "veins has no unit 77."
    assert found(find="2.p")["units"] <= 6 and not found(find="2.p")["told"]
    assert found(find="moon")["told"] == "No unit of veins has a patch of a photograph with “moon” in its name."
    assert found(find="moon")["sheet"] == []
    strongest = [one["best"] for one in found(order="strong")["sheet"]]
    assert [float(best or 0) for best in strongest] == sorted((float(best or 0) for best in strongest), reverse=True)
    wild = SimpleNamespace(layer="veins", order="wild", first=0, unit=0, find="")
    assert seen.choose(at, wild) == gr.skip()  # pyright: ignore


def test_the_page_of_a_unit_is_found_in_any_order(state: StudioState, two: None):
    index = impasto.top_patches({"1.png": state.uploads / "1.png"}, "relu2_1", size=64)
    browser = explored.UnitBrowser(index, {"1.png": state.uploads / "1.png"}, "one")
    at, units = Looking(layer="relu2_1", first=-1, unit=100, order="strong").within(browser)
    assert units.index(100) // COUNT * COUNT == at.first
    assert 100 in units[at.first : at.first + COUNT]


def test_a_patch_is_followed_to_its_source(state: StudioState, two: None):
    tab = parts()
    seen = Explored(state, tab, explored_networks())
    (update,) = told(tab, seen.uploaded(Looking(), SimpleNamespace(**index_of(state, "1.png", "2.png"))))  # pyright: ignore
    at = replace(update["looking"], layer="edges", unit=next(u["unit"] for u in update["units"]["sheet"] if u["picture"]))
    source, again = (seen.source(at, SimpleNamespace(rank=0)) for _ in range(2))  # pyright: ignore
    assert source["name"] in ("1.png", "2.png") and source["picture"].startswith("data:image/jpeg")
    assert source["opened"] != again["opened"]
    assert seen.source(at, SimpleNamespace(rank=50))["error"].startswith(f"Unit {at.unit} of edges has no patch 51")  # pyright: ignore
