"""How much of a cost hangs on each position.

A cost that is a mean over positions is divided as it is: each position has its summand. A cost of the style mixes all
positions: it is a function f of means m = 1/n * sum m_i, with f = 0 at those of the style, m(S). It is divided by the value
of Aumann and Shapley ("Values of Non-Atomic Games", 1974): what position i changes while all positions go from the mean of
the style to what they are,

    share_i = 1/n * <g, m_i - m(S)>,    g = the mean of f's gradient on the straight line from m(S) to m.

These sum to f, are linear in f, and the same for positions that are the same. For style matrices f is a square, and g half
of its gradient at m; the share is then Shapley's own value of the game in which any set of positions shows what G shows, and
all others exactly the mean of the style. A negative share is of a position that makes good what others do wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

# Gauss-Legendre nodes of the mean gradient: one is exact where f is a square, so many come within 1e-3 where it is not
_NODES = 8


def evenly(cost: Tensor) -> Tensor:
    """The shares of a mean over positions: each of (N, *space), divided by their number."""
    return cost / cost.numel()


def shapley(
    means: Sequence[Callable[..., Tensor]],
    target: Sequence[Tensor],
    cost: Callable[..., Tensor],
    weight: Tensor | None,
    a: Tensor,
) -> Tensor:
    """How much of ``cost``, a function of means, hangs on each position, (N, *space).

    Args:
        means: functions of an activation and the weights of its positions, (N, 1, *space) with mean 1.
        target: the means of the style, at which the cost is 0.
        cost: takes the means of G.
        weight: of the positions, for the cost of a region; None: all count alike.
        a: the activation of G, (N, n_C, *space).
    """
    counts = (torch.ones_like(a[:, :1]) if weight is None else weight.to(a)).detach().requires_grad_()
    with torch.enable_grad():
        seen = [mean(a.detach(), counts) for mean in means]
        slope = _mean_gradient(cost, list(target), [one.detach() for one in seen])
        (along,) = torch.autograd.grad(_product(slope, seen), counts)
    base = _product(slope, target)
    return (counts * (along - base / counts.sum())).detach()[:, 0]


def _product(one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
    return torch.stack([(a * b).sum() for a, b in zip(one, other, strict=True)]).sum()


def _mean_gradient(cost: Callable[..., Tensor], start: Sequence[Tensor], end: Sequence[Tensor]) -> list[Tensor]:
    """The mean of the gradient on the way from ``start`` to ``end``."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    found = [torch.zeros_like(one) for one in end]
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        here = [a.lerp(b, float(node)).requires_grad_() for a, b in zip(start, end, strict=True)]
        for total, part in zip(found, torch.autograd.grad(cost(*here), here), strict=True):
            total.add_(part, alpha=float(weight))
    return found
