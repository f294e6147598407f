"""Distances between a painting and its style, and between a painting and its content; and what may be wrong with a painting.

Each is at least 0, and less is better. Features are the activations of a layer at n positions, (n, channels); pictures are
(3, height, width) and lumas (height, width), in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, sobel
from skimage.color import rgb2xyz
from skimage.feature import canny
from skimage.metrics import structural_similarity
from skimage.morphology import disk
from skimage.transform import downscale_local_mean
from torch import Tensor

Array = NDArray[np.floating[Any]]

POSITIONS = 1024
"""How many positions are compared with each other."""
_NEIGHBOUR = 5
_DIRECTIONS, _QUANTILES, _PROJECTED = 64, 256, 4096
# of Ottosson, "A perceptual color space for image processing" (2020): CIE XYZ to cones, and their cube roots to OkLab
_XYZ_TO_CONES = np.array(
    (
        (0.8189330101, 0.3618667424, -0.1288597137),
        (0.0329845436, 0.9293118715, 0.0361456387),
        (0.0482003018, 0.2643662691, 0.6338517070),
    )
)
_CONES_TO_OKLAB = np.array(
    (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
)
# of Wang, Simoncelli and Bovik, "Multi-scale structural similarity" (2003), from the finest scale to the coarsest
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_SSIM_WINDOW = 11
_TOLERANCE = 2  # pixels between two edges that are the same
_EDGE_SIGMA = 2.0
_TINY = 1e-6


class Neighbours(NamedTuple):
    """How the features of two pictures lie among each other.

    Attributes:
        distance: mean cosine distance, 0..2, from a feature to the nearest one of the other picture, both ways.
        precision: the share of the painting's features that are as near to one of the style as its own neighbours are.
        coverage: the share of the style's features that have one of the painting so near.
    """

    distance: float
    precision: float
    coverage: float


def sampled(features: Tensor, count: int = POSITIONS) -> Tensor:
    """The features of at most ``count`` random positions, which are always the same ones of a grid."""
    return features[torch.randperm(len(features), generator=torch.Generator().manual_seed(0))[:count]]


def compare_neighbours(painting: Tensor, style: Tensor) -> Neighbours:
    """Where the features of a painting lie among those of the style, all of them minus the style's mean.

    Distances as in Kolkin et al., "Neural Neighbor Style Transfer" (2022), arXiv:2203.13215; precision after Kynkäänniemi et
    al. (2019), arXiv:1904.06991, and coverage after Naeem et al. (2020), arXiv:2002.09797, both of the fifth neighbour.
    """
    mean = style.mean(0)
    a, b = (F.normalize(sampled(features) - mean, dim=1) for features in (painting, style))
    between, within = ((1 - x @ b.T).clamp(min=0) for x in (a, b))
    radii = within.kthvalue(min(_NEIGHBOUR + 1, len(b)), dim=1).values + _TINY  # the first neighbour is the feature itself
    to_style, to_painting = between.amin(1), between.amin(0)
    return Neighbours(
        distance=(to_style.mean() + to_painting.mean()).item() / 2,
        precision=(between <= radii).any(1).float().mean().item(),
        coverage=(to_painting <= radii).float().mean().item(),
    )


def sliced_wasserstein(a: Tensor, b: Tensor) -> float:
    """The 1-Wasserstein distance of two sets of vectors, (n, c) and (m, c), averaged over 64 directions, always the same.

    After Heitz et al., "A Sliced Wasserstein Loss for Neural Texture Synthesis" (2021), arXiv:2006.07229.
    """
    directions = torch.randn(_DIRECTIONS, a.shape[1], generator=torch.Generator().manual_seed(0))
    directions = F.normalize(directions, dim=1)

    def quantiles(vectors: Tensor) -> Tensor:
        ordered = (directions @ sampled(vectors, _PROJECTED).T).sort().values
        return F.interpolate(ordered[None], _QUANTILES, mode="linear", align_corners=True)[0]

    return (quantiles(a) - quantiles(b)).abs().mean().item()


def compare_distributions(painting: Tensor, style: Tensor) -> float:
    """The sliced Wasserstein distance of two pictures' features, in deviations of the style's."""
    deviation = style.var(0).mean().sqrt().clamp(min=_TINY)
    return sliced_wasserstein(painting / deviation, style / deviation)


def to_oklab(picture: Array) -> Array:
    """The colours of an sRGB picture in OkLab, (pixels, 3): L in 0..1, a and b about -0.4..0.4 (Ottosson 2020)."""
    cones = rgb2xyz(picture.reshape(3, -1).T) @ _XYZ_TO_CONES.T
    return np.cbrt(cones) @ _CONES_TO_OKLAB.T


def compare_colours(painting: Array, style: Array) -> float:
    """The sliced Wasserstein distance of two pictures' colours in OkLab."""
    a, b = (torch.from_numpy(to_oklab(picture)).float() for picture in (painting, style))
    return sliced_wasserstein(a, b)


def compare_features(painting: Tensor, content: Tensor) -> float:
    """The mean cosine distance, 0..2, of features at the same positions.

    It is half the squared distance of Zhang et al. (2018), arXiv:1801.03924, section 3, with all channels weighing the same.
    """
    return (1 - F.cosine_similarity(painting, content, dim=1)).mean().item()


