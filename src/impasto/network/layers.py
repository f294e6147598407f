"""The layers of a ConvNet as a table, and what follows from the table alone.

A network is data: rows of :class:`Layer` in the order in which they are computed. Nothing here needs torch, so that
settings are checked and help is printed before it is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from impasto.errors import SettingsError, UnknownLayerError, nearest

Operation = Literal["conv", "relu", "pool"]


class Layer(NamedTuple):
    """One row: what is done to the activation of the row above.

    ``kernel`` and ``stride`` are positions along every axis; ``channels`` is n_C of the result of a convolution (the
    other operations keep it).
    """

    name: str
    operation: Operation
    kernel: int = 1
    stride: int = 1
    channels: int = 0


LayerTable = tuple[Layer, ...]


def _vgg(blocks: Sequence[tuple[int, int]]) -> LayerTable:
    rows: list[Layer] = []
    for block, (convolutions, channels) in enumerate(blocks, start=1):
        for i in range(1, convolutions + 1):
            rows.append(Layer(f"conv{block}_{i}", "conv", kernel=3, channels=channels))
            rows.append(Layer(f"relu{block}_{i}", "relu"))
        rows.append(Layer(f"pool{block}", "pool", kernel=2, stride=2))
    return tuple(rows)


VGG19: LayerTable = _vgg([(2, 64), (2, 128), (4, 256), (4, 512), (4, 512)])
"""Configuration E of Simonyan and Zisserman (2015), without its classifier."""


def up_to_deepest(table: LayerTable, names: Iterable[str]) -> LayerTable:
    """The rows down to the deepest of ``names``.

    Raises:
        UnknownLayerError: a name is not in the table; the message has the nearest one.
    """
    order = {row.name: depth for depth, row in enumerate(table)}
    for name in names:
        if name not in order:
            raise UnknownLayerError(f"unknown layer {name!r}: did you mean {nearest(name, order)!r}?")
    return table[: max((order[name] for name in names), default=-1) + 1]


def total_stride(table: LayerTable) -> int:
    """How many input positions lie between two neighbouring positions of the last row."""
    stride = 1
    for row in table:
        stride *= row.stride
    return stride


Interval = tuple[int, int]
"""Positions along one axis: start and stop, the stop not included."""


def grid_sizes(table: LayerTable, extent: int, *, padded: bool = True) -> list[int]:
    """How many positions the input and then each row have along an axis, for an input of ``extent``.

    ``padded`` tells whether convolutions are padded to keep the size.
    """
    sizes = [extent]
    for row in table:
        sizes.append((sizes[-1] + 2 * _margin(row, padded) - row.kernel) // row.stride + 1)
    return sizes


def receptive_field(table: LayerTable, position: int, extent: int | None = None, *, padded: bool = True) -> Interval:
    """The input positions along an axis that can change the last row's activation at ``position``.

    With the ``extent`` of the input the field is exact at its borders: it is clipped in every row on the way back, since
    padding passes nothing on, and pooling drops what is left over at the end. Without it the axis is endless: the field has
    its full size and may begin below zero.

    Raises:
        SettingsError: the last row has no such position.
    """
    sizes = None if extent is None else grid_sizes(table, extent, padded=padded)
    if sizes and not 0 <= position < sizes[-1]:
        raise SettingsError(f"position {position} is outside of {table[-1].name}, which has {sizes[-1]} for {extent}")
    start, stop = position, position + 1
    for depth, row in reversed(list(enumerate(table))):
        margin = _margin(row, padded)
        start = start * row.stride - margin
        stop = (stop - 1) * row.stride - margin + row.kernel
        if sizes:
            start, stop = max(start, 0), min(stop, sizes[depth])
    return start, stop


def _margin(row: Layer, padded: bool) -> int:
    return row.kernel // 2 if padded and row.operation == "conv" else 0
