"""Measures receptive fields by NaN.

NaN spreads to all that depends on it, even through ReLUs that are 0 and max-poolings that choose another value, and not from
padding. So an activation depends on a part of the signal exactly if NaN in this part makes it NaN. The first and the last
position of a field are found by bisection; fields are assumed to be intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import torch

from impasto.errors import SizeError
from impasto.networks.layers import Field, Interval

Touched = Callable[[int, Sequence[Interval]], torch.Tensor]
"""Takes the extent of an axis and parts of it; returns whether each position of the layer depends on each part, as bools
(parts, positions)."""


def fields_within(touched: Touched, extent: int, positions: Sequence[int]) -> list[Interval]:
    """The receptive fields of some positions, found with about 2 log2(extent) calls of ``touched``."""
    columns = torch.tensor(positions, dtype=torch.long)

    def first(part: Callable[[int], Interval], seen: bool) -> list[int]:
        """For each position the first k with which ``part(k)`` touches it (or does not, by ``seen``); extent if none."""
        low, high = torch.zeros_like(columns), torch.full_like(columns, extent)
        while bool((low < high).any()):
            middle = (low + high) // 2
            looks, rows = middle.unique(return_inverse=True)
            found = touched(extent, [part(int(k)) for k in looks])[rows, columns] == seen
            open_ones = low < high
            high = torch.where(open_ones & found, middle, high)
            low = torch.where(open_ones & ~found, middle + 1, low)
        return low.tolist()

    starts = first(lambda k: (0, k + 1), True)
    stops = first(lambda k: (k, extent), False)
    # the field of a position that sees only padding is empty
    return [(start, max(start, stop)) for start, stop in zip(starts, stops, strict=True)]


class MeasuredFields:
    """The receptive fields of a layer along one axis.

    Normally they have one size, each one ``step`` after the one before, and are clipped at the borders: at the start at 0,
    at the end after the last position that strides do not drop. This is checked for one extent; if it does not hold every
    field is measured.

    Args:
        touched: see :data:`Touched`.
        count: returns how many positions the layer has for an extent.
        smallest: the smallest extent that the network takes.
        stride: the total stride of the network down to this layer.
        most: the largest extent that is tried to find a field without borders.
    """

    def __init__(self, touched: Touched, count: Callable[[int], int], smallest: int, stride: int, most: int) -> None:
        self._touched, self._count, self._smallest, self._stride, self._most = touched, count, smallest, stride, most
        self._ends: dict[int, int] = {}
        self._measured: dict[int, list[Interval]] = {}

    @cached_property
    def endless(self) -> tuple[Field, int] | None:
        """The fields without borders, and an extent with a whole one; None if there is none or they are not regular."""
        try:
            return self._find()
        except SizeError:  # the network takes only some sizes
            return None

    def _find(self) -> tuple[Field, int] | None:
        extent = max(self._smallest, 4 * self._stride)
        while extent <= self._most:
            middle = self._count(extent) // 2
            if middle + 1 < self._count(extent):
                (start, stop), (after, end) = fields_within(self._touched, extent, [middle, middle + 1])
                if start > 0 and stop < end < extent and after > start and stop - start == end - after:
                    step = after - start
                    found = Field(start - middle * step, stop - start, step)
                    return (found, extent) if self._is_regular(found) else None
            extent *= 2
        return None

    def at(self, position: int, extent: int) -> Interval:
        """The receptive field of a position, on an axis of this extent."""
        if extent in self._measured or self.endless is None or extent < self._smallest:
            return self._all(extent)[position]
        field, whole = self.endless
        return self._clipped(field, whole, position, extent)

    def _clipped(self, field: Field, whole: int, position: int, extent: int) -> Interval:
        start, stop = field.at(position)
        return max(start, 0), min(stop, self._end(extent, whole))

    def _end(self, extent: int, whole: int) -> int:
        """Where the field of the last position ends; above ``whole`` it moves along with the extent, stride by stride."""
        fewer = max(0, extent - whole) // self._stride * self._stride
        at = extent - fewer
        if at not in self._ends:
            ((_, self._ends[at]),) = fields_within(self._touched, at, [self._count(at) - 1])
        return self._ends[at] + fewer

    def _is_regular(self, field: Field) -> bool:
        extent = self._smallest + 3 * self._stride + 1
        measured = self._all(extent)
        return measured == [self._clipped(field, extent, position, extent) for position in range(len(measured))]

    def _all(self, extent: int) -> list[Interval]:
        if extent not in self._measured:
            self._measured[extent] = fields_within(self._touched, extent, range(self._count(extent)))
        return self._measured[extent]
