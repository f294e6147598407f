"""Pictures: both scaled to one size, seen by VGG-19."""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor

from impasto.errors import SizeError
from impasto.network.layers import LayerTable, total_stride
from impasto.signals.image import over_white, resample_image, scaled_shape
from impasto.signals.signal import Signal, Values
from impasto.transfer.colour import COLOURS
from impasto.transfer.estimate import fit
from impasto.transfer.kinds.kind import Prepared, table_of, vgg19_of
from impasto.transfer.plan import Task
from impasto.transfer.settings import TransferSettings


def prepare_images(content: Signal, style: Signal, settings: TransferSettings) -> Prepared:
    """Content and style with their longest sides scaled to ``settings.size``, if network and memory can take it.

    Raises:
        SizeError: a picture is too small for the deepest layer, or too large for the memory.
        WeightsError: the weights are missing, damaged, or of another network.
    """
    content, style = _scaled(content, over_white(style), settings)
    colour, (height, width) = COLOURS[settings.colour], content.shape
    return Prepared(
        content=_tensor(colour.content(content.values)),
        style=_tensor(colour.style(style.values, content.values)),
        network=vgg19_of(settings),
        restore=lambda generated: content.with_values(colour.result(generated, content.values)),
        fit=lambda picture: _tensor(colour.content(resample_image(over_white(picture), (height, width)).values)),
        random=(0.5, 0.1),
        bounds=(0.0, 1.0),
        natural=True,
    )


def _scaled(content: Signal, style: Signal, settings: TransferSettings) -> tuple[Signal, Signal]:
    table = table_of(settings)
    longest = max(content.shape) if settings.size == "full" else int(settings.size or 0)
    # a style is never enlarged: its strokes would be learned blurred
    targets = {"content": longest, "style": min(round(settings.stroke * longest), max(style.shape))}
    shapes: dict[str, tuple[int, int]] = {}
    for (role, target), picture in zip(targets.items(), (content, style), strict=True):
        shapes[role] = scaled_shape(picture.shape, target)
        _check_size(role, picture.shape, shapes[role], table)
    fit(Task(table, shapes["content"], 3, 1, tuple(settings.content_weights), shapes["style"]), settings)
    return resample_image(content, shapes["content"]), resample_image(style, shapes["style"])


def _check_size(role: str, given: tuple[int, ...], shape: tuple[int, int], table: LayerTable) -> None:
    smallest = total_stride(table)
    if min(shape) >= smallest:
        return
    height, width = shape
    longest = ceil(smallest * max(given) / min(given))
    raise SizeError(
        f"the {role} at {width} x {height} pixels is too small for {table[-1].name}, which needs {smallest} on each side; "
        f"give a {role} and a --size of at least {longest}, or layers less deep"
    )


def _tensor(values: Values) -> Tensor:
    return torch.from_numpy(values)[None]
