from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from impasto.objective.costs import (
    channel_means,
    content_cost,
    content_unit,
    relative_lambda,
    style_layer_cost,
    style_matrix,
    total_variation,
    wasserstein_lambda,
    wasserstein_to,
)

Array = NDArray[np.float64]
SHAPES = [(1, 3, 11), (1, 4, 5, 6), (2, 3, 5, 4), (1, 2, 3, 4, 5)]


def tensor(a: Array) -> torch.Tensor:
    return torch.from_numpy(a)


def wasserstein_cost(
    mean_s: torch.Tensor, second_s: torch.Tensor, mean_g: torch.Tensor, second_g: torch.Tensor
) -> torch.Tensor:
    return wasserstein_to(mean_s, second_s)(mean_g, second_g)


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
    generated = zero.clone().requires_grad_()
    share = wasserstein_lambda(1.0, *moments(zero)) * wasserstein_cost(*moments(zero), *moments(generated))
    share.backward()
    assert torch.isfinite(share) and generated.grad is not None and torch.isfinite(generated.grad).all()


def moments(a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return channel_means(a), style_matrix(a)


def frechet(a: Array, b: Array) -> float:
    """The 2-Wasserstein distance of two normal distributions, by SciPy, blurred as the cost says."""
    a, b = (x.swapaxes(0, 1).reshape(x.shape[1], -1) for x in (a, b))
    blur = 1e-4 * (a**2).sum(0).mean() / len(a) * np.eye(len(a))
    K_a, K_b = (np.cov(x, bias=True).reshape(len(x), len(x)) + blur for x in (a, b))  # noqa: N806
    root = sqrtm(K_a)
    shared = sqrtm(root @ K_b @ root)
    return float(((a.mean(1) - b.mean(1)) ** 2).sum() + np.trace(K_a + K_b - 2 * shared).real)


@pytest.mark.parametrize("shape", [*SHAPES, (1, 1, 30), (1, 24, 9, 10)])
def test_the_wasserstein_cost_equals_its_formula_by_scipy(shape: tuple[int, ...]):
    random = np.random.default_rng(4)
    a, b = random.normal(2, 3, shape), random.normal(1, 2, shape) ** 2
    cost = wasserstein_cost(*moments(tensor(a)), *moments(tensor(b))).item()
    assert cost == pytest.approx(frechet(a, b), rel=1e-9)


@pytest.mark.parametrize("of_g", ["other", "equal", "flat", "one for all", "few positions"])
def test_the_gradient_of_the_wasserstein_cost_equals_finite_differences(of_g: str):
    """Also where eigenvalues are 0 or equal: the gradient of an eigenvector would be infinite there."""
    random = np.random.default_rng(5)
    noise = random.normal(size=(1, 6, 40))
    a = np.kron(np.eye(6), [[1.0, -1.0]])[None].astype(np.float64) if of_g == "equal" else random.normal(1, 2, (1, 6, 30))
    cases = {"other": noise, "equal": 1.5 * a, "flat": 0 * noise + 0.5, "one for all": noise[:, :1].repeat(6, 1)}
    b = tensor(np.asarray(cases.get(of_g, noise[..., :4]), np.float64)).requires_grad_()
    target, direction = moments(tensor(a)), tensor(random.normal(size=b.shape))
    (gradient,) = torch.autograd.grad(wasserstein_cost(*target, *moments(b)), b)
    assert torch.isfinite(gradient).all()
    with torch.no_grad():
        costs = [wasserstein_cost(*target, *moments(b + h * direction)).item() for h in (1e-5, -1e-5)]
    slope = (costs[0] - costs[1]) / 2e-5
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-5, abs=1e-7)


@given(arrays(np.float64, (1, 3, 40), elements=st.floats(-5, 5)), st.lists(st.floats(-9, 9), min_size=3, max_size=3))
@settings(max_examples=30, deadline=None)
def test_a_shift_costs_its_square_and_nothing_costs_nothing(a: Array, shift: list[float]):
    moved = a + np.array(shift)[:, None]
    cost = wasserstein_cost(*moments(tensor(a)), *moments(tensor(moved))).item()
    assert cost == pytest.approx((np.array(shift) ** 2).sum(), rel=1e-6, abs=1e-6)
    assert wasserstein_cost(*moments(tensor(a)), *moments(tensor(a))).item() == pytest.approx(0, abs=1e-9)


def test_the_wasserstein_cost_is_exact_enough_in_float32_and_in_512_channels():
    random = np.random.default_rng(6)
    a, b = (np.maximum(random.normal(0, 1, (1, 512, 300)) + shift, 0) for shift in (0.3, 0.0))
    expected = wasserstein_cost(*moments(tensor(a)), *moments(tensor(b)))
    single = wasserstein_cost(*(x.float() for x in moments(tensor(a))), *(x.float() for x in moments(tensor(b))))
    assert single.dtype == torch.float32 and single.item() == pytest.approx(expected.item(), rel=1e-4)


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