def compare_self_similarity(painting: Tensor, content: Tensor) -> float:
    """How differently the features of 1,024 positions are like each other, 0..2.

    The content cost of Kolkin, Salavon and Shakhnarovich (2019), arXiv:1904.12785, equation 6, in units of 1 / n.
    """

    def distances(features: Tensor) -> Tensor:
        unit = F.normalize(sampled(features), dim=1)
        found = (1 - unit @ unit.T).clamp(min=0)
        return found / found.sum(0).clamp(min=_TINY)

    return (distances(painting) - distances(content)).abs().sum(0).mean().item()


def compare_structure(painting: Array, content: Array) -> float:
    """1 - MS-SSIM of two lumas, 0..1, at five scales, or at as many as the smaller side has room for (Wang et al. 2003).

    Raises:
        ValueError: a side has less than 11 pixels.
    """
    a, b = (luma.astype(np.float64) for luma in (painting, content))
    scales = min(len(_SCALE_WEIGHTS), int(np.log2(min(a.shape) / _SSIM_WINDOW)) + 1)
    similarity, how = 1.0, {"data_range": 1.0, "gaussian_weights": True, "use_sample_covariance": False}
    for scale, weight in enumerate(_SCALE_WEIGHTS[:scales], start=1):
        # a large K1 makes the factor of luminance 1: only the coarsest scale has it
        found: Any = structural_similarity(a, b, **how, K1=0.01 if scale == scales else 1e4)
        similarity *= max(float(found), 0.0) ** (weight / sum(_SCALE_WEIGHTS[:scales]))
        a, b = (downscale_local_mean(luma[: len(luma) // 2 * 2, : luma.shape[1] // 2 * 2], 2) for luma in (a, b))
    return 1 - similarity


def compare_edges(painting: Array, content: Array) -> float:
    """1 - F1 of the edges of two lumas, 0..1: an edge may be 2 pixels away (Canny's, after a Gaussian of 2 pixels)."""
    ours, theirs = (canny(luma, sigma=_EDGE_SIGMA, mode="nearest") for luma in (painting, content))
    if not ours.any() or not theirs.any():
        return float(ours.any() != theirs.any())
    precision, recall = (
        (edges & binary_dilation(others, disk(_TOLERANCE))).sum() / edges.sum()
        for edges, others in ((ours, theirs), (theirs, ours))
    )
    return 1 - float(2 * precision * recall / max(precision + recall, _TINY))


def compare_clipping(painting: Array, content: Array, style: Array) -> float:
    """The share of pixels, 0..1, with a channel at the end of its range, beyond that of content and style."""

    def clipped(picture: Array) -> float:
        return float(((picture <= 0) | (picture >= 1)).any(0).mean())

    return max(0.0, clipped(painting) - max(clipped(content), clipped(style)))


def compare_border(painting: Array, content: Array) -> float:
    """How much rougher or smoother the border is than what lies within it, against the content, in powers of two.

    Roughness is the mean gradient of a luma; the border is a fiftieth of the smaller side, and 4 pixels at least, and is
    compared with four times as much: in the middle there may be anything.
    """

    def contrast(luma: Array) -> float:
        gradient = np.hypot(sobel(luma, 0, mode="nearest"), sobel(luma, 1, mode="nearest"))
        wide = max(4, min(luma.shape) // 50)
        rows, columns = (np.minimum(np.arange(side), np.arange(side)[::-1]) for side in luma.shape)
        depth = np.minimum.outer(rows, columns)
        border, within = depth < wide, (depth >= wide) & (depth < 5 * wide)
        return _log_ratio(float(gradient[border].mean()), float(gradient[within].mean()))

    return abs(contrast(painting) - contrast(content))


def compare_grain(painting: Array, style: Array) -> float:
    """The luma's share of energy above half the Nyquist frequency against the style's, in powers of two."""

    def share(radius: Array, amplitude: Array) -> float:
        energy = amplitude**2
        return float(energy[radius > 0.25].sum() / max(energy.sum(), _TINY))

    return _compare_spectra(share, painting, style)


def compare_strokes(painting: Array, style: Array) -> float:
    """The centroid of the luma's radial spectrum against the style's, in powers of two; 1 is half or twice the size."""

    def centroid(radius: Array, amplitude: Array) -> float:
        # a ring has as many frequencies as its radius: dividing by that takes the mean of each ring
        ring = np.where(radius <= 0.5, amplitude, 0) / radius
        return float((radius * ring).sum() / max(ring.sum(), _TINY))

    return _compare_spectra(centroid, painting, style)


def _compare_spectra(of: Callable[[Array, Array], float], *lumas: Array) -> float:
    ours, theirs = (of(*_spectrum(luma)) for luma in lumas)
    return abs(_log_ratio(ours, theirs))


def _spectrum(luma: Array) -> tuple[Array, Array]:
    """Radii, in cycles a pixel, and amplitudes of all frequencies but 0; the borders are faded out (Hann)."""
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in luma.shape))
    amplitude = np.abs(np.fft.fft2((luma - luma.mean()) * window)) / luma.size
    radius = np.hypot(*np.meshgrid(*(np.fft.fftfreq(side) for side in luma.shape), indexing="ij"))
    return radius.flat[1:], amplitude.flat[1:]


def _log_ratio(a: float, b: float) -> float:
    return float(np.log2(max(a, _TINY) / max(b, _TINY)))
