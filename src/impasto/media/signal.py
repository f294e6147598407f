"""A signal: values on a grid, and what is needed to write them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

T = TypeVar("T")


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
