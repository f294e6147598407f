"""Means over positions and their gradient, exact, but computed tile by tile within the memory of a tile.

Forward, a segment is computed tile by tile without gradients; only its output is kept, and the means add up. Backward, when
the gradient of the means is known, each tile is computed once more, with gradients. The gradient of a tile's own positions
with respect to its margin is added to the neighbours, so the sum over tiles is exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from math import ceil, prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from impasto.networks.layers import total_stride, up_to_deepest
from impasto.networks.tiling.segments import Segment, margin
from impasto.networks.tiling.statistics import Statistic, Window, at, layers_of


class Tile(NamedTuple):
    """A part of a segment's input, and the positions of each row that belong to it alone.

    Attributes:
        seen: the place of the tile with its margin in the input.
        own: for each row the place of the tile's own positions, in the activation computed from the tile.
        place: the same in the activation of the whole.
        share: the tile's own positions as a share of all positions of the row.
    """

    seen: Window
    own: dict[str, Window]
    place: dict[str, Window]
    share: dict[str, float]


def tiles(segment: Segment, shape: Sequence[int], side: int, names: Collection[str]) -> Iterator[Tile]:
    """Tiles of about ``side`` positions along each axis, or whole items of a batch that are smaller.

    Args:
        segment: the rows.
        shape: of its input, (N, *space).
        side: positions of a tile along each axis, without its margin; tiles are made about equally large.
        names: the rows in ``own``, ``place`` and ``share``.
    """
    at_once = max(1, side ** len(shape[1:]) // prod(shape[1:]))
    cuts = [_cut_axis(segment, extent, side, names) for extent in shape[1:]]
    for begin in range(0, shape[0], at_once):
        items = slice(begin, min(begin + at_once, shape[0]))
        # a segment may make several items of a single one, from its channels
        placed, part = (items, (items.stop - begin) / shape[0]) if shape[0] > 1 else (slice(None), 1.0)
        for axes in itertools.product(*cuts):
            yield Tile(
                (items, *(cut.seen for cut in axes)),
                {name: (slice(None), *(cut.own[name] for cut in axes)) for name in names},
                {name: (placed, *(cut.place[name] for cut in axes)) for name in names},
                {name: part * prod(cut.share[name] for cut in axes) for name in names},
            )


class _Cut(NamedTuple):
    """A :class:`Tile` along one axis."""

    seen: slice
    own: dict[str, slice]
    place: dict[str, slice]
    share: dict[str, float]


def _cut_axis(segment: Segment, extent: int, side: int, names: Collection[str]) -> list[_Cut]:
    stride, beyond = segment.stride, margin(segment.table)
    steps = {name: total_stride(up_to_deepest(segment.table, [name])) for name in names}
    totals = {name: segment.positions(name, extent) for name in names}
    # not more tiles than the coarsest row has positions, so that each has positions of its own in every row
    units = max(1, min(totals[name] * step for name, step in steps.items()) // stride)
    count = ceil(units / max(1, side // stride))
    bounds = [round(i * units / count) * stride for i in range(count)] + [extent]
    found: list[_Cut] = []
    for start, stop in itertools.pairwise(bounds):
        seen = slice(max(0, start - beyond), min(extent, stop + beyond))
        cut = _Cut(seen, {}, {}, {})
        for name, step in steps.items():
            first, last = start // step, totals[name] if stop == extent else stop // step
            shift = seen.start // step
            cut.own[name], cut.place[name] = slice(first - shift, last - shift), slice(first, last)
            cut.share[name] = (last - first) / totals[name]
        found.append(cut)
    return found


class InTiles:
    """A network whose segments are computed tile by tile.

    Called like any network it returns whole activations, without gradients.

    Args:
        segments: see :meth:`impasto.networks.tiling.segments.Segmented.segments`.
        sides: for each segment the side of a tile of its input, in positions.
        kept: how many of the deepest segments are computed whole if there is a gradient, to compute nothing in them twice.
    """

    def __init__(self, segments: Sequence[Segment], sides: Sequence[int], kept: int = 0) -> None:
        whole = [i >= len(segments) - kept for i in range(len(segments))]
        self._parts = list(zip(segments, sides, whole, strict=True))

    @torch.no_grad()
    def __call__(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations of ``layers`` for the signal x (N, channels, *space)."""
        found: dict[str, Tensor] = {}
        wanted = set(layers)
        for segment, side, _ in self._parts:
            here = wanted & segment.names
            wanted -= here
            maps, _ = _sweep(segment, x, side, [*here, segment.output] if wanted else list(here), ())
            found |= {name: maps[name] for name in here}
            if not wanted:
                break
            x = maps[segment.output]
        return {name: found[name] for name in layers}

    def measure(self, x: Tensor, statistics: Sequence[Statistic]) -> list[Tensor]:
        """The statistics of the signal x (N, channels, *space), in their order; differentiable."""
        means: dict[int, Tensor] = {}
        for segment, side, whole in self._parts:
            here = {i: statistic for i, statistic in enumerate(statistics) if statistic.layer in segment.names}
            passes_on = len(means) + len(here) < len(statistics)
            if whole and torch.is_grad_enabled():
                x, *found = _whole(segment, x, tuple(here.values()), passes_on)
            else:
                x, *found = _Swept.apply(x, segment, side, tuple(here.values()), passes_on)  # pyright: ignore
            means |= zip(here, found, strict=True)
            if not passes_on:
                break
        return [means[i] for i in range(len(statistics))]


