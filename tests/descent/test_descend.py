from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from impasto.descent.descend import Progress
from impasto.descent.optimizers import LBFGS, OPTIMIZERS
from impasto.errors import SettingsError
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet
from impasto.objective.evaluation import Costs
from impasto.transfer.settings import TransferSettings
from tests.conftest import as_tensor, bound, descent_of

SHALLOW: dict[str, Any] = {"content_layers": "relu2_2", "style_layers": "relu1_1,relu2_1,relu3_1"}


class Bowl:
    """A cost whose minimum is known: at ``centre``, steeper along some axes than others, not finite where told."""

    def __init__(self, centre: Tensor, fails_at: set[int] | None = None) -> None:
        self.centre = centre
        self.curvature = torch.linspace(1, 30, centre.numel()).reshape(centre.shape)
        self.fails_at = fails_at or set()
        self.calls = 0

    def __call__(self, generated: Tensor) -> Costs:
        self.calls += 1
        cost = (self.curvature * (generated - self.centre).square()).sum()
        if self.calls in self.fails_at:
            cost = cost * float("nan")
        return Costs({"content": cost}, {"content": {"relu1_1": cost}})


def run(objective: Any, start: Tensor, bounds: tuple[float, float] | None = None, **settings: Any) -> list[Progress]:
    return list(descent_of(objective, start, TransferSettings(**settings).for_kind("image"), bounds))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (1, 1, 9), (1, 1, 3, 4, 5)])
def test_every_optimizer_finds_a_known_minimum(optimizer: str, shape: tuple[int, ...]):
    centre = torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
    start = torch.full(shape, 0.5)
    steps = run(Bowl(centre), start, (0.0, 1.0), optimizer=optimizer, iterations=200)
    assert steps[-1].best.cost < 1e-3 * steps[0].latest.cost
    assert torch.allclose(steps[-1].best_generated, centre, atol=0.03)
    assert torch.equal(start, torch.full(shape, 0.5))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_minimum_outside_the_bounds_is_met_at_the_bound(optimizer: str):
    centre = torch.tensor([-0.5, 0.3, 0.6, 1.5]).reshape(1, 1, 4).repeat(1, 3, 1)
    steps = run(Bowl(centre), torch.full_like(centre, 0.5), (0.0, 1.0), optimizer=optimizer, iterations=300)
    assert all(step.generated.min() >= 0 and step.generated.max() <= 1 for step in steps)
    # whitened coefficients are not separable at the bounds, so the inner values come near and not exact
    assert torch.allclose(steps[-1].best_generated, centre.clamp(0, 1), atol=0.06)


def test_plain_gradient_descent_is_the_papers_update():
    centre = torch.rand(1, 1, 6)
    bowl = Bowl(centre)
    start = torch.zeros(1, 1, 6)
    steps = run(bowl, start, optimizer="gd", step=0.01, iterations=2)
    gradient = 2 * bowl.curvature * (start - centre)
    assert torch.allclose(steps[1].generated, start - 0.01 * gradient)


def test_gradient_descent_never_rises_however_large_its_step():
    centre = torch.rand(1, 1, 6)
    steps = run(Bowl(centre), torch.zeros(1, 1, 6), optimizer="gd", step=1e3, iterations=100)
    assert steps[-1].best.cost < 1e-2 * steps[0].latest.cost
    best = [step.best.cost for step in steps]
    assert best == sorted(best, reverse=True)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_cost_that_is_not_finite_is_taken_back(optimizer: str):
    centre = torch.rand(1, 3, 4, 4)
    steps = run(
        Bowl(centre, fails_at={5, 6, 20}), torch.full_like(centre, 0.5), (0.0, 1.0), optimizer=optimizer, iterations=150
    )
    assert len(steps) == 150
    assert all(step.best_generated.isfinite().all() for step in steps)
    assert steps[-1].best.cost < 0.01 * steps[0].latest.cost


def test_a_cost_that_is_not_finite_from_the_start_is_an_error():
    with pytest.raises(SettingsError, match="at the start"):
        run(Bowl(torch.rand(1, 1, 4), fails_at={1}), torch.zeros(1, 1, 4))


