from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from impasto.costs import (
    content_cost,
    content_unit,
    relative_lambda,
    style_layer_cost,
    style_matrix,
    total_variation,
)

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


@pytest.mark.parametrize("shape", SHAPES)
def test_total_variation_equals_its_formula(shape: tuple[int, ...]):
    x = np.random.default_rng(2).uniform(0, 1, shape)
    total = 0.0
    for place in np.ndindex(shape[0], *shape[2:]):
        squares = 0.0
        for axis in range(1, len(shape) - 1):
            following = list(place)
            following[axis] += 1
            if following[axis] < shape[axis + 1]:
                squares += sum((x[place[0], k, *following[1:]] - x[place[0], k, *place[1:]]) ** 2 for k in range(shape[1]))
        total += (squares + 1e-4) ** 0.5 - 0.01
    assert total_variation(tensor(x)).item() == pytest.approx(total / (x.size / shape[1]), rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_of_total_variation_equals_finite_differences(shape: tuple[int, ...]):
    random = np.random.default_rng(3)
    x, direction = tensor(random.uniform(0, 1, shape)).requires_grad_(), tensor(random.normal(size=shape))
    (gradient,) = torch.autograd.grad(total_variation(x), x)
    with torch.no_grad():
        slope = (total_variation(x + 1e-6 * direction) - total_variation(x - 1e-6 * direction)) / 2e-6
    assert (gradient * direction).sum().item() == pytest.approx(slope.item(), rel=1e-6)


def test_total_variation_lets_edges_be_and_minds_grain():
    """An edge costs the same sharp or soft; the same step as grain costs far more; where all is flat there is a gradient."""
    sharp = torch.zeros(1, 3, 20, 20)
    sharp[..., 10:] = 0.8
    soft = torch.linspace(0, 0.8, 5).repeat_interleave(4).expand(1, 3, 20, 20)
    grain = 0.8 * (torch.arange(400).reshape(20, 20) * 7 % 2).expand(1, 3, 20, 20)
    assert total_variation(soft).item() == pytest.approx(total_variation(sharp).item(), rel=0.1)
    assert total_variation(grain) > 10 * total_variation(sharp)
    flat = torch.full((1, 3, 5, 5), 0.5, requires_grad=True)
    (gradient,) = torch.autograd.grad(total_variation(flat), flat)
    assert total_variation(flat).item() == pytest.approx(0, abs=1e-8)
    assert torch.equal(gradient, torch.zeros_like(flat))
