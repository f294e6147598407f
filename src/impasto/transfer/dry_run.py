"""What a transfer will take, told before it starts: its sizes, tiles and memory, and its time by a short measurement."""

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
from impasto.transfer.inputs import Inputs
from impasto.transfer.scales import Scales, first_signal

# positions of the part that is painted to measure the time, at most, and how often it is looked at
_POSITIONS, _BUSY = {1: 2**20, 2: 2**17}, 2**4
_EVALUATIONS = 3
# of the work of an evaluation, what content and style take at the start: the way there
_START = 1 / 3


@dataclass(frozen=True)
class DryRun:
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


def dry_run(inputs: Inputs) -> DryRun:
    """Begin a transfer on a part of the content, and say what the whole will take.

    Raises:
        ImpastoError: a size is wrong, or there is not memory enough.
    """
    resolved, device = inputs.settings, find_device(inputs.settings.device)
    if resolved.memory is None:
        resolved = replace(resolved, memory=default_memory(device))
    scales = Scales(inputs.medium, inputs.content, inputs.styles, resolved, device)
    last = scales.prepared
    first_signal(last, inputs.content, inputs.styles, resolved)  # a file that cannot be read is to be known now
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
    """Seconds of an evaluation, with its step, for each unit of its work; and how many evaluations there are."""
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
    steps = memory_watched(descend_stages([stage], step=settings.step), device)
    taken = list(itertools.islice(steps, _EVALUATIONS))
    moments = [progress.latest.seconds for progress in taken]
    # the first evaluation is slower: memory is taken for the first time, and convolutions are chosen
    times = [after - before for before, after in itertools.pairwise(moments)] or moments
    return min(times) / work, taken[0].iterations


def _middle(signal: Tensor, sides: tuple[int, ...]) -> Tensor:
    """The middle of a signal along its last axes."""
    for axis, side in enumerate(sides, start=-len(sides)):
        length = min(side, signal.shape[axis])
        signal = signal.narrow(axis, (signal.shape[axis] - length) // 2, length)
    return signal.contiguous()
