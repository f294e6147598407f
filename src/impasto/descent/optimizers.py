"""The optimizers: where to go from a gradient, and what to remember of it.

A new one is a class with a :meth:`Optimizer.step`. Those here are written out as torch's own load its compiler before the
first step, which takes two seconds.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from numbers import Real
from typing import Any, Self

import torch
from torch import Tensor

from impasto.errors import SettingsError
from impasto.validation import whole

# how far L-BFGS goes at first, on average over the variables: a small step tells the curvature as well as a large one
_OPENING = 0.003
_MEAN, _SQUARE, _NOT_ZERO = 0.9, 0.99, 1e-8
# of less curvature than this only rounding errors would be learned
_FLAT = 1e-10
# how much less L-BFGS remembers where memory is short
_HISTORIES = (20, 10, 5)


class Optimizer(ABC):
    """What goes from a gradient to a change of the variables, and how the descent drives it.

    Attributes:
        name: what summaries call it; the name of the class if it says none.
        state: what it remembers: a tree of dicts and lists with numbers and tensors, empty at the start. A checkpoint keeps
            it, so all that changes from step to step belongs there.
        size: its usual step, for a gradient whose root mean square is 1.
        unitless: whether it wants the gradient in units of its first root mean square (so that no cost is too large or too
            small for float32 and its own thresholds), or as it is.
        rise: an evaluation above this many times the best cost counts as a failed step.
        growth: every good step is this much longer than the one before.
        whitened: whether it sees G as whitened coefficients (see :mod:`impasto.descent.parametrisation`), or as values.
        moment: signals of G's size that a step needs for a moment.
    """

    name: str = ""
    size: float = 0.02
    unitless: bool = True
    rise: float = 10.0
    growth: float = 1.1
    whitened: bool = False
    moment: float = 3.0

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    @abstractmethod
    def step(self, gradient: Tensor, size: float) -> Tensor:
        """The change of the variables for a gradient of their shape, with a step of this size."""

    def signals(self, evaluations: int) -> int:
        """How many signals of G's size it remembers in so many evaluations."""
        return 0

    def frugal(self) -> Sequence[Optimizer]:
        """What may stand in for it where memory is short, the best first; nothing if nothing may."""
        return ()

    def fresh(self) -> Self:
        """The same one, which remembers nothing."""
        other = copy.copy(self)
        other.state = {}
        return other

    def reset(self) -> None:
        """Forget everything."""
        self.state = {}

    def take_back(self, gradient: Tensor | None) -> None:
        """The last step failed and the next one starts from where J was best.

        Args:
            gradient: the one to which the step led; None if it, or J, is not finite.
        """
        self.reset()

    def options(self) -> dict[str, Any]:
        """What was chosen about it, as JSON has it."""
        return {name: value for name, value in vars(self).items() if name != "state" and not name.startswith("_")}

    def __str__(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.options().items())})"


