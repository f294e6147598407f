"""The style term: which channels are active together, wherever that is; of whole signals, or region by region.

After Gatys, Ecker and Bethge (2015), arXiv:1508.06576; regions after Gatys et al., "Controlling Perceptual Factors in Neural
Style Transfer" (2017), arXiv:1611.07865, section 4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from impasto.networks.tiling.statistics import Statistic, everywhere, measure, measure_blend, weighted
from impasto.objective.attribution import shapley
from impasto.objective.costs import (
    channel_means,
    relative_lambda,
    style_layer_cost,
    style_matrix,
    wasserstein_lambda,
    wasserstein_to,
)
from impasto.objective.region_weights import PositionWeights, RegionWeights
from impasto.objective.term import Part, Scene, Term
from impasto.objective.weighting import Layers, LayersGiven, Weighting, check_choice, check_weighting, layers_text
from impasto.validation import layers as check_layers


class StyleCost(NamedTuple):
    """A way to compare the style of two signals at a layer.

    Attributes:
        means: functions of an activation that are means over its positions, measured of S (averaged over several styles) and
            of G. Each also takes weights of the positions, (N, 1, *space), with mean 1.
        cost_to: takes the means of S, and returns J_style^[l] as a function of those of G.
        relative: takes a share and the means of S, and returns the lambda^[l] with which the cost is the share times a
            squared relative error.
    """

    means: tuple[Callable[..., Tensor], ...]
    cost_to: Callable[..., Callable[..., Tensor]]
    relative: Callable[..., Tensor]


STYLE_COSTS = {
    "gram": StyleCost((style_matrix,), partial(partial, style_layer_cost), relative_lambda),
    "wasserstein": StyleCost((channel_means, style_matrix), wasserstein_to, wasserstein_lambda),
}


@dataclass(frozen=True, repr=False)
class Style(Term):
    """J_style: the sum over layers, and over regions if there are any, of lambda^[l] J_style^[l]; see :func:`style`."""

    lambdas: Layers
    cost: str = "gram"
    weighting: Weighting = "relative"
    name = "style"
    of_style = True

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers at which it is taken."""
        return tuple(layer for layer, _ in self.lambdas)

    @torch.no_grad()
    def bind(self, scene: Scene) -> list[Part]:
        """A part for each layer, or for each layer of each region that is seen in G and in a style."""
        if scene.regions is not None:
            return [part for region in scene.regions(self.layers) for part in self._of_region(scene, region)]
        means, *_ = STYLE_COSTS[self.cost]
        statistics = {layer: tuple(Statistic(layer, everywhere(mean)) for mean in means) for layer in self.layers}
        if self not in scene.measured:
            every = [statistic for row in statistics.values() for statistic in row]
            measured = iter(measure_blend(scene.network, scene.styles, every))
            scene.measured[self] = [
                self._part(layer, share, [next(measured) for _ in means], statistics[layer]) for layer, share in self.lambdas
            ]
        return scene.measured[self]

    def _of_region(self, scene: Scene, region: RegionWeights) -> list[Part]:
        means, *_ = STYLE_COSTS[self.cost]

        def statistics(weights: PositionWeights) -> dict[str, tuple[Statistic, ...]]:
            layers = [layer for layer in self.layers if layer in weights]
            return {layer: tuple(Statistic(layer, weighted(mean, weights[layer])) for mean in means) for layer in layers}

        found: dict[str, list[tuple[float, list[Tensor]]]] = defaultdict(list)
        for (style, share), weights in zip(scene.styles, region.styles, strict=True):
            rows = statistics(weights)
            if not rows or not share:
                continue
            measured = iter(measure(scene.network, style, [statistic for row in rows.values() for statistic in row]))
            for layer in rows:
                found[layer].append((share, [next(measured) for _ in means]))
        parts: list[Part] = []
        for layer, row in statistics(region.generated).items():
            if layer in found:
                total = sum(share for share, _ in found[layer])
                shares = zip(*([mean * (share / total) for mean in of] for share, of in found[layer]), strict=True)
                target = [torch.stack(of_each).sum(0) for of_each in shares]
                parts.append(
                    self._part(layer, dict(self.lambdas)[layer] * region.share, target, row, region.generated[layer])
                )
        return parts

    def _part(
        self,
        layer: str,
        share: float,
        target: list[Tensor],
        statistics: tuple[Statistic, ...],
        weight: Tensor | None = None,
    ) -> Part:
        means, cost_to, relative = STYLE_COSTS[self.cost]
        unit = relative(share, *target) if self.weighting == "relative" else share
        cost = cost_to(*target)
        return Part(layer, unit, cost, statistics, partial(shapley, means, target, cost, weight))

    def __repr__(self) -> str:
        others = [repr(value) for value, usual in ((self.cost, "gram"), (self.weighting, "relative")) if value != usual]
        return f"style({', '.join([repr(layers_text(self.lambdas)), *others])})"


def style(layers: LayersGiven, cost: str = "gram", weighting: Weighting = "relative") -> Style:
    """J_style of some layers: how far the statistics of G are from those of the styles.

    Args:
        layers: "relu1_1,relu2_1", with lambdas "relu1_1=0.5,relu3_1=0.5", a list of names, or a dict of lambdas. Without
            lambdas the layers share 1 equally.
        cost: "gram" compares style (Gram) matrices; "wasserstein" means and covariances, by the 2-Wasserstein distance.
        weighting: "relative": lambdas are weights of squared relative errors, which balances the layers; "absolute": lambdas
            are those of the paper's equations.

    Raises:
        SettingsError: these are not layers, or there is no such cost or weighting.
    """
    return Style(
        check_layers("style layers", layers), check_choice("style cost", cost, [*STYLE_COSTS]), check_weighting(weighting)
    )
