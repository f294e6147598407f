"""The layers of a ConvNet as a table, and what follows from the table alone.

A network is data: rows of :class:`Layer` in the order in which they are computed. Nothing here needs torch, so that
settings are checked and help is printed before it is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from impasto.errors import UnknownLayerError, nearest

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
