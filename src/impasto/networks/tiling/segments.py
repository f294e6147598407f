"""Cuts a network into segments, each of which takes the output of the one before.

Only the activations between two segments are needed whole. Within a segment a tile depends on little beyond itself, its
margin.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import ceil
from typing import NamedTuple, Protocol, runtime_checkable

from impasto.networks.layers import SIGNAL, LayerTable, grid_sizes, receptive_field, total_stride, up_to_deepest
from impasto.networks.tiling.statistics import Forward


class Segment(NamedTuple):
    """Rows of a network and what computes them.

    Attributes:
        table: the rows; the activation of the last one is the input of the next segment.
        run: takes the input of the segment, or a part of it, and names of rows; returns their activations.
    """

    table: LayerTable
    run: Forward

    @property
    def names(self) -> set[str]:
        """The names of its rows."""
        return {row.name for row in self.table}

    @property
    def output(self) -> str:
        """The name of the row that the next segment takes."""
        return self.table[-1].name

    @property
    def stride(self) -> int:
        """Tiles of its input begin at multiples of it."""
        return total_stride(self.table)

    def positions(self, name: str, extent: int) -> int:
        """How many positions a row has along an axis for an input of ``extent``."""
        return grid_sizes(up_to_deepest(self.table, [name]), extent)[-1]

    def grid(self, name: str, space: Sequence[int]) -> tuple[int, ...]:
        """How many positions a row has along each axis."""
        return tuple(self.positions(name, extent) for extent in space)


@runtime_checkable
class Segmented(Protocol):
    """A network that can be cut.

    Attributes:
        table: all its rows, the first of which takes the signal.
    """

    table: LayerTable

    def segments(self, layers: Collection[str], cuts: Sequence[str] = ()) -> list[Segment]:
        """The segments that compute ``layers``, cut after the rows ``cuts``, which are of :func:`possible_cuts`."""
        ...

    def items(self, channels: int) -> int:
        """How many items of a batch it makes of a signal with so many channels."""
        ...


def possible_cuts(table: LayerTable) -> tuple[str, ...]:
    """The rows after which a table can be cut: they have a stride, and no row below takes one from further above."""
    found: list[str] = []
    for i, row in enumerate(table[:-1]):
        later = table[i + 1 :]
        known = {row.name, *(other.name for other in later)}
        if row.stride > 1 and later[0].source in ("", row.name) and all((r.source or row.name) in known for r in later):
            found.append(row.name)
    return tuple(found)


def cut(table: LayerTable, cuts: Iterable[str]) -> list[LayerTable]:
    """The rows in parts that end with one of ``cuts``; for the next part that row is :data:`SIGNAL`."""
    parts: list[LayerTable] = [()]
    cuts, above = set(cuts), ""
    for row in table:
        parts[-1] += (row._replace(source=SIGNAL) if above and row.source == above else row,)
        if row.name in cuts:
            parts.append(())
            above = row.name
    return [part for part in parts if part]


def margin(table: LayerTable) -> int:
    """How many positions a tile of the input needs beyond itself on either side; a multiple of the total stride."""
    stride, reach = total_stride(table), 0
    for row in table:
        above = up_to_deepest(table, [row.name])
        start, stop = receptive_field(above, 0)
        reach = max(reach, -start, stop - total_stride(above))
    return ceil(reach / stride) * stride
