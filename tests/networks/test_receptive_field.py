"""Receptive fields: no pixel outside the field changes the activation, every pixel on its edge does."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.errors import SettingsError
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19, Layer, grid_sizes, receptive_field, up_to_deepest

TABLE = (
    Layer("conv1", "conv", kernel=3, channels=2),
    Layer("relu1", "relu"),
    Layer("conv2", "conv", kernel=3, channels=2),
    Layer("relu2", "relu"),
    Layer("pool1", "pool", kernel=2, stride=2),
    Layer("conv3", "conv", kernel=5, channels=2),
    Layer("relu3", "relu"),
    Layer("pool2", "pool", kernel=2, stride=2),
    Layer("conv4", "conv", kernel=3, channels=2),
)


def responsive_network(dims: int, padding: str = "zeros") -> ConvNet:
    """Positive weights and average pooling: every input that can change an activation does."""
    weights, inputs = {}, 1
    for row in TABLE:
        if row.operation == "conv":
            weights[f"{row.name}.weight"] = torch.ones(row.channels, inputs, *(row.kernel,) * dims)
            weights[f"{row.name}.bias"] = torch.zeros(row.channels)
            inputs = row.channels
    weights |= {"mean": torch.zeros(1), "std": torch.ones(1)}
    return ConvNet(TABLE, weights, padding=padding, pooling="avg").double()  # pyright: ignore[reportArgumentType]


@given(st.integers(4, 23), st.sampled_from(TABLE), st.data())
@settings(deadline=None, max_examples=60)
def test_the_field_is_exactly_what_the_gradient_reaches(extent: int, row: Layer, data: st.DataObject) -> None:
    table = up_to_deepest(TABLE, [row.name])
    size = grid_sizes(table, extent)[-1]
    position = data.draw(st.integers(0, size - 1))
    x = torch.ones(1, 1, extent, dtype=torch.float64, requires_grad=True)
    a = responsive_network(1)(x, [row.name])[row.name]
    assert a.shape[2] == size
    (gradient,) = torch.autograd.grad(a[0, 0, position], x)
    start, stop = receptive_field(table, position, extent)
    assert torch.nonzero(gradient[0, 0]).flatten().tolist() == list(range(start, stop))


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(9, 14), (13, 8)])
def test_pixels_inside_matter_and_pixels_outside_do_not(height: int, width: int) -> None:
    network = responsive_network(2)
    x = torch.rand(1, 1, height, width, dtype=torch.float64)
    before = network(x, ["conv4"])["conv4"]
    for position in itertools.product(*(range(n) for n in before.shape[2:])):
        fields = [receptive_field(TABLE, p, n) for p, n in zip(position, (height, width), strict=True)]
        for pixel in itertools.product(range(height), range(width)):
            changed = x.clone()
            changed[(0, 0, *pixel)] += 1
            inside = all(start <= i < stop for i, (start, stop) in zip(pixel, fields, strict=True))
            after = network(changed, ["conv4"])["conv4"]
            assert bool(after[(0, 0, *position)] != before[(0, 0, *position)]) == inside


def test_without_padding_a_field_is_never_clipped() -> None:
    network = responsive_network(1, padding="none")
    x = torch.ones(1, 1, 31, dtype=torch.float64, requires_grad=True)
    a = network(x, ["conv4"])["conv4"]
    assert grid_sizes(TABLE, 31, padded=False)[-1] == a.shape[2]
    for position in range(a.shape[2]):
        (gradient,) = torch.autograd.grad(a[0, 0, position], x, retain_graph=True)
        start, stop = receptive_field(TABLE, position, 31, padded=False)
        assert torch.nonzero(gradient[0, 0]).flatten().tolist() == list(range(start, stop))


@pytest.mark.parametrize(
    ("layer", "size"), [("relu1_1", 3), ("relu2_1", 10), ("relu3_1", 24), ("relu4_1", 68), ("relu5_1", 156)]
)
def test_sizes_of_vgg19_are_those_of_the_literature(layer: str, size: int) -> None:
    start, stop = receptive_field(up_to_deepest(VGG19, [layer]), 0)
    assert stop - start == size


def test_what_pooling_drops_is_in_no_field() -> None:
    table = (Layer("pool", "pool", kernel=2, stride=2), Layer("conv", "conv", kernel=3, channels=1))
    assert receptive_field(table, 2, 7) == (2, 6)
    assert receptive_field(table, 2) == (2, 8)


def test_a_position_outside_of_the_grid_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"position 4 is outside of pool1, which has 4 for 8"):
        receptive_field(up_to_deepest(VGG19, ["pool1"]), 4, 8)
