"""Colour: whose colours a painting has.

After Gatys, Bethge, Hertzmann and Shechtman, "Preserving Color in Neural Artistic Style Transfer" (2016), arXiv:1606.05897.
Everything is computed on sRGB values as they are stored, (3, *space) in 0..1: in linear light a few bright pixels
decide the covariance, and the matched style loses its shadows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.media.signal import Values

Array = NDArray[np.floating[Any]]

_LUMA = np.array((0.2126, 0.7152, 0.0722), np.float32)
# what no eye tells apart is no colour: without it the noise of a grey style would be blown up to the colours of the content
_FAINT = 0.02
_SMALLEST = np.finfo(np.float32).tiny


def luminance(values: Values) -> Values:
    """Luma Y' of R, G, B (ITU-R BT.709), (1, *space) in 0..1."""
    return np.einsum("c,c...->...", _LUMA, values)[None]


def with_luminance(values: Values, wanted: Values) -> Values:
    """The colours of ``values`` with the luma ``wanted``, (1, *space) in 0..1.

    The differences R - Y', G - Y', B - Y' stay; where a pixel has no room for them they are made smaller, all three by one
    factor, which keeps hue and luma and clips nothing.
    """
    difference = values - luminance(values)
    wanted = wanted.clip(0, 1)
    room = np.where(difference > 0, 1 - wanted, wanted)
    # a pixel that is nearly black or white may have differences smaller than its noise, and keeps them
    with np.errstate(over="ignore"):
        factor = (room / np.maximum(abs(difference), _SMALLEST)).min(0, keepdims=True).clip(max=1)
    return (wanted + factor * difference).clip(0, 1).astype(np.float32)


def matched_luminance(style: Values, content: Values) -> Values:
    """The luma of the style, with mean and deviation of the content's: (1, *space) in 0..1 (section 5 of the paper)."""
    own, other = luminance(style), luminance(content)
    return ((own - own.mean()) * (other.std() / max(float(own.std()), _FAINT)) + other.mean()).clip(0, 1)


def matched(style: Values, content: Values) -> Values:
    """The style recoloured linearly: its colours get the mean and, where 0..1 allows, the covariance of the content's.

    Of all linear maps that do so, the paper's equation 2 leaves one to choose. This one changes the colours least (Pitié and
    Kokaram 2007): A = S^-1/2 (S^1/2 C S^1/2)^1/2 S^-1/2 for the covariances S and C.
    """
    s, c = (picture.reshape(3, -1).astype(np.float64) for picture in (style, content))
    faint = _FAINT**2 * np.eye(3)
    cov_s, cov_c = np.cov(s) + faint, np.cov(c) + faint
    root, inverse = _power(cov_s, 0.5), _power(cov_s, -0.5)
    transport = inverse @ _power(root @ cov_c @ root, 0.5) @ inverse
    recoloured = transport @ (s - s.mean(1, keepdims=True)) + c.mean(1, keepdims=True)
    return recoloured.clip(0, 1).reshape(style.shape).astype(np.float32)


def _power(matrix: Array, exponent: float) -> Array:
    """A power of a symmetric positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


class Colour(NamedTuple):
    """What is painted, and what becomes of the result.

    Attributes:
        content: what is painted of the content: all of it, or its luminance.
        style: what is learned from the style, for this content.
        result: the painting, of G and the content.
    """

    content: Callable[[Values], Values] = lambda content: content
    style: Callable[[Values, Values], Values] = lambda style, content: style
    result: Callable[[Values, Values], Values] = lambda generated, content: generated


COLOURS = {
    "style": Colour(),
    "content": Colour(result=lambda generated, content: with_luminance(content, luminance(generated))),
    "luminance": Colour(luminance, matched_luminance, lambda generated, content: with_luminance(content, generated)),
    "match": Colour(style=matched),
}
