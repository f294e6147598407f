"""One step of gradient descent, on the picture itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from impasto.exercises.exercise import Exercise, Mistake


class Cost:
    """J(G), a number: the mean square of what a small network answers to G, (3, height, width).

    Attributes:
        network: whose weights would have a gradient too.
    """

    def __init__(self, seed: int) -> None:
        self.network = nn.Conv2d(3, 4, 3)
        generator = torch.Generator().manual_seed(seed)
        self.before = [torch.randn(p.shape, generator=generator) for p in self.network.parameters()]
        for parameter, value in zip(self.network.parameters(), self.before, strict=True):
            parameter.data.copy_(value)

    def __call__(self, G: Tensor) -> Tensor:
        """J of G."""
        return self.network(G[None]).relu().square().mean()


def gradient_step(J: Callable[[Tensor], Tensor], G: Tensor, step: float) -> Tensor:
    """G - step * dJ/dG; J takes a picture G (3, height, width), and returns a number."""
    start = G.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(J(start), start)
    return start.detach() - step * gradient


def _cases() -> list[tuple[Any, ...]]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((3, 5, 6), (3, 8, 4))
    return [(Cost(seed), torch.rand(shape, generator=generator), 0.01 * (seed + 1)) for seed, shape in enumerate(shapes)]


def _object_to(arguments: tuple[Any, ...], result: Any) -> str:
    cost = arguments[0]
    if any(not torch.equal(now.data, then) for now, then in zip(cost.network.parameters(), cost.before, strict=True)):
        return (
            "the gradient of the network is followed instead of that of G: its weights were changed. The "
            "network has learned "
            "already and stays as it is; what moves is the picture"
        )
    if isinstance(result, Tensor) and result.grad_fn is not None:
        return (
            "what is returned still remembers how it was computed, so that every step would keep all those before: take the "
            "step under torch.no_grad(), or .detach() what you return"
        )
    return ""


def _gradient(J: Any, G: Tensor) -> Tensor:
    return (G - gradient_step(J, G, 1.0)).detach()


def _of_network(J: Any, G: Tensor) -> Tensor:
    start = G.clone().requires_grad_(True)
    return torch.autograd.grad(J.network(start[None]).sum(), start)[0]


GRADIENT_STEP = Exercise(
    gradient_step,
    _cases,
    (
        Mistake(lambda J, G, t: G + t * _gradient(J, G), "the sign: it goes uphill, where J grows; G - step * gradient"),
        Mistake(lambda J, G, t: G, "G has not moved: what is returned is what was given"),
        Mistake(lambda J, G, t: G - _gradient(J, G), "the step is missing: the gradient is to be multiplied by it"),
        Mistake(lambda J, G, t: _gradient(J, G), "the gradient is returned: the next G was expected, G - step * gradient"),
        Mistake(
            lambda J, G, t: -t * _gradient(J, G), "only the change is returned: the next G was expected, G - step * gradient"
        ),
        Mistake(
            lambda J, G, t: t * _gradient(J, G), "only the change is returned, and uphill: G - step * gradient was expected"
        ),
        Mistake(lambda J, G, t: G - _gradient(J, G) / t, "the gradient is divided by the step: it is multiplied"),
        Mistake(
            lambda J, G, t: G - t * _gradient(J, G).sign(),
            "only the sign of the gradient is taken, so that every value moves as far as every other",
        ),
        Mistake(
            lambda J, G, t: G - t * _gradient(J, G) / _gradient(J, G).norm(),
            "the gradient has been scaled to length 1: near the minimum the steps would not become shorter",
        ),
        Mistake(
            lambda J, G, t: G - t * _gradient(J, G).mean(),
            "the gradient is averaged to a single number: every value of G has its own",
        ),
        Mistake(
            lambda J, G, t: G - 2 * t * _gradient(J, G),
            "twice the gradient: .backward() adds to .grad what is there already; it ran twice, or .grad was "
            "not set to None",
        ),
        Mistake(
            lambda J, G, t: G - t * J(G).detach(),
            "J itself is subtracted: its gradient was expected, which says for every value which way J grows",
        ),
        Mistake(
            lambda J, G, t: G - t * _of_network(J, G),
            "the gradient of what the network answers is followed, and not that of J: the cost of the answer counts",
        ),
        Mistake(lambda J, G, t: G * (1 - t * _gradient(J, G)), "G is multiplied by the change: it is subtracted"),
        Mistake(
            lambda J, G, t: gradient_step(J, gradient_step(J, G, t), t),
            "two steps are taken: one was expected",
        ),
        Mistake(
            lambda J, G, t: gradient_step(J, torch.zeros_like(G), t),
            "it begins from black: the gradient is to be taken at the G that is given, and the step from there",
        ),
        Mistake(
            lambda J, G, t: G - t * _gradient(J, torch.zeros_like(G)),
            "the gradient is taken at another picture: at the G that is given was expected",
        ),
    ),
    object_to=_object_to,
    gradient=False,
    with_numpy=False,
)
