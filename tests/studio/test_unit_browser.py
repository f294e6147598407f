"""The browser: whose patches are shown, which files may be looked at, and where a unit is said to be active."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import SignalError
from impasto.explore.index import PatchIndex
from impasto.explore.patches import top_patches, trained_network
from impasto.studio.components.unit_browser import (
    UnitBrowser,
    activation_maps,
    browse_index,
    browse_uploaded_index,
    search,
    sources_of,
    visualise_feature,
)
from impasto.studio.jobs import Job
from impasto.studio.state import SHARED, Recent

LAYER = "relu2_1"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    found = {f"{name}.png": folder / f"{name}.png" for name in "abc"}
    for path in found.values():
        Image.fromarray(rng.integers(0, 255, (6, 8, 3), np.uint8)).resize((64, 48)).save(path)
    return found


@pytest.fixture(scope="module")
def index(photographs: dict[str, Path]) -> PatchIndex:
    return top_patches(photographs, f"relu1_1,{LAYER}", size=64)


def pixels(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGBA"), float)


def test_units_are_shown_by_their_best_patch_and_one_by_all(index: PatchIndex, photographs: dict[str, Path]):
    browser = UnitBrowser(index, photographs, "three")
    assert browser.layers() == {"relu1_1": 64, LAYER: 128}
    units = browser.units(LAYER, 120, 24)
    assert [one["unit"] for one in units] == list(range(120, 128))
    unit = next(one["unit"] for one in units if one["picture"])
    patches = browser.patches(LAYER, unit)
    best = index.layers[LAYER][unit][0]
    assert patches[0]["note"].startswith(Path(best.image).stem)
    large, small = (pixels(address) for address in (patches[0]["picture"], units[unit - 120]["picture"]))
    assert np.abs(large.mean((0, 1)) - small.mean((0, 1))).max() < 12


def test_an_index_of_this_computer_finds_its_pictures_beside_it(index: PatchIndex, photographs: dict[str, Path]):
    browser = browse_index(index, next(iter(photographs.values())).parent)
    assert len(browser.patches(LAYER, 3)) == sum(patch.activation > 0 for patch in index.layers[LAYER][3])


def test_an_index_from_outside_opens_no_file_of_the_server(tmp_path: Path, photographs: dict[str, Path]):
    secret = tmp_path / "secret.png"
    Image.new("RGB", (64, 48), "red").save(secret)
    outside = top_patches([secret], LAYER, size=64)
    with pytest.raises(SignalError, match="1 pictures of the index were not dropped with it"):
        browse_uploaded_index(outside, photographs)
    mine = photographs["a.png"]
    assert browse_uploaded_index(outside, {"secret.png": mine}).sources == {str(secret): mine}


def test_a_picture_is_lit_where_the_unit_is_most_active(tmp_path: Path, index: PatchIndex, photographs: dict[str, Path]):
    flat = tmp_path / "flat.png"
    Image.new("RGB", (64, 48), (200, 200, 200)).save(flat)
    unit = max(index.layers[LAYER], key=lambda unit: index.layers[LAYER][unit][0].activation)
    name = index.layers[LAYER][unit][0].image
    maps = activation_maps({"content": photographs[name], "style": flat}, LAYER, unit)
    assert [one["name"] for one in maps] == ["content", "style"]
    shown = pixels(maps[0]["picture"])[..., :3]
    picture = np.asarray(Image.open(photographs[name]), float)
    with torch.no_grad():
        x = torch.from_numpy(picture / 255).float().movedim(-1, 0)
        a = trained_network()[0](x[None], [LAYER])[LAYER][0, unit]
    row, column = np.unravel_index(int(a.argmax()), a.shape)
    light = shown.sum(-1) / np.maximum(picture.sum(-1), 30)
    blocks = light.reshape(24, 2, 32, 2).mean((1, 3))
    assert blocks[row, column] > 0.85
    assert np.median(blocks) < 0.5
    # on one scale for all, what excites it little stays dark
    assert pixels(maps[1]["picture"])[5:-5, 5:-5, :3].mean() < 150


def test_too_small_a_picture_has_no_map(tmp_path: Path):
    Image.new("RGB", (6, 6)).save(tmp_path / "small.png")
    assert activation_maps({"content": tmp_path / "small.png"}, "relu5_1", 0) == []


@pytest.mark.slow
def test_a_search_of_few_pictures_still_finds_nine_patches(photographs: dict[str, Path]):
    found: list[UnitBrowser] = []
    job = Job(search(photographs, "three", found.append))
    job.run()
    assert (job.state, job.shown) == ("done", 1.0)
    (browser,) = found
    assert len(browser.index.layers) == 16
    assert len(browser.index.layers["relu1_1"][0]) == 9


def unwanted(found: object) -> None:
    pytest.fail(f"{found} was kept")


def stopped_at_once(work: Callable[[Job], None]) -> Job:
    """The job, stopped as soon as it showed something."""
    job = Job(work)
    told: list[float] = []
    job.show = lambda what: (told.append(what), job.stop())  # pyright: ignore
    job.run()
    assert len(told) == 1
    return job


def test_of_a_search_that_is_stopped_there_is_what_was_seen(photographs: dict[str, Path], tmp_path: Path):
    found: list[UnitBrowser] = []
    stopped_at_once(search(photographs, "three", found.append))
    (browser,) = found
    assert browser.note == "1 of three"
    assert list(browser.index.images) == sorted(photographs)[:1]
    (tmp_path / "0.png").write_bytes(b"no picture")
    job = stopped_at_once(search({"0.png": tmp_path / "0.png", **photographs}, "four", unwanted))
    assert job.state == "stopped"


def test_a_visualisation_that_is_stopped_is_not_kept():
    assert stopped_at_once(visualise_feature("relu1_1", 3, unwanted)).state == "stopped"


@pytest.mark.slow
def test_a_wish_is_a_picture_of_the_unit():
    made: list[str] = []
    job = Job(visualise_feature("relu1_1", 3, made.append))
    job.run()
    assert job.state == "done"
    assert pixels(made[0]).shape[:2] == (160, 160)


def test_equal_names_are_numbered(photographs: dict[str, Path]):
    path = photographs["a.png"]
    assert list(sources_of([("a.png", path), ("a.png", path), ("a.png", path)])) == ["a.png", "a 2.png", "a 3.png"]


def test_of_what_is_kept_the_oldest_goes_but_the_shared():
    kept = Recent[int](3)
    for name in (SHARED, "a", "b", "c"):
        kept.keep(name, 1)
    kept.keep("b", 2)
    kept.keep("d", 1)
    assert list(kept) == [SHARED, "b", "d"]
    assert kept["b"] == 2


def test_an_index_of_other_layers_is_shown_as_it_is(index: PatchIndex, photographs: dict[str, Path]):
    few = index.select({LAYER: [3, 40]})
    assert [one["unit"] for one in UnitBrowser(few, photographs, "few").units(LAYER, 0, 24)] == [3, 40]
