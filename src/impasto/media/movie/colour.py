"""Converts the colours of movies to sRGB: from other primaries, other transfer curves, and HDR.

HDR is tone-mapped by ITU-R BT.2408, in which the white of paper, 203 cd/m2, becomes 1. If x, the largest of red, green and
blue, is above 0.9, all three are scaled so that it becomes ``0.9 + 0.1 (1 - exp(-(x - 0.9) / 0.1))``. That keeps hues, has
no kink at 0.9, and never reaches 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.media.signal import Values

# code points of ISO/IEC 23091-2 (H.273), which all codecs and containers share
UNSPECIFIED, BT709, BT601 = 2, 1, 5
_BT2020, _PQ, _HLG = 9, 16, 18
LIMITED_RANGE = 1
HDR = {_PQ: "PQ", _HLG: "HLG"}
_HD_LINES = 720
_UNREAD_MATRICES = {
    8: "YCgCo",
    10: "BT.2020 with constant luminance",
    11: "Y'D'zD'x",
    12: "primaries",
    13: "primaries with constant luminance",
    14: "ICtCp",
    15: "IPT-C2",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}
# white, red, green and blue as (x, y)
_D65, _C, _DCI, _E = (0.3127, 0.329), (0.31, 0.316), (0.314, 0.351), (1 / 3, 1 / 3)
_PRIMARIES = {
    1: (_D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)),
    4: (_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: (_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: (_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    8: (_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (_D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    10: (_E, (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: (_DCI, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    12: (_D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    22: (_D65, (0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}
_WIDE = {9: "BT.2020", 10: "CIE XYZ", 11: "DCI-P3", 12: "Display P3"}
_PAPER_WHITE, _HLG_PEAK, _PQ_PEAK = 203.0, 1000.0, 10_000.0
_KNEE = 0.9


def matrix_of(colorspace: int, transfer: int, height: int) -> int:
    """The code of the matrix from R'G'B' to Y'CbCr; if the file does not tell it, the one that players assume."""
    if colorspace == UNSPECIFIED or colorspace in _UNREAD_MATRICES:
        return _BT2020 if transfer in HDR else BT709 if height >= _HD_LINES else BT601
    return colorspace


def told_of(colorspace: int, transfer: int, primaries: int) -> list[str]:
    """Warnings about colours with these tags, each in a few words."""
    told: list[str] = []
    if colorspace in _UNREAD_MATRICES:
        told.append(f"colours coded as {_UNREAD_MATRICES[colorspace]} are not understood, and are taken for Y'CbCr")
    if transfer in HDR:
        told.append(
            f"HDR ({HDR[transfer]}) is tone-mapped to SDR: the white of paper becomes 1, what is brighter is compressed"
        )
    elif primaries in _WIDE:
        told.append(f"colours of {_WIDE[primaries]} become those of sRGB; what lies beyond is cut")
    return told


def to_srgb(colours: NDArray[np.unsignedinteger], transfer: int, primaries: int) -> NDArray[np.unsignedinteger]:
    """Colours (height, width, 3) with these tags as sRGB, integers over their full range.

    If the tags say sRGB, BT.709 or nothing, the colours are returned unchanged, as BT.709's curve is that of cameras, and
    screens show it like sRGB. Others become uint16.
    """
    if transfer in HDR and primaries not in _PRIMARIES:
        primaries = _BT2020
    if transfer not in _LINEAR and primaries not in _FROM:
        return colours
    values = colours.astype(np.float32) / np.float32(np.iinfo(colours.dtype).max)
    light = _LINEAR.get(transfer, _srgb_to_linear)(values)
    if primaries in _FROM:
        light = light @ _FROM[primaries].T
    light = light.clip(0, None)
    if transfer in HDR:
        light = _compressed(light)
    return (65535 * _linear_to_srgb(light.clip(0, 1))).round().astype(np.uint16)


def _compressed(light: Values) -> Values:
    brightest = np.maximum(light.max(-1, keepdims=True), np.float32(1e-6))
    shoulder = _KNEE + (1 - _KNEE) * (1 - np.exp(-(brightest - _KNEE).clip(0, None) / (1 - _KNEE)))
    return light * np.where(brightest > _KNEE, shoulder / brightest, 1).astype(np.float32)


def _pq(values: Values) -> Values:
    """BT.2100, table 4: the light of the display, with the white of paper at 1."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = values.astype(np.float64) ** (1 / m2)
    light = ((power - c1).clip(0, None) / (c2 - c3 * power)) ** (1 / m1)
    return (light * _PQ_PEAK / _PAPER_WHITE).astype(np.float32)


def _hlg(values: Values) -> Values:
    """BT.2100, table 5: the light of a display of 1000 cd/m2 (gamma 1.2 on luminance), with the white of paper at 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.678, 0.0593], np.float32)
    return (scene * (_HLG_PEAK / _PAPER_WHITE) * luminance[..., None] ** 0.2).astype(np.float32)


def _srgb_to_linear(values: Values) -> Values:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _linear_to_srgb(light: Values) -> Values:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


_LINEAR: dict[int, Callable[[Values], Values]] = {
    5: lambda values: values**2.8,
    8: lambda values: values,
    9: lambda values: 10 ** (2 * (values - 1)),
    10: lambda values: 10 ** (2.5 * (values - 1)),
    _PQ: _pq,
    17: lambda values: values**2.6 * np.float32(52.37 / 48),
    _HLG: _hlg,
}


def _to_xyz(primaries: int) -> NDArray[Any]:
    white, *colours = ((x, y, 1 - x - y) for x, y in _PRIMARIES[primaries])
    columns = np.array(colours).T
    return columns * np.linalg.solve(columns, np.array(white) / white[1])


def _matrix(primaries: int) -> NDArray[np.float32]:
    """The matrix from linear RGB with these primaries to linear sRGB; grey stays grey."""
    matrix = np.linalg.solve(_to_xyz(BT709), _to_xyz(primaries))
    return (matrix / matrix.sum(1, keepdims=True)).astype(np.float32)


_FROM = {primaries: _matrix(primaries) for primaries in _PRIMARIES if primaries != BT709}
