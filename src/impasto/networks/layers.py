"""The layers of a ConvNet as a table, and what follows from the table alone.

A network is data: rows of :class:`Layer` in the order in which they are computed. Nothing here imports torch, so that
settings are checked and help is printed without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Literal, NamedTuple

from impasto.errors import SettingsError, UnknownLayerError, nearest

Operation = Literal["conv", "relu", "pool", "stft"]

SIGNAL = "signal"
"""The ``source`` of a row whose input is the signal itself."""


class Layer(NamedTuple):
    """One row: an operation on the activation of the row above, or of the earlier row named ``source``.

    ``kernel`` and ``stride`` are positions along every axis; ``channels`` is n_C of the result of a convolution or a
    spectrogram, and 0 for the other operations, which keep it.
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


_CONFIGURATIONS = {"VGG-11": (1, 1, 2, 2, 2), "VGG-13": (2,) * 5, "VGG-16": (2, 2, 3, 3, 3), "VGG-19": (2, 2, 4, 4, 4)}
_WIDTHS = (64, 128, 256, 512, 512)

VGGS: dict[str, LayerTable] = {
    name: _vgg([*zip(convolutions, _WIDTHS, strict=True)]) for name, convolutions in _CONFIGURATIONS.items()
}
"""Configurations A, B, D and E of Simonyan and Zisserman (2015), without their classifiers."""

VGG16, VGG19 = VGGS["VGG-16"], VGGS["VGG-19"]


def bank(widths: Sequence[int], channels: int) -> LayerTable:
    """Parallel convolutions of the signal, one of each width, each followed by a ReLU: conv3 relu3 conv5 relu5 ..."""
    rows: list[Layer] = []
    for width in widths:
        rows.append(Layer(f"conv{width}", "conv", kernel=width, channels=channels, source=SIGNAL))
        rows.append(Layer(f"relu{width}", "relu"))
    return tuple(rows)


class Architecture(NamedTuple):
    """The layers of a network, and the layers at which the costs are taken by default.

    ``placing_layers`` are those of the neighbour cost, by which the style's forms are placed while it is painted, and
    ``drawing_layers`` those of a signal that is drawn before; ``brush_layers`` those of the style layers that hold the brush
    but not yet the motif. All are empty if the network does not draw.
    """

    table: LayerTable
    content_layers: tuple[tuple[str, float], ...]
    style_layers: tuple[tuple[str, float], ...]
    placing_layers: tuple[tuple[str, float], ...] = ()
    drawing_layers: tuple[tuple[str, float], ...] = ()
    brush_layers: tuple[str, ...] = ()


def _equally(names: Sequence[str]) -> tuple[tuple[str, float], ...]:
    return tuple((name, 1 / len(names)) for name in names)


def _fewest_channels_most(table: LayerTable, last: str) -> tuple[tuple[str, float], ...]:
    """The ReLUs of a chain down to ``last``, each weighted by one over its channels: fine lines and colours count most."""
    weights: dict[str, float] = {}
    channels = 1
    for row in table:
        channels = row.channels or channels
        if row.operation == "relu" and last not in weights:
            weights[row.name] = 1 / channels
    total = sum(weights.values())
    return tuple((layer, weight / total) for layer, weight in weights.items())


def _bank_architecture(widths: Sequence[int], channels: int) -> Architecture:
    layers = _equally([f"relu{width}" for width in widths])
    return Architecture(bank(widths, channels), layers, layers)


def _vgg_architecture(table: LayerTable) -> Architecture:
    blocks = [f"relu{block}_1" for block in range(1, 6)]
    drawing = _fewest_channels_most(table, "relu4_3")
    return Architecture(table, (("relu4_2", 1.0),), _equally(blocks), _equally(blocks[1:4]), drawing, tuple(blocks[:3]))


ARCHITECTURES: dict[str, Architecture] = {
    "vgg19": _vgg_architecture(VGG19),
    "vgg16": _vgg_architecture(VGG16),
    "bank": _bank_architecture((3, 5, 9, 17, 33, 65, 129), 128),
    "spectral": _bank_architecture((3, 7, 15, 31), 256),
}
"""The networks that are tables of layers, by their names in :mod:`impasto.networks.registry`."""


def sources(table: LayerTable) -> dict[str, str]:
    """For each row the name of the row whose activation is its input; for the first it is the signal."""
    above = (SIGNAL, *(row.name for row in table))
    return {row.name: row.source or name for name, row in zip(above, table, strict=False)}


@cache
def aliases(table: LayerTable) -> dict[str, str]:
    """What Keras and torchvision call the layers of a VGG, and what they are called here; of any other table nothing.

    Keras' ``block5_conv4`` is the convolution with its ReLU, relu5_4; torchvision's ``features.N`` is the N-th row.
    """
    if not any(table == vgg[: len(table)] for vgg in VGGS.values()):
        return {}
    keras = {"relu": r"block\1_conv\2", "pool": r"block\1_pool"}
    there = {re.sub(r"\D+(\d)_?(\d*)", keras[row.operation], row.name): row for row in table if row.operation in keras}
    there |= {f"features.{number}": row for number, row in enumerate(table)}
    return {name: row.name for name, row in there.items()}


