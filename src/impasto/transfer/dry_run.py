"""Estimates what a transfer will take, without doing it: sizes, tiles and memory; and time, by a short measurement."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor

from impasto.descent.memory import Fitting, default_memory
from impasto.descent.stages import Begun, Stage, descend_stages
from impasto.media.prepared import Prepared
from impasto.media.resolved import ResolvedSettings
from impasto.networks.device import find_device, memory_watched
from impasto.networks.precision import computed_in
from impasto.transfer.inputs import Inputs
from impasto.transfer.scales import Scales
from impasto.transfer.start import first_signal

# the most positions of the part that is painted to measure the time, by the number of axes (on a GPU, which needs more to
# be busy, times the second), and how often it is evaluated
_POSITIONS, _BUSY = {1: 2**20, 2: 2**17}, 2**4
_EVALUATIONS = 3
# measuring content and style at the start takes this share of the work of an evaluation each: a forward pass
_START = 1 / 3


@dataclass(frozen=True)
class DryRun:
    """What a transfer will take.

    Attributes:
        shapes: at each scale, from coarse to fine, the positions along each axis.
        fittings: at each scale, how J is computed and descended; None if it is not computed tile by tile.
        evaluations: how often J is evaluated at each scale.
        seconds: of the whole descent, estimated.
    """

    shapes: tuple[tuple[int, ...], ...]
    fittings: tuple[Fitting | None, ...]
    evaluations: tuple[int, ...]
    seconds: float


def dry_run(inputs: Inputs) -> DryRun:
    """Measure a few evaluations on a part of the content, and estimate what the whole transfer will take.

    Raises:
        ImpastoError: a size is wrong, or there is not enough memory.
    """
    resolved, device = inputs.settings, find_device(inputs.settings.device)
    if resolved.memory is None:
        resolved = replace(resolved, memory=default_memory(device))
    scales = Scales(inputs.medium, inputs.content, inputs.styles, resolved, device)
    last = scales.prepared
    first_signal(last, inputs.content, inputs.styles, resolved)  # raises if the file of --init cannot be read
    held = last.bytes_held(inputs.content, inputs.styles)
    shapes: list[tuple[int, ...]] = []
    fittings: list[Fitting | None] = []
    for k in range(len(scales)):
        here, prepared = scales.at(k)
        shapes.append(tuple(prepared.content.shape[2:]))
        fittings.append(prepared.fitting(here.limits, held))
    each, evaluations = _measured(last, fittings[-1], resolved, device)
    counts = [evaluations] if len(scales) == 1 else [stage.iterations for stage in scales.stages()]
    works = [
        fitting.plan.work if fitting and fitting.plan else prod(shape)
        for shape, fitting in zip(shapes, fittings, strict=True)
    ]
    seconds = sum(each * work * (count + 2 * _START) for work, count in zip(works, counts, strict=True))
    return DryRun(tuple(shapes), tuple(fittings), tuple(counts), seconds)


def _measured(
    prepared: Prepared, fitting: Fitting | None, settings: ResolvedSettings, device: torch.device
) -> tuple[float, int]:
    """Seconds for each unit of work of an evaluation and its step; and the number of evaluations."""
    network, task = prepared.network.to(device), prepared.task()
    work, seen, optimizer = float(prod(prepared.content.shape[2:])), network, settings.optimizer
    if fitting and fitting.plan and task:
        dims = len(task.shape)
        # a small part would not keep a GPU busy
        sides = (round((_POSITIONS[dims] * (_BUSY if device.type == "cuda" else 1)) ** (1 / dims)),) * dims
        prepared = replace(
            prepared,
            content=_middle(prepared.content, sides),
            style=[(_middle(s, sides), share) for s, share in prepared.style],
        )
        work = fitting.plan.work_for(task._replace(shape=tuple(prepared.content.shape[-dims:])))
        seen, optimizer = fitting.apply(network, prepared.objective.layers), fitting.optimizer
    parts = prepared.parts(seen, device, {})
    start = prepared.content.to(device)
    stage = Stage(settings.iterations, 1.0, lambda *_: Begun(parts, start, optimizer, prepared.bounds, prepared.natural))
    steps = descend_stages([stage], step=settings.step)
    steps = memory_watched(computed_in(settings.precision, device, steps), device)
    taken = list(itertools.islice(steps, _EVALUATIONS))
    moments = [progress.latest.seconds for progress in taken]
    # without the first evaluation, which also allocates memory and chooses convolutions
    times = [after - before for before, after in itertools.pairwise(moments)] or moments
    return min(times) / work, taken[0].iterations


def _middle(signal: Tensor, sides: tuple[int, ...]) -> Tensor:
    """The middle of a signal along its last axes, with at most ``sides`` positions."""
    for axis, side in enumerate(sides, start=-len(sides)):
        length = min(side, signal.shape[axis])
        signal = signal.narrow(axis, (signal.shape[axis] - length) // 2, length)
    return signal.contiguous()
