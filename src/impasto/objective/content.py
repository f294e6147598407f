"""The content term: how far the activations of G are from those of C, position by position."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from impasto.networks.tiling.statistics import Statistic, Window, at
from impasto.objective.attribution import evenly
from impasto.objective.costs import content_cost, content_cost_at, content_unit
from impasto.objective.term import Part, Scene, Term
from impasto.objective.weighting import Layers, LayersGiven, Weighting, check_weighting, layers_text
from impasto.validation import layers as check_layers


@dataclass(frozen=True, repr=False)
class Content(Term):
    """J_content: the weighted sum over layers of their content costs; see :func:`content`."""

    weights: Layers
    weighting: Weighting = "relative"
    name = "content"

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers at which it is taken."""
        return tuple(layer for layer, _ in self.weights)

    @property
    def targets(self) -> tuple[str, ...]:
        """All its layers."""
        return self.layers

    @torch.no_grad()
    def bind(self, scene: Scene) -> list[Part]:
        """A part for each layer."""
        targets = scene.network(scene.content, self.layers)
        return [
            Part(
                layer,
                weight / content_unit(targets[layer]) if self.weighting == "relative" else weight,
                lambda mean: mean,
                (Statistic(layer, partial(_difference, targets[layer])),),
                partial(_divided, targets[layer]),
            )
            for layer, weight in self.weights
        ]

    def __repr__(self) -> str:
        return f"content({layers_text(self.weights)!r}{'' if self.weighting == 'relative' else f', {self.weighting!r}'})"


def content(layers: LayersGiven, weighting: Weighting = "relative") -> Content:
    """J_content of some layers: the mean squared difference of the activations of G and C.

    Args:
        layers: "relu4_2", "relu3_1=0.5,relu4_2=0.5", a list of names, or a dict of weights. Without weights the layers share
            1 equally.
        weighting: "relative" divides by the mean square of the activations of C, so that weights mean the same for every
            network; "absolute" is :func:`impasto.objective.costs.content_cost` as it is.

    Raises:
        SettingsError: these are not layers, or there is no such weighting.
    """
    return Content(check_layers("content layers", layers), check_weighting(weighting))


def _difference(target: Tensor, a: Tensor, window: Window) -> Tensor:
    return content_cost(at(target, window), a)


def _divided(target: Tensor, a: Tensor) -> Tensor:
    return evenly(content_cost_at(target, a))
