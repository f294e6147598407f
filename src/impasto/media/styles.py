"""One style or several: each has a share in the painting, by which the styles' statistics are blended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from impasto.errors import SettingsError
from impasto.media.signal import Signal
from impasto.validation import number

Source = str | Path | Image.Image | np.ndarray[Any, Any] | Tensor | Signal
"""How a signal can be given: as a file, as a signal or, if it is a picture, as a PIL image, an array
(height, width[, 3 or 4]) or a tensor ([1,] 3, height, width)."""

Style = Source | tuple[Source, float]
"""A style, or a style and its weight, which is 1 if none is given."""

Styles = Sequence[tuple[Signal, float]]
"""The signals of the styles, with their shares, which sum to 1."""


def shares(style: Style | Sequence[Style]) -> list[tuple[Source, float]]:
    """Each style with its share: its weight divided by the sum of all weights.

    Raises:
        SettingsError: there is no style, a weight is not a number of at least 0, or all weights are 0.
    """
    given: Any = style if isinstance(style, list | tuple) and not _is_weighted(style) else [style]
    pairs: list[tuple[Source, Any]] = [one if _is_weighted(one) else (one, 1.0) for one in given]
    if not pairs:
        raise SettingsError("no style was given; at least one was expected")
    weights = [number(0)(f"the weight of the style {name_of(source)}", weight) for source, weight in pairs]
    total = sum(weights)
    if not 0 < total < math.inf:
        raise SettingsError(f"the weights of the styles sum to {total:g}; give one of them a weight above 0")
    return [(source, weight / total) for (source, _), weight in zip(pairs, weights, strict=True)]


def names_of(weighted: Sequence[tuple[Source, float]]) -> str:
    """The styles as the command line names them: ``monet.jpg``, or ``monet.jpg:0.7 hokusai.jpg:0.3``."""
    if len(weighted) == 1:
        return name_of(weighted[0][0])
    return " ".join(f"{name_of(source)}:{share:g}" for source, share in weighted)


def name_of(source: Source) -> str:
    """The name of a file without its folder, or the type of a source that is no file."""
    return Path(source).name if isinstance(source, str | Path) else type(source).__name__


def _is_weighted(style: Any) -> bool:
    return isinstance(style, tuple) and len(style) == 2 and isinstance(style[1], Real)
