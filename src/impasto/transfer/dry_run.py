"""What a transfer will take, told before it starts: its sizes, tiles and memory, and its time by a short measurement."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from impasto.networks.device import find_device
from impasto.networks.tiling.segments import Segmented
from impasto.transfer.estimate import Fitting, bytes_held, default_memory, fit, task_of
from impasto.transfer.inputs import take_in
from impasto.transfer.prepared import Prepared
from impasto.transfer.pyramid import first_signal, plan_scales, prepare_scale
from impasto.transfer.settings import TransferSettings
from impasto.transfer.styles import Source, Style

# positions of the part that is painted to measure the time, at most, and how often it is looked at
_POSITIONS = {1: 2**20, 2: 2**17}
_EVALUATIONS = 3
# of the work of an evaluation, what content and style take at the start: the way there
_START = 1 / 3


@dataclass(frozen=True)
class Rehearsal:
    """What is to be expected of a transfer.

    Attributes:
        shapes: the positions along each axis at each scale, from coarse to fine.
        fittings: at each scale how J is computed and descended; None where it is not computed tile by tile.
        evaluations: of J at each scale.
        seconds: of the whole descent.
    """

    shapes: tuple[tuple[int, ...], ...]
    fittings: tuple[Fitting | None, ...]
    evaluations: tuple[int, ...]
    seconds: float


def rehearse(
    content: Source,
    style: Style | Sequence[Style],
    settings: TransferSettings | None = None,
    *,
    output: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Rehearsal:
    """Begin a transfer on a part of the content, and say what the whole will take.

    The arguments are those of :func:`impasto.transfer_style`. That the result can be written to ``output`` is tried too.

    Raises:
        ImpastoError: an input, a setting or a size is wrong, or there is not memory enough.
    """
    medium, content_signal, styles, settings, _ = take_in(content, style, settings, output, options)
    device = find_device(settings.device)
    if settings.memory is None:
        settings = replace(settings, memory=default_memory(device))
    scales = plan_scales(settings, content_signal, styles)
    last = medium.prepare(content_signal, styles, settings)
    first_signal(last, content_signal, styles, settings)  # a file that cannot be read is to be known now
    held = bytes_held(content_signal, styles, last)
    shapes: list[tuple[int, ...]] = []
    fittings: list[Fitting | None] = []
    for k, scale in enumerate(scales, start=1):
        here = replace(settings, size=scale.size, iterations=scale.iterations)
        prepared = last if k == len(scales) else prepare_scale(medium, content_signal, styles, here, scales, last)
        task = task_of(prepared, prepared.network, here)
        shapes.append(tuple(prepared.content.shape[2:]))
        fittings.append(fit(task, here, held) if task else None)
    each, evaluations = _measured(last, fittings[-1], settings, device)
    counts = [evaluations] if len(scales) == 1 else [scale.iterations for scale in scales]
    works = [fitting.plan.work if fitting else prod(shape) for shape, fitting in zip(shapes, fittings, strict=True)]
    seconds = sum(each * work * (count + 2 * _START) for work, count in zip(works, counts, strict=True))
    return Rehearsal(tuple(shapes), tuple(fittings), tuple(counts), seconds)


def _measured(
    prepared: Prepared, fitting: Fitting | None, settings: TransferSettings, device: torch.device
) -> tuple[float, int]:
    """Seconds of an evaluation, with its step, for each unit of its work; and how many evaluations there are."""
    network, content = prepared.network.to(device), prepared.content.to(device)
    style = [(s.to(device), share) for s, share in prepared.style]
    work, seen = float(prod(content.shape[2:])), network
    task = task_of(prepared, network, settings)
    if fitting and task and isinstance(network, Segmented):
        dims = len(task.shape)
        content, style = _middle(content, dims), [(_middle(s, dims), share) for s, share in style]
        work = fitting.plan.work_for(task._replace(shape=tuple(content.shape[-dims:])))
        settings = fitting.settings
        seen = fitting.apply(network)
    objective = prepared.objective(seen, content, style, settings)
    steps = prepared.descent(objective, content, settings, prepared.bounds, prepared.natural)
    taken = list(itertools.islice(steps, _EVALUATIONS))
    moments = [progress.latest.seconds for progress in taken]
    # the first evaluation is slower: memory is taken for the first time, and convolutions are chosen
    times = [after - before for before, after in itertools.pairwise(moments)] or moments
    return min(times) / work, taken[0].iterations


def _middle(signal: Tensor, dims: int) -> Tensor:
    """The middle of a signal along its last axes."""
    side = round(_POSITIONS[dims] ** (1 / dims))
    for axis in range(-dims, 0):
        length = min(side, signal.shape[axis])
        signal = signal.narrow(axis, (signal.shape[axis] - length) // 2, length)
    return signal.contiguous()
