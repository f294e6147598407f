"""The descent: G moves against the gradient of J, one evaluation at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from impasto.descent.evaluate import evaluate, numbers
from impasto.descent.optimizers import Optimizer
from impasto.descent.parametrisation import Parametrisation, plain, whitened
from impasto.errors import SettingsError
from impasto.objective.evaluation import Costs

if TYPE_CHECKING:
    from impasto.media.signal import Signal

# evaluations that tell how fast it goes now
_NEWEST = 15
# evaluations between two looks at whether G still moves
_LOOK = 5

State = dict[str, Any]
"""Where a descent is, whole: a tree of dicts and lists, with tensors, numbers and None in it."""


@dataclass(frozen=True)
class Evaluation:
    """The numbers of one evaluation of J.

    Attributes:
        evaluation: counts from 1.
        cost: J, the sum of ``costs``.
        costs: what each term adds to J, with its weight, by its name: "content" is alpha J_content, "style" beta J_style.
        by_layer: what each layer of a term adds to it, before the weight of the term: of "style" lambda^[l] J_style^[l].
        seconds: since the descent began.
        scale: counts the sizes at which a picture is painted, from 1.
    """

    evaluation: int
    cost: float
    costs: dict[str, float]
    by_layer: dict[str, dict[str, float]]
    seconds: float
    scale: int = 1

    @property
    def content_cost(self) -> float:
        """J_content."""
        return self._before_weight("content")

    @property
    def style_cost(self) -> float:
        """J_style, the sum of ``style_cost_by_layer``."""
        return self._before_weight("style")

    @property
    def style_cost_by_layer(self) -> dict[str, float]:
        """lambda^[l] J_style^[l]."""
        return self.by_layer.get("style", {})

    def as_dict(self) -> dict[str, Any]:
        """What JSON has of it; of each term also its cost before its weight, "style_cost", and that by layer."""
        told = asdict(self)
        by_layer = told.pop("by_layer")
        for name, layers in by_layer.items():
            told |= {f"{name}_cost": sum(layers.values()), f"{name}_cost_by_layer": layers}
        return told

    def _before_weight(self, name: str) -> float:
        return sum(self.by_layer.get(name, {}).values())


@dataclass(frozen=True)
class Progress:
    """Where the descent is: its newest evaluation, and G there and at its best, of shape (1, channels, *space).

    ``iterations`` and ``scales`` are those of the whole; of several scales G is that of the one at work, and so is the best.
    ``heavier`` is how much longer the larger scales to come take than their number tells, in evaluations at this one.
    ``state`` gives all that it takes to go on from here, bit for bit; it shares its tensors with the descent, so it is to be
    used before the next evaluation is asked for. ``painted`` gives the best G as the signal that would be the result now, of
    the size of the scale at work; a descent that paints no signal has none.
    """

    latest: Evaluation
    best: Evaluation
    iterations: int
    generated: Tensor
    best_generated: Tensor
    state: Callable[[], State] = field(default=dict, repr=False, compare=False)
    scales: int = 1
    heavier: float = 0.0
    painted: Callable[[], Signal] | None = field(default=None, repr=False, compare=False)

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


def descend(
    objective: Callable[[Tensor], Costs],
    start: Tensor,
    optimizer: Optimizer,
    *,
    iterations: int,
    step: float | None = None,
    bounds: tuple[float, float] | None = None,
    natural: bool = True,
    still: float | None = None,
    state: State | None = None,
) -> Iterator[Progress]:
    """Descend J from ``start``, one evaluation for each item.

    A step after which J is not finite, or as far above the best as the optimizer says, is taken back: the descent goes on
    from the best G with half the step. With ``bounds`` G stays between them: it is clamped after each step, and the
    gradient does not push against a bound (projected gradient), so that the G that is evaluated is the G that is kept.

    Args:
        objective: J.
        start: the first G, (1, channels, *space); not changed.
        optimizer: where it goes; not changed.
        iterations: how often J is evaluated.
        step: the size of the first step; one that suits the optimizer if None.
        bounds: the range of the signal's values, or None.
        still: it ends early once five evaluations have moved the best G by less than this, the root mean square over all
            values in units of G's standard deviation. None: it never does.
        natural: whether the spectrum of G falls as 1/frequency, so that whitened coefficients suit it better than values.
        state: where another descent of the same J was, as its :class:`Progress` gave it: the first item is that one once
            more, and the others are those that would have followed it.

    Raises:
        SettingsError: J is not finite at the start.
    """
    optimizer = optimizer.fresh()
    form = whitened(tuple(start.shape[1:]), start.device) if optimizer.whitened and natural else plain()
    if state is None:
        at = _Position(start.clone(), form.encode(start).contiguous())
    else:
        at, optimizer.state = _restored(state, start.device)
        yield at.progress(iterations, optimizer)
        iterations = at.latest.evaluation if at.still and at.latest else iterations
    del start
    began = time.perf_counter() - (at.latest.seconds if at.latest else 0.0)
    for number in range(at.latest.evaluation + 1 if at.latest else 1, iterations + 1):
        if at.latest is not None:
            _step(at, optimizer, form, bounds)
        costs, gradient = evaluate(objective, at.generated)
        if bounds is not None:
            outward = (at.generated <= bounds[0]) & (gradient > 0) | (at.generated >= bounds[1]) & (gradient < 0)
            gradient.masked_fill_(outward, 0.0)
        at.gradient = form.adjoint(gradient).contiguous()
        cost, by_name, by_layer, finite = numbers(costs, at.gradient)
        at.latest = Evaluation(number, cost, by_name, by_layer, time.perf_counter() - began)
        finite = finite and math.isfinite(cost)
        if at.best is None:
            if not finite:
                parts = ", ".join(f"{name} {value:g}" for name, value in at.latest.costs.items())
                what = ", with a gradient that is not finite" if math.isfinite(at.latest.cost) else ""
                raise SettingsError(
                    f"J is {at.latest.cost:g} at the start ({parts}){what}: a weight of J or of a layer "
                    "is too large for float32, or a term of one's own is not finite there"
                )
            scale = at.gradient.square().mean().sqrt().item() or 1.0
            at.unit = scale if optimizer.unitless else 1.0
            at.step = step or optimizer.size * at.unit / scale
            at.longest = at.step if optimizer.unitless else math.inf
        if at.best is None or (finite and at.latest.cost < at.best.cost):
            at.best, at.best_generated, at.best_gradient = at.latest, at.generated, at.gradient
        at.failed = not finite or at.latest.cost > optimizer.rise * at.best.cost
        if still is not None and number % _LOOK == 0:
            at.look(still)
        yield at.progress(number if at.still else iterations, optimizer)
        if at.still:
            break
    at.gradient, at.best_gradient = None, None  # who holds the last progress does not hold these
    optimizer.reset()


@dataclass
class _Position:
    """What a descent carries from one evaluation to the next.

    ``gradient`` is dJ/dG at ``generated`` with respect to the coefficients; ``failed`` says that the step to there was one
    to be taken back; ``stepped`` whether the optimizer has taken one; ``unit`` is what a gradient
    is divided by, ``longest`` the longest step; ``seen`` the best G when it was looked at last, and ``still`` whether it
    has hardly moved since.
    """

    generated: Tensor
    coefficients: Tensor
    gradient: Tensor | None = None
    latest: Evaluation | None = None
    best: Evaluation | None = None
    best_generated: Tensor | None = None
    best_gradient: Tensor | None = None
    failed: bool = False
    stepped: bool = False
    step: float = 1.0
    unit: float = 1.0
    longest: float = 1.0
    seen: Tensor | None = None
    still: bool = False

    def look(self, least: float) -> None:
        """See whether the best G has moved by ``least`` since the last look; one that has not moved at all is waited for."""
        new = self.best_generated
        assert new is not None
        if self.seen is not None and new is not self.seen:
            moved = (new - self.seen).square().mean().sqrt()
            self.still = bool(moved < least * new.std(correction=0))
        self.seen = new

    def progress(self, iterations: int, optimizer: Optimizer) -> Progress:
        assert self.latest and self.best and self.best_generated is not None
        state = partial(self.state, optimizer)
        return Progress(self.latest, self.best, iterations, self.generated, self.best_generated, state)

    def state(self, optimizer: Optimizer) -> State:
        assert self.latest and self.best
        return vars(self) | {"latest": asdict(self.latest), "best": asdict(self.best), "memory": optimizer.state}


def _restored(state: State, device: torch.device) -> tuple[_Position, dict[str, Any]]:
    """The position whose state it is, and what the optimizer remembers there."""
    values = moved(state, device)
    memory = values.pop("memory")
    at = _Position(**values)
    at.latest, at.best = Evaluation(**state["latest"]), Evaluation(**state["best"])
    return at, memory


def moved(tree: Any, device: torch.device) -> Any:
    """A copy of it, on the device: the descent writes into what it has."""
    if isinstance(tree, Tensor):
        return tree.to(device, copy=True)
    if isinstance(tree, dict):
        return {name: moved(value, device) for name, value in tree.items()}
    return [moved(value, device) for value in tree] if isinstance(tree, list | tuple) else tree


def _step(at: _Position, optimizer: Optimizer, form: Parametrisation, bounds: tuple[float, float] | None) -> None:
    """From the newest evaluation to where the next one is to be."""
    gradient = at.gradient
    assert gradient is not None and at.best_generated is not None and at.best_gradient is not None
    if at.failed:
        at.coefficients.copy_(form.encode(at.best_generated))
        optimizer.take_back(gradient / at.unit if _finite(at) else None)
        gradient, at.step = at.best_gradient, at.step / 2
    elif at.stepped:
        at.step = min(at.step * optimizer.growth, at.longest)
    at.gradient = None  # J's next evaluation needs the memory
    change = optimizer.step(gradient / at.unit, at.step)
    shape = tuple(change.shape) if isinstance(change, Tensor) else type(change).__name__  # pyright: ignore
    if shape != tuple(gradient.shape):
        expected = f"a tensor of the gradient's shape {tuple(gradient.shape)} was expected"
        raise SettingsError(
            f"a step of {optimizer!r} is of shape {shape}: {expected}"
            if isinstance(shape, tuple)
            else f"a step of {optimizer!r} is a {shape}: {expected}"
        )
    at.coefficients += change
    at.stepped = True
    del gradient, change
    at.generated = form.decode(at.coefficients).contiguous()
    if bounds is not None:
        inside = at.generated.clamp(*bounds)
        at.coefficients += form.encode(inside - at.generated)
        at.generated = inside


def _finite(at: _Position) -> bool:
    assert at.latest is not None and at.gradient is not None
    return math.isfinite(at.latest.cost) and bool(at.gradient.isfinite().all())
