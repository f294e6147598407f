"""Pictures: both scaled to one size, seen by VGG-19."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import torch
from torch import Tensor

from impasto.errors import SizeError
from impasto.network.layers import LayerTable, total_stride
from impasto.signals.image import over_white, resample_image, scaled_shape
from impasto.signals.signal import Signal, Values, roles
from impasto.transfer.colour import COLOURS, luminance
from impasto.transfer.estimate import fit
from impasto.transfer.guided import where_of
from impasto.transfer.kinds.kind import Prepared, table_of, vgg19_of
from impasto.transfer.plan import Task, covering
from impasto.transfer.settings import TransferSettings
from impasto.transfer.styles import Styles


def prepare_images(content: Signal, styles: Styles, settings: TransferSettings) -> Prepared:
    """Content and styles with their longest sides scaled to ``settings.size``, if network and memory can take it.

    Where all of them are grey, so is the result.

    Raises:
        SizeError: a picture is too small for the deepest layer, or too large for the memory.
        WeightsError: the weights are missing, damaged, or of another network.
    """
    content, *pictures = _scaled(content, [over_white(style) for style, _ in styles], settings)
    colour, (height, width) = COLOURS[settings.colour], content.shape
    grey = all(picture.header.get("grey") for picture in (content, *pictures))
    where = where_of(settings, (height, width), [picture.shape for picture in pictures])

    def restore(generated: Values) -> Signal:
        values = where.result(colour.result(generated, content.values), content.values)
        if grey:
            return content.with_values(np.repeat(luminance(values).clip(0, 1), 3, 0))
        header = {name: value for name, value in content.header.items() if name != "grey"}
        return Signal(values, content.kind, header)

    return Prepared(
        content=_tensor(colour.content(content.values)),
        style=[
            (_tensor(colour.style(picture.values, content.values)), share)
            for picture, (_, share) in zip(pictures, styles, strict=True)
        ],
        network=vgg19_of(settings),
        restore=restore,
        fit=lambda picture: _tensor(colour.content(resample_image(over_white(picture), (height, width)).values)),
        random=(0.5, 0.1),
        bounds=(0.0, 1.0),
        natural=True,
        held=where.held,
        objective=where.objective,
    )


def _scaled(content: Signal, styles: Sequence[Signal], settings: TransferSettings) -> list[Signal]:
    table = table_of(settings)
    longest = max(content.shape) if settings.size == "full" else int(settings.size or 0)
    # a style is never enlarged: its strokes would be learned blurred
    targets = [longest, *(min(round(settings.stroke * longest), max(style.shape)) for style in styles)]
    pictures = roles(content, styles)
    shapes = [scaled_shape(picture.shape, target) for picture, target in zip(pictures.values(), targets, strict=True)]
    for (role, picture), shape in zip(pictures.items(), shapes, strict=True):
        _check_size(role, picture.shape, shape, table)
    fit(Task(table, shapes[0], 3, 1, tuple(settings.content_weights), covering(shapes[1:])), settings)
    return [resample_image(picture, shape) for picture, shape in zip(pictures.values(), shapes, strict=True)]


def _check_size(role: str, given: tuple[int, ...], shape: tuple[int, int], table: LayerTable) -> None:
    smallest = total_stride(table)
    if min(shape) >= smallest:
        return
    height, width = shape
    longest = ceil(smallest * max(given) / min(given))
    raise SizeError(
        f"the {role} at {width} x {height} pixels is too small for {table[-1].name}, which needs {smallest} on each side; "
        f"give a {role.split()[0]} and a --size of at least {longest}, or layers less deep"
    )


def _tensor(values: Values) -> Tensor:
    return torch.from_numpy(values)[None]
