"""Coarse to fine: what is large is painted small, where the network sees it whole and an evaluation is cheap.

VGG-19 sees about 150 pixels at once, so in a picture of 2048 it can shape no stroke of 300. Painted at 256 first and
enlarged, the picture has such strokes, and only what is finer is left to be painted: Gatys et al., "Controlling Perceptual
Factors in Neural Style Transfer" (2017), section 6.

Style matrices know of no place, so at the scales up to 512 J also says which forms of the style each place of the content is
like. A picture may also be drawn before it is painted: then coarser scales have a J of such forms alone.
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
from torch import Tensor

from impasto.descent.memory import gibibytes
from impasto.descent.stages import Begun, Stage
from impasto.errors import SizeError
from impasto.media.medium import Medium
from impasto.media.prepared import Measured, Prepared
from impasto.media.resolved import NetworkChoice, ResolvedSettings
from impasto.media.signal import Signal
from impasto.media.styles import Styles
from impasto.networks.tiling.plan import Plan
from impasto.networks.tiling.statistics import Forward
from impasto.objective.term import Objective
from impasto.transfer.start import first_signal, in_spots, next_start, painted_so_far, start_of

log = logging.getLogger("impasto")

# styles at their scales, of which the newest are remembered
_REMEMBERED = 16
# the size at which the first of several scales is painted: an evaluation takes a quarter of the time of one at 512
_FIRST = 256
# five evaluations that move G by less than this share of its deviation change nothing that is seen
STILL = 0.05
# a picture is drawn at these shares of that size, and of the evaluations
_DRAWN = ((1 / 4, 0.4), (1 / 2, 0.3), (1.0, 0.2))
# how much of what only the content shows a drawing is given when it is first painted: lines are sharp, and stay drawn
_FINER = 0.7
# the largest size at which forms are placed: beyond it they are there, and VGG-19 sees too little at once to move them
_PLACED = 512


class Scale(NamedTuple):
    """A size, as :class:`ResolvedSettings` has it, how often J is evaluated at it, and whether it is drawn or painted."""

    size: int | None
    iterations: int
    drawn: bool = False


def plan_scales(medium: Medium, settings: ResolvedSettings, content: Signal, styles: Styles = ()) -> tuple[Scale, ...]:
    """The scales at which the content is painted, from coarse to fine.

    Of several none does all the work, so the first takes half of the iterations, and the larger ones fewer, in inverse
    proportion to the cube root of their size. The first of automatic ones is 256, or what the network takes of long and
    narrow signals.

    What is drawn first is drawn at a quarter, at half and at the whole of the first of these sizes, and is painted at the
    others; of a given number of scales only the last is painted, and those above 256.
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
    if settings.drawing and settings.scales != 1:
        return _drawn_first(settings, size, first, count, max(content.shape) / min(content.shape))
    if count == 1:
        return (Scale(settings.size, settings.iterations),)
    # whatever the last size, an automatic first one is the same, and so are its strokes
    sizes = _sizes(settings, size, first, count)
    return tuple(Scale(n, _fewer(settings.iterations, sizes[0], n)) for n in sizes)


def _sizes(settings: ResolvedSettings, size: int, first: int, count: int) -> list[int]:
    ratio = (size / first) ** (1 / (count - 1)) if settings.scales is None and count > 1 else 2.0
    return [max(1, round(size / ratio**k)) for k in reversed(range(count))]


def _fewer(iterations: int, first: int, size: int) -> int:
    return max(1, round(iterations / 2 * (first / size) ** (1 / 3)))


