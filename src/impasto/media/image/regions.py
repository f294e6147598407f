"""Masks in a painting: regions of the content that take their style from regions of the styles, and protected parts.

After Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (2017), arXiv:1611.07865, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from impasto.descent.stages import Parts, Whole
from impasto.errors import SettingsError
from impasto.media.image.masks import read_labels, read_protection, regions
from impasto.media.prepared import Bind, Measured, bind_whole
from impasto.media.resolved import NetworkChoice, ResolvedSettings
from impasto.media.signal import Values
from impasto.networks.tiling.statistics import Blend, Forward
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.region_weights import Look, Region, RegionWeights, on_grid, region_weights, seen, seen_on_grids
from impasto.objective.term import Objective, Scene

# positions of all style layers of VGG-19 together, per position of the picture
_LAYERS = 1.34


class Where(NamedTuple):
    """How the masks change a painting.

    Attributes:
        bind: makes the parts of the descent, with J by regions.
        result: puts the protected parts of the content into the painting, both (3, height, width).
        held: bytes that J holds for the masks.
    """

    bind: Bind = bind_whole
    result: Callable[[Values, Values], Values] = lambda painted, content: painted
    held: int = 0


def where_of(settings: ResolvedSettings, shape: tuple[int, ...], styles: Sequence[tuple[int, ...]]) -> Where:
    """The masks of the settings for a content of (height, width) = ``shape`` and for styles of these shapes.

    Raises:
        SignalError: a mask cannot be read, or a region of the content has no counterpart.
        SettingsError: there are more or fewer style masks than styles.
    """
    if not settings.content_mask and not settings.protect:
        return Where()
    kept = read_protection(settings.protect, shape) if settings.protect else None
    painted = np.ones(shape, np.float32) if kept is None else 1 - kept
    names = settings.style_mask or ["none"] * len(styles)
    if len(names) != len(styles):
        raise SettingsError(
            f"style_mask was given {len(names)} times for {len(styles)} styles: one for each, or none, was expected"
        )
    content = read_labels(settings.content_mask) if settings.content_mask else None
    masks = [None if name == "none" else read_labels(name) for name in names]
    found = regions(content, masks, painted, styles)

    def result(painted: Values, content: Values) -> Values:
        return painted if kept is None else ((1 - kept) * painted + kept * content).astype(np.float32)

    # each mask with its copies on the grids of the layers; what is kept, and the picture with it
    areas = sum(part.nbytes for region in found for part in (region.content, *region.styles) if part is not None)
    held = round(areas * (1 + _LAYERS)) + (0 if kept is None else 10 * kept.nbytes)
    return Where(partial(_bind_regions, settings.network, found, kept), result, held)


def regional_view(
    look: Look,
    regions: Sequence[Region],
    network: Forward,
    content: Tensor,
    style: Blend,
    kept: Values | None = None,
    painted: Tensor | None = None,
) -> View:
    """The view of a picture whose regions take their own styles.

    Where the content is kept the network sees it in place of G, so that G has no gradient there.

    Args:
        look: tells how much of a mask each position of a layer sees.
        regions: which region takes which style; masks of another size are resampled to that of content and styles.
        network: the network whose activations are compared.
        content: C, of shape (1, channels, height, width).
        style: S, each (1, channels, height, width), of any size, with their shares.
        kept: how much of the content stays, (height, width) in 0..1; None: nothing.
        painted: what is painted so far, of C's shape; None: nothing.
    """

    def weights_of(layers: Iterable[str]) -> list[RegionWeights]:
        names = list(layers)
        return [region_weights(region, content, [s for s, _ in style], look, names) for region in regions]

    scene = Scene(network, content, style, regions=weights_of, painted=painted)
    if kept is None:
        return View(scene)
    stays = on_grid(kept, content)
    still, moving = content * stays, 1 - stays
    return View(scene, lambda generated: torch.addcmul(still, moving, generated))


def _bind_regions(
    choice: NetworkChoice,
    regions: Sequence[Region],
    kept: Values | None,
    objective: Objective,
    network: Forward,
    content: Tensor,
    style: Blend,
    painted: Tensor | None,
    measured: Measured,
) -> Parts:
    table = choice.table(objective.layers)
    look = partial(seen, table) if table or choice.given is None else partial(seen_on_grids, choice.given)
    return Whole(BoundObjective(objective, [regional_view(look, regions, network, content, style, kept, painted)]))
