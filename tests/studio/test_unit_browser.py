"""The browser: whose patches are shown, which files may be looked at, and where a unit is said to be active."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import SignalError
from impasto.explore.index import PatchIndex
from impasto.explore.patches import top_patches, trained_network
from impasto.explore.sources import view
from impasto.studio.components import seen_pictures
from impasto.studio.components.activation_maps import activation_maps, heat
from impasto.studio.components.seen_pictures import SeenPictures
from impasto.studio.components.unit_browser import (
    UnitBrowser,
    browse_index,
    browse_uploaded_index,
    search,
    sources_of,
    strength,
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


def test_a_page_of_units_shows_nine_patches_of_each(index: PatchIndex, photographs: dict[str, Path]):
    browser = UnitBrowser(index, photographs, "three")
    assert browser.layers() == {"relu1_1": 64, LAYER: 128}
    units = browser.units(LAYER, range(120, 128))
    assert [one["unit"] for one in units] == list(range(120, 128))
    shown = next(one for one in units if one["picture"])
    patches = browser.patches(LAYER, shown["unit"])
    best = index.layers[LAYER][shown["unit"]][0]
    assert patches[0]["note"] == f"{Path(best.image).stem} · activation {strength(best.activation)}"
    assert shown["best"] == strength(best.activation)
    block = pixels(shown["picture"])
    assert block.shape[:2] == (3 * 48 + 6, 3 * 48 + 6)
    for rank, patch in enumerate(patches):  # three photographs give three of the nine
        small, large = block[:48, rank * 51 : rank * 51 + 48], pixels(patch["picture"])
        assert np.abs(large.mean((0, 1)) - small.mean((0, 1))).max() < 12
    assert block[60:, :, 3].max() == 0


def test_units_are_ordered_and_found(index: PatchIndex, photographs: dict[str, Path]):
    browser = UnitBrowser(index, photographs, "three")
    best = {unit: patches[0].activation for unit, patches in index.layers[LAYER].items()}
    assert browser.ordered(LAYER) == list(range(128))
    strong = [best[unit] for unit in browser.ordered(LAYER, "strong")]
    assert strong == sorted(best.values(), reverse=True)
    counts = np.zeros_like(index.histograms[LAYER])
    counts[:, 5], counts[7, 5], counts[7, 0], counts[9, 5], counts[9, 1] = 3, 0, 3, 0, 3
    choosy = UnitBrowser(replace(index, histograms={LAYER: counts}), photographs, "three").ordered(LAYER, "choosy")
    relative = [best[unit] * {7: 2**2.5, 9: 4}.get(unit, 1) for unit in choosy]
    assert relative == sorted(relative, reverse=True) != [best[unit] for unit in choosy]
    of_one = {unit: patches[:1] for unit, patches in index.layers[LAYER].items()}
    with_a = [unit for unit, (best,) in of_one.items() if best.image == "a.png" and best.activation > 0]
    ones = UnitBrowser(replace(index, layers={LAYER: of_one}), photographs, "three")
    assert ones.ordered(LAYER, find="A.p") == with_a and 0 < len(with_a) < 128
    assert browser.ordered(LAYER, find="nothing") == []


def test_the_source_of_a_patch_has_its_field(index: PatchIndex, photographs: dict[str, Path]):
    browser = UnitBrowser(index, photographs, "three")
    unit = next(unit for unit, patches in index.layers[LAYER].items() if patches[1].activation > 0)
    patch = index.layers[LAYER][unit][1]
    source = browser.source(LAYER, unit, 1)
    assert pixels(source["picture"]).shape[:2] == (48, 64)
    left, top, width, height = source["field"]
    (y, bottom), (x, right) = patch.field
    assert (left, top) == (pytest.approx(100 * x / 64), pytest.approx(100 * y / 48))
    assert (width, height) == (pytest.approx(100 * (right - x) / 64), pytest.approx(100 * (bottom - y) / 48))
    assert source["name"] == patch.image and strength(patch.activation) in source["note"] and "field" in source["note"]
    with pytest.raises(SignalError, match="has no patch 100"):
        browser.source(LAYER, unit, 99)


def test_few_photographs_are_told_to_be_too_few(index: PatchIndex, photographs: dict[str, Path]):
    few = UnitBrowser(index, photographs, "3 photographs")
    assert (
        few.note == "3 photographs: too few to tell what a unit looks for, as each shows nine patches. Drop twenty or more."
    )
    more = UnitBrowser(replace(index, images={f"{i}.png": "" for i in range(20)}), photographs, "20 photographs")
    assert "deep layers have little to choose from" in more.note
    many = UnitBrowser(replace(index, images={f"{i}.png": "" for i in range(60)}), photographs, "60 photographs")
    assert many.note == "60 photographs"


def test_what_a_layer_is_is_said_where_it_is_met(index: PatchIndex, photographs: dict[str, Path]):
    about = UnitBrowser(index, photographs, "three").about(LAYER)
    assert about == "relu2_1 has 128 units. At every place each sees a field of 10 × 10 pixels, and answers with one number."


def test_pictures_are_read_once_and_not_too_many_are_kept(photographs: dict[str, Path], monkeypatch: pytest.MonkeyPatch):
    seen = SeenPictures(photographs, 64)
    read = view(seen["a.png"], 64)
    photographs_gone = seen["a.png"]
    assert isinstance(photographs_gone, np.ndarray)
    np.testing.assert_allclose(view(photographs_gone, 64).values, read.values, atol=1 / 255)
    monkeypatch.setattr(seen_pictures, "_MOST_BYTES", 2 * 64 * 48 * 3)
    for name in ("b.png", "c.png"):
        _ = seen[name]
    assert list(seen._kept) == ["b.png", "c.png"]


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


def test_heat_over_a_grey_picture_tells_where_the_unit_is_active(
    tmp_path: Path, index: PatchIndex, photographs: dict[str, Path]
):
    flat = tmp_path / "flat.png"
    Image.new("RGB", (64, 48), (200, 60, 60)).save(flat)
    unit = max(index.layers[LAYER], key=lambda unit: index.layers[LAYER][unit][0].activation)
    name = index.layers[LAYER][unit][0].image
    found = activation_maps({"content": photographs[name], "style": flat}, LAYER, unit)
    assert [one["name"] for one in found["maps"]] == ["content", "style"]
    shown = pixels(found["maps"][0]["picture"])[..., :3]
    picture = np.asarray(Image.open(photographs[name]), float)
    with torch.no_grad():
        x = torch.from_numpy(picture / 255).float().movedim(-1, 0)
        a = trained_network()[0](x[None], [LAYER])[LAYER][0, unit].clamp_min(0).numpy()
    colour = (shown.max(-1) - shown.min(-1)).reshape(24, 2, 32, 2).mean((1, 3))
    assert colour[a > 0.4 * a.max()].min() > 3 * colour[a == 0].mean()
    assert shown.mean() > 60  # and it is not nearly black
    silent = pixels(found["maps"][1]["picture"])[10:-10, 10:-10, :3]
    assert np.ptp(silent, axis=-1).max() < 60 and silent.mean() > 60
    assert found["most"] == strength(float(a.max())) and found["maps"][0]["note"] == f"content: up to {found['most']}"
    assert len(found["scale"]) >= 5 and found["scale"][0] == "rgb(108 108 108)"


def test_heat_grows_with_the_activation_and_is_grey_at_nothing():
    shares = np.linspace(0, 1, 50, dtype=np.float32)
    colours = heat(np.full(50, 0.4, np.float32), shares)
    assert np.ptp(colours[:, 0]) == pytest.approx(0)
    light = np.tensordot([0.299, 0.587, 0.114], colours, 1)
    assert (np.diff(light[13:]) > 0).all()  # a quarter of the scale is coloured fully, and then it grows lighter
    assert (np.ptp(colours, axis=0)[13:] > 0.25).all()


def test_too_small_a_picture_has_no_map(tmp_path: Path):
    Image.new("RGB", (6, 6)).save(tmp_path / "small.png")
    assert activation_maps({"content": tmp_path / "small.png"}, "relu5_1", 0) == {"maps": []}


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
    assert browser.note.startswith("1 of three: too few")
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
    browser = UnitBrowser(few, photographs, "few")
    assert [one["unit"] for one in browser.units(LAYER, browser.ordered(LAYER))] == [3, 40]
