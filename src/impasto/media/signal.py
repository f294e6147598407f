"""A signal: values on a grid, and what is needed to write them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError, nearest

Values = NDArray[np.float32]

T = TypeVar("T")

_ROUNDED = 0.01  # by so much filters may go beyond black and white
# the axes of the values of each kind
_AXES = {
    "image": ("1 or 3", "height", "width"),
    "movie": ("3", "frames", "height", "width"),
    "volume": ("channels", "x", "y", "z"),
    "series": ("leads", "samples"),
    "sound": ("channels", "samples"),
}


@dataclass(frozen=True)
class Signal:
    """What is painted: content, style and result.

    Attributes:
        values: float32 of shape (channels, *space). Of an image: (3, height, width), sRGB, 0..1.
        kind: what it is, a row of :data:`impasto.media.read_write.FORMATS`, e.g. "image".
        header: what a file of the kind holds beside the values, e.g. ``alpha``, the opacity (height, width) in 0..1, or
            ``rate``, the samples a second.
    """

    values: Values
    kind: str = "image"
    header: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def shape(self) -> tuple[int, ...]:
        """The positions along each axis of space; of an image (height, width)."""
        return self.values.shape[1:]

    def with_values(self, values: Values) -> Signal:
        """The same signal with other values of the same shape."""
        return replace(self, values=values)


def roles(content: T, styles: Sequence[T]) -> dict[str, T]:
    """The content and the styles of a painting by what people are told they are."""
    names = ["style"] if len(styles) == 1 else [f"style {i}" for i in range(1, len(styles) + 1)]
    return {"content": content, **dict(zip(names, styles, strict=True))}


def check_signal(signal: Signal) -> None:
    """See that a signal which did not come from a file is one.

    Raises:
        SignalError: its kind is unknown, or its values or its header are not those of the kind.
    """
    kind, values = signal.kind, signal.values
    if kind not in _AXES:
        raise SignalError(
            f"a signal of the kind {kind!r} is unknown: did you mean {nearest(kind, _AXES)}? ({', '.join(_AXES)})"
        )
    axes, given = _AXES[kind], getattr(values, "shape", type(values).__name__)
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        raise SignalError(f"the values of a signal are {getattr(values, 'dtype', given)}; an array of floats was expected")
    coloured = kind not in ("image", "movie") or str(len(values) if values.ndim else 0) in axes[0].split(" or ")
    if values.ndim != len(axes) or not values.size or not coloured:
        raise SignalError(f"values of shape {given} are no signal of the kind {kind!r}: ({', '.join(axes)}) was expected")
    if kind != "volume" and not np.isfinite(values.sum(dtype=np.float64)):
        raise SignalError(f"the values of a signal of the kind {kind!r} are NaN or infinite in places")
    if kind in ("image", "movie") and (values.min() < -_ROUNDED or values.max() > 1 + _ROUNDED):
        raise SignalError(
            f"a signal of the kind {kind!r} has values in {values.min():g}..{values.max():g}; 0..1 was expected"
        )
    if kind == "sound" and not signal.header.get("rate"):
        raise SignalError("a sound has no rate in its header; the samples a second were expected there")
    if "alpha" in signal.header and np.shape(signal.header["alpha"]) != signal.shape:
        raise SignalError(f"an opacity of shape {np.shape(signal.header['alpha'])} was given for values of shape {given}")
