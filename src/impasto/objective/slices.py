"""J of a volume by its slices across each axis, compared by a network that was trained on pictures.

After Kopf et al., "Solid Texture Synthesis from 2D Exemplars" (2007), and Gutierrez et al., "On Demand Solid
Texture Synthesis Using Deep 3D Networks" (2020), doi:10.1111/cgf.13889: a solid has the texture of a picture if its slices
in three orientations have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from impasto.networks.tiling.statistics import Blend, Forward, as_blend
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.term import Objective, Scene

# pixels that the network sees at once if no gradient is needed
_AT_ONCE = 2**18


def slices(volume: Tensor, axis: int) -> Tensor:
    """All slices (n, channels, height, width) across an axis of a volume (1, channels, a, b, c)."""
    return volume[0].movedim(1 + axis, 0)


class SlicesObjective(BoundObjective):
    """J as a function of a generated volume: the mean over ``axes`` of the cost of the slices across each axis.

    The style matrices of an orientation are means over all its slices. A picture is the style of every orientation; a volume
    gives each orientation its own slices.

    Args:
        objective: the terms.
        network: takes slices (n, channels, height, width).
        content: C, of shape (1, channels, a, b, c).
        style: S, a picture (1, channels, height, width) or a volume (1, channels, a, b, c), of any size, or a blend.
        inflated: takes a volume whose slices are across its first axis of space. If given it takes G, C and an S that is a
            volume, and ``network`` only an S that is a picture.
        axes: the axes that the slices are across.
        count: about how many slices of each orientation are seen at a time, evenly spaced, until :meth:`turn`; None: all.
        seed: of the order in which slices are seen.
        painted: what is painted so far, of the shape of C; None: nothing.
        measured: see :class:`impasto.objective.term.Scene`.
    """

    def __init__(
        self,
        objective: Objective,
        network: Forward,
        content: Tensor,
        style: Tensor | Blend,
        *,
        inflated: nn.Module | None = None,
        axes: tuple[int, ...] = (0, 1, 2),
        count: int | None = None,
        seed: int = 0,
        painted: Tensor | None = None,
        measured: dict[Any, Any] | None = None,
    ) -> None:
        self._network, self._inflated = network, inflated and inflated.to(content.device)
        known = {} if measured is None else measured
        views = [
            View(
                Scene(
                    self._look,
                    self._see(axis, content),
                    self._style_parts(style, axis),
                    painted=None if painted is None else self._see(axis, painted),
                    measured=known.setdefault(f"across {axis}", {}),
                ),
                partial(self._see, axis),
            )
            for axis in axes
        ]
        super().__init__(objective, views)
        generator = torch.Generator().manual_seed(seed)
        self._turns = [_turns(content.shape[2 + axis], count, generator) for axis in axes]
        self.turn()

    def turn(self) -> None:
        """Look at other slices from now on; all are seen once before any is seen again."""
        self.views = [view._replace(batch=next(turns)) for view, turns in zip(self.views, self._turns, strict=True)]

    def _see(self, axis: int, volume: Tensor) -> Tensor:
        """The slices across ``axis`` as a batch; for ``inflated`` the volume with this axis as its first."""
        return slices(volume, axis) if self._inflated is None else volume.movedim(2 + axis, 2)

    def _look(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations of a volume or of a batch of pictures; in parts, to save memory, if no gradient is needed."""
        look = self._network if x.dim() == 4 or self._inflated is None else self._inflated
        if torch.is_grad_enabled():
            return look(x, layers)
        parts = [look(part, layers) for part in _parts(x)]
        return {name: torch.cat([part[name] for part in parts]) for name in layers}

    def _style_parts(self, style: Tensor | Blend, axis: int) -> Blend:
        """The styles as a blend of batches that are small enough to be seen at once."""
        views = [(self._see(axis, s) if s.dim() == 5 else s, weight) for s, weight in as_blend(style)]
        return [(part, weight * len(part) / len(view)) for view, weight in views for part in _parts(view)]


def _parts(x: Tensor) -> tuple[Tensor, ...]:
    return x.split(max(1, _AT_ONCE // x[0, 0].numel()))


def _turns(n: int, count: int | None, generator: torch.Generator) -> Iterator[slice]:
    """Endlessly, which of n slices are seen next: about ``count``, evenly spaced, all once before any again."""
    step = 1 if count is None else max(1, round(n / count))
    while True:
        for begin in torch.randperm(step, generator=generator):
            yield slice(int(begin), None, step)