def _whole(segment: Segment, x: Tensor, statistics: Sequence[Statistic], passes_on: bool) -> tuple[Tensor, ...]:
    activations = segment.run(x, _wanted(segment, statistics, passes_on))
    region = (slice(None),) * (x.dim() - 1)
    means = (statistic.mean(activations[statistic.layer], region) for statistic in statistics)
    return (activations[segment.output] if passes_on else x.new_empty(0), *means)


class _Swept(torch.autograd.Function):
    """The same as :func:`_whole`, tile by tile."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, segment: Segment, side: int, statistics: Sequence[Statistic], passes_on: bool
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x)
        ctx.rest = segment, side, statistics, passes_on
        maps, means = _sweep(segment, x, side, [segment.output] if passes_on else [], statistics)
        return (maps[segment.output] if passes_on else x.new_empty(0), *means)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (x,) = ctx.saved_tensors
        segment, side, statistics, passes_on = ctx.rest
        names = _wanted(segment, statistics, passes_on)
        of_output, *of_means = gradients
        gradient = torch.zeros_like(x)
        for tile in tiles(segment, _grid(x), side, names):
            with torch.enable_grad():
                seen = at(x, tile.seen).requires_grad_()
                activations = segment.run(seen, names)
                results = [_mean(statistic, activations, tile) for statistic in statistics]
                known = [g * tile.share[s.layer] for g, s in zip(of_means, statistics, strict=True)]
                if passes_on:
                    results.append(at(activations[segment.output], tile.own[segment.output]))
                    known.append(at(of_output, tile.place[segment.output]))
            del activations
            (part,) = torch.autograd.grad(results, seen, known)
            at(gradient, tile.seen).add_(part)
            del results
        return gradient, None, None, None, None


def _sweep(
    segment: Segment, x: Tensor, side: int, whole: Collection[str], statistics: Sequence[Statistic]
) -> tuple[dict[str, Tensor], list[Tensor]]:
    """The activations of the rows ``whole``, and the means over all tiles; without gradients."""
    names = list(dict.fromkeys([*whole, *layers_of(statistics)]))
    maps: dict[str, Tensor] = {}
    means = [x.new_zeros(()) for _ in statistics]
    for tile in tiles(segment, _grid(x), side, names):
        activations = segment.run(at(x, tile.seen), names)
        for name in whole:
            part = at(activations[name], tile.own[name])
            if name not in maps:
                items = x.shape[0] if x.shape[0] > 1 else part.shape[0]
                maps[name] = _empty((items, part.shape[1], *segment.grid(name, x.shape[2:])), like=part)
            at(maps[name], tile.place[name]).copy_(part)
        for i, statistic in enumerate(statistics):
            means[i] = means[i] + tile.share[statistic.layer] * _mean(statistic, activations, tile)
        del activations
    return maps, means


def _mean(statistic: Statistic, activations: dict[str, Tensor], tile: Tile) -> Tensor:
    name = statistic.layer
    return statistic.mean(at(activations[name], tile.own[name]), tile.place[name])


def _wanted(segment: Segment, statistics: Sequence[Statistic], passes_on: bool) -> list[str]:
    return list(dict.fromkeys([*layers_of(statistics), *([segment.output] if passes_on else [])]))


def _grid(x: Tensor) -> tuple[int, ...]:
    return (x.shape[0], *x.shape[2:])


def _empty(shape: tuple[int, ...], like: Tensor) -> Tensor:
    if like.stride(1) == 1:  # channels last, like the network's own activations
        return like.new_empty((shape[0], *shape[2:], shape[1])).movedim(-1, 1)
    return like.new_empty(shape)
