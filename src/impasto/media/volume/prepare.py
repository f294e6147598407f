"""Volumes ready to be painted: compared slice by slice in three orientations, or whole by a network inflated to 3D."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import prod

import numpy as np
import torch
from torch import Tensor

from impasto.descent.descend import State
from impasto.descent.stages import Parts, Whole
from impasto.errors import SettingsError, SizeError
from impasto.media.image.read import over_white, resample_image, scaled_shape
from impasto.media.prepared import Measured, Prepared, check_whole
from impasto.media.resolved import ResolvedSettings
from impasto.media.signal import Signal, Values, roles
from impasto.media.styles import Styles
from impasto.media.volume.files import finite, resample_volume
from impasto.networks.tiling.statistics import Blend, Forward
from impasto.objective.evaluation import Costs
from impasto.objective.slices import SlicesObjective
from impasto.objective.term import Objective

log = logging.getLogger("impasto")

# every evaluation sees all slices of a volume if they have no more pixels than the first in all three orientations;
# otherwise it sees some of them, with about as many pixels as the second
_ALL, _SOME = 3 * 40**3, 2**18
# largest side of a picture of the style, in sides of the volume, so that its strokes are neither too large nor too fine
_PICTURE_SIZE = 2.0
# evaluations of J of the same slices
_ROUND = 20
_LUMA = torch.tensor((0.2126, 0.7152, 0.0722))


def prepare_volumes(content: Signal, styles: Styles, settings: ResolvedSettings) -> Prepared:
    """Content and styles with at most ``settings.size`` voxels along each axis, if network and memory can take it.

    A picture among the styles is scaled to at most twice the volume's longest side; for a grey volume it is made grey, with
    the brightness and contrast of the volume.

    Raises:
        SettingsError: the method is not for volumes.
        SizeError: a side is too short for the deepest layer, or the volume too large for the memory.
        WeightsError: the weights are missing, damaged, or of another network.
    """
    if settings.method not in ("slices", "volume"):
        raise SettingsError(f"method {settings.method!r} is not for a volume: slices or volume is")
    smallest = settings.smallest_size
    content = _scaled(content, settings)
    scaled = [
        _scaled(style, settings, settings.stroke) if style.kind == "volume" else _strokes(style, content.shape, settings)
        for style, _ in styles
    ]
    for role, signal in roles(content, scaled).items():
        if min(signal.shape) < smallest:
            size = " x ".join(str(n) for n in signal.shape)
            raise SizeError(
                f"the {role} of {size} is too small for {settings.deepest}, which needs {smallest} along each "
                "axis; give a larger one, or layers less deep"
            )
    count = _count(content.shape) if settings.method == "slices" else None
    side = round((3 * prod(content.shape) if count is None else _SOME) ** 0.5)
    check_whole(settings, content.shape if settings.method == "volume" else (side, side))
    inflated = settings.network.build(3) if settings.method == "volume" else None
    channels, shape, known = len(content.values), content.shape, finite(content)

    def restore(values: Values) -> Signal:
        return content.with_values(np.where(known, values, 0).astype(np.float32))

    def fit(volume: Signal) -> Tensor:
        if volume.kind != "volume":
            raise SettingsError(
                "G cannot start from a picture where a volume is painted: content, random or a volume FILE can"
            )
        return _in_channels(resample_volume(volume, shape), channels)

    def bind(
        objective: Objective, network: Forward, c: Tensor, s: Blend, painted: Tensor | None, measured: Measured
    ) -> Parts:
        how = {"inflated": inflated, "count": count, "seed": settings.seed, "painted": painted, "measured": measured}
        of_slices = SlicesObjective(objective, network, c, s, **how)
        return Whole(of_slices) if count is None else Rounds(of_slices)

    return Prepared(
        content=_in_channels(content, channels),
        style=[(_seen(style, content), share) for style, (_, share) in zip(scaled, styles, strict=True)],
        objective=settings.objective,
        network=settings.network.build(),
        restore=restore,
        fit=fit,
        random=(0.5, 0.15),
        bounds=(0.0, 1.0),
        natural=True,
        in_tiles=False,
        bind=bind,
    )


class Rounds:
    """The parts of a descent that sees some slices at a time: in each round other slices, the same for all its evaluations.

    A round starts from the best G of the round before, with an optimizer that remembers nothing: L-BFGS would take the
    difference between two sets of slices for curvature. Slices in between change smoothly with those that are seen, as the
    descent is in whitened coefficients. The result is the best G of the last round.
    """

    def __init__(self, objective: SlicesObjective) -> None:
        self._objective, self._turn = objective, 0

    def lengths(self, iterations: int) -> list[int]:
        """Evaluations of each round; the last one gets what is left."""
        full, rest = divmod(iterations, _ROUND)
        return [_ROUND] * full + [rest] * (rest > 0)

    def begin(self, i: int, painted: Tensor, carried: State) -> tuple[Callable[[Tensor], Costs], Tensor]:
        """J of the slices of round ``i``, and where it starts."""
        while self._turn < i:
            self._objective.turn()
            self._turn += 1
        return self._objective, painted

    def place(self, i: int, painted: Tensor, generated: Tensor) -> Tensor:
        """The result of a round, which is of the whole volume."""
        return generated


def _count(shape: tuple[int, ...]) -> int | None:
    """How many slices of each orientation an evaluation sees on average; None if it sees all."""
    pixels = 3 * prod(shape)
    if pixels <= _ALL:
        return None
    count = max(1, round(_SOME / pixels * sum(shape) / 3))
    log.info("about %d sections of each orientation are seen at a time, others after %d evaluations", count, _ROUND)
    return count


def _scaled(volume: Signal, settings: ResolvedSettings, stroke: float = 1.0) -> Signal:
    longest = max(volume.shape)
    size = min(longest, round(stroke * (settings.size or longest)))
    return resample_volume(volume, tuple(max(1, round(n * size / longest)) for n in volume.shape))


def _strokes(picture: Signal, shape: tuple[int, ...], settings: ResolvedSettings) -> Signal:
    longest = min(max(picture.shape), round(settings.stroke * _PICTURE_SIZE * max(shape)))
    return resample_image(over_white(picture), scaled_shape(picture.shape, longest))


def _seen(style: Signal, content: Signal) -> Tensor:
    values = _in_channels(style, len(content.values))
    # a picture among the styles has two axes of space
    return _like(content, values) if len(content.values) == 1 and len(style.shape) == 2 else values


def _like(content: Signal, grey: Tensor) -> Tensor:
    """The grey picture with the mean and deviation of the content, whose greys mean something while a painting's do not.

    Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (2017), equation 10.
    """
    known = content.values[:, finite(content)]
    contrast = float(known.std()) / max(float(grey.std()), 1e-6)
    return ((grey - grey.mean()) * contrast + float(known.mean())).clamp(0, 1)


def _in_channels(signal: Signal, channels: int) -> Tensor:
    """A tensor (1, channels, *space): colours become grey for one channel, and grey is repeated for three."""
    values = torch.from_numpy(signal.values)
    if channels == 1 and len(values) == 3:
        values = torch.einsum("c,c...->...", _LUMA, values)[None]
    return values.expand(channels, *values.shape[1:])[None]
