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
# a deviation that no eye sees: the noise of a grey style would otherwise be blown up to the colours of the content
_FAINT = 0.02
_SMALLEST = np.finfo(np.float32).tiny


def luminance(values: Values) -> Values:
    """Luma Y' of R, G, B (ITU-R BT.709), (1, *space) in 0..1."""
    return np.einsum("c,c...->...", _LUMA, values)[None]


def with_luminance(values: Values, wanted: Values) -> Values:
    """The colours of ``values``, (3, *space), with the luma ``wanted``, (1, *space), all in 0..1.

    The differences R - Y', G - Y', B - Y' stay. Where they would leave 0..1 all three are made smaller by one factor, which
    keeps hue and luma and clips nothing.
    """
    difference = values - luminance(values)
    wanted = wanted.clip(0, 1)
    room = np.where(difference > 0, 1 - wanted, wanted)
    # the differences of a nearly black or white pixel may be tiny: the quotient overflows, and the factor is 1
    with np.errstate(over="ignore"):
        factor = (room / np.maximum(abs(difference), _SMALLEST)).min(0, keepdims=True).clip(max=1)
    return (wanted + factor * difference).clip(0, 1).astype(np.float32)


def matched_luminance(style: Values, content: Values) -> Values:
    """The luma of the style with the mean and deviation of the content's, (1, *space) in 0..1 (section 5 of the paper)."""
    own, other = luminance(style), luminance(content)
    return ((own - own.mean()) * (other.std() / max(float(own.std()), _FAINT)) + other.mean()).clip(0, 1)


def matched(style: Values, content: Values) -> Values:
    """The style with its colours mapped linearly to the mean and, as far as 0..1 allows, the covariance of the content's.

    Many linear maps do so (equation 2 of the paper). This one changes the colours least (Pitié and Kokaram 2007):
    A = S^-1/2 (S^1/2 C S^1/2)^1/2 S^-1/2 for the covariances S of the style and C of the content.
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
    """What becomes of the colours before and after the descent.

    Attributes:
        content: makes C from the content: all of it, or its luma.
        style: makes S from the style and the content.
        result: makes the painting from G and the content.
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
