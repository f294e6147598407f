"""J(G) = alpha J_content(C, G) + beta J_style(S, G) for one content and one style."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.costs import content_cost, content_unit, relative_lambda, style_layer_cost, style_matrix
from impasto.transfer.settings import TransferSettings

Network = Callable[[Tensor, Collection[str]], dict[str, Tensor]]
"""What takes a signal (N, channels, *space) and names of layers, and gives their activations."""


@dataclass(frozen=True)
class Costs:
    """The value of J and its parts, as scalar tensors: cost = alpha content_cost + beta style_cost.

    Of the frame of a movie the cost is that and the temporal cost.

    ``style_cost_by_layer`` holds lambda^[l] J_style^[l] for each style layer; style_cost is their sum.
    """

    cost: Tensor
    content_cost: Tensor
    style_cost: Tensor
    style_cost_by_layer: dict[str, Tensor]


def weighed(alpha: float, beta: float, content: Tensor, by_layer: dict[str, Tensor]) -> Costs:
    """J of its parts: the content cost, and each layer's style cost with its lambda."""
    style = torch.stack(list(by_layer.values())).sum()
    return Costs(alpha * content + beta * style, content, style, by_layer)


class Objective:
    """J as a function of the generated signal; what it needs of content and style is computed once.

    Args:
        network: the network whose activations are compared.
        content: C, of shape (N, channels, *space).
        style: S, of shape (N, channels, *space), of any size.
        settings: alpha, beta, layers and weighting, with nothing left open.
    """

    def __init__(self, network: Network, content: Tensor, style: Tensor, settings: TransferSettings) -> None:
        self.network = network
        assert settings.beta is not None
        self.alpha, self.beta = settings.alpha, settings.beta
        style_layers = settings.style_lambdas
        self._content_layers = settings.content_weights
        self._relative = settings.weighting == "relative"
        with torch.no_grad():
            activations = network(style, style_layers)
            self._style = {name: style_matrix(activations[name]) for name in style_layers}
            self._lambdas = {
                name: relative_lambda(weight, self._style[name]) if self._relative else weight
                for name, weight in style_layers.items()
            }
        self._look_at(content)

    @torch.no_grad()
    def _look_at(self, content: Tensor) -> None:
        self._content = self.network(content, self._content_layers)
        self._content_weights = {
            name: weight / content_unit(self._content[name]) if self._relative else weight
            for name, weight in self._content_layers.items()
        }

    def with_content(self, content: Tensor) -> Objective:
        """J for another content (N, channels, *space) and the same style."""
        other = copy.copy(self)
        other._look_at(content)
        return other

    def __call__(self, generated: Tensor) -> Costs:
        """The costs of G, of the shape of the content."""
        activations = self.network(generated, {**self._content, **self._style})
        content = sum(
            (
                weight * content_cost(self._content[name], activations[name])
                for name, weight in self._content_weights.items()
            ),
            start=generated.new_zeros(()),
        )
        by_layer = {
            name: weight * style_layer_cost(self._style[name], style_matrix(activations[name]))
            for name, weight in self._lambdas.items()
        }
        return weighed(self.alpha, self.beta, content, by_layer)
