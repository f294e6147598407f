"""What the notebooks need beside the exercises: a picture as a small square tensor, and pictures side by side."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from impasto.errors import SignalError
from impasto.media.image.read import over_white, read_image, resample_image
from impasto.media.signal import Signal

# inches of a picture in a row
_SIDE = 2.1


def picture(source: Any, size: int) -> Tensor:
    """The middle of a picture as a tensor (3, size, size) with values in 0..1.

    Args:
        source: anything that :func:`impasto.read_image` takes.
        size: its side in pixels.

    Raises:
        SignalError: the source is no picture.
    """
    read = over_white(read_image(source))
    height, width = read.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = read.with_values(read.values[:, top : top + side, left : left + side])
    return torch.from_numpy(resample_image(square, (size, size)).values.copy())


def show(*pictures: Any, titles: str | list[str] = "", columns: int = 6, **named: Any) -> None:
    """Show pictures side by side below the cell.

    Args:
        pictures: tensors (3, height, width) or (height, width), paintings, signals, or what :func:`impasto.read_image`
            takes.
        titles: of them, a list or separated by commas.
        columns: how many in a row, at most.
        named: more pictures, whose names are their titles.

    Raises:
        SignalError: there is none, or one is no picture.
    """
    import matplotlib.pyplot as plt

    shown = [_pixels(each) for each in (*pictures, *named.values())]
    if not shown:
        raise SignalError("no picture was given to be shown; at least one was expected")
    told = [text.strip() for text in titles.split(",")] if isinstance(titles, str) else list(titles)
    told = [*told[: len(pictures)], *[""] * (len(pictures) - len(told)), *(name.replace("_", " ") for name in named)]
    across = min(columns, len(shown))
    down = -(-len(shown) // across)
    figure, axes = plt.subplots(down, across, figsize=(_SIDE * across, (_SIDE + 0.3) * down), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, pixels, text in zip(axes.flat, shown, told, strict=False):
        axis.imshow(pixels, cmap="gray" if pixels.dim() == 2 else None, interpolation="nearest")
        axis.set_title(text, fontsize=10)
    figure.tight_layout()
    plt.show()


def _pixels(given: Any) -> Tensor:
    """What matplotlib shows: (height, width, 3) in 0..1, or (height, width) of any range."""
    if isinstance(given, Tensor) and given.dim() == 2:
        return given.detach().cpu()
    signal = getattr(given, "signal", given)
    if isinstance(signal, Tensor):
        signal = signal.detach().cpu().clamp(0, 1)
    values = signal.values if isinstance(signal, Signal) else over_white(read_image(signal)).values
    return torch.from_numpy(values.copy()).permute(1, 2, 0)
