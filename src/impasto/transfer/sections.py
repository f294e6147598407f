"""J of a volume: its sections across each axis, compared by a network that was trained on pictures.

After Kopf et al., "Solid Texture Synthesis from 2D Exemplars" (2007), and Gutierrez et al., "On Demand Solid
Texture Synthesis Using Deep 3D Networks" (2020), doi:10.1111/cgf.13889: a solid has the texture of a picture when its
sections in three orientations have it.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from impasto.costs import content_cost, content_unit, relative_lambda, style_layer_cost, style_matrix
from impasto.network.statistics import Network
from impasto.transfer.objective import Costs, weighed
from impasto.transfer.settings import TransferSettings

Activations = dict[str, Tensor]

# pixels that the network sees at once where no gradient is needed
_AT_ONCE = 2**18


def sections(volume: Tensor, axis: int) -> Tensor:
    """All sections (n, channels, height, width) across an axis of a volume (1, channels, a, b, c)."""
    return volume[0].movedim(1 + axis, 0)


class SectionsObjective:
    """J as a function of a generated volume: the mean over ``axes`` of the cost of the sections across each.

    The style matrices of an orientation are taken over all its sections together; a picture is the style of every
    orientation, a volume that of its own.

    Args:
        network: takes sections (n, channels, height, width).
        content: C, of shape (1, channels, a, b, c).
        style: S, a picture (1, channels, height, width) or a volume (1, channels, a, b, c), of any size.
        settings: alpha, beta, layers, weighting and seed, with nothing left open.
        inflated: takes a volume whose sections are across its first axis of space; if given, it looks at G and C (and S, if
            that is a volume), and ``network`` at a picture S only.
        axes: the orientations.
        count: of each orientation about so many sections are seen at a time, evenly spaced, until :meth:`turn` takes the
            next ones; None: all of them.
    """

    def __init__(
        self,
        network: Network,
        content: Tensor,
        style: Tensor,
        settings: TransferSettings,
        *,
        inflated: nn.Module | None = None,
        axes: tuple[int, ...] = (0, 1, 2),
        count: int | None = None,
    ) -> None:
        assert settings.beta is not None
        self.alpha, self.beta = settings.alpha, settings.beta
        self.axes = axes
        self._network, self._inflated = network, inflated and inflated.to(content.device)
        style_layers, content_layers = settings.style_lambdas, settings.content_weights
        relative = settings.weighting == "relative"
        self._content = {axis: self._features(content, axis, content_layers) for axis in axes}
        picture = None if style.dim() == 5 else _style_matrices(network, style, style_layers)
        self._style = {axis: picture or self._volume_style(style, axis, style_layers) for axis in axes}
        self._content_weights = {
            axis: {
                name: weight / content_unit(self._content[axis][name]) if relative else torch.tensor(weight)
                for name, weight in content_layers.items()
            }
            for axis in axes
        }
        self._lambdas = {
            axis: {
                name: relative_lambda(weight, self._style[axis][name]) if relative else torch.tensor(weight)
                for name, weight in style_layers.items()
            }
            for axis in axes
        }
        generator = torch.Generator().manual_seed(settings.seed)
        self._turns = {axis: _turns(content.shape[2 + axis], count, generator) for axis in axes}
        self.turn()

    def turn(self) -> None:
        """Look at other sections from now on; each is seen once before any is seen again."""
        self._chosen = {axis: next(turns) for axis, turns in self._turns.items()}

    def __call__(self, generated: Tensor) -> Costs:
        """The costs of G, of the shape of the content."""
        content, by_layer = generated.new_zeros(()), dict.fromkeys(self._style[self.axes[0]], generated.new_zeros(()))
        for axis in self.axes:
            wanted = {**self._content_weights[axis], **self._style[axis]}
            chosen = self._chosen[axis]
            if self._inflated is not None:
                activations = self._inflated(generated.movedim(2 + axis, 2), wanted)
            else:
                activations = self._network(sections(generated, axis)[chosen], wanted)
            for name, weight in self._content_weights[axis].items():
                content = content + weight * content_cost(self._content[axis][name][chosen], activations[name])
            for name, weight in self._lambdas[axis].items():
                cost = style_layer_cost(self._style[axis][name], style_matrix(activations[name]))
                by_layer[name] = by_layer[name] + weight * cost
        content = content / len(self.axes)
        by_layer = {name: cost / len(self.axes) for name, cost in by_layer.items()}
        return weighed(self.alpha, self.beta, content, by_layer)

    @torch.no_grad()
    def _features(self, volume: Tensor, axis: int, layers: dict[str, float]) -> Activations:
        """The activations of the volume, or of all its sections (n, n_C, height, width)."""
        if self._inflated is not None:
            return self._inflated(volume.movedim(2 + axis, 2), layers)
        parts = [self._network(batch, layers) for batch in _batches(sections(volume, axis))]
        return {name: torch.cat([part[name] for part in parts]) for name in layers}

    @torch.no_grad()
    def _volume_style(self, volume: Tensor, axis: int, layers: dict[str, float]) -> Activations:
        if self._inflated is not None:
            activations = self._inflated(volume.movedim(2 + axis, 2), layers)
            return {name: style_matrix(activations[name]) for name in layers}
        return _style_matrices(self._network, sections(volume, axis), layers)


@torch.no_grad()
def _style_matrices(network: Network, pictures: Tensor, layers: dict[str, float]) -> Activations:
    """The style matrices over all pictures (n, channels, height, width) together."""
    matrices: Activations = {}
    for batch in _batches(pictures):
        activations = network(batch, layers)
        for name in layers:
            part = style_matrix(activations[name]) * (len(batch) / len(pictures))
            matrices[name] = matrices[name] + part if name in matrices else part
    return matrices


def _batches(pictures: Tensor) -> tuple[Tensor, ...]:
    return pictures.split(max(1, _AT_ONCE // pictures[0, 0].numel()))


def _turns(n: int, count: int | None, generator: torch.Generator) -> Iterator[slice]:
    """Which of n sections are seen, for ever: about ``count``, evenly spaced, and each once before any is seen again."""
    step = 1 if count is None else max(1, round(n / count))
    while True:
        for begin in torch.randperm(step, generator=generator):
            yield slice(int(begin), None, step)
