"""A signal: values on a grid, and what is needed to write them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError

if TYPE_CHECKING:
    from impasto.media.medium import Medium

Values = NDArray[np.float32]

T = TypeVar("T")

_OVERSHOOT = 0.01  # filters may go this far beyond black and white


@dataclass(frozen=True)
class Signal:
    """A content, a style or a result.

    Attributes:
        values: float32 of shape (channels, *space). Of an image: (3, height, width), sRGB, 0..1.
        kind: the name of its :class:`impasto.media.medium.Medium`, e.g. "image".
        header: what its file holds beside the values, e.g. ``alpha``, the opacity (height, width) in 0..1, or ``rate``, the
            samples a second.
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
    """The content and the styles by the names that messages use: "content", and "style" or "style 1", "style 2"..."""
    names = ["style"] if len(styles) == 1 else [f"style {i}" for i in range(1, len(styles) + 1)]
    return {"content": content, **dict(zip(names, styles, strict=True))}


def check_signal(signal: Signal, medium: Medium) -> None:
    """See that a signal that the user made has the values and the header that its medium asks for.

    Raises:
        SignalError: it has not.
    """
    kind, values, axes = signal.kind, signal.values, medium.axes
    given, counts = getattr(values, "shape", type(values).__name__), axes[0].split(" or ")
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        raise SignalError(f"the values of a signal are {getattr(values, 'dtype', given)}; an array of floats was expected")
    fitting = not counts[0].isdigit() or str(len(values) if values.ndim else 0) in counts
    if values.ndim != len(axes) or not values.size or not fitting:
        raise SignalError(f"values of shape {given} are no signal of the kind {kind!r}: ({', '.join(axes)}) was expected")
    if medium.finite and not np.isfinite(values.sum(dtype=np.float64)):
        raise SignalError(f"the values of a signal of the kind {kind!r} are NaN or infinite in places")
    low, high = medium.bounds or (-np.inf, np.inf)
    if values.min() < low - _OVERSHOOT or values.max() > high + _OVERSHOOT:
        raise SignalError(
            f"a signal of the kind {kind!r} has values in {values.min():g}..{values.max():g}; {low:g}..{high:g} was expected"
        )
    for name, words in medium.needs.items():
        if not signal.header.get(name):
            raise SignalError(f"{medium.noun} has no {name} in its header; {words} were expected there")
    if "alpha" in signal.header and np.shape(signal.header["alpha"]) != signal.shape:
        raise SignalError(f"an opacity of shape {np.shape(signal.header['alpha'])} was given for values of shape {given}")
