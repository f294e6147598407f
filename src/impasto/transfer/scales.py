"""Coarse to fine: what is large is painted small, where the network sees it whole and an evaluation is cheap.

VGG-19 sees about 150 pixels at once, so in a picture of 2048 it can shape no stroke of 300. Painted at 256 first and
enlarged, the picture has such strokes, and only what is finer is left to be painted: Gatys et al., "Controlling Perceptual
Factors in Neural Style Transfer" (2017), section 6.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Hashable, Iterable
from dataclasses import replace
from functools import partial
from math import ceil, log2
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.descent.memory import gibibytes
from impasto.descent.parametrisation import whitened
from impasto.descent.stages import Begun, Stage
from impasto.errors import SignalError, SizeError
from impasto.media.medium import Medium
from impasto.media.prepared import Measured, Prepared
from impasto.media.read_write import read_signal
from impasto.media.registry import medium_of
from impasto.media.resolved import NetworkChoice, ResolvedSettings
from impasto.media.signal import Signal
from impasto.media.styles import Styles
from impasto.networks.tiling.plan import Plan
from impasto.networks.tiling.statistics import Forward

log = logging.getLogger("impasto")

# styles at their scales, of which the newest are remembered
_REMEMBERED = 16
# the size at which the first of several scales is painted: an evaluation takes a quarter of the time of one at 512
_FIRST = 256
# five evaluations that move G by less than this share of its deviation change nothing that is seen
STILL = 0.05


class Scale(NamedTuple):
    """A size, as :class:`ResolvedSettings` has it, and how often J is evaluated at it."""

    size: int | None
    iterations: int


def plan_scales(medium: Medium, settings: ResolvedSettings, content: Signal, styles: Styles = ()) -> tuple[Scale, ...]:
    """The scales at which the content is painted, from coarse to fine.

    Of several none does all the work, so the first takes half of the iterations, and the larger ones fewer, in inverse
    proportion to the cube root of their size. The first of automatic ones is 256, or what the network takes of long and
    narrow signals.
    """
    longest = max(content.shape)
    size = settings.size or longest
    if not medium.enlarges:
        size = min(size, longest)
    first = _FIRST
    if settings.scales is not None:
        count = settings.scales
    else:
        longest_style = max((max(s.shape) / min(s.shape) / settings.stroke for s, _ in styles), default=0.0)
        narrowest = settings.total_stride * max(longest / min(content.shape), longest_style)
        first = max(_FIRST, ceil(narrowest) + 1)
        count = max(1, round(log2(size / first)) + 1) if settings.objective.of_style else 1
    if count == 1:
        return (Scale(settings.size, settings.iterations),)
    # whatever the last size, an automatic first one is the same, and so are its strokes
    ratio = (size / first) ** (1 / (count - 1)) if settings.scales is None else 2.0
    sizes = [max(1, round(size / ratio**k)) for k in reversed(range(count))]
    return tuple(Scale(n, max(1, round(settings.iterations / 2 * (sizes[0] / n) ** (1 / 3)))) for n in sizes)


def evaluations_at(scale: Scale, scales: Iterable[Scale], dims: int) -> float:
    """How many evaluations at one scale take as long as all those of ``scales``, of a signal of so many dimensions."""
    return sum(s.iterations * (1.0 if s.size == scale.size else ((s.size or 1) / (scale.size or 1)) ** dims) for s in scales)


class Scales:
    """The scales of a painting as stages of a descent, each from the enlarged result of the one before.

    Args:
        medium: of what is painted.
        content: as it was read.
        styles: as they were read.
        settings: how.
        device: where to compute.
        memo: what was measured of styles, kept for the next painting; see :func:`measured_of`.

    Attributes:
        prepared: content and styles at the scale at work.

    Raises:
        ImpastoError: a signal or a size is wrong.
    """

    def __init__(
        self,
        medium: Medium,
        content: Signal,
        styles: Styles,
        settings: ResolvedSettings,
        device: torch.device,
        memo: Memo | None = None,
    ) -> None:
        self._medium, self._content, self._styles, self._settings = medium, content, styles, settings
        self._device, self._memo = device, {} if memo is None else memo
        self._plan = plan_scales(medium, settings, content, styles)
        # prepared first, so that what does not fit is said before and not after the work at the other scales
        self._last = self.prepared = medium.prepare(content, styles, settings)
        self._held = self._last.bytes_held(content, styles)
        self._smaller: Tensor | None = None

    def __len__(self) -> int:
        return len(self._plan)

    def stages(self) -> list[Stage]:
        """One for each scale, to be gone through once."""
        dims = len(self._content.shape)
        return [
            Stage(scale.iterations, float(scale.size or 1) ** dims, partial(self._begin, k))
            for k, scale in enumerate(self._plan)
        ]

    def _begin(self, k: int, before: Tensor | None, resumed: bool) -> Begun:
        here, prepared = self.at(k)
        self.prepared = prepared
        first = first_signal(prepared, self._content, self._styles, here)
        if resumed:
            start = prepared.content  # of the right shape; the state has G
        elif before is None:
            start = _start(prepared, first, here)
        else:
            start = _next_start(before.cpu(), self._smaller, prepared, first, here)
        self._smaller = first if k < len(self._plan) - 1 else None  # no larger one will ask for it
        network: Forward = prepared.network.to(self._device)
        fitting, optimizer = prepared.fitting(here.limits, self._held), here.optimizer
        if fitting:
            if repr(fitting.optimizer) != repr(optimizer):
                log.warning("%s descends J, so that it fits into %s", fitting.optimizer, gibibytes(fitting.budget))
            network, optimizer = fitting.apply(network, prepared.objective.layers), fitting.optimizer
        measured = measured_of(self._memo, prepared, here.network, fitting.plan if fitting else None)
        parts = prepared.parts(network, self._device, measured)
        # what is left to do after the first scale is fine, and not in proportion to the spectrum of a whole picture
        natural = prepared.natural and k == 0
        still = STILL if here.until_still else None
        return Begun(parts, start.to(self._device), optimizer, prepared.bounds, natural, still)

    def at(self, k: int) -> tuple[ResolvedSettings, Prepared]:
        """The settings of a scale, and content and styles there.

        Raises:
            SizeError: the network does not take so small a signal.
        """
        scale, last = self._plan[k], len(self._plan) - 1
        here = self._settings.at(scale.size, scale.iterations)
        if k == last:
            return here, self._last
        try:
            # one network for all, as it is large, and larger with what it keeps
            return here, replace(self._medium.prepare(self._content, self._styles, here), network=self._last.network)
        except SizeError as error:
            shape = self._content.shape
            shortest = round((self._plan[-1].size or max(shape)) * min(shape) / max(shape))
            most = max(0, int(log2(shortest / here.total_stride))) + 1
            given = f"the first of {len(self._plan)} scales has a size of {scale.size}"
            reason, _, _ = str(error).partition(";")
            raise SizeError(f"{given}: {reason}; give a larger --size or at most {most} --scales") from None


Memo = dict[Hashable, Measured]
"""What was measured of styles: by the styles as the network sees them, the network, and the tiles it was measured in."""


def measured_of(memo: Memo, prepared: Prepared, network: NetworkChoice, plan: Plan | None) -> Measured:
    """What was measured of these styles before, in the same way, so that it is the same in every bit."""
    digest = hashlib.sha256()
    for style, share in prepared.style:
        digest.update(f"{style.shape} {share}".encode())
        digest.update(style.contiguous().numpy().data)
    tiles = (plan.cuts, plan.sides, plan.kept) if plan else None
    key = (digest.digest(), repr(network), tiles, str(prepared.bind))
    while len(memo) >= _REMEMBERED and key not in memo:
        del memo[next(iter(memo))]
    return memo.setdefault(key, {})


def enlarged(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A signal (1, channels, *space) on a grid of another shape, cubic along each axis."""
    for axis, n in enumerate(shape, start=2):
        if x.shape[axis] != n:
            rows = x.movedim(axis, -1)
            plane = rows.reshape(1, 1, -1, rows.shape[-1])
            # with antialias the kernel is Keys', which overshoots less
            larger = F.interpolate(plane, (plane.shape[2], n), mode="bicubic", antialias=True)
            x = larger.reshape(*rows.shape[:-1], n).movedim(-1, axis)
    return x.contiguous()


