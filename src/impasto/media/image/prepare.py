"""Pictures ready to be painted: content and styles scaled, and made grey if all of them are."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod

import numpy as np
import torch
from torch import Tensor

from impasto.descent.memory import fit
from impasto.errors import SizeError
from impasto.media.image.colour import COLOURS, luminance
from impasto.media.image.read import over_white, resample_image, scaled_shape
from impasto.media.image.regions import where_of
from impasto.media.prepared import Prepared, check_whole
from impasto.media.resolved import ResolvedSettings
from impasto.media.signal import Signal, Values, roles
from impasto.media.styles import Styles
from impasto.networks.tiling.plan import FLOAT, Task, covering


def prepare_images(content: Signal, styles: Styles, settings: ResolvedSettings) -> Prepared:
    """Content and styles scaled to ``settings.size``, the longest side of the content, if network and memory can take it.

    Raises:
        SizeError: a picture is too small for the deepest layer, or too large for the memory.
        WeightsError: the weights are missing, damaged, or of another network.
    """
    content, *pictures = _scaled(content, [over_white(style) for style, _ in styles], settings)
    colour, (height, width) = COLOURS[settings.colour], content.shape
    where = where_of(settings, (height, width), [picture.shape for picture in pictures])
    grey = all(_is_grey(picture) for picture in (content, *pictures))

    def seen(values: Values) -> Tensor:
        # grey pictures are painted in one channel, so that no tint can appear
        return torch.from_numpy(luminance(values) if grey and len(values) == 3 else values)[None]

    def restore(generated: Values) -> Signal:
        if grey:
            generated = np.broadcast_to(generated, content.values.shape)
        return content.with_values(where.result(colour.result(generated, content.values), content.values))

    return Prepared(
        content=seen(colour.content(content.values)),
        style=[
            (seen(colour.style(picture.values, content.values)), share)
            for picture, (_, share) in zip(pictures, styles, strict=True)
        ],
        objective=settings.objective,
        network=settings.network.build(),
        restore=restore,
        fit=lambda picture: seen(colour.content(resample_image(over_white(picture), (height, width)).values)),
        random=(0.5, 0.1),
        bounds=(0.0, 1.0),
        natural=True,
        held=where.held,
        bind=where.bind,
    )


def _scaled(content: Signal, styles: Sequence[Signal], settings: ResolvedSettings) -> list[Signal]:
    smallest, longest = settings.smallest_size, settings.size or max(content.shape)
    # a style is never enlarged, which would blur its strokes, nor made smaller than the network can take
    targets = [
        longest,
        *(min(max(round(settings.stroke * longest), _longest_for(style, smallest)), max(style.shape)) for style in styles),
    ]
    pictures = roles(content, styles)
    shapes = [scaled_shape(picture.shape, target) for picture, target in zip(pictures.values(), targets, strict=True)]
    for (role, picture), shape in zip(pictures.items(), shapes, strict=True):
        _check_size(role, picture.shape, shape, smallest, settings.deepest)
    if settings.table:  # before anything is resampled
        J = settings.objective  # noqa: N806
        fit(Task(settings.table, shapes[0], 3, 1, J.targets, covering(shapes[1:]), J.searched), settings.limits)
    elif settings.network.given is not None:
        read = sum(picture.values.nbytes for picture in pictures.values())
        check_whole(settings, shapes[0], 3, read + FLOAT * 3 * sum(prod(shape) for shape in shapes))
    return [resample_image(picture, shape) for picture, shape in zip(pictures.values(), shapes, strict=True)]


def _check_size(role: str, given: tuple[int, ...], shape: tuple[int, int], smallest: int, layer: str) -> None:
    if min(shape) >= smallest:
        return
    height, width = shape
    longest = ceil(smallest * max(given) / min(given))
    raise SizeError(
        f"the {role} at {width} x {height} pixels is too small for {layer}, which needs {smallest} on each side; "
        f"give a {role.split()[0]} and a --size of at least {longest}, or layers less deep"
    )


def _is_grey(picture: Signal) -> bool:
    return bool((picture.values == picture.values[:1]).all())


def _longest_for(picture: Signal, smallest: int) -> int:
    """The longest side with which the shortest one is ``smallest`` pixels."""
    return ceil(smallest * max(picture.shape) / min(picture.shape))
