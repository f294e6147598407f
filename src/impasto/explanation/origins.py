"""Where a place of a painting comes from: the places of the styles that a layer takes for most alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from impasto.explanation.grid import Axis

# cosines that are held at a time, and how many of the best are looked through for ones that lie apart
_AT_ONCE, _LOOKED_AT = 2**23, 64
# two origins lie apart if their centres are further from each other than this share of a field
_APART = 0.5


class Origins(NamedTuple):
    """For each place of G the most alike positions of a layer in the styles, the best first.

    Attributes:
        style: (rows, columns, count), the number of the style; -1 where there is no further one.
        row: the position in the layer, from the top.
        column: the same from the left.
        cosine: of the two activations, each less the mean activation of the styles.
    """

    style: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    cosine: NDArray[np.float32]


def origins_of(
    generated: Tensor,
    styles: Sequence[Tensor],
    at: tuple[NDArray[Any], NDArray[Any]],
    axes: Sequence[tuple[Axis, Axis]],
    count: int,
) -> Origins:
    """The origins of the positions in the rows and columns ``at``, at most ``count`` each, which lie apart.

    Args:
        generated: the activation of G at the layer, (1, n_C, height, width).
        styles: those of the styles, each (1, n_C, its height, its width).
        at: rows and columns of the layer; each pair of them is looked for.
        axes: of the layer in each style.
        count: how many origins are wanted.
    """
    rows, columns = (torch.from_numpy(np.asarray(one)) for one in at)
    known = [a[0].flatten(1).T for a in styles]
    mean = torch.cat(known).mean(0)
    candidates = F.normalize(torch.cat(known) - mean, dim=1)
    queries = F.normalize(generated[0][:, rows][:, :, columns].flatten(1).T - mean, dim=1)
    numbers = torch.cat([torch.full((len(one),), i) for i, one in enumerate(known)])
    cells = torch.cat([torch.arange(len(one)) for one in known])
    widths = torch.tensor([a.shape[3] for a in styles])
    apart = torch.tensor([[_apart(axis) for axis in pair] for pair in axes])
    found: list[Tensor] = []
    for part in queries.split(max(1, _AT_ONCE // len(candidates))):
        cosines, best = (part @ candidates.T).topk(min(_LOOKED_AT, len(candidates)), dim=1)
        style, cell = numbers[best], cells[best]
        places = torch.stack([style, cell // widths[style], cell % widths[style]], -1)
        kept = _lying_apart(places, apart[style], count)
        rank = kept.clamp_min(0)[..., None].expand(-1, -1, 3)
        chosen = torch.cat([places.gather(1, rank).double(), cosines.gather(1, rank[..., 0])[..., None].double()], -1)
        chosen[..., 0] = torch.where(kept < 0, -1, chosen[..., 0])
        found.append(chosen)
    every = torch.cat(found).reshape(len(rows), len(columns), -1, 4).numpy()
    style, row, column = (every[..., i].astype(np.int64) for i in range(3))
    return Origins(style, row, column, every[..., 3].astype(np.float32))


def _apart(axis: Axis) -> float:
    """How many positions further on another place begins."""
    step = float(axis.centres[1] - axis.centres[0]) if len(axis.centres) > 1 else 1.0
    return max(1.0, _APART * (axis.size or axis.extent) / step)


def _lying_apart(places: Tensor, apart: Tensor, count: int) -> Tensor:
    """Of candidates (queries, n, 3), the best first, the ranks of the first ``count`` that lie apart; -1 for want of one."""
    queries, n, _ = places.shape
    free = torch.ones(queries, n, dtype=torch.bool)
    chosen: list[Tensor] = []
    for _ in range(count):
        rank = torch.where(free.any(1), free.int().argmax(1), -1)
        chosen.append(rank)
        here = rank.clamp_min(0)[:, None, None]
        style, row, column = places.gather(1, here.expand(-1, 1, 3)).unbind(-1)
        near = ((places[..., 1] - row).abs() < apart[..., 0]) & ((places[..., 2] - column).abs() < apart[..., 1])
        free &= ~(near & (places[..., 0] == style))
    return torch.stack(chosen, 1)
