from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import VGG19
from impasto.networks.weights import Weights
from impasto.objective.costs import total_variation
from impasto.objective.style import STYLE_COSTS
from impasto.objective.term import Scene
from impasto.transfer.resolve import objective_of
from impasto.transfer.settings import TransferSettings
from tests.conftest import as_tensor, bound, descent_of

LAYERS: dict[str, Any] = {"content_layers": "relu2_2=0.7,relu3_1=0.3", "style_layers": "relu1_1=0.5,relu2_1=0.1,relu3_1=0.4"}


@pytest.fixture(scope="module")
def network64(weights: Weights) -> ConvNet:
    return ConvNet(VGG19, {name: value.double() for name, value in weights.items()}, pooling="avg")


@pytest.mark.parametrize("weighting", ["relative", "absolute"])
@pytest.mark.parametrize("size_of_style", [24, 19])
def test_j_equals_the_formulas(network64: ConvNet, photograph: Signal, texture: Signal, weighting: Any, size_of_style: int):
    C = as_tensor(photograph)[..., :24, :24].double()  # noqa: N806
    S = as_tensor(texture)[..., :size_of_style, :size_of_style].double()  # noqa: N806
    G = C * 0.7 + 0.1  # noqa: N806
    settings = TransferSettings(alpha=3, beta=7, weighting=weighting, **LAYERS).for_kind("image")
    costs = bound(network64, C, S, settings)(G)

    names = ["relu1_1", "relu2_1", "relu2_2", "relu3_1"]
    a_C, a_S, a_G = ({k: v[0].numpy() for k, v in network64(x, names).items()} for x in (C, S, G))  # noqa: N806
    content = 0.0
    for name, weight in settings.content_weights.items():
        unit = (a_C[name] ** 2).mean() / 4 if weighting == "relative" else 1
        content += weight * ((a_C[name] - a_G[name]) ** 2).sum() / (4 * a_C[name].size) / unit
    style = 0.0
    for name, weight in settings.style_lambdas.items():
        G_S, G_G = (np.einsum("kyx,jyx->kj", a[name], a[name]) / a[name][0].size for a in (a_S, a_G))  # noqa: N806
        n_C = len(G_S)  # noqa: N806
        factor = weight * (2 * n_C) ** 2 / (G_S**2).sum() if weighting == "relative" else weight
        layer = factor * ((G_S - G_G) ** 2).sum() / (2 * n_C) ** 2
        assert costs.style_cost_by_layer[name].item() == pytest.approx(layer, rel=1e-9)
        style += layer
    assert costs.content_cost.item() == pytest.approx(content, rel=1e-9)
    assert costs.style_cost.item() == pytest.approx(style, rel=1e-9)
    assert costs.cost.item() == pytest.approx(3 * content + 7 * style, rel=1e-9)


@pytest.mark.parametrize("name", STYLE_COSTS)
def test_styles_are_blended_on_their_means(network64: ConvNet, photograph: Signal, texture: Signal, name: Any):
    C = as_tensor(photograph)[..., :24, :24].double()  # noqa: N806
    styles = [as_tensor(texture)[..., :20, :26].double(), C.flip(1)[..., :17, :]]
    settings = TransferSettings(style_cost=name, style_layers="relu2_1=3").for_kind("image")
    found = bound(network64, C, [(styles[0], 0.7), (styles[1], 0.3)], settings)(C).style_cost.item()

    a_S, a_T, a_G = (network64(x, ["relu2_1"])["relu2_1"][0].flatten(1).numpy() for x in (*styles, C))  # noqa: N806
    second_S, second_G = 0.7 * a_S @ a_S.T / a_S.shape[1] + 0.3 * a_T @ a_T.T / a_T.shape[1], a_G @ a_G.T / a_G.shape[1]  # noqa: N806
    if name == "gram":
        expected = ((second_S - second_G) ** 2).sum() / (second_S**2).sum()
    else:
        m_S, m_G = 0.7 * a_S.mean(1) + 0.3 * a_T.mean(1), a_G.mean(1)  # noqa: N806
        blur = 1e-4 * np.trace(second_S) / len(m_S) * np.eye(len(m_S))
        K_S, K_G = second_S - np.outer(m_S, m_S) + blur, second_G - np.outer(m_G, m_G) + blur  # noqa: N806
        # the eigenvalues of K_S K_G are those of its symmetric form
        shared = np.sqrt(np.linalg.eigvals(K_S @ K_G).real.clip(0)).sum()
        expected = (((m_S - m_G) ** 2).sum() + np.trace(K_S + K_G) - 2 * shared) / np.trace(second_S)
    assert found == pytest.approx(3 * expected, rel=1e-6)


