"""The layers of a ConvNet as a table, and what follows from the table alone.

A network is data: rows of :class:`Layer` in the order in which they are computed. Nothing here needs torch, so that
settings are checked and help is printed before it is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from impasto.errors import SettingsError, UnknownLayerError, nearest

Operation = Literal["conv", "relu", "pool", "stft"]

SIGNAL = "signal"
"""The name by which a row takes the signal itself as its input."""


class Layer(NamedTuple):
    """One row: what is done to the activation of the row above, or of the earlier row named ``source``.

    ``kernel`` and ``stride`` are positions along every axis; ``channels`` is n_C of the result of a convolution or a
    spectrogram (the other operations keep it).
    """

    name: str
    operation: Operation
    kernel: int = 1
    stride: int = 1
    channels: int = 0
    source: str = ""


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


def bank(widths: Sequence[int], channels: int) -> LayerTable:
    """Parallel convolutions of the signal, one of each width, each followed by a ReLU: conv3 relu3 conv5 relu5 ..."""
    rows: list[Layer] = []
    for width in widths:
        rows.append(Layer(f"conv{width}", "conv", kernel=width, channels=channels, source=SIGNAL))
        rows.append(Layer(f"relu{width}", "relu"))
    return tuple(rows)


class Network(NamedTuple):
    """A network by name: its layers, and where the costs are taken unless one says so."""

    table: LayerTable
    content_layers: tuple[tuple[str, float], ...]
    style_layers: tuple[tuple[str, float], ...]


def _equally(names: Sequence[str]) -> tuple[tuple[str, float], ...]:
    return tuple((name, 1 / len(names)) for name in names)


def _bank_network(widths: Sequence[int], channels: int) -> Network:
    layers = _equally([f"relu{width}" for width in widths])
    return Network(bank(widths, channels), layers, layers)


NETWORKS: dict[str, Network] = {
    "vgg19": Network(VGG19, (("relu4_2", 1.0),), _equally([f"relu{block}_1" for block in range(1, 6)])),
    "bank": _bank_network((3, 5, 9, 17, 33, 65, 129), 128),
    "spectral": _bank_network((3, 7, 15, 31), 256),
}


def sources(table: LayerTable) -> dict[str, str]:
    """For each row the name of the one whose activation it takes; the first takes the signal."""
    above = (SIGNAL, *(row.name for row in table))
    return {row.name: row.source or name for name, row in zip(above, table, strict=False)}


def up_to_deepest(table: LayerTable, names: Iterable[str]) -> LayerTable:
    """The rows from which ``names`` are computed; in a chain of layers, all down to the deepest of them.

    Raises:
        UnknownLayerError: a name is not in the table; the message has the nearest one.
    """
    source = sources(table)
    needed = {SIGNAL}
    for name in names:
        if name not in source:
            raise UnknownLayerError(f"unknown layer {name!r}: did you mean {nearest(name, source)!r}?")
        while name not in needed:
            needed.add(name)
            name = source[name]
    return tuple(row for row in table if row.name in needed)


def total_stride(table: LayerTable) -> int:
    """How many input positions lie between two neighbouring positions of the coarsest row."""
    strides = {SIGNAL: 1}
    for row, source in zip(table, sources(table).values(), strict=True):
        strides[row.name] = strides[source] * row.stride
    return max(strides.values())


def smallest_size(table: LayerTable, *, padded: bool = True) -> int:
    """The fewest input positions along an axis for which every row has at least one."""
    source = sources(table)
    needed = dict.fromkeys((SIGNAL, *source), 1)
    for row in reversed(table):
        kernel = 1 if row.operation == "conv" and padded else row.kernel
        before = (needed[row.name] - 1) * row.stride + kernel
        needed[source[row.name]] = max(needed[source[row.name]], before)
    return needed[SIGNAL]


Interval = tuple[int, int]
"""Positions along one axis: start and stop, the stop not included."""


def way(table: LayerTable) -> LayerTable:
    """The rows that the last row is computed from, and itself; in a table without branches all of them."""
    rows, source = {row.name: row for row in table}, sources(table)
    found, name = [], table[-1].name if table else SIGNAL
    while name != SIGNAL:
        found.append(rows[name])
        name = source[name]
    return tuple(reversed(found))


def grid_sizes(table: LayerTable, extent: int, *, padded: bool = True) -> list[int]:
    """How many positions the input and then each row on the way to the last have along an axis, for an input of ``extent``.

    ``padded`` tells whether convolutions are padded to keep the size.
    """
    sizes = [extent]
    for row in way(table):
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
    for depth, row in reversed(list(enumerate(way(table)))):
        margin = _margin(row, padded)
        start = start * row.stride - margin
        stop = (stop - 1) * row.stride - margin + row.kernel
        if sizes:
            start, stop = max(start, 0), min(stop, sizes[depth])
    return start, stop


def _margin(row: Layer, padded: bool) -> int:
    return row.kernel // 2 if padded and row.operation in ("conv", "stft") else 0
