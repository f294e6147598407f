"""Means and gradients tile by tile are those of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.media.series.prepare import GreyLeads
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import ARCHITECTURES, VGG19, Layer, LayerTable, bank, up_to_deepest
from impasto.networks.random_filters import random_bank
from impasto.networks.tiling.segments import cut, margin, possible_cuts
from impasto.networks.tiling.statistics import Statistic, Window, at, everywhere, measure
from impasto.networks.tiling.tiles import InTiles, tiles
from impasto.objective.costs import content_cost, style_matrix

TABLE = (
    Layer("conv1", "conv", kernel=3, channels=4),
    Layer("relu1", "relu"),
    Layer("conv2", "conv", kernel=5, channels=4),
    Layer("pool1", "pool", kernel=2, stride=2),
    Layer("conv3", "conv", kernel=3, channels=6),
    Layer("relu3", "relu"),
    Layer("pool2", "pool", kernel=3, stride=2),
    Layer("conv4", "conv", kernel=3, channels=5),
    Layer("relu4", "relu"),
)
LAYERS = ["relu1", "conv2", "relu3", "pool2", "relu4"]


def network(dims: int, padding: Any, pooling: Any, table: LayerTable = TABLE, channels: int = 2) -> ConvNet:
    generator = torch.Generator().manual_seed(dims)
    weights, inputs = {"mean": torch.full((channels,), 0.1), "std": torch.ones(channels)}, channels
    for row in table:
        if row.operation == "conv":
            shape = (row.channels, inputs, *(row.kernel,) * dims)
            weights[f"{row.name}.weight"] = torch.randn(shape, generator=generator) / (inputs * row.kernel**dims) ** 0.5
            weights[f"{row.name}.bias"] = torch.randn(row.channels, generator=generator)
            inputs = row.channels
    return ConvNet(table, weights, padding=padding, pooling=pooling).double()


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def statistics(whole: Any, goal: Tensor, layers: Sequence[str]) -> list[Statistic]:
    """Of every layer the style matrix and the distance to the activations of ``goal``, position by position."""
    found = []
    for name, target in whole(goal, layers).items():

        def distance(a: Tensor, region: Window, target: Tensor = target) -> Tensor:
            return content_cost(at(target, region), a)

        found += [Statistic(name, everywhere(style_matrix)), Statistic(name, distance)]
    return found


def gradient(of: Any, x: Tensor, means: Sequence[Statistic]) -> tuple[list[Tensor], Tensor]:
    leaf = x.clone().requires_grad_()
    values = measure(of, leaf, means)
    cost = sum((value.square().sum() for value in values), start=torch.zeros(()))
    return values, torch.autograd.grad(cost, leaf)[0]


def check(whole: Any, parts: InTiles, x: Tensor, layers: Sequence[str]) -> None:
    means = statistics(whole, x + random(*x.shape, seed=1), layers)
    for name, activation in parts(x, layers).items():
        torch.testing.assert_close(activation, whole(x, layers)[name], rtol=1e-9, atol=1e-12)
    (values, slope), (in_tiles, slope_in_tiles) = (gradient(of, x, means) for of in (whole, parts))
    for value, other in zip(values, in_tiles, strict=True):
        torch.testing.assert_close(other, value, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(slope_in_tiles, slope, rtol=1e-8, atol=1e-12)


@given(
    dims=st.sampled_from([1, 1, 2, 2, 3]),
    padding=st.sampled_from(["zeros", "replicate"]),
    pooling=st.sampled_from(["max", "avg"]),
    batch=st.integers(1, 3),
    data=st.data(),
)
@settings(deadline=None, max_examples=60)
def test_tiles_of_any_size_make_up_the_whole(dims: int, padding: str, pooling: str, batch: int, data: st.DataObject):
    whole = network(dims, padding, pooling)
    shape = data.draw(st.lists(st.integers(7, {1: 60, 2: 24, 3: 12}[dims]), min_size=dims, max_size=dims))
    cuts = data.draw(st.sampled_from([c for n in range(3) for c in combinations(["pool1", "pool2"], n)]))
    sides = [data.draw(st.integers(1, 20)) for _ in range(len(cuts) + 1)]
    parts = InTiles(whole.segments(LAYERS, cuts), sides, data.draw(st.integers(0, len(sides))))
    check(whole, parts, random(batch, 2, *shape), LAYERS)


@pytest.mark.parametrize("width", [300, 301])
def test_a_bank_and_leads_seen_as_a_batch(width: int):
    whole = random_bank(bank((3, 17, 65), 5), 2).double()
    check(whole, InTiles(whole.segments(["relu3", "relu65"]), [70]), random(1, 2, width), ["relu3", "relu65"])
    leads = GreyLeads(network(1, "replicate", "avg", channels=1))
    check(leads, InTiles(leads.segments(LAYERS, ["pool1"]), [40, 13]), random(1, 3, width), LAYERS)


def test_what_is_not_wanted_is_not_computed():
    whole = network(2, "zeros", "max")
    parts = InTiles(whole.segments(LAYERS, ["pool1", "pool2"]), [8, 8, 8])
    check(whole, parts, random(1, 2, 20, 23), ["relu1"])
    check(whole, parts, random(1, 2, 20, 23), ["pool2"])
    check(whole, parts, random(1, 2, 20, 23), ["relu4"])


@given(extents=st.lists(st.integers(16, 90), min_size=1, max_size=2), side=st.integers(1, 100), batch=st.integers(1, 5))
@settings(deadline=None)
def test_every_position_is_one_tiles_own(extents: list[int], side: int, batch: int):
    (segment,) = network(1, "zeros", "max").segments(LAYERS)
    for name in LAYERS:
        seen = torch.zeros(batch, 1, *segment.grid(name, extents))
        share = 0.0
        for tile in tiles(segment, (batch, *extents), side, [name]):
            at(seen, tile.place[name]).add_(1)
            share += tile.share[name]
            for part, own, place in zip(tile.seen[1:], tile.own[name][1:], tile.place[name][1:], strict=True):
                assert 0 <= own.start <= own.stop and part.start % segment.stride == 0
                assert own.stop - own.start == place.stop - place.start
        assert (seen == 1).all() and share == pytest.approx(1)


def test_margins_of_vgg19_are_those_of_its_receptive_field():
    """relu2_2 and pool2 see 6 and 6 pixels beyond their own, relu3_4 four positions, relu5_1 one."""
    assert possible_cuts(VGG19) == ("pool1", "pool2", "pool3", "pool4")
    table = up_to_deepest(VGG19, ["relu5_1"])
    parts = cut(table, ["pool2", "pool3", "pool4"])
    assert [part[0].name for part in parts] == ["conv1_1", "conv3_1", "conv4_1", "conv5_1"]
    assert [margin(part) for part in parts] == [8, 4, 4, 1]
    assert possible_cuts(ARCHITECTURES["bank"].table) == ()


def test_no_more_than_a_tile_is_seen_at_once():
    whole, largest = network(2, "zeros", "max"), []
    segments = [
        segment._replace(run=lambda x, names, run=segment.run: (largest.append(x.shape[2:].numel()), run(x, names))[1])
        for segment in whole.segments(LAYERS, ["pool1"])
    ]
    gradient(
        InTiles(segments, [16, 8]), random(1, 2, 100, 90), [Statistic(name, everywhere(style_matrix)) for name in LAYERS]
    )
    reach = margin(segments[0].table)
    assert max(largest) == (16 + 2 * reach) ** 2 and len(largest) > 50