def _drawn_first(settings: ResolvedSettings, size: int, first: int, count: int, length: float) -> tuple[Scale, ...]:
    """The scales of a content that is ``length`` times as long as it is wide, and is drawn before it is painted."""
    sizes = _sizes(settings, size, first, count)
    largest = min(first, size)
    shares = {round(largest * part): share for part, share in _DRAWN}
    if settings.scales is not None:
        shares = {n: _DRAWN[-1][1] for n in sizes[:-1] if n <= _FIRST}
    narrowest = settings.network.smallest_size(settings.drawing.layers if settings.drawing else ()) * length
    drawn = [Scale(n, max(1, round(share * settings.iterations)), True) for n, share in shares.items() if n >= narrowest]
    painted = [n for n in sizes if n > largest or n == sizes[-1]]
    return (*drawn, *(Scale(n, _fewer(settings.iterations, min(largest, n), n)) for n in painted))


def evaluations_at(scale: Scale, scales: Iterable[Scale], dims: int) -> float:
    """How many evaluations at one scale take as long as all those of ``scales``, of a signal of so many dimensions."""
    return sum(s.iterations * (1.0 if s.size == scale.size else ((s.size or 1) / (scale.size or 1)) ** dims) for s in scales)


def objective_at(settings: ResolvedSettings, size: int) -> Objective:
    """J where a picture is painted, and not drawn, with a longest side of ``size``."""
    return (size <= _PLACED and settings.placing) or settings.objective


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
        self._last = self.prepared = medium.prepare(content, styles, self._settings_at(self._plan[-1]))
        self._held = self._last.bytes_held(content, styles)
        if settings.placing and not medium.is_picture and all(not self._places(scale) for scale in self._plan):
            log.warning("draw does nothing: forms are placed at sizes up to %d, and this is painted at once", _PLACED)
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
        self.prepared, drawn = prepared, self._plan[k].drawn
        first = first_signal(prepared, self._content, self._styles, here)
        if resumed:
            start = prepared.content  # of the right shape; the state has G
        elif before is None:
            start = start_of(prepared, in_spots(first) if drawn and first is not None else first, here)
        else:
            # what G did not start from, as it was noise, is not added; nor to a drawing what it has not drawn
            finer = (1 - here.init_noise) * (0.0 if drawn else _FINER if self._plan[k - 1].drawn else 1.0)
            start = next_start(before.cpu(), self._smaller, prepared, first, finer)
        self._smaller = first if k < len(self._plan) - 1 else None  # no larger one will ask for it
        network: Forward = prepared.network.to(self._device)
        fitting, optimizer = prepared.fitting(here.limits, self._held), here.optimizer
        if fitting:
            if repr(fitting.optimizer) != repr(optimizer):
                log.warning("%s descends J, so that it fits into %s", fitting.optimizer, gibibytes(fitting.budget))
            network, optimizer = fitting.apply(network, prepared.objective.layers), fitting.optimizer
        measured = measured_of(self._memo, prepared, here.network, fitting.plan if fitting else None)
        painted = None if before is None or not here.objective.of_painted else painted_so_far(before.cpu(), prepared)
        parts = prepared.parts(network, self._device, measured, painted)
        # what is left to do after the first scale is fine, and not in proportion to the spectrum of a whole picture
        natural = prepared.natural and (k == 0 or self._plan[k - 1].drawn)
        still = STILL if here.until_still else None
        return Begun(parts, start.to(self._device), optimizer, prepared.bounds, natural, still)

    def _size_of(self, scale: Scale) -> int:
        """The longest side of space; how many frames there are does not count."""
        axes = zip(self._content.shape, self._medium.axes[1:], strict=True)
        return scale.size or max(n for n, axis in axes if axis != "frames")

    def _places(self, scale: Scale) -> bool:
        return objective_at(self._settings, self._size_of(scale)) is self._settings.placing

    def _settings_at(self, scale: Scale) -> ResolvedSettings:
        given = self._settings
        painted = objective_at(given, self._size_of(scale))
        return given.at(scale.size, scale.iterations, (scale.drawn and given.drawing) or painted)

    def at(self, k: int) -> tuple[ResolvedSettings, Prepared]:
        """The settings of a scale, and content and styles there.

        Raises:
            SizeError: the network does not take so small a signal.
        """
        scale, last = self._plan[k], len(self._plan) - 1
        here = self._settings_at(scale)
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
