"""benchmarks/quality_measures.py and quality_battery.py: identical, shifted, blurred and foreign pictures."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage import data

from impasto.media.image.colour import luminance
from impasto.media.image.read import read_image, resample_image
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("quality_measures")


@pytest.fixture
def battery(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("quality_battery")


def picture(name: str, shape: tuple[int, int] = (96, 128)) -> Any:
    return resample_image(read_image(getattr(data, name)()), shape).values


def luma(name: str, shape: tuple[int, int] = (192, 256)) -> Any:
    return luminance(picture(name, shape))[0]


def features(seed: int, count: int = 500, channels: int = 8) -> torch.Tensor:
    return torch.randn(count, channels, generator=torch.Generator().manual_seed(seed))


def test_the_same_features_are_each_others_neighbours(measures: Any):
    found = measures.compare_neighbours(features(0), features(0))
    assert found.distance == pytest.approx(0, abs=1e-6)
    assert (found.precision, found.coverage) == (1, 1)


def test_precision_and_coverage_fall_on_different_sides(measures: Any):
    style = torch.cat([features(0) + 5, features(1) - 5])  # two clusters, seen from their mean
    half = measures.compare_neighbours(features(2) + 5, style)
    assert half.precision > 0.9
    assert half.coverage == pytest.approx(0.5, abs=0.1)
    both = measures.compare_neighbours(torch.cat([features(2) + 5, features(3) - 5]), style)
    assert both.coverage > 0.9
    assert both.distance < half.distance
    foreign = torch.cat([style[:500], 9 * torch.eye(8)[[0, 1]].repeat(250, 1)])
    assert measures.compare_neighbours(foreign, style).precision < 0.9


def test_sliced_wasserstein_of_a_shift_is_its_mean_projection(measures: Any):
    a, by = features(0, 2000, 3), torch.tensor([0.0, 0.0, 3.0])
    assert measures.sliced_wasserstein(a, a) == 0
    # over all directions of space |cos| is 1/2 on average
    assert measures.sliced_wasserstein(a + by, a) == pytest.approx(1.5, rel=0.15)
    assert measures.sliced_wasserstein(a + 2 * by, a) == pytest.approx(2 * measures.sliced_wasserstein(a + by, a), rel=1e-3)
    # of more positions the same distribution
    assert measures.sliced_wasserstein(a[torch.randperm(2000)[:1500]], a) < 0.1


def test_distributions_are_compared_in_the_styles_deviations(measures: Any):
    a, b = features(0), features(1) + 1
    assert measures.compare_distributions(7 * a, 7 * b) == pytest.approx(measures.compare_distributions(a, b), rel=1e-4)


def test_oklab(measures: Any):
    colours = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0]], float).T[:, None]
    # as Ottosson gives them
    expected = [[1, 0, 0], [0, 0, 0], [0.6279, 0.2249, 0.1258]]
    assert measures.to_oklab(colours) == pytest.approx(np.array(expected), abs=2e-3)


def test_colours_are_compared_wherever_they_are(measures: Any):
    cat = picture("chelsea")
    assert measures.compare_colours(cat[:, ::-1, ::-1], cat) == pytest.approx(0, abs=0.01)  # other pixels are sampled
    assert measures.compare_colours(1 - cat, cat) > 0.05


def test_features_are_compared_by_their_direction(measures: Any):
    a = features(0)
    assert measures.compare_features(3 * a, a) == pytest.approx(0, abs=1e-6)
    assert measures.compare_features(-a, a) == pytest.approx(2, abs=1e-6)


def test_self_similarity_does_not_change_with_the_axes(measures: Any):
    a = features(0)
    turned = torch.linalg.qr(features(1, 8)).Q
    assert measures.compare_self_similarity(2 * a @ turned, a) == pytest.approx(0, abs=1e-5)
    assert 0.1 < measures.compare_self_similarity(features(2), a) < 2


@pytest.mark.parametrize(
    "measure", ["compare_structure", "compare_edges", "compare_border", "compare_grain", "compare_strokes"]
)
def test_a_picture_is_like_itself(measures: Any, measure: str):
    assert getattr(measures, measure)(luma("coffee"), luma("coffee")) == pytest.approx(0, abs=1e-9)


def test_structure_is_lost_by_and_by(measures: Any):
    content = luma("coffee")
    blurred = [measures.compare_structure(gaussian_filter(content, sigma), content) for sigma in (0.5, 1, 2, 4)]
    assert blurred == sorted(blurred)
    assert blurred[0] < 0.02 < blurred[-1]
    assert measures.compare_structure(content[:, ::-1], content) > 0.5
    assert measures.compare_structure(1 - content, content) == pytest.approx(1)
    assert measures.compare_structure(content[:20, :20], content[:20, :20]) == pytest.approx(0)  # a single scale


def test_edges_may_be_two_pixels_away(measures: Any):
    content = np.zeros((64, 64), np.float32)
    content[:, 32:] = 1
    assert measures.compare_edges(np.roll(content, 2, 1)[:, 4:-4], content[:, 4:-4]) == 0
    assert measures.compare_edges(np.roll(content, 5, 1)[:, 6:-6], content[:, 6:-6]) == 1
    assert measures.compare_edges(np.zeros_like(content), content) == 1
    assert measures.compare_edges(np.zeros_like(content), np.zeros_like(content)) == 0


def test_clipped_pixels_are_those_beyond_content_and_style(measures: Any):
    grey = np.full((3, 10, 10), 0.5)
    white, half = grey.copy(), grey.copy()
    white[0, :5], half[2, :2] = 1, 0
    assert measures.compare_clipping(white, grey, grey) == 0.5
    assert measures.compare_clipping(white, grey, half) == pytest.approx(0.3)
    assert measures.compare_clipping(grey, white, half) == 0


def test_a_frame_is_seen(measures: Any):
    content = luma("coffee")
    framed = content.copy()
    framed[:2], framed[-2:] = 0, 1
    assert measures.compare_border(framed, content) > 0.5


def test_grain_and_strokes(measures: Any):
    style, noise = luma("coffee"), np.random.default_rng(0).normal(0, 0.05, (192, 256))
    assert measures.compare_grain(style + noise, style) > 1
    assert measures.compare_grain(gaussian_filter(style, 2), style) > 1
    white = np.random.default_rng(1).normal(size=(256, 256))
    fine, broad = (gaussian_filter(white, sigma, mode="wrap") for sigma in (2, 4))
    assert measures.compare_strokes(broad, fine) == pytest.approx(1, abs=0.1)
    assert measures.compare_strokes(fine, broad) == pytest.approx(1, abs=0.1)
    # the spectrum is of a part of the whole as of the whole
    assert measures.compare_strokes(fine[:128, :192], fine) < 0.1


def test_a_view_shifts_by_parts_of_pixels_and_invents_no_border(battery: Any):
    rows = np.broadcast_to(np.linspace(0.2, 0.8, 61, dtype=np.float32)[:, None], (3, 61, 40))
    seen = battery.View(1.0, (2.5, 0.25)).of(rows)
    assert seen.shape == (3, 58, 39)
    assert seen[:, 5:-5] == pytest.approx(rows[:, 5:53, :39] + 0.025, abs=1e-3)
    assert battery.View(0.5, (0.0, 0.0)).of(rows).shape == (3, 30, 20)
    assert {view.scale for view in battery.VIEWS} == {1.0, 0.5}
    assert len({view.shifts for view in battery.VIEWS}) == len(battery.VIEWS)


@pytest.mark.slow
def test_the_battery_tells_a_content_from_a_style(battery: Any, weights: Any):
    network = ConvNet(VGG19, weights, pooling="max", padding="zeros")
    content, style = picture("coffee"), picture("chelsea", (90, 120))
    measured = battery.Battery(content, style, network)
    itself = measured.measure(content)
    other = measured.measure(picture("chelsea"))
    assert list(itself) == [measure.name for measure in battery.MEASURES]
    for measure in battery.MEASURES:
        if measure.kind == "style":
            assert other[measure.name] < itself[measure.name], measure
        elif measure.kind == "content":
            assert itself[measure.name] == pytest.approx(0, abs=1e-4)
            assert other[measure.name] > 0.1
    with pytest.raises(ValueError, match="the content's shape was expected"):
        measured.measure(style)
