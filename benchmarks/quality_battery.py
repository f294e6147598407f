"""The battery: a painting measured against its content and its style, as no cost of a painter sees them.

The network pools by the maximum and pads by zeros, and is looked at in layers at which no default takes a cost. A picture is
seen in two sizes, each shifted twice by a random part of 8 pixels, and the worst counts: what depends on a grid of pixels or
of a pooling gains nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Literal, NamedTuple

import numpy as np
import torch
from quality_measures import (
    compare_border,
    compare_clipping,
    compare_colours,
    compare_distributions,
    compare_edges,
    compare_features,
    compare_grain,
    compare_neighbours,
    compare_self_similarity,
    compare_strokes,
    compare_structure,
)
from scipy.ndimage import shift
from torch import Tensor

from impasto.media.image.colour import luminance
from impasto.media.image.resample import resample_image
from impasto.media.signal import Signal, Values
from impasto.networks.convnet import ConvNet, vgg19

LAYERS = ("relu2_2", "relu3_3", "relu4_4")

Kind = Literal["style", "content", "paint", "damage"]


class Measure(NamedTuple):
    """A row of the battery.

    Attributes:
        name: a letter and a number, for tables; and one more letter where there are several measures of the same thing.
        title: what it is.
        kind: what it is a distance to: the style, or the content; "paint" is the style's texture alone, and "damage" is
            what neither content nor style has.
    """

    name: str
    title: str
    kind: Kind


MEASURES = (
    Measure("S1", "distance to the nearest features, both ways", "style"),
    Measure("S1p", "1 - precision of the features", "style"),
    Measure("S1c", "1 - coverage of the style's features", "style"),
    Measure("S2", "sliced Wasserstein distance of the features", "style"),
    Measure("S3", "sliced Wasserstein distance of the colours in OkLab", "style"),
    Measure("C1", "distance of the luminance's features", "content"),
    Measure("C2", "difference of self-similarity", "content"),
    Measure("C3s", "1 - MS-SSIM", "content"),
    Measure("C3e", "1 - F1 of the edges", "content"),
    Measure("Ac", "share of clipped pixels, beyond that of content and style", "damage"),
    Measure("Ab", "border against what lies within it, against the content's, log2", "damage"),
    Measure("Ag", "energy above half the Nyquist frequency, against the style's, log2", "paint"),
    Measure("K", "size of strokes against the style's, log2", "paint"),
)


def version() -> str:
    """Tells one battery from another: what was measured by an older one is measured anew."""
    here = Path(__file__).parent
    text = b"".join((here / f"quality_{name}.py").read_bytes() for name in ("battery", "measures"))
    return hashlib.sha256(text).hexdigest()[:12]


class View(NamedTuple):
    """How a picture is seen: at a part of its size, and shifted up and left by parts of pixels."""

    scale: float
    shifts: tuple[float, float]

    def of(self, picture: Values) -> Values:
        """The picture as it is seen; what a shift would bring in from beyond the border is cut off."""
        height, width = (max(1, round(self.scale * side)) for side in picture.shape[1:])
        values = resample_image(Signal(picture), (height, width)).values
        moved = shift(values, (0, *(-by for by in self.shifts)), order=3, mode="mirror").clip(0, 1)
        return moved[:, : height - int(np.ceil(self.shifts[0])), : width - int(np.ceil(self.shifts[1]))]


def _views() -> list[View]:
    random = np.random.default_rng(0)
    return [View(scale, tuple(random.uniform(0, 8, 2).tolist())) for scale in (1.0, 1.0, 0.5, 0.5)]


VIEWS = _views()


class Look(NamedTuple):
    """What is seen of a picture: its values, and the features of it and of its luma, (positions, channels) of each layer."""

    values: Values
    features: dict[str, Tensor]
    grey: dict[str, Tensor]


def look_at(network: ConvNet, values: Values) -> Look:
    """Values and features of a picture."""
    both = np.stack([values, np.broadcast_to(luminance(values), values.shape)])
    with torch.no_grad():
        found = network(torch.from_numpy(both), LAYERS)
    colour, grey = ({layer: a[i].flatten(1).T for layer, a in found.items()} for i in range(2))
    return Look(values, colour, grey)


class Battery:
    """Measures pictures against a content and a style, which are looked at once.

    Args:
        content: (3, height, width) in 0..1, as each of the pictures.
        style: (3, height, width), of any size.
        network: where features are from; VGG-19 with max pooling and zero padding if None.
    """

    def __init__(self, content: Values, style: Values, network: ConvNet | None = None) -> None:
        self.network = network or vgg19(pooling="max", padding="zeros")
        self.content, self.style = content, style
        self._seen = [[look_at(self.network, view.of(picture)) for picture in (content, style)] for view in VIEWS]

    def measure(self, picture: Values) -> dict[str, float]:
        """Each of :data:`MEASURES`, the worst of all views.

        Raises:
            ValueError: the picture has another shape than the content.
        """
        if picture.shape != self.content.shape:
            raise ValueError(f"{picture.shape} was given; the content's shape was expected, {self.content.shape}")
        found: dict[str, float] = {}
        for view, (content, style) in zip(VIEWS, self._seen, strict=True):
            look = look_at(self.network, view.of(picture))
            for name, value in {**_against_style(look, style), **_against_content(look, content)}.items():
                found[name] = max(value, found.get(name, 0.0))
        found |= _as_it_is(picture, self.content, self.style)
        return {measure.name: found[measure.name] for measure in MEASURES}


def _against_style(picture: Look, style: Look) -> dict[str, float]:
    neighbours = [compare_neighbours(picture.features[layer], style.features[layer]) for layer in LAYERS]
    return {
        "S1": mean(found.distance for found in neighbours),
        "S1p": 1 - mean(found.precision for found in neighbours),
        "S1c": 1 - mean(found.coverage for found in neighbours),
        "S2": mean(compare_distributions(picture.features[layer], style.features[layer]) for layer in LAYERS),
        "S3": compare_colours(picture.values, style.values),
    }


def _against_content(picture: Look, content: Look) -> dict[str, float]:
    ours, theirs = _lumas(picture.values, content.values)
    return {
        "C1": mean(compare_features(picture.grey[layer], content.grey[layer]) for layer in LAYERS),
        "C2": mean(compare_self_similarity(picture.features[layer], content.features[layer]) for layer in LAYERS),
        "C3s": compare_structure(ours, theirs),
        "C3e": compare_edges(ours, theirs),
    }


def _as_it_is(picture: Values, content: Values, style: Values) -> dict[str, float]:
    ours, of_content, of_style = _lumas(picture, content, style)
    return {
        "Ac": compare_clipping(picture, content, style),
        "Ab": compare_border(ours, of_content),
        "Ag": compare_grain(ours, of_style),
        "K": compare_strokes(ours, of_style),
    }


def _lumas(*pictures: Values) -> Iterable[Values]:
    return (luminance(picture)[0] for picture in pictures)