class GradientDescent(Optimizer):
    """The plain update G := G - step * dJ/dG.

    It converges only if the step suits the curvature, which is found by trying: longer after every good step, half as long
    after a bad one.
    """

    name = "gd"
    unitless = False
    rise = 1.0
    growth = 1.2
    moment = 2.0

    def step(self, gradient: Tensor, size: float) -> Tensor:
        """- size * gradient."""
        self.state["steps"] = self.state.get("steps", 0) + 1
        return gradient * -size


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): every variable moves by about the step, whatever the size of its gradient."""

    name = "adam"

    def step(self, gradient: Tensor, size: float) -> Tensor:
        """Down the mean of the gradients, in units of their deviation."""
        state = self.state
        steps = state["steps"] = state.get("steps", 0) + 1
        mean = state.setdefault("mean", torch.zeros_like(gradient)).lerp_(gradient, 1 - _MEAN)
        square = state.setdefault("square", torch.zeros_like(gradient)).lerp_(gradient.square(), 1 - _SQUARE)
        deviation = (square / (1 - _SQUARE**steps)).sqrt_().add_(_NOT_ZERO)
        return mean / deviation * (-size / (1 - _MEAN**steps))

    def signals(self, evaluations: int) -> int:
        """Mean and square of the gradient."""
        return 2


class LBFGS(Optimizer):
    """L-BFGS (Liu and Nocedal 1989): step times Newton's, as the last changes of the gradient tell the curvature.

    The first step goes down the gradient and changes the variables by little. There is no line search: a step after which
    J rose is taken back, but the curvature along it is kept, as it tells why it was too long, and Newton's next step from
    where J was best is another one.

    Args:
        history: how many steps it remembers, each of which takes two signals of memory.

    Raises:
        SettingsError: that is no whole number above 0.
    """

    name = "lbfgs"
    size = 1.0
    rise = 1.0
    growth = 2.0
    whitened = True
    moment = 8.0  # a Fourier transform, and back

    def __init__(self, history: int = 20) -> None:
        super().__init__()
        self.history = whole(1)("history", history)

    def step(self, gradient: Tensor, size: float) -> Tensor:
        """Newton's step, as far as the curvature is known."""
        self._learn(gradient)
        turns = self.state.get("turns")
        if turns:
            change = self._newton(gradient).mul_(size)
        else:
            change = gradient * (-size * _OPENING / (gradient.abs().mean().item() or 1.0))
        self.state.update(gradient=gradient, change=change)
        return change

    def take_back(self, gradient: Tensor | None) -> None:
        """Forget the step, and not what is learned from it."""
        if gradient is not None:
            self._learn(gradient)
        for name in ("gradient", "change"):
            self.state.pop(name, None)

    def _learn(self, gradient: Tensor) -> None:
        """The curvature along the last step, which led to this gradient."""
        state = self.state
        if "change" not in state:
            return
        turn = gradient - state["gradient"]
        curvature = _dot(turn, state["change"])
        if curvature > _FLAT:
            for name, new in (("changes", state["change"]), ("turns", turn), ("curvatures", curvature)):
                kept = state.setdefault(name, [])
                kept.append(new)
                del kept[: -self.history]

    def _newton(self, gradient: Tensor) -> Tensor:
        """The two loops (Nocedal and Wright, algorithm 7.4), with the newest curvature for the unknown (equation 7.20)."""
        changes, turns, curvatures = (self.state[name] for name in ("changes", "turns", "curvatures"))
        change = gradient.neg()
        shares: list[float] = []
        for k in reversed(range(len(changes))):
            shares.append(_dot(changes[k], change) / curvatures[k])
            change.add_(turns[k], alpha=-shares[-1])
        change.mul_(curvatures[-1] / _dot(turns[-1], turns[-1]))
        for k in range(len(changes)):
            change.add_(changes[k], alpha=shares.pop() - _dot(turns[k], change) / curvatures[k])
        return change

    def signals(self, evaluations: int) -> int:
        """Two for each step that it remembers, and the newest gradient and change."""
        return 2 * min(self.history, evaluations) + 2

    def __str__(self) -> str:
        return f"L-BFGS with a history of {self.history}"

    def frugal(self) -> Sequence[Optimizer]:
        """Shorter histories, and Adam."""
        return [*(LBFGS(history) for history in _HISTORIES if history < self.history), Adam()]


OPTIMIZERS: dict[str, type[Optimizer]] = {kind.name: kind for kind in (LBFGS, Adam, GradientDescent)}
"""By the names that settings have for them."""


def check_optimizer(given: Any) -> Optimizer:
    """An optimizer, ready to begin.

    Raises:
        SettingsError: it is none.
    """
    if not isinstance(given, Optimizer):
        raise SettingsError(f"optimizer {given!r} is none; e.g. impasto.LBFGS() was expected")
    if not isinstance(given.size, Real) or not math.isfinite(given.size) or given.size <= 0:  # pyright: ignore
        raise SettingsError(f"{given!r} has a usual step of {given.size!r}; a number above 0 was expected")
    return given.fresh()


def _dot(a: Tensor, b: Tensor) -> float:
    return torch.dot(a.flatten(), b.flatten()).item()
