"""Positions on pixels, and pixels in places, against loops."""

from __future__ import annotations

import numpy as np
import pytest

from impasto.explanation.grid import Axis, Places, axes_of, on_pixels
from impasto.networks.convnet import ConvNet


def test_the_axes_are_those_of_the_receptive_fields(network: ConvNet):
    shape = (45, 66)
    for layer in ("relu1_1", "relu2_1", "relu3_1", "relu4_1"):
        for axis, one in enumerate(axes_of(network, layer, shape)):
            assert len(one.centres) == network.grid(layer, shape)[axis]
            for position in range(len(one.centres)):
                assert one.field(position) == network.receptive_field(layer, position, shape[axis]), (layer, position)


def test_shares_on_pixels_are_those_of_a_loop_and_sum_to_the_same():
    axes = Axis(7, np.array([0.5, 2.5, 4.5]), 4), Axis(5, np.array([0.5, 2.5]), 4)
    shares = np.arange(6.0).reshape(3, 2) - 2
    found = on_pixels(shares, axes)
    expected = np.zeros((7, 5))
    owners = np.array([[min(y // 2, 2) * 2 + min(x // 2, 1) for x in range(5)] for y in range(7)])
    for i, share in enumerate(shares.flatten()):
        expected[owners == i] = share / (owners == i).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.sum() == pytest.approx(shares.sum(), rel=1e-12)


def test_nothing_is_lost_where_positions_are_denser_than_pixels():
    axes = Axis(3, np.linspace(-1, 3, 9), 3), Axis(2, np.array([0.4, 0.5, 0.6]), None)
    shares = np.random.default_rng(0).normal(size=(9, 3))
    assert on_pixels(shares, axes).sum() == pytest.approx(shares.sum(), rel=1e-12)


def test_places_are_squares_of_which_the_last_ones_are_what_is_left():
    places = Places.of((20, 35))
    assert (places.side, places.counts) == (8, (3, 5))
    assert places.centres(0).tolist() == [3.5, 11.5, 17.5]
    pixels = np.arange(700.0).reshape(20, 35)
    sums = places.sums(pixels)
    for row in range(3):
        for column in range(5):
            part = pixels[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
            assert sums[row, column] == pytest.approx(part.sum(), rel=1e-12)
    assert max(Places.of((4000, 3000)).counts) <= 64
