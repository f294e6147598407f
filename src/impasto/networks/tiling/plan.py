"""Plans how J is computed within a memory: where the network is cut, how large tiles are, and which segments are kept whole.

Everything follows from the layer table. Of all plans that fit the one with the least work is taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, prod
from typing import NamedTuple

from impasto.networks.layers import SIGNAL, LayerTable, sources, total_stride
from impasto.networks.tiling.segments import Segmented, cut, margin, possible_cuts
from impasto.networks.tiling.tiles import InTiles

FLOAT = 4
"""Bytes of a float32."""
# larger tiles than of so many bytes hardly save work
_ROOMY = 2**28
# passes of a segment that is kept whole (forward and backward), and of one in tiles (forward once more)
_KEPT, _AGAIN = 2, 3
# a plan with up to so many times the least work is taken if it needs less memory
_SAME = 1.03
# buffers of a spectrogram in units of its windows: frames, bins, their squares and the gradients of all
_SPECTRA = 6


class Task(NamedTuple):
    """What is to be computed.

    Attributes:
        table: the rows.
        shape: positions of G along each axis.
        channels: of an item, as the first row sees it.
        items: in the batch that the network makes of G: the channels of G if it sees them one by one, otherwise 1.
        targets: the layers whose activations of C are kept whole.
        style: positions of S along each axis.
        searched: the layers whose activations of C and S are whole while J is bound.
    """

    table: LayerTable
    shape: tuple[int, ...]
    channels: int
    items: int
    targets: tuple[str, ...]
    style: tuple[int, ...]
    searched: tuple[str, ...] = ()

    def scaled(self, ratio: float) -> Task:
        """The same task for signals with ``ratio`` times as many positions along each axis."""
        shape, style = (tuple(max(1, round(n * ratio)) for n in sides) for sides in (self.shape, self.style))
        return self._replace(shape=shape, style=style)


@dataclass(frozen=True)
class Plan:
    """How the network is computed.

    Attributes:
        cuts: the rows after which it is cut.
        sides: for each segment the side of a tile of its input, in positions.
        kept: how many of the deepest segments are computed whole, with all that their backward pass needs kept.
        memory: bytes at the peak of an evaluation of J and its gradient, beside the signals and the network.
        work: multiplications of an evaluation.
    """

    cuts: tuple[str, ...]
    sides: tuple[int, ...]
    kept: int
    memory: float
    work: float

    @property
    def tile(self) -> int | None:
        """The side of a tile of the signal, in its positions; None if it is computed whole."""
        return self.sides[0] if self.kept <= len(self.cuts) else None

    def work_for(self, task: Task) -> float:
        """The multiplications of an evaluation of another task with the same cuts and tiles."""
        segments = _segments(task.table, len(task.shape), task.channels, self.cuts)
        return sum(
            _work(segment, task, None if i >= len(segments) - self.kept else side)
            for i, (segment, side) in enumerate(zip(segments, self.sides, strict=True))
        )

    def apply(self, network: Segmented, layers: Sequence[str]) -> InTiles:
        """The network, computed by this plan down to ``layers``."""
        return InTiles(network.segments(layers, self.cuts), self.sides, self.kept)


@dataclass(frozen=True)
class _Segment:
    """What a segment needs, in floats and multiplications for each position of the signal."""

    taken: float  # floats of its input
    given: float  # floats of its output
    graph: float  # floats that are kept for the backward pass
    passing: float  # floats that are needed beside them for a moment
    work: float  # multiplications
    scale: int  # the stride of its input, in positions of the signal
    stride: int
    margin: int


def covering(shapes: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """The smallest shape that is as large as each of these along every axis."""
    return tuple(max(sides) for sides in zip(*shapes, strict=True))


def plans(task: Task, memory: float) -> Iterator[Plan]:
    """A plan for each choice of cuts and kept segments, with the largest useful tiles within ``memory``, or the smallest."""
    places = possible_cuts(task.table)
    for n in range(len(places) + 1):
        for cuts in itertools.combinations(places, n):
            for kept in range(n + 2):
                yield _plan(task, cuts, kept, memory)


def kernel_memory(task: Task) -> int:
    """Bytes of all kernels."""
    dims = len(task.shape)
    rows, source = _rows(task.table, dims, task.channels), sources(task.table)
    channels = {row.name: rows[row.name].given * (rows[row.name].scale * row.stride) ** dims for row in task.table}
    channels[SIGNAL] = task.channels
    kernels = (row.channels * channels[source[row.name]] * row.kernel**dims for row in task.table if row.operation == "conv")
    return FLOAT * round(sum(kernels))


def cheapest(task: Task, memory: float) -> Plan | None:
    """The plan with about the least work within ``memory`` bytes; None if there is none."""
    fitting = [plan for plan in plans(task, memory) if plan.memory <= memory]
    enough = _SAME * min((plan.work for plan in fitting), default=0)
    return min((plan for plan in fitting if plan.work <= enough), key=lambda plan: plan.memory, default=None)


def least_memory(task: Task) -> float:
    """The bytes of the plan that needs the least memory."""
    return min(plan.memory for plan in plans(task, 0))


def untiled_memory(task: Task) -> float:
    """Bytes at the peak of an evaluation of J and its gradient without tiles."""
    return _plan(task, (), 1, 0).memory


def _plan(task: Task, cuts: tuple[str, ...], kept: int, memory: float) -> Plan:
    segments = _segments(task.table, len(task.shape), task.channels, cuts)
    rows = _rows(task.table, len(task.shape), task.channels)
    whole, style = (FLOAT * task.items * prod(shape) for shape in (task.shape, task.style))
    stored = whole * sum(rows[name].given for name in task.targets if name in rows)
    peak = max(stored, (whole + style) * sum(rows[name].given for name in task.searched if name in rows))
    work, sides = 0.0, []
    for i, segment in enumerate(segments):
        is_kept, given = i >= len(segments) - kept, segment.given if i < len(segments) - 1 else 0
        stored += whole * (segment.graph if is_kept else segment.taken if i else 0)
        # backward: also the gradients of its input and of its output
        now = stored + whole * (segment.taken + given)
        # of the style there is only a forward pass
        there = style * ((segment.taken if i else 0) + given)
        side, tile = _side(segment, task, min(memory - max(there, 0 if is_kept else now), _ROOMY))
        sides.append(side)
        peak = max(peak, now + (whole * segment.passing if is_kept else tile), there + tile)
        work += _work(segment, task, None if is_kept else side)
    return Plan(cuts, tuple(sides), kept, peak, work)


def _side(segment: _Segment, task: Task, memory: float) -> tuple[int, float]:
    """The largest useful side of a tile, and the bytes it takes."""
    extents = _extents(segment, [max(sides) for sides in zip(task.shape, task.style, strict=True)])
    halvings = range(2 * ceil(max(extents) / segment.stride).bit_length(), -1, -1)
    side, needed = 1, 0.0
    for side in (segment.stride * round(2 ** (i / 2)) for i in halvings):
        seen = prod(min(n, side + 2 * segment.margin) for n in extents) * segment.scale ** len(extents)
        needed = FLOAT * task.items * seen * (segment.graph + segment.passing)
        if needed <= memory:
            break
    return side, needed


def _work(segment: _Segment, task: Task, side: int | None) -> float:
    """Multiplications of an evaluation, in tiles with this side or, if None, whole."""
    once = segment.work * task.items * prod(task.shape)
    if side is None:
        return _KEPT * once
    # times how often a position is computed on average, because of the margins
    return _AGAIN * once * prod(1 + 2 * segment.margin * (ceil(n / side) - 1) / n for n in _extents(segment, task.shape))


def _extents(segment: _Segment, shape: Sequence[int]) -> list[int]:
    return [max(1, n // segment.scale) for n in shape]


@cache
def _segments(table: LayerTable, dims: int, channels: int, cuts: tuple[str, ...]) -> list[_Segment]:
    found: list[_Segment] = []
    rows = _rows(table, dims, channels)
    for part in cut(table, cuts):
        of_part = [rows[row.name] for row in part]
        found.append(
            _Segment(
                taken=of_part[0].taken,
                given=of_part[-1].given,
                graph=sum(row.graph for row in of_part),
                passing=max(row.passing for row in of_part),
                work=sum(row.work for row in of_part),
                scale=of_part[0].scale,
                stride=total_stride(part),
                margin=margin(part),
            )
        )
    return found


@cache
def _rows(table: LayerTable, dims: int, channels: int) -> dict[str, _Segment]:
    """Each row as a segment of its own."""
    widths, scales, found = {SIGNAL: channels}, {SIGNAL: 1}, {}
    for row, source in zip(table, sources(table).values(), strict=True):
        width = widths[row.name] = row.channels or widths[source]
        scale = scales[source]
        scales[row.name] = scale * row.stride
        before, after = widths[source] / scale**dims, width / (scale * row.stride) ** dims
        # a convolution keeps its padded input and its output for the backward pass; relu works in place
        graph = {"conv": before + after, "relu": 0, "pool": after, "stft": _SPECTRA * before * row.kernel / row.stride}
        work = after * widths[source] * row.kernel**dims if row.operation in ("conv", "stft") else 0
        found[row.name] = _Segment(
            before, after, graph[row.operation], before + after, work, scale, row.stride, margin((row._replace(source=""),))
        )
    return found