@pytest.mark.parametrize("weighting", ["relative", "absolute"])
def test_the_gradient_equals_finite_differences(network64: ConvNet, photograph: Signal, texture: Signal, weighting: Any):
    C, S = as_tensor(photograph)[..., :16, :20].double(), as_tensor(texture)[..., :18, :16].double()  # noqa: N806
    objective = bound(network64, C, S, TransferSettings(weighting=weighting).for_kind("image"))
    random = torch.Generator().manual_seed(0)
    G = (C + 0.05 * torch.randn(C.shape, generator=random, dtype=torch.float64)).requires_grad_()  # noqa: N806
    (gradient,) = torch.autograd.grad(objective(G).cost, G)
    for _ in range(3):
        direction = torch.randn(C.shape, generator=random, dtype=torch.float64)
        h = 1e-6
        with torch.no_grad():
            slope = (objective(G + h * direction).cost - objective(G - h * direction).cost) / (2 * h)
        assert (gradient * direction).sum().item() == pytest.approx(slope.item(), rel=1e-5)


def test_at_equal_size_the_style_cost_is_the_papers(network: ConvNet, photograph: Signal, texture: Signal):
    C, S = as_tensor(photograph), as_tensor(texture)  # noqa: N806
    settings = TransferSettings(weighting="absolute", style_layers="relu2_1=1").for_kind("image")
    cost = bound(network, C, S, settings)(C).style_cost_by_layer["relu2_1"].item()
    with torch.no_grad():
        a_S, a_G = (network(x, ["relu2_1"])["relu2_1"][0].flatten(1).double() for x in (S, C))  # noqa: N806
    n_C, n = a_S.shape  # noqa: N806
    assert cost == pytest.approx(((a_S @ a_S.T - a_G @ a_G.T) ** 2).sum().item() / (2 * n * n_C) ** 2, rel=1e-5)


def test_relative_costs_mean_the_same_at_every_size_and_are_zero_at_the_goal(network: ConvNet, texture: Signal):
    S = as_tensor(texture)  # noqa: N806
    objective = bound(network, S, S, TransferSettings().for_kind("image"))
    assert objective(S).cost.item() == 0
    grey = torch.full_like(S, 0.5)
    assert 0.1 < objective(grey).content_cost.item() < 2
    assert all(cost.item() < 0.2 * 10 for cost in objective(grey).style_cost_by_layer.values())


@pytest.mark.parametrize("weighting", ["relative", "absolute"])
def test_every_statistic_of_j_is_the_mean_of_its_parts(
    network64: ConvNet, photograph: Signal, texture: Signal, weighting: Any
):
    C, S = as_tensor(photograph).double(), as_tensor(texture).double()  # noqa: N806
    settings = TransferSettings(weighting=weighting, **LAYERS).for_kind("image")
    scene = Scene(network64, C, [(S, 1.0)])
    terms = [part for _, term in objective_of(settings).terms for part in term.bind(scene)]
    layers = {statistic.layer for term in terms for statistic in term.statistics}
    a = network64(0.5 * (C + S), layers)
    for statistic in (statistic for term in terms for statistic in term.statistics):
        whole = a[statistic.layer]
        rows, columns = whole.shape[2:]
        cuts = [(slice(0, 1), slice(*y), slice(*x)) for y in ((0, 3), (3, rows)) for x in ((0, 5), (5, columns))]
        parts = [(whole[region[0], :, *region[1:]], region) for region in cuts]
        total = sum(statistic.mean(part, region) * part[0, 0].numel() for part, region in parts)
        expected = statistic.mean(whole, (slice(None),) * 3)
        torch.testing.assert_close(total / whole[0, 0].numel(), expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("name", STYLE_COSTS)
def test_a_style_cost_is_zero_at_the_goal_and_in_relative_units_one_for_a_style_without_any_energy(name: str):
    a = torch.rand(1, 5, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    row = STYLE_COSTS[name]
    goal, nothing = ([mean(x) for mean in row.means] for x in (a, torch.zeros_like(a)))
    assert row.cost_to(*goal)(*goal).item() == pytest.approx(0, abs=1e-12)
    assert (row.relative(1.0, *goal) * row.cost_to(*goal)(*nothing)).item() == pytest.approx(1, rel=0.02)


def test_total_variation_is_a_part_of_j_in_every_descent(network: ConvNet, photograph: Signal, texture: Signal):
    C, S = as_tensor(photograph)[..., :32, :32], as_tensor(texture)  # noqa: N806
    settings = TransferSettings(iterations=12, tv=50, content_layers="relu2_1", style_layers="relu1_1").for_kind("image")
    both = [replace(settings, tv=tv) for tv in (0.0, 50.0)]
    rough, objective = (bound(network, C, S, one) for one in both)
    plain, smooth = (list(descent_of(bound(network, C, S, one), C, one, (0.0, 1.0)))[-1].best_generated for one in both)
    assert objective(C).cost.item() == pytest.approx((rough(C).cost + 50 * total_variation(C)).item())
    assert objective(C).costs["total variation"].item() == pytest.approx(50 * total_variation(C).item())
    assert total_variation(smooth) < 0.9 * total_variation(plain)
