"""J with a where: regions that take their styles from regions, and what of the content stays as it is.

After Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (2017), arXiv:1611.07865, section 4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from impasto.errors import SettingsError
from impasto.media.signal import Values
from impasto.networks.layers import NETWORKS, up_to_deepest
from impasto.networks.tiling.statistics import Blend, Forward, Statistic, as_blend, measure, weighted
from impasto.objective.masks import Region, read_labels, read_protection, regions
from impasto.objective.objective import STYLE_COSTS, Costs, Objective, Term, content_terms, evaluate, weigh
from impasto.objective.region_weights import Guide, Weights, guide, on_grid
from impasto.transfer.settings import TransferSettings

# the positions of all style layers of VGG-19, in those of the picture
_LAYERS = 1.34


class Where(NamedTuple):
    """What of a picture is painted, and how.

    Attributes:
        objective: makes J of network, content, style and settings.
        result: the painting with what is kept of the content, (3, height, width) both.
        held: bytes that the objective holds.
    """

    objective: Callable[[Forward, Tensor, Tensor | Blend, TransferSettings], Any] = Objective
    result: Callable[[Values, Values], Values] = lambda painted, content: painted
    held: int = 0


def where_of(settings: TransferSettings, shape: tuple[int, ...], styles: Sequence[tuple[int, ...]]) -> Where:
    """The masks of the settings for a content of (height, width) = ``shape`` and for styles of these shapes.

    Raises:
        SignalError: a mask cannot be read, or a region of the content has no counterpart.
        SettingsError: there are more or fewer style masks than styles.
    """
    if not settings.content_mask and not settings.protect:
        return Where()
    kept = read_protection(settings.protect, shape) if settings.protect else None
    painted = np.ones(shape, np.float32) if kept is None else 1 - kept
    given = cast(Sequence[str], settings.style_mask or ())
    names = given or ["none"] * len(styles)
    if len(names) != len(styles):
        raise SettingsError(
            f"style_mask was given {len(names)} times for {len(styles)} styles: one for each, or none, was expected"
        )
    content = read_labels(settings.content_mask) if settings.content_mask else None
    masks = [None if name == "none" else read_labels(name) for name in names]
    found = regions(content, masks, painted, styles)

    def result(painted: Values, content: Values) -> Values:
        return painted if kept is None else ((1 - kept) * painted + kept * content).astype(np.float32)

    # each mask, and what becomes of it in the layers; what is kept, and the picture as it is seen
    areas = sum(part.nbytes for region in found for part in (region.content, *region.styles) if part is not None)
    held = round(areas * (1 + _LAYERS)) + (0 if kept is None else 10 * kept.nbytes)
    return Where(partial(GuidedObjective, regions=found, kept=kept), result, held)


class GuidedObjective:
    """What :class:`impasto.objective.objective.Objective` is, with a style cost for each region.

    J_style = sum over layers and regions of lambda^[l] * share of the region * J_style^[l], of guided style matrices. Where
    the content is kept it is seen in place of G, so nothing moves G there.

    Args:
        network: the network whose activations are compared.
        content: C, of shape (1, channels, height, width).
        style: S, of shape (1, channels, height, width), of any size, or a blend of several.
        settings: alpha, beta, layers, style cost and weighting, with nothing left open.
        regions: what takes its style where; what lies on another grid than content and styles is brought to theirs.
        kept: how much of the content stays, (height, width) in 0..1, if anything.
    """

    def __init__(
        self,
        network: Forward,
        content: Tensor,
        style: Tensor | Blend,
        settings: TransferSettings,
        *,
        regions: Sequence[Region],
        kept: Values | None = None,
    ) -> None:
        self.network, self._settings = network, settings
        stays = None if kept is None else on_grid(kept, content)
        self._through = None if stays is None else (content * stays, 1 - stays)
        self._content = content_terms(network, content, settings)
        blend, layers = as_blend(style), settings.style_lambdas
        table = up_to_deepest(NETWORKS[settings.network].table, layers)
        here = (guide(region, content, [s for s, _ in blend], table, layers) for region in regions)
        self._style = [row for one in here for row in guided_terms(network, blend, settings, one).items()]

    def __call__(self, generated: Tensor) -> Costs:
        """The costs of G, of the shape of the content."""
        assert self._settings.beta is not None
        seen = generated if self._through is None else torch.addcmul(self._through[0], self._through[1], generated)
        values = evaluate(self.network, seen, [*self._content, *(term for _, term in self._style)])
        content = sum(values[: len(self._content)], start=generated.new_zeros(()))
        by_layer = dict.fromkeys(self._settings.style_lambdas, generated.new_zeros(()))
        for (name, _), value in zip(self._style, values[len(self._content) :], strict=True):
            by_layer[name] = by_layer[name] + value
        return weigh(self._settings.alpha, self._settings.beta, content, by_layer)


@torch.no_grad()
def guided_terms(network: Forward, blend: Blend, settings: TransferSettings, where: Guide) -> dict[str, Term]:
    """J_style^[l] of a region in each style layer that sees it in G and in a style, with its lambda and share."""
    means, cost_to, relative = STYLE_COSTS[settings.style_cost]

    def statistics(weights: Weights) -> dict[str, tuple[Statistic, ...]]:
        layers = [name for name in settings.style_lambdas if name in weights]
        return {name: tuple(Statistic(name, weighted(mean, weights[name])) for mean in means) for name in layers}

    found: dict[str, list[tuple[float, list[Tensor]]]] = defaultdict(list)
    for (style, part), weights in zip(blend, where.styles, strict=True):
        rows = statistics(weights)
        if not rows or not part:
            continue
        measured = iter(measure(network, style, [statistic for row in rows.values() for statistic in row]))
        for name in rows:
            found[name].append((part, [next(measured) for _ in means]))
    terms: dict[str, Term] = {}
    for name, row in statistics(where.generated).items():
        if name not in found:
            continue
        total = sum(part for part, _ in found[name])
        parts = zip(*([mean * (part / total) for mean in measured] for part, measured in found[name]), strict=True)
        target = [torch.stack(of_each).sum(0) for of_each in parts]
        weight = settings.style_lambdas[name] * where.share
        terms[name] = Term(relative(weight, *target) if settings.weighting == "relative" else weight, row, cost_to(*target))
    return terms
