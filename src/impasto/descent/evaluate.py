"""One evaluation: J and its gradient at G, and what they are in numbers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from impasto.errors import SettingsError
from impasto.objective.evaluation import Costs


def evaluate(objective: Callable[[Tensor], Costs], generated: Tensor) -> tuple[Costs, Tensor]:
    """J at G (1, channels, *space), and its gradient, of the same shape.

    Raises:
        SettingsError: J does not depend on G.
    """
    with torch.enable_grad():
        leaf = generated.detach().requires_grad_()
        costs = objective(leaf)
        if not costs.cost.requires_grad:
            raise SettingsError(f"J has no gradient: no term of it ({', '.join(costs.costs)}) looks at G")
        (gradient,) = torch.autograd.grad(costs.cost, leaf)
    return costs, gradient.contiguous()


def numbers(costs: Costs, gradient: Tensor) -> tuple[float, dict[str, float], dict[str, dict[str, float]], bool]:
    """J, what each term and each layer of it adds, and whether the gradient is finite: the device is waited for once."""
    layers = {name: of_term for name, of_term in costs.by_layer.items() if of_term}
    every = [costs.cost, *costs.costs.values(), *(cost for of_term in layers.values() for cost in of_term.values())]
    finite = gradient.isfinite().all().to(costs.cost.dtype)
    numbers = iter(torch.stack([*(cost.detach() for cost in every), finite]).tolist())
    cost, by_name = next(numbers), {name: next(numbers) for name in costs.costs}
    by_layer = {name: {layer: next(numbers) for layer in of_term} for name, of_term in layers.items()}
    return cost, by_name, by_layer, bool(next(numbers))
