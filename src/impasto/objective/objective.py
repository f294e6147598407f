"""J(G) = alpha J_content(C, G) + beta J_style(S, G) for one content and a blend of styles.

Each part of J is a :class:`Term`: a cost of means over positions, which are measured on G all together. A new way to compare
styles is a row of :data:`STYLE_COSTS`; a new part of J is one more term.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from impasto.networks.tiling.statistics import Blend, Forward, Region, Statistic, at, everywhere, measure, measure_blend
from impasto.objective.costs import (
    channel_means,
    content_cost,
    content_unit,
    relative_lambda,
    style_layer_cost,
    style_matrix,
    total_variation,
    wasserstein_lambda,
    wasserstein_to,
)
from impasto.transfer.settings import TransferSettings


@dataclass(frozen=True)
class Costs:
    """The parts of J, as scalar tensors.

    Attributes:
        content_cost: J_content.
        style_cost: J_style, the sum of ``style_cost_by_layer``.
        style_cost_by_layer: lambda^[l] J_style^[l] for each style layer.
        parts: what each part adds to J, with its weight: alpha J_content as "content", beta J_style as "style", and whatever
            else counts, by its name.
    """

    content_cost: Tensor
    style_cost: Tensor
    style_cost_by_layer: dict[str, Tensor]
    parts: dict[str, Tensor]

    @property
    def cost(self) -> Tensor:
        """J: the sum of its parts."""
        return sum(self.parts.values(), start=self.content_cost.new_zeros(()))

    def plus(self, name: str, value: Tensor) -> Costs:
        """The costs with one more part."""
        return replace(self, parts={**self.parts, name: value})


class StyleCost(NamedTuple):
    """A way to compare the style of two signals at a layer.

    Attributes:
        means: what is measured of either: functions of an activation that are means over its positions. Of several styles
            they are averaged. Each also takes weights of the positions, (N, 1, *space), of mean 1.
        cost_to: takes the means of S, and gives J_style^[l] as a function of those of G.
        relative: lambda^[l] of a share and the means of S, with which the cost is the share times a relative error.
    """

    means: tuple[Callable[..., Tensor], ...]
    cost_to: Callable[..., Callable[..., Tensor]]
    relative: Callable[..., Tensor]


STYLE_COSTS = {
    "gram": StyleCost((style_matrix,), partial(partial, style_layer_cost), relative_lambda),
    "wasserstein": StyleCost((channel_means, style_matrix), wasserstein_to, wasserstein_lambda),
}


class Term(NamedTuple):
    """A part of J: ``weight`` times the ``cost`` of the means of its ``statistics``, given in their order."""

    weight: Tensor | float
    statistics: tuple[Statistic, ...]
    cost: Callable[..., Tensor]


def evaluate(network: Forward, generated: Tensor, terms: Sequence[Term]) -> list[Tensor]:
    """The value of each term for G, of shape (N, channels, *space); all are measured in one go."""
    means = iter(measure(network, generated, [statistic for term in terms for statistic in term.statistics]))
    return [term.weight * term.cost(*(next(means) for _ in term.statistics)) for term in terms]


def weigh(alpha: float, beta: float, content: Tensor, by_layer: dict[str, Tensor]) -> Costs:
    """J of its parts: the content cost, and each layer's style cost with its lambda."""
    style = torch.stack(list(by_layer.values())).sum()
    return Costs(content, style, by_layer, {"content": alpha * content, "style": beta * style})


class Objective:
    """J as a function of the generated signal; what it needs of content and style is computed once.

    Args:
        network: the network whose activations are compared.
        content: C, of shape (N, channels, *space).
        style: S, of shape (N, channels, *space), of any size, or a blend of several.
        settings: alpha, beta, layers, style cost and weighting, with nothing left open.
    """

    def __init__(self, network: Forward, content: Tensor, style: Tensor | Blend, settings: TransferSettings) -> None:
        assert settings.beta is not None
        self.network, self._settings = network, settings
        self._style = style_terms(network, style, settings)
        self._content = content_terms(network, content, settings)

    def with_content(self, content: Tensor) -> Objective:
        """J for another content (N, channels, *space) and the same style."""
        other = copy.copy(self)
        other._content = content_terms(self.network, content, self._settings)
        return other

    def __call__(self, generated: Tensor) -> Costs:
        """The costs of G, of the shape of the content."""
        assert self._settings.beta is not None
        values = evaluate(self.network, generated, [*self._content, *self._style.values()])
        content = sum(values[: len(self._content)], start=generated.new_zeros(()))
        by_layer = dict(zip(self._style, values[len(self._content) :], strict=True))
        return weigh(self._settings.alpha, self._settings.beta, content, by_layer)


def smoothed(objective: Callable[[Tensor], Costs], weight: float) -> Callable[[Tensor], Costs]:
    """The objective with the total variation of G, times ``weight``, in its cost."""

    def costs_of(generated: Tensor) -> Costs:
        return objective(generated).plus("total variation", weight * total_variation(generated))

    return costs_of if weight else objective


@torch.no_grad()
def style_terms(network: Forward, style: Tensor | Blend, settings: TransferSettings) -> dict[str, Term]:
    """J_style^[l] of each style layer, with its lambda; several styles are blended by averaging their means."""
    means, cost_to, relative = STYLE_COSTS[settings.style_cost]
    statistics = {name: tuple(Statistic(name, everywhere(mean)) for mean in means) for name in settings.style_lambdas}
    every = [statistic for row in statistics.values() for statistic in row]
    measured = iter(measure_blend(network, style, every))
    terms: dict[str, Term] = {}
    for name, weight in settings.style_lambdas.items():
        target = [next(measured) for _ in means]
        terms[name] = Term(
            relative(weight, *target) if settings.weighting == "relative" else weight,
            statistics[name],
            cost_to(*target),
        )
    return terms


@torch.no_grad()
def content_terms(network: Forward, content: Tensor, settings: TransferSettings) -> list[Term]:
    """J_content of each content layer, with its weight."""
    targets = network(content, settings.content_weights)
    return [
        Term(
            weight / content_unit(targets[name]) if settings.weighting == "relative" else weight,
            (Statistic(name, partial(_difference, targets[name])),),
            lambda mean: mean,
        )
        for name, weight in settings.content_weights.items()
    ]


def _difference(content: Tensor, a: Tensor, region: Region) -> Tensor:
    return content_cost(at(content, region), a)
