"""The optimizers: where to go from a gradient, and what to remember of it.

Each takes what it remembers, the gradient, the size of the step and how many steps to remember, and gives the change of the
variables. What it remembers is a tree of numbers and tensors, empty at the start, in which it keeps notes.

They are written out here as torch's own load its compiler before the first step, which takes two seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Memory = dict[str, Any]
Optimizer = Callable[[Memory, Tensor, float, int], Tensor]

_OPENING = 0.01
_MEAN, _SQUARE, _NOT_ZERO = 0.9, 0.99, 1e-8
# of less curvature than this only rounding errors would be learned
_FLAT = 1e-10


def gradient_descent(memory: Memory, gradient: Tensor, step: float, history: int) -> Tensor:
    """The plain update: - step * gradient."""
    memory["steps"] = memory.get("steps", 0) + 1
    return gradient * -step


def adam(memory: Memory, gradient: Tensor, step: float, history: int) -> Tensor:
    """Adam (Kingma and Ba 2015): every variable moves by about the step, whatever the size of its gradient."""
    steps = memory["steps"] = memory.get("steps", 0) + 1
    mean = memory.setdefault("mean", torch.zeros_like(gradient)).lerp_(gradient, 1 - _MEAN)
    square = memory.setdefault("square", torch.zeros_like(gradient)).lerp_(gradient.square(), 1 - _SQUARE)
    deviation = (square / (1 - _SQUARE**steps)).sqrt_().add_(_NOT_ZERO)
    return mean / deviation * (-step / (1 - _MEAN**steps))


def lbfgs(memory: Memory, gradient: Tensor, step: float, history: int) -> Tensor:
    """L-BFGS (Liu and Nocedal 1989): step times Newton's, as the last changes of the gradient tell the curvature.

    There is no line search: one was measured to reach the same cost no sooner. The first step goes down the gradient and
    changes the variables by a hundredth on average.
    """
    if not memory:
        change = gradient * (-step * _OPENING / (gradient.abs().mean().item() or 1.0))
        memory.update(changes=[], turns=[], curvatures=[], gradient=gradient, change=change)
        return change
    changes, turns, curvatures = memory["changes"], memory["turns"], memory["curvatures"]
    turn = gradient - memory["gradient"]
    curvature = _dot(turn, memory["change"])
    if curvature > _FLAT:
        for kept, new in ((changes, memory["change"]), (turns, turn), (curvatures, curvature)):
            kept.append(new)
            del kept[:-history]
    change = gradient.neg()
    shares: list[float] = []
    for k in reversed(range(len(changes))):
        shares.append(_dot(changes[k], change) / curvatures[k])
        change.add_(turns[k], alpha=-shares[-1])
    if turns:
        change.mul_(curvatures[-1] / _dot(turns[-1], turns[-1]))
    for k in range(len(changes)):
        change.add_(changes[k], alpha=shares.pop() - _dot(turns[k], change) / curvatures[k])
    memory["gradient"], memory["change"] = gradient, change.mul_(step)
    return memory["change"]


def _dot(a: Tensor, b: Tensor) -> float:
    return torch.dot(a.flatten(), b.flatten()).item()