def unknown_layer(name: str, known: Iterable[str]) -> UnknownLayerError:
    """The error for a layer that is not one of those ``known``; its message has the nearest one.

    A network whose layers are named in another way has none that is near: of a layer of such a network it names all.
    """
    known = list(known)
    alike = [layer for layer in known if layer.replace("_", "") == name.replace("_", "")]
    alike = alike or [layer for layer in known if _spelling(layer) == _spelling(name)]
    if not alike:
        others = [other for other, architecture in ARCHITECTURES.items() if name in sources(architecture.table)]
        if others:
            layers = ", ".join(layer for layer in known if layer.startswith(name[:4])) or ", ".join(known)
            return UnknownLayerError(f"unknown layer {name!r}, which is one of {others[0]}: this network has {layers}")
    return UnknownLayerError(f"unknown layer {name!r}: did you mean {nearest(name, alike or known)!r}?")


def _spelling(name: str) -> str:
    """The name with a mark for each number in it."""
    return re.sub(r"\d+", "#", name)


def up_to_deepest(table: LayerTable, names: Iterable[str]) -> LayerTable:
    """The rows from which ``names`` are computed; in a chain of layers, all down to the deepest of them.

    Raises:
        UnknownLayerError: a name is not in the table; the message has the nearest one.
    """
    source = sources(table)
    needed = {SIGNAL}
    for name in names:
        if name not in source:
            raise unknown_layer(name, source)
        while name not in needed:
            needed.add(name)
            name = source[name]
    return tuple(row for row in table if row.name in needed)


def total_stride(table: LayerTable) -> int:
    """How many positions of the input are one step of the coarsest row."""
    strides = {SIGNAL: 1}
    for row, source in zip(table, sources(table).values(), strict=True):
        strides[row.name] = strides[source] * row.stride
    return max(strides.values())


def smallest_size(table: LayerTable, *, padded: bool = True) -> int:
    """The fewest positions of the input along an axis with which every row has at least one."""
    source = sources(table)
    needed = dict.fromkeys((SIGNAL, *source), 1)
    for row in reversed(table):
        kernel = 1 if row.operation == "conv" and padded else row.kernel
        before = (needed[row.name] - 1) * row.stride + kernel
        needed[source[row.name]] = max(needed[source[row.name]], before)
    return needed[SIGNAL]


Interval = tuple[int, int]
"""Positions along one axis: start and stop, the stop not included."""


class Field(NamedTuple):
    """The receptive fields of a layer along an axis without borders: start and size of that of position 0, and the step to
    the next one."""

    start: int
    size: int
    step: int

    def at(self, position: int) -> Interval:
        """The receptive field of a position; it may begin below zero."""
        start = self.start + position * self.step
        return start, start + self.size


def field_of(table: LayerTable, *, padded: bool = True) -> Field:
    """The receptive fields of the last row along an axis without borders."""
    start, stop = receptive_field(table, 0, padded=padded)
    return Field(start, stop - start, receptive_field(table, 1, padded=padded)[0] - start)


def channels_of(table: LayerTable, layer: str) -> int:
    """n_C of a layer: how many units it has.

    Raises:
        UnknownLayerError: there is no such layer.
    """
    return next(row.channels for row in reversed(way(up_to_deepest(table, [layer]))) if row.channels)


def way(table: LayerTable) -> LayerTable:
    """The rows from which the last row is computed, and the last row; in a table without branches all of them."""
    rows, source = {row.name: row for row in table}, sources(table)
    found, name = [], table[-1].name if table else SIGNAL
    while name != SIGNAL:
        found.append(rows[name])
        name = source[name]
    return tuple(reversed(found))


def grid_sizes(table: LayerTable, extent: int, *, padded: bool = True) -> list[int]:
    """How many positions along an axis the input has, ``extent``, and then each row on the way to the last.

    ``padded`` tells whether convolutions are padded to keep the size.
    """
    sizes = [extent]
    for row in way(table):
        sizes.append((sizes[-1] + 2 * _margin(row, padded) - row.kernel) // row.stride + 1)
    return sizes


def receptive_field(table: LayerTable, position: int, extent: int | None = None, *, padded: bool = True) -> Interval:
    """The positions of the input along an axis that can change the last row's activation at ``position``.

    With the ``extent`` of the input the field is exact at the borders: it is clipped in every row on the way back, since
    padding does not depend on the input, and pooling drops positions that are left over at the end. Without ``extent`` the
    axis has no borders: the field has its full size and may begin below zero.

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