def _next_start(
    painted: Tensor, smaller: Tensor | None, prepared: Prepared, first: Tensor | None, settings: ResolvedSettings
) -> Tensor:
    """What was painted at one scale, and what G started from there and would start from here, give the first G."""
    shape = prepared.content.shape[2:]
    start = enlarged(painted, shape)
    if first is not None and smaller is not None:
        # what only the larger one shows, as far as G started from it and not from noise
        start = start + (1 - settings.init_noise) * (first - enlarged(smaller, shape))
    return start if prepared.bounds is None else start.clamp(*prepared.bounds)


def _start(prepared: Prepared, first: Tensor | None, settings: ResolvedSettings) -> Tensor:
    """The first G, of the content's shape."""
    noise = torch.randn(prepared.content.shape, generator=torch.Generator().manual_seed(settings.seed))
    share = 1.0 if first is None else settings.init_noise
    start = torch.zeros_like(noise)
    if first is not None:
        # alike in all channels, so that what is in the middle of a stereo sound stays there
        grain = prepared.noise * noise[:, :1] if settings.objective.of_style else 0.0
        start = first + grain
    if share:
        mean, deviation = prepared.random
        if prepared.natural:
            # noise with the spectrum of photographs: of white noise the fine grain would stay, as no layer minds it
            noise = whitened(tuple(noise.shape[1:]), noise.device).decode(noise)
        start = start.lerp(mean + deviation * noise, share)
    return start if prepared.bounds is None else start.clamp(*prepared.bounds)


def first_signal(prepared: Prepared, content: Signal, styles: Styles, settings: ResolvedSettings) -> Tensor | None:
    """The signal from which G starts, on the content's grid; None if it starts from nothing but noise."""
    if settings.init == "random" or settings.init_noise == 1:
        return None
    if settings.init == "content":
        return prepared.content
    if settings.init == "style":
        return prepared.fit(styles[0][0])
    signal = read_signal(settings.init, settings.rate)
    if signal.kind != content.kind:
        given, expected = (medium_of(s.kind).noun for s in (signal, content))
        raise SignalError(f"init {settings.init} is {given}; {expected} was expected, as the content is")
    return prepared.fit(signal)
