"""The descent: G moves against the gradient of J, one evaluation at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from impasto.errors import SettingsError
from impasto.parametrisation import plain, whitened
from impasto.transfer.objective import Costs
from impasto.transfer.settings import TransferSettings


@dataclass(frozen=True)
class Evaluation:
    """The numbers of one evaluation of J: cost = alpha content_cost + beta style_cost.

    ``evaluation`` counts from 1; ``style_cost_by_layer`` holds lambda^[l] J_style^[l], which sum to style_cost;
    ``seconds`` are counted since the descent began.
    """

    evaluation: int
    cost: float
    content_cost: float
    style_cost: float
    style_cost_by_layer: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class Progress:
    """Where the descent is: its newest evaluation, and G there and at its best, of shape (1, channels, *space)."""

    latest: Evaluation
    best: Evaluation
    iterations: int
    generated: Tensor
    best_generated: Tensor


class Method(NamedTuple):
    """An optimizer as the descent drives it.

    Attributes:
        start: makes the optimizer of G for a step size.
        step: its usual step size, for a gradient whose root mean square is 1.
        unitless: whether it wants the gradient in units of its first root mean square (so that no cost is too large or too
            small for float32 and the optimizer's own thresholds), or as it is.
        rise: an evaluation above this many times the best cost counts as a failed step.
        growth: every good step is this much longer than the one before.
        whitened: whether it sees G as whitened coefficients, or as plain values.
        opening: the very first step, in usual ones.
    """

    start: Callable[[Tensor, float], torch.optim.Optimizer]
    step: float
    unitless: bool
    rise: float
    growth: float
    whitened: bool
    opening: Callable[[Tensor], float] = lambda coefficients: 1.0


def _lbfgs(generated: Tensor, step: float) -> torch.optim.Optimizer:
    # one evaluation a step: a line search was measured to reach the same cost no sooner
    return torch.optim.LBFGS([generated], step, max_iter=1, history_size=20, tolerance_grad=0.0, tolerance_change=0.0)


def _visible_change(coefficients: Tensor) -> float:
    # torch divides the first step by the gradient's 1-norm, which leaves nothing of it, and from such a step L-BFGS would
    # learn the curvature of rounding errors; so this gives back a change of about a hundredth
    return 0.01 * coefficients.numel()


def _adam(generated: Tensor, step: float) -> torch.optim.Optimizer:
    return torch.optim.Adam([generated], step, betas=(0.9, 0.99))


def _gradient_descent(generated: Tensor, step: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([generated], step)


METHODS = {
    "lbfgs": Method(_lbfgs, step=1.0, unitless=True, rise=1.5, growth=1.2, whitened=True, opening=_visible_change),
    "adam": Method(_adam, step=0.02, unitless=True, rise=10.0, growth=1.1, whitened=False),
    # G := G - step * dJ/dG converges only if the step suits the curvature, which is found by trying: longer after every
    # good step, half as long after a bad one
    "gd": Method(_gradient_descent, step=0.02, unitless=False, rise=1.0, growth=1.2, whitened=False),
}


def descend(
    objective: Callable[[Tensor], Costs],
    start: Tensor,
    settings: TransferSettings,
    bounds: tuple[float, float] | None,
    natural: bool = True,
) -> Iterator[Progress]:
    """Descend J from ``start``, one evaluation for each item.

    A step after which J is not finite, or far above the best, is taken back: the descent goes on from the best G with half
    the step. With ``bounds`` G stays between them: it is clamped after each step, and the gradient does not push
    against a bound (projected gradient), so that the G that is evaluated is the G that is kept.

    Args:
        objective: J.
        start: the first G, (1, channels, *space); not changed.
        settings: optimizer, step and iterations, with nothing left open.
        bounds: the range of the signal's values, or None.
        natural: whether the spectrum of G falls as 1/frequency, so that whitened coefficients suit it better than values.

    Raises:
        SettingsError: J is not finite at the start.
    """
    assert settings.iterations is not None and settings.beta is not None
    method = METHODS[settings.optimizer]
    generated = start.clone()
    form = whitened(tuple(start.shape[1:]), start.device) if method.whitened and natural else plain()
    coefficients = form.encode(generated)
    began = time.perf_counter()
    best: Evaluation | None = None
    best_generated = best_gradient = generated
    optimizer: torch.optim.Optimizer | None = None
    step = unit = longest = 1.0
    for number in range(1, settings.iterations + 1):
        costs, gradient = _evaluate(objective, generated)
        if bounds is not None:
            outward = (generated <= bounds[0]) & (gradient > 0) | (generated >= bounds[1]) & (gradient < 0)
            gradient.masked_fill_(outward, 0.0)
        gradient = form.adjoint(gradient)
        latest = Evaluation(
            evaluation=number,
            cost=costs.cost.item(),
            content_cost=costs.content_cost.item(),
            style_cost=costs.style_cost.item(),
            style_cost_by_layer={name: cost.item() for name, cost in costs.style_cost_by_layer.items()},
            seconds=time.perf_counter() - began,
        )
        finite = math.isfinite(latest.cost) and bool(gradient.isfinite().all())
        if best is None:
            if not finite:
                raise SettingsError(
                    f"J is {latest.cost:g} at the start: alpha {settings.alpha:g}, beta {settings.beta:g} or a layer's "
                    "weight is too large for float32"
                )
            scale = gradient.square().mean().sqrt().item() or 1.0
            unit = scale if method.unitless else 1.0
            step = settings.step or method.step * unit / scale
            longest = step if method.unitless else math.inf
        if best is None or (finite and latest.cost < best.cost):
            best, best_generated, best_gradient = latest, generated, gradient
        yield Progress(latest, best, settings.iterations, generated, best_generated)
        if number == settings.iterations:
            return  # a step that nobody would evaluate is not taken
        if not finite or latest.cost > method.rise * best.cost:
            coefficients.copy_(form.encode(best_generated))
            gradient, step, optimizer = best_gradient, step / 2, None
        elif optimizer is not None:
            step = min(step * method.growth, longest)
        length = step
        if optimizer is None:
            optimizer = method.start(coefficients, step)
            length = method.opening(coefficients) * step
        _move(optimizer, coefficients, gradient / unit, length)
        generated = form.decode(coefficients)
        if bounds is not None:
            inside = generated.clamp(*bounds)
            coefficients += form.encode(inside - generated)
            generated = inside


def _evaluate(objective: Callable[[Tensor], Costs], generated: Tensor) -> tuple[Costs, Tensor]:
    with torch.enable_grad():
        leaf = generated.detach().requires_grad_()
        costs = objective(leaf)
        (gradient,) = torch.autograd.grad(costs.cost, leaf)
    return costs, gradient.contiguous()


def _move(optimizer: torch.optim.Optimizer, coefficients: Tensor, gradient: Tensor, step: float) -> None:
    optimizer.param_groups[0]["lr"] = step
    coefficients.grad = gradient
    # L-BFGS asks for the cost but, without a line search, uses the gradient alone
    optimizer.step(lambda: 0.0)
