"""A cost divided onto positions: against NumPy in float64, and against the definition of Shapley's value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import impasto
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19
from impasto.networks.weights import Weights
from impasto.objective.attribution import evenly, shapley
from impasto.objective.costs import (
    channel_means,
    content_cost,
    content_cost_at,
    neighbour_cost,
    neighbour_cost_at,
    relative_lambda,
    style_layer_cost,
    style_matrix,
    total_variation,
    total_variation_at,
    wasserstein_to,
)
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.region_weights import RegionWeights
from impasto.objective.term import Scene

Array = NDArray[np.float64]


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shapley_by_definition(value: Callable[[frozenset[int]], float], n: int) -> list[float]:
    shares = [0.0] * n
    for i in range(n):
        others = [j for j in range(n) if j != i]
        for size in range(n):
            worth = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for chosen in itertools.combinations(others, size):
                shares[i] += worth * (value(frozenset({*chosen, i})) - value(frozenset(chosen)))
    return shares


@pytest.mark.parametrize("weighted", [False, True])
def test_the_shares_of_a_style_cost_are_shapleys(weighted: bool):
    a, style = 2 * some(1, 3, 2, 3), style_matrix(some(1, 3, 4, 4, seed=1))
    a[..., 0, 0] = 0  # in a G that has too much of everything this position has too little
    weight = some(1, 1, 2, 3, seed=2).exp() if weighted else None
    weight = None if weight is None else weight / weight.mean()
    found = shapley((style_matrix,), (style,), lambda m: style_layer_cost(style, m), weight, a).flatten().tolist()
    rows, target = np.asarray(a[0].flatten(1).T), np.asarray(style)
    counts = np.ones(6) if weight is None else np.asarray(weight.flatten())

    def value(chosen: frozenset[int]) -> float:
        matrices = [counts[i] * (np.outer(rows[i], rows[i]) if i in chosen else target) for i in range(6)]
        return float(np.square(np.mean(matrices, 0) - target).sum() / (2 * 3) ** 2)

    assert found == pytest.approx(shapley_by_definition(value, 6), rel=1e-9)
    assert sum(found) == pytest.approx(value(frozenset(range(6))), rel=1e-9)
    assert found[0] < 0 < max(found)


def test_the_shares_of_a_wasserstein_cost_sum_to_it():
    a, s = some(1, 4, 6, 7).relu(), some(1, 4, 5, 5, seed=1).relu() + 0.3
    target = (channel_means(s), style_matrix(s))
    cost = wasserstein_to(*target)
    found = shapley((channel_means, style_matrix), target, cost, None, a)
    assert found.shape == (1, 6, 7)
    assert float(found.sum()) == pytest.approx(float(cost(channel_means(a), style_matrix(a))), rel=1e-3)


def test_costs_by_position_are_numpys_and_average_to_the_cost():
    a, b = some(2, 3, 4, 5), some(2, 3, 4, 5, seed=1)
    content = np.square(np.asarray(a - b)).mean(1) / 4
    np.testing.assert_allclose(content_cost_at(a, b), content, rtol=1e-12)
    assert float(evenly(content_cost_at(a, b)).sum()) == pytest.approx(float(content_cost(a, b)), rel=1e-12)
    target = torch.nn.functional.normalize(a, dim=1)
    x, y = np.asarray(target), np.asarray(b)
    cosine = (x * y).sum(1) / np.sqrt(np.square(y).sum(1) + (0.01 * 1.5) ** 2)
    np.testing.assert_allclose(neighbour_cost_at(target, b, 1.5), 1 - cosine, rtol=1e-12)
    assert float(neighbour_cost_at(target, b, 1.5).mean()) == pytest.approx(float(neighbour_cost(target, b, 1.5)), rel=1e-12)
    assert float(total_variation_at(a).mean()) == pytest.approx(float(total_variation(a)), rel=1e-12)


def activations(network: ConvNet, x: torch.Tensor, layer: str) -> Array:
    return np.asarray(network(x, [layer])[layer], np.float64)


def test_the_shares_of_every_term_of_a_painting_sum_to_its_cost(weights: Weights):
    network = ConvNet(VGG19, {name: value.double() for name, value in weights.items()}, pooling="avg")
    C, S, G = (torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(i)).double() for i in range(3))  # noqa: N806
    terms: dict[str, Any] = {
        "content": impasto.content("relu2_1,relu3_1"),
        "style": impasto.style("relu1_1,relu3_1=0.3"),
        "neighbours": impasto.neighbours("relu2_1,relu3_1"),
        "total variation": impasto.total_variation(),
    }
    scene = Scene(network, C, [(S, 1.0)], painted=G)
    J = sum((2.0 * term for term in terms.values()), impasto.Objective())  # noqa: N806
    costs = BoundObjective(J, [View(scene)])(G)
    for name, term in terms.items():
        whole = 0.0
        for part in term.bind(scene):
            assert part.divide is not None
            shares = part.divide(network(G, [part.layer])[part.layer] if part.layer else G)
            assert shares.shape[1:] == (network.grid(part.layer, (40, 48)) if part.layer else (40, 48))
            whole += 2.0 * float(part.weight * shares.sum())
        assert whole == pytest.approx(float(costs.costs[name]), rel=1e-9), name
    # and the style's by the formula of the docs, in NumPy
    (part,) = impasto.style("relu2_1").bind(Scene(network, C, [(S, 1.0)]))
    assert part.divide is not None
    a, s = (activations(network, x, "relu2_1")[0].reshape(128, -1) for x in (G, S))
    target = s @ s.T / s.shape[1]
    wrong = a @ a.T / a.shape[1] - target
    expected = (np.einsum("ki,kl,li->i", a, wrong, a) - (wrong * target).sum()) / a.shape[1] / (2 * 128) ** 2
    np.testing.assert_allclose(part.divide(network(G, ["relu2_1"])["relu2_1"]).flatten(), expected, rtol=1e-7)
    assert float(part.weight) == pytest.approx(float(relative_lambda(1.0, torch.from_numpy(target))), rel=1e-9)


def test_the_shares_of_a_region_sum_to_its_cost(weights: Weights):
    network = ConvNet(VGG19, weights, pooling="avg")
    C, S, G = (torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(i)) for i in range(3))  # noqa: N806
    left = torch.zeros(1, 1, 32, 32)
    left[..., :16] = 2
    here = {"relu1_1": left}
    scene = Scene(network, C, [(S, 1.0)], lambda layers: [RegionWeights(0.5, here, (here,))])
    (part,) = impasto.style("relu1_1").bind(scene)
    assert part.divide is not None
    shares = part.divide(network(G, ["relu1_1"])["relu1_1"])
    cost = BoundObjective(1 * impasto.style("relu1_1"), [View(scene)])(G).cost
    assert float(part.weight * shares.sum()) == pytest.approx(float(cost), rel=1e-4)
    assert not shares[..., 16:].any()
