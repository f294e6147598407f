"""Coarse to fine: what is large is painted small, where the network sees it whole and an evaluation is cheap.

VGG-19 sees about 150 pixels at once, so in a picture of 2048 it can shape no stroke of 300. Painted at 256 first and
enlarged, the picture has such strokes, and only what is finer is left to be painted: Gatys et al., "Controlling Perceptual
Factors in Neural Style Transfer" (2017), section 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil, log2
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.descent.descend import Progress, State, nested, shifted
from impasto.descent.parametrisation import whitened
from impasto.errors import SignalError, SizeError
from impasto.media.medium import Medium
from impasto.media.read_write import read_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.networks.layers import total_stride
from impasto.transfer.estimate import bytes_held, within_memory
from impasto.transfer.prepared import Prepared, table_of
from impasto.transfer.settings import TransferSettings
from impasto.transfer.styles import Styles

# the size at which the first of several scales is painted: an evaluation takes a quarter of the time of one at 512
_FIRST = 256


class Scale(NamedTuple):
    """A size, as :class:`TransferSettings` has it, and how often J is evaluated at it."""

    size: int | str
    iterations: int


def plan_scales(settings: TransferSettings, content: Signal, styles: Styles = ()) -> tuple[Scale, ...]:
    """The scales at which the content is painted, from coarse to fine.

    Of several none does all the work, so the first takes half of the iterations, and the larger ones fewer, in inverse
    proportion to the cube root of their size. The first of automatic ones is 256, or what the network takes of long and
    narrow signals.
    """
    assert settings.iterations is not None and settings.size is not None
    longest = max(content.shape)
    size = settings.size if isinstance(settings.size, int) else longest
    if not medium_of(content.kind).enlarges:
        size = min(size, longest)
    first = _FIRST
    if settings.scales != "auto":
        count = int(settings.scales)
    else:
        longest_style = max((max(s.shape) / min(s.shape) / settings.stroke for s, _ in styles), default=0.0)
        narrowest = total_stride(table_of(settings)) * max(longest / min(content.shape), longest_style)
        first = max(_FIRST, ceil(narrowest) + 1)
        count = max(1, round(log2(size / first)) + 1) if settings.beta else 1
    if count == 1:
        return (Scale(settings.size, settings.iterations),)
    # whatever the last size, an automatic first one is the same, and so are its strokes
    ratio = (size / first) ** (1 / (count - 1)) if settings.scales == "auto" else 2.0
    sizes = [max(1, round(size / ratio**k)) for k in reversed(range(count))]
    return tuple(Scale(n, max(1, round(settings.iterations / 2 * (sizes[0] / n) ** (1 / 3)))) for n in sizes)


def evaluations_at(scale: Scale, scales: Iterable[Scale], dims: int) -> float:
    """How many evaluations at one scale take as long as all those of ``scales``, of a signal of so many dimensions."""
    return sum(s.iterations * (1.0 if s.size == scale.size else (int(s.size) / int(scale.size)) ** dims) for s in scales)


def coarse_to_fine(
    medium: Medium,
    content: Signal,
    styles: Styles,
    settings: TransferSettings,
    device: torch.device,
    state: State | None = None,
) -> Iterator[tuple[Prepared, Progress]]:
    """Descend J at one scale after the other, each from the enlarged result of the one before.

    Args:
        medium: of what is painted.
        content: as it was read.
        styles: as they were read.
        settings: with nothing left open.
        device: where to compute.
        state: where it goes on, as :func:`impasto.descent.descend.descend` does.

    Raises:
        ImpastoError: a signal or a size is wrong.
    """
    scales = plan_scales(settings, content, styles)
    # prepared first, so that what does not fit is said before and not after the work at the other scales
    last = medium.prepare(content, styles, settings)
    at = state or {"scale": 0, "done": 0, "seconds": 0.0, "inner": None}
    done, seconds, inner = at["done"], at["seconds"], at["inner"]
    held = bytes_held(content, styles, last)
    before: tuple[Tensor, Tensor | None] | None = None
    for k in range(at["scale"], len(scales)):
        here = replace(settings, size=scales[k].size, iterations=scales[k].iterations)
        prepared = last if k == len(scales) - 1 else prepare_scale(medium, content, styles, here, scales, last)
        first = first_signal(prepared, content, styles, here)
        if inner is not None:
            start = prepared.content  # of the right shape; the state has G
        elif before is None:
            start = _start(prepared, first, here)
        else:
            start = _next_start(*before, prepared, first, here)
        if k == len(scales) - 1:
            first = None  # no larger one will ask for it
        left = sum(scale.iterations for scale in scales[k + 1 :])
        heavier = evaluations_at(scales[k], scales[k + 1 :], len(content.shape)) - left
        progress: Progress | None = None
        # what is left to do after the first scale is fine, and not in proportion to the spectrum of a whole picture
        natural = replace(prepared, natural=prepared.natural and k == 0)
        steps = _descend(natural, start, here, device, held, inner)
        del start  # the descent has its own
        for progress in steps:
            latest, best = (replace(shifted(e, done, seconds), scale=k + 1) for e in (progress.latest, progress.best))
            total, now = done + progress.iterations + left, nested(progress, scale=k, done=done, seconds=seconds)
            whole = replace(progress, latest=latest, best=best, iterations=total, state=now)
            yield prepared, replace(whole, scales=len(scales), heavier=heavier)
        assert progress is not None
        done, seconds = done + progress.iterations, seconds + progress.latest.seconds
        before, inner = (progress.best_generated.cpu(), first), None


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
    painted: Tensor, smaller: Tensor | None, prepared: Prepared, first: Tensor | None, settings: TransferSettings
) -> Tensor:
    """What was painted at one scale, and what G started from there and would start from here, give the first G."""
    shape = prepared.content.shape[2:]
    start = enlarged(painted, shape)
    if first is not None and smaller is not None:
        # what only the larger one shows, as far as G started from it and not from noise
        start = start + (1 - settings.init_noise) * (first - enlarged(smaller, shape))
    return start if prepared.bounds is None else start.clamp(*prepared.bounds)


def _descend(
    prepared: Prepared,
    start: Tensor,
    settings: TransferSettings,
    device: torch.device,
    held: int,
    state: State | None,
) -> Iterator[Progress]:
    content, style = prepared.content.to(device), [(s.to(device), share) for s, share in prepared.style]
    network, settings = within_memory(prepared, prepared.network.to(device), held, settings)
    objective = prepared.objective(network, content, style, settings)
    return prepared.descent(objective, start.to(device), settings, prepared.bounds, prepared.natural, state)


def prepare_scale(
    medium: Medium, content: Signal, styles: Styles, settings: TransferSettings, scales: Sequence[Scale], last: Prepared
) -> Prepared:
    """Content and styles at one of several scales, of which the last one is prepared already.

    Raises:
        SizeError: the network does not take so small a signal.
    """
    try:
        # one network for all, as it is large, and larger with what it keeps
        return replace(medium.prepare(content, styles, settings), network=last.network)
    except SizeError as error:
        shortest = round(int(scales[-1].size) * min(content.shape) / max(content.shape))
        most = max(0, int(log2(shortest / total_stride(table_of(settings))))) + 1
        given = f"the first of {len(scales)} scales has a size of {settings.size}"
        reason, _, _ = str(error).partition(";")
        raise SizeError(f"{given}: {reason}; give a larger --size or at most {most} --scales") from None


def _start(prepared: Prepared, first: Tensor | None, settings: TransferSettings) -> Tensor:
    """The first G, of the content's shape."""
    noise = torch.randn(prepared.content.shape, generator=torch.Generator().manual_seed(settings.seed))
    share = 1.0 if first is None else settings.init_noise
    start = torch.zeros_like(noise)
    if first is not None:
        # alike in all channels, so that what is in the middle of a stereo sound stays there
        grain = prepared.noise * noise[:, :1] if settings.beta else 0.0
        start = first + grain
    if share:
        mean, deviation = prepared.random
        if prepared.natural:
            # noise with the spectrum of photographs: of white noise the fine grain would stay, as no layer minds it
            noise = whitened(tuple(noise.shape[1:]), noise.device).decode(noise)
        start = start.lerp(mean + deviation * noise, share)
    return start if prepared.bounds is None else start.clamp(*prepared.bounds)


def first_signal(prepared: Prepared, content: Signal, styles: Styles, settings: TransferSettings) -> Tensor | None:
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
