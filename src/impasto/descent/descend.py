"""The descent: G moves against the gradient of J, one evaluation at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor

from impasto.descent.optimizers import Memory, Optimizer, adam, gradient_descent, lbfgs
from impasto.descent.parametrisation import Parametrisation, plain, whitened
from impasto.errors import SettingsError
from impasto.objective.objective import Costs, smoothed
from impasto.transfer.settings import TransferSettings

# evaluations that tell how fast it goes now
_NEWEST = 15

State = dict[str, Any]
"""Where a descent is, whole: a tree of dicts and lists, with tensors, numbers and None in it."""


@dataclass(frozen=True)
class Evaluation:
    """The numbers of one evaluation of J.

    Attributes:
        evaluation: counts from 1.
        cost: J, the sum of ``costs``.
        content_cost: J_content.
        style_cost: J_style, the sum of ``style_cost_by_layer``.
        style_cost_by_layer: lambda^[l] J_style^[l].
        costs: what each part adds to J, with its weight, by its name: "content" is alpha J_content, "style" beta J_style;
            "total variation" and, of a movie, "temporal" where they count.
        seconds: since the descent began.
        scale: counts the sizes at which a picture is painted, from 1.
    """

    evaluation: int
    cost: float
    content_cost: float
    style_cost: float
    style_cost_by_layer: dict[str, float]
    costs: dict[str, float]
    seconds: float
    scale: int = 1


@dataclass(frozen=True)
class Progress:
    """Where the descent is: its newest evaluation, and G there and at its best, of shape (1, channels, *space).

    ``iterations`` and ``scales`` are those of the whole; of several scales G is that of the one at work, and so is the best.
    ``heavier`` is how much longer the larger scales to come take than their number tells, in evaluations at this one.
    ``state`` gives all that it takes to go on from here, bit for bit; it shares its tensors with the descent, so it is to be
    used before the next evaluation is asked for.
    """

    latest: Evaluation
    best: Evaluation
    iterations: int
    generated: Tensor
    best_generated: Tensor
    state: Callable[[], State] = field(default=dict, repr=False, compare=False)
    scales: int = 1
    heavier: float = 0.0

    @property
    def left(self) -> float:
        """What is still to come, in evaluations like the latest one."""
        return self.iterations - self.latest.evaluation + self.heavier


def pace(evaluations: Sequence[Evaluation]) -> float | None:
    """Seconds that an evaluation takes now, at the scale of the last; None if that is the first there.

    It is the median of the newest, as a moment in which the computer is busy tells nothing of the others.
    """
    times = intervals([e for e in evaluations[-_NEWEST - 1 :] if e.scale == evaluations[-1].scale])
    return median(times) if times else None


def intervals(evaluations: Sequence[Evaluation]) -> list[float]:
    """Seconds from each evaluation to the next."""
    return [b.seconds - a.seconds for a, b in pairwise(evaluations)]


def shifted(evaluation: Evaluation, done: int, seconds: float) -> Evaluation:
    """An evaluation of one of several descents in the counts of the whole, of which so much was done before."""
    return replace(evaluation, evaluation=done + evaluation.evaluation, seconds=seconds + evaluation.seconds)


def nested(inner: Progress, **outer: Any) -> Callable[[], State]:
    """The state of a descent made of several, of which ``inner`` is the one at work."""
    return lambda: {**outer, "inner": inner.state()}


class Method(NamedTuple):
    """An optimizer as the descent drives it.

    Attributes:
        change: the optimizer.
        step: its usual step size, for a gradient whose root mean square is 1.
        unitless: whether it wants the gradient in units of its first root mean square (so that no cost is too large or too
            small for float32 and the optimizer's own thresholds), or as it is.
        rise: an evaluation above this many times the best cost counts as a failed step.
        growth: every good step is this much longer than the one before.
        whitened: whether it sees G as whitened coefficients, or as plain values.
    """

    change: Optimizer
    step: float
    unitless: bool
    rise: float
    growth: float
    whitened: bool


METHODS = {
    "lbfgs": Method(lbfgs, step=1.0, unitless=True, rise=1.5, growth=1.2, whitened=True),
    "adam": Method(adam, step=0.02, unitless=True, rise=10.0, growth=1.1, whitened=False),
    # G := G - step * dJ/dG converges only if the step suits the curvature, which is found by trying: longer after every
    # good step, half as long after a bad one
    "gd": Method(gradient_descent, step=0.02, unitless=False, rise=1.0, growth=1.2, whitened=False),
}


def descend(
    objective: Callable[[Tensor], Costs],
    start: Tensor,
    settings: TransferSettings,
    bounds: tuple[float, float] | None,
    natural: bool = True,
    state: State | None = None,
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
        state: where another descent of the same J was, as its :class:`Progress` gave it: the first item is that one once
            more, and the others are those that would have followed it.

    Raises:
        SettingsError: J is not finite at the start.
    """
    assert settings.iterations is not None and settings.beta is not None
    method, objective = METHODS[settings.optimizer], smoothed(objective, settings.tv)
    form = whitened(tuple(start.shape[1:]), start.device) if method.whitened and natural else plain()
    if state is None:
        at = _Position(start.clone(), form.encode(start).contiguous())
    else:
        at = _restored(state, start.device)
        yield at.progress(settings.iterations)
    del start
    began = time.perf_counter() - (at.latest.seconds if at.latest else 0.0)
    for number in range(at.latest.evaluation + 1 if at.latest else 1, settings.iterations + 1):
        if at.latest is not None:
            _step(at, method, form, bounds, settings.history)
        costs, gradient = _evaluate(objective, at.generated)
        if bounds is not None:
            outward = (at.generated <= bounds[0]) & (gradient > 0) | (at.generated >= bounds[1]) & (gradient < 0)
            gradient.masked_fill_(outward, 0.0)
        at.gradient = form.adjoint(gradient).contiguous()
        at.latest = Evaluation(
            evaluation=number,
            cost=costs.cost.item(),
            content_cost=costs.content_cost.item(),
            style_cost=costs.style_cost.item(),
            style_cost_by_layer={name: cost.item() for name, cost in costs.style_cost_by_layer.items()},
            costs={name: cost.item() for name, cost in costs.parts.items()},
            seconds=time.perf_counter() - began,
        )
        finite = math.isfinite(at.latest.cost) and bool(at.gradient.isfinite().all())
        if at.best is None:
            if not finite:
                raise SettingsError(
                    f"J is {at.latest.cost:g} at the start: alpha {settings.alpha:g}, beta {settings.beta:g} or a layer's "
                    "weight is too large for float32"
                )
            scale = at.gradient.square().mean().sqrt().item() or 1.0
            at.unit = scale if method.unitless else 1.0
            at.step = settings.step or method.step * at.unit / scale
            at.longest = at.step if method.unitless else math.inf
        if at.best is None or (finite and at.latest.cost < at.best.cost):
            at.best, at.best_generated, at.best_gradient = at.latest, at.generated, at.gradient
        at.failed = not finite or at.latest.cost > method.rise * at.best.cost
        yield at.progress(settings.iterations)
    at.gradient, at.best_gradient, at.memory = None, None, {}  # who holds the last progress does not hold these


@dataclass
class _Position:
    """What a descent carries from one evaluation to the next.

    ``gradient`` is dJ/dG at ``generated`` with respect to the coefficients; ``failed`` says that the step to there was one
    to be taken back; ``memory`` is the optimizer's; ``unit`` is what a gradient is divided by, ``longest`` the longest step.
    """

    generated: Tensor
    coefficients: Tensor
    gradient: Tensor | None = None
    latest: Evaluation | None = None
    best: Evaluation | None = None
    best_generated: Tensor | None = None
    best_gradient: Tensor | None = None
    memory: Memory = field(default_factory=dict)
    failed: bool = False
    step: float = 1.0
    unit: float = 1.0
    longest: float = 1.0

    def progress(self, iterations: int) -> Progress:
        assert self.latest and self.best and self.best_generated is not None
        return Progress(self.latest, self.best, iterations, self.generated, self.best_generated, self.state)

    def state(self) -> State:
        assert self.latest and self.best
        return vars(self) | {"latest": asdict(self.latest), "best": asdict(self.best)}


def _restored(state: State, device: torch.device) -> _Position:
    """The position whose state it is."""
    at = _Position(**_moved(state, device))
    at.latest, at.best = Evaluation(**state["latest"]), Evaluation(**state["best"])
    return at


def _moved(tree: Any, device: torch.device) -> Any:
    """A copy of it, on the device: the descent writes into what it has."""
    if isinstance(tree, Tensor):
        return tree.to(device, copy=True)
    if isinstance(tree, dict):
        return {name: _moved(value, device) for name, value in tree.items()}
    return [_moved(value, device) for value in tree] if isinstance(tree, list) else tree


def _step(at: _Position, method: Method, form: Parametrisation, bounds: tuple[float, float] | None, history: int) -> None:
    """From the newest evaluation to where the next one is to be."""
    gradient = at.gradient
    assert gradient is not None and at.best_generated is not None and at.best_gradient is not None
    if at.failed:
        at.coefficients.copy_(form.encode(at.best_generated))
        gradient, at.step, at.memory = at.best_gradient, at.step / 2, {}
    elif at.memory:
        at.step = min(at.step * method.growth, at.longest)
    at.gradient = None  # J's next evaluation needs the memory
    at.coefficients += method.change(at.memory, gradient / at.unit, at.step, history)
    del gradient
    at.generated = form.decode(at.coefficients).contiguous()
    if bounds is not None:
        inside = at.generated.clamp(*bounds)
        at.coefficients += form.encode(inside - at.generated)
        at.generated = inside


def _evaluate(objective: Callable[[Tensor], Costs], generated: Tensor) -> tuple[Costs, Tensor]:
    with torch.enable_grad():
        leaf = generated.detach().requires_grad_()
        costs = objective(leaf)
        (gradient,) = torch.autograd.grad(costs.cost, leaf)
    return costs, gradient.contiguous()
