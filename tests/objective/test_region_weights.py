"""What each position of a layer sees of a region."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19, up_to_deepest
from impasto.objective.region_weights import Region, on_grid, region_weights, seen

LAYERS = ["relu1_1", "relu2_1", "relu3_1"]


def averaged(mask: NDArray[np.float64], block: int) -> NDArray[np.float64]:
    """What relu{block}_1 sees of a mask, by NumPy alone: averages of 3 x 3 and of 2 x 2 in place of VGG-19's rows."""
    for below in range(1, block + 1):
        count = 1 if below == block else {1: 2, 2: 2}[below]
        for _ in range(count):
            padded = np.pad(mask, 1, mode="edge")
            h, w = mask.shape
            mask = sum(padded[y : y + h, x : x + w] for y in range(3) for x in range(3)) / 9  # pyright: ignore
        if below < block:
            h, w = mask.shape[0] // 2, mask.shape[1] // 2
            mask = mask[: 2 * h, : 2 * w].reshape(h, 2, w, 2).mean((1, 3))
    return mask


@pytest.mark.parametrize("shape", [(16, 24), (19, 21), (5, 33)])
def test_a_mask_goes_through_the_table_as_averages_on_the_grids_of_the_network(network: ConvNet, shape: tuple[int, int]):
    mask = (np.random.default_rng(0).random(shape) > 0.6).astype(np.float64)
    found = seen(VGG19, torch.from_numpy(mask)[None, None], LAYERS)
    activations = network(torch.zeros(1, 3, *shape), LAYERS)
    for block, name in enumerate(LAYERS, 1):
        assert found[name].shape[2:] == activations[name].shape[2:]
        np.testing.assert_allclose(found[name][0, 0], averaged(mask, block), atol=1e-12)


@given(st.integers(16, 24), st.integers(16, 24), st.integers(1, 3), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_regions_that_cover_the_content_cover_every_layer(height: int, width: int, labels: int, seed: int):
    index = np.random.default_rng(seed).integers(0, labels, (height, width))
    masks = [torch.from_numpy((index == i).astype(np.float64))[None, None] for i in range(labels)]
    of_all = [seen(VGG19, mask, [*LAYERS, "relu5_1"]) for mask in masks]
    for name in of_all[0]:
        torch.testing.assert_close(sum(one[name] for one in of_all), torch.ones_like(of_all[0][name]))


def region(content: NDArray[np.float32], *styles: NDArray[np.float32] | None) -> Region:
    return Region(content, styles)


def halves(height: int, width: int) -> NDArray[np.float32]:
    left = np.zeros((height, width), np.float32)
    left[:, : width // 2] = 1
    return left


def test_weights_have_a_mean_of_one_and_of_a_style_only_the_inside_counts():
    C, S = torch.zeros(1, 3, 64, 96), torch.zeros(1, 3, 48, 128)  # noqa: N806
    left = region(halves(64, 96), halves(48, 128), None)
    found = region_weights(left, C, [S, S], partial(seen, VGG19), LAYERS)
    assert found.share == pytest.approx(0.5)
    assert found.styles[1] == {}
    for name in LAYERS:
        weights, inner = found.generated[name], found.styles[0][name]
        assert weights.mean().item() == pytest.approx(1, abs=1e-6)
        assert inner.mean().item() == pytest.approx(1, abs=1e-6)
        middle = inner.shape[3] // 2
        assert not inner[..., middle:].any() and inner[..., : middle - 6].all()
        # G takes part of the style a little beyond the edge: soft, and the same on both sides of it
        row = weights[0, 0, 4] / weights.max()
        assert row[len(row) // 2] > 0
        torch.testing.assert_close(row + row.flip(0), torch.ones_like(row))


def test_a_region_too_small_for_a_layer_counts_as_far_as_it_is_seen():
    dot = np.zeros((64, 64), np.float32)
    dot[20, 30] = 1
    x = torch.zeros(1, 3, 64, 64)
    found = region_weights(region(dot, dot), x, [x], partial(seen, VGG19), [*LAYERS, "relu5_1"])
    assert set(found.styles[0]) == set(found.generated) == {*LAYERS, "relu5_1"}
    assert all(weights.isfinite().all() for weights in (*found.styles[0].values(), *found.generated.values()))
    # pooling drops the last column of an odd width, and what is only there is not seen at all
    column = np.zeros((33, 33), np.float32)
    column[:, 32] = 1
    x = torch.zeros(1, 3, 33, 33)
    found = region_weights(region(column, column), x, [x], partial(seen, up_to_deepest(VGG19, ["pool1"])), ["relu1_1"])
    assert set(found.generated) == {"relu1_1"}
    nothing = region_weights(region(dot * 0, dot), x, [x], partial(seen, VGG19), LAYERS)
    assert nothing.share == 0 and nothing.generated == {}


def test_a_mask_is_brought_to_the_grid_of_the_picture():
    mask = halves(4, 6)
    assert (on_grid(mask, torch.zeros(1, 3, 4, 6))[0, 0].numpy() == mask).all()
    assert (on_grid(mask, torch.zeros(1, 3, 8, 12))[0, 0].numpy() == halves(8, 12)).all()
    assert on_grid(mask, torch.zeros(1, 3, 4, 6, dtype=torch.float64)).dtype == torch.float64
