"""Where G starts: from the content, from noise, from another signal, or from what the scale before has painted."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.descent.parametrisation import whitened
from impasto.errors import SignalError
from impasto.media.prepared import Prepared
from impasto.media.read_write import read_signal
from impasto.media.registry import medium_of
from impasto.media.resolved import ResolvedSettings
from impasto.media.signal import Signal
from impasto.media.styles import Styles

# a drawing starts from a content with so many pixels in one: from spots of colour
_SPOT = 8


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


def in_spots(x: Tensor) -> Tensor:
    """A signal (1, channels, *space) without what is finer than 8 positions."""
    spots = [max(1, n // _SPOT) for n in x.shape[2:]]
    return enlarged(F.interpolate(x, spots, mode="area"), tuple(x.shape[2:]))


def painted_so_far(painted: Tensor, prepared: Prepared) -> Tensor:
    """What was painted at the scale before, with what the content shows beyond that scale, of the content's shape."""
    content = prepared.content
    change = painted - F.interpolate(content, painted.shape[2:], mode="area")
    return content + enlarged(change, tuple(content.shape[2:]))


def next_start(painted: Tensor, smaller: Tensor | None, prepared: Prepared, first: Tensor | None, finer: float) -> Tensor:
    """The first G: what was painted at the scale before, and a share of what only this scale shows.

    That is what G would start from here, ``first``, beyond what it started from there, ``smaller``; ``finer`` is the share.
    """
    shape = prepared.content.shape[2:]
    start = enlarged(painted, shape)
    if first is not None and smaller is not None:
        start = start + finer * (first - enlarged(smaller, shape))
    return start if prepared.bounds is None else start.clamp(*prepared.bounds)


def start_of(prepared: Prepared, first: Tensor | None, settings: ResolvedSettings) -> Tensor:
    """The first G, of the content's shape."""
    generator = torch.Generator().manual_seed(settings.seed)
    if settings.noise == "uniform":
        share, first = (1.0, torch.full_like(prepared.content, 0.5)) if first is None else (settings.init_noise, first)
        start = first + share * (torch.rand(first.shape, generator=generator) - 0.5)
        return start if prepared.bounds is None else start.clamp(*prepared.bounds)
    noise = torch.randn(prepared.content.shape, generator=generator)
    share = 1.0 if first is None else settings.init_noise
    start = torch.zeros_like(noise)
    if first is not None:
        # alike in all channels, so that what is in the middle of a stereo sound stays there
        grain = prepared.noise * noise[:, :1] if settings.objective.of_style else 0.0
        start = first + grain
    if share:
        mean, deviation = prepared.random
        if prepared.natural and settings.noise == "natural":
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
