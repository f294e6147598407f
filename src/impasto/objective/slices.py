"""J of a volume: its sections across each axis, compared by a network that was trained on pictures.

After Kopf et al., "Solid Texture Synthesis from 2D Exemplars" (2007), and Gutierrez et al., "On Demand Solid
Texture Synthesis Using Deep 3D Networks" (2020), doi:10.1111/cgf.13889: a solid has the texture of a picture when its
sections in three orientations have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import torch
from torch import Tensor, nn

from impasto.networks.tiling.statistics import Blend, Forward, as_blend, of_batch
from impasto.objective.objective import Costs, Term, content_terms, evaluate, style_terms, weigh
from impasto.transfer.settings import TransferSettings

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
        style: S, a picture (1, channels, height, width) or a volume (1, channels, a, b, c), of any size, or a blend.
        settings: alpha, beta, layers, style cost, weighting and seed, with nothing left open.
        inflated: takes a volume whose sections are across its first axis of space; if given, it looks at G and C (and S, if
            that is a volume), and ``network`` at a picture S only.
        axes: the orientations.
        count: of each orientation about so many sections are seen at a time, evenly spaced, until :meth:`turn` takes the
            next ones; None: all of them.
    """

    def __init__(
        self,
        network: Forward,
        content: Tensor,
        style: Tensor | Blend,
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
        self._content = {axis: content_terms(self._look_in_parts, self._view(content, axis), settings) for axis in axes}
        self._style = {axis: style_terms(self._look, self._style_parts(style, axis), settings) for axis in axes}
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
            chosen = self._chosen[axis]
            terms = [_of(chosen, term) for term in (*self._content[axis], *self._style[axis].values())]
            values = evaluate(self._look, self._view(generated, axis)[chosen], terms)
            content = content + sum(values[: len(self._content[axis])])
            for name, cost in zip(by_layer, values[len(self._content[axis]) :], strict=True):
                by_layer[name] = by_layer[name] + cost
        content = content / len(self.axes)
        by_layer = {name: cost / len(self.axes) for name, cost in by_layer.items()}
        return weigh(self.alpha, self.beta, content, by_layer)

    def _view(self, volume: Tensor, axis: int) -> Tensor:
        """The volume with its sections across its first axis of space, or all these sections as a batch."""
        return sections(volume, axis) if self._inflated is None else volume.movedim(2 + axis, 2)

    def _look(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations of a volume or of a batch of pictures."""
        return (self._network if x.dim() == 4 or self._inflated is None else self._inflated)(x, layers)

    def _look_in_parts(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The same of a batch of any size."""
        parts = [self._look(part, layers) for part in _parts(x)]
        return {name: torch.cat([part[name] for part in parts]) for name in layers}

    def _style_parts(self, style: Tensor | Blend, axis: int) -> Blend:
        """A blend of batches that the network can see at once."""
        views = [(self._view(s, axis) if s.dim() == 5 else s, weight) for s, weight in as_blend(style)]
        return [(part, weight * len(part) / len(view)) for view, weight in views for part in _parts(view)]


def _of(chosen: slice, term: Term) -> Term:
    return term._replace(statistics=tuple(of_batch(chosen, statistic) for statistic in term.statistics))


def _parts(x: Tensor) -> tuple[Tensor, ...]:
    return x.split(max(1, _AT_ONCE // x[0, 0].numel()))


def _turns(n: int, count: int | None, generator: torch.Generator) -> Iterator[slice]:
    """Which of n sections are seen, for ever: about ``count``, evenly spaced, and each once before any is seen again."""
    step = 1 if count is None else max(1, round(n / count))
    while True:
        for begin in torch.randperm(step, generator=generator):
            yield slice(int(begin), None, step)