def test_nothing_to_do_changes_nothing():
    centre = torch.rand(1, 3, 4, 4)
    for optimizer in OPTIMIZERS:
        steps = run(Bowl(centre), centre, (0.0, 1.0), optimizer=optimizer, iterations=3)
        assert torch.allclose(steps[-1].best_generated, centre, atol=1e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_j_falls_on_real_pictures(network: ConvNet, photograph: Signal, texture: Signal, optimizer: str):
    settings = TransferSettings(optimizer=optimizer, iterations=25, **SHALLOW).for_kind("image")  # pyright: ignore[reportArgumentType]
    objective = bound(network, as_tensor(photograph), as_tensor(texture), settings)
    steps = list(descent_of(objective, as_tensor(photograph), settings, (0.0, 1.0)))
    assert steps[-1].best.cost < 0.6 * steps[0].latest.cost
    for step in steps:
        e = step.latest
        assert e.cost == pytest.approx(settings.alpha * e.content_cost + 20 * e.style_cost, rel=1e-5)
        assert sum(e.style_cost_by_layer.values()) == pytest.approx(e.style_cost, rel=1e-5)


def test_the_best_picture_is_the_one_whose_cost_is_told(network: ConvNet, photograph: Signal, texture: Signal):
    settings = TransferSettings(iterations=6, **SHALLOW).for_kind("image")
    objective = bound(network, as_tensor(photograph), as_tensor(texture), settings)
    *_, last = descent_of(objective, as_tensor(photograph), settings, (0.0, 1.0))
    assert objective(last.best_generated).cost.item() == pytest.approx(last.best.cost, rel=1e-6)
    assert dataclasses.asdict(last.best)["evaluation"] == last.best.evaluation


def test_lbfgs_goes_where_the_two_loops_of_nocedal_and_wright_say():
    bowl = Bowl(torch.rand(1, 1, 12, generator=torch.Generator().manual_seed(2)))
    curvature, centre = bowl.curvature.double().numpy().ravel(), bowl.centre.double().numpy().ravel()
    optimizer = LBFGS(history=4)
    x, pairs = np.zeros(12), list[tuple[Any, Any]]()
    for _ in range(9):
        gradient = 2 * curvature * (x - centre)
        change = optimizer.step(torch.from_numpy(gradient), 1.0).numpy()
        if pairs:
            assert np.allclose(change, -inverse_hessian(pairs[-4:]) @ gradient, atol=1e-9)
        pairs.append((change, 2 * curvature * change))
        x = x + change


def test_lbfgs_learns_from_a_step_that_is_taken_back():
    curvature, optimizer = np.array([1.0, 4.0, 50.0]), LBFGS()
    start = np.array([1.0, -2.0, 0.5])
    change = optimizer.step(torch.from_numpy(curvature * start), 1000.0).numpy()
    optimizer.take_back(torch.from_numpy(curvature * (start + change)))
    next_change = optimizer.step(torch.from_numpy(curvature * start), 1.0).numpy()
    assert np.allclose(next_change, -inverse_hessian([(change, curvature * change)]) @ (curvature * start))
    optimizer.take_back(None)
    assert len(optimizer.state["turns"]) == 1
    again = optimizer.step(torch.from_numpy(curvature * start), 0.5).numpy()
    assert np.allclose(again, next_change / 2)


def inverse_hessian(pairs: list[tuple[Any, Any]]) -> Any:
    """Nocedal and Wright, equations 6.17 and 7.20."""
    s, y = pairs[-1]
    eye = np.eye(len(s))
    found = eye * (s @ y) / (y @ y)
    for s, y in pairs:
        left = eye - np.outer(s, y) / (s @ y)
        found = left @ found @ left.T + np.outer(s, s) / (s @ y)
    return found


def test_lbfgs_finds_the_end_of_rosenbrocks_valley():
    steps = run(Valley(), torch.tensor([[[-1.2, 1.0]]]), iterations=150)
    assert torch.allclose(steps[-1].best_generated, torch.ones(1, 1, 2), atol=1e-2)


class Valley:
    """Rosenbrock (1960), where a full step of Newton's is often too long."""

    def __call__(self, generated: Tensor) -> Costs:
        x, y = generated.flatten()
        cost = 100 * (y - x**2) ** 2 + (1 - x) ** 2
        return Costs({"content": cost}, {"content": {"relu1_1": cost}})


def test_j_does_not_rise_at_first_and_what_is_shown_never(network: ConvNet, photograph: Signal, texture: Signal):
    settings = TransferSettings(iterations=10, **SHALLOW).for_kind("image")
    objective = bound(network, as_tensor(photograph), as_tensor(texture), settings)
    steps = list(descent_of(objective, as_tensor(photograph), settings, (0.0, 1.0)))
    assert max(step.latest.cost for step in steps) <= 1.2 * steps[0].latest.cost
    best = [step.best.cost for step in steps]
    assert best == sorted(best, reverse=True)
