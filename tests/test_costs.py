from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from impasto.costs import content_cost, content_unit, relative_lambda, style_layer_cost, style_matrix

Array = NDArray[np.float64]
SHAPES = [(1, 3, 11), (1, 4, 5, 6), (2, 3, 5, 4), (1, 2, 3, 4, 5)]


def tensor(a: Array) -> torch.Tensor:
    return torch.from_numpy(a)


def gram(a: Array) -> Array:
    """The paper's Gram matrix, entry by entry."""
    channels = [a[:, k].ravel() for k in range(a.shape[1])]
    return np.array([[float(np.dot(x, y)) for y in channels] for x in channels])


@pytest.mark.parametrize("shape", SHAPES)
def test_costs_equal_their_formulas(shape: tuple[int, ...]):
    random = np.random.default_rng(0)
    a, b = random.normal(2, 3, shape), random.normal(1, 2, shape)
    n_C, n = shape[1], a.size // shape[1]  # noqa: N806
    assert content_cost(tensor(a), tensor(b)).item() == pytest.approx(((a - b) ** 2).sum() / (4 * n * n_C))
    assert content_cost(tensor(a), tensor(b), reduction="sum").item() == pytest.approx(((a - b) ** 2).sum() / 2)
    assert np.allclose(style_matrix(tensor(a)).numpy() * n, gram(a))
    paper = ((gram(a) - gram(b)) ** 2).sum() / (2 * n * n_C) ** 2
    assert style_layer_cost(style_matrix(tensor(a)), style_matrix(tensor(b))).item() == pytest.approx(paper, rel=1e-12)


def test_relative_units_make_costs_squared_relative_errors():
    random = np.random.default_rng(1)
    a, b = random.normal(2, 3, (1, 4, 6, 5)), random.normal(1, 2, (1, 4, 6, 5))
    content = content_cost(tensor(a), tensor(b)) / content_unit(tensor(a))
    assert content.item() == pytest.approx(((a - b) ** 2).sum() / (a**2).sum())
    style = relative_lambda(0.2, style_matrix(tensor(a))) * style_layer_cost(
        style_matrix(tensor(a)), style_matrix(tensor(b))
    )
    assert style.item() == pytest.approx(0.2 * ((gram(a) - gram(b)) ** 2).sum() / (gram(a) ** 2).sum())


@given(arrays(np.float64, (1, 3, 4, 5), elements=st.floats(-5, 5)), st.integers(0, 19), st.permutations(range(20)))
@settings(max_examples=30, deadline=None)
def test_style_forgets_where_and_content_does_not(a: Array, place: int, order: list[int]):
    shuffled = a.reshape(1, 3, 20)[:, :, order].reshape(a.shape)
    assert np.allclose(style_matrix(tensor(a)), style_matrix(tensor(shuffled)), atol=1e-9)
    moved = a.copy().reshape(1, 3, 20)
    moved[0, 0, place] += 1
    assert content_cost(tensor(a), tensor(moved.reshape(a.shape))).item() == pytest.approx(1 / (4 * a.size), rel=1e-6)


@given(arrays(np.float64, (1, 3, 4, 4), elements=st.floats(-5, 5)), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_a_style_matrix_means_the_same_at_every_size(a: Array, times: int):
    tiled = np.tile(a, (1, 1, 1, times))
    assert np.allclose(style_matrix(tensor(a)), style_matrix(tensor(tiled)), atol=1e-9)
    values = np.linalg.eigvalsh(style_matrix(tensor(a)).numpy())
    assert values.min() >= -1e-9


def test_nothing_divides_by_zero():
    zero = torch.zeros(1, 3, 4, 4)
    assert torch.isfinite(content_cost(zero, zero + 1) / content_unit(zero))
    assert torch.isfinite(
        relative_lambda(1.0, style_matrix(zero)) * style_layer_cost(style_matrix(zero), style_matrix(zero + 1))
    )
