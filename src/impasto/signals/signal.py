"""A signal: values on a grid, and what is needed to write them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Signal:
    """What is painted: content, style and result.

    Attributes:
        values: float32 of shape (channels, *space). Of an image: (3, height, width), sRGB, 0..1.
        kind: what it is, a row of :data:`impasto.signals.formats.FORMATS`, e.g. "image".
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
