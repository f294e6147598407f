"""What a transfer takes of the machine's memory, and how it is made to fit: told before it starts."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil
import torch
from torch import nn

from impasto.errors import SizeError
from impasto.media.signal import Signal
from impasto.networks.device import find_device
from impasto.networks.kernels.allocation import spare_memory
from impasto.networks.kernels.autotune import winograd_possible
from impasto.networks.layers import LayerTable, total_stride, up_to_deepest
from impasto.networks.tiling.plan import FLOAT, Plan, Task, cheapest, covering, kernel_memory, least_memory, untiled_memory
from impasto.networks.tiling.segments import Segmented
from impasto.networks.tiling.statistics import Forward
from impasto.networks.tiling.tiles import InTiles
from impasto.transfer.settings import TransferSettings
from impasto.transfer.styles import Styles

if TYPE_CHECKING:
    from impasto.transfer.prepared import Prepared

log = logging.getLogger("impasto")

MIB = 2**20
# interpreter, torch and what the other libraries bring
_FIXED = 640 * MIB
# the kernels themselves, at the scale at work and at the last; and those of Winograd's convolution, 36/9 as large, both ways
_KERNELS, _WINOGRAD = 2, 8
# signals of G's size that a descent holds while J is evaluated: G and its coefficients, the best G and its gradient
_HELD = 4
# of the scale before, of a quarter of G's size: what was painted and the last G, their content and the best G
_BEFORE = 1
# what each optimizer has
_STATE: dict[str, Callable[[int], int]] = {
    "lbfgs": lambda history: 2 * history + 2,
    "adam": lambda _: 2,
    "gd": lambda _: 0,
}
# and those that it needs for a moment between two evaluations: L-BFGS sees whitened coefficients, by a Fourier transform
_STEP = {"lbfgs": 8, "adam": 3, "gd": 2}
_HISTORIES = (20, 10, 5)
_SHARE = 0.75
# above this share of a budget, memory is spared, which takes time
_AMPLE = 0.5


class Fitting(NamedTuple):
    """How J is computed and descended within a memory.

    Attributes:
        plan: how it is computed.
        settings: with the optimizer.
        memory: bytes that the process has at its peak.
        budget: and those that it may take.
    """

    plan: Plan
    settings: TransferSettings
    memory: float
    budget: int

    def apply(self, network: Segmented) -> InTiles:
        """The network, computed so; where the budget is tight, memory is spared from now on."""
        if self.memory > _AMPLE * self.budget:
            spare_memory()
        return self.plan.apply(network, _layers(self.settings))


def default_memory(device: torch.device) -> int:
    """Three quarters of what is free on the device, and what this process has already."""
    if device.type == "cuda":
        return int(_SHARE * torch.cuda.mem_get_info(device)[0])
    return int(_SHARE * psutil.virtual_memory().available) + psutil.Process().memory_info().rss


def within_memory(
    prepared: Prepared, network: nn.Module, held: int, settings: TransferSettings
) -> tuple[Forward, TransferSettings]:
    """The network, computed in such tiles, and the settings with such an optimizer that all fits into ``settings.memory``.

    Args:
        prepared: the content and the style.
        network: theirs, on its device.
        held: bytes of the signals that are held beside those of its size.
        settings: with nothing left open.

    Raises:
        SizeError: there is no way; the message has the memory that is needed.
    """
    task = task_of(prepared, network, settings)
    if task is None or not isinstance(network, Segmented):
        return network, settings
    fitting = fit(task, settings, held)
    if fitting.settings != settings:
        chosen = fitting.settings
        name = f"L-BFGS with a history of {chosen.history}" if chosen.optimizer == "lbfgs" else "Adam"
        log.warning("%s descends J, so that it fits into %s", name, gibibytes(fitting.budget))
    return fitting.apply(network), fitting.settings


def task_of(prepared: Prepared, network: nn.Module, settings: TransferSettings) -> Task | None:
    """What an evaluation of J computes; None if it cannot be computed tile by tile."""
    if not (prepared.in_tiles and isinstance(network, Segmented)):
        return None
    channels, dims = prepared.content.shape[1], prepared.style[0][0].dim() - 2
    items = network.items(channels)
    return Task(
        up_to_deepest(network.table, _layers(settings)),
        tuple(prepared.content.shape[-dims:]),  # of a movie, a frame
        channels // items,
        items,
        tuple(settings.content_weights),
        covering(style.shape[-dims:] for style, _ in prepared.style),
    )


def bytes_held(content: Signal, styles: Styles, prepared: Prepared) -> int:
    """What is held of the signals all the time."""
    arrays = [content.values, *(style.values for style, _ in styles)]
    arrays += [prepared.content.numpy(), *(style.numpy() for style, _ in prepared.style)]
    # what was not resampled is shared
    return sum({array.ctypes.data: array.nbytes for array in arrays}.values()) + prepared.held


def fit(task: Task, settings: TransferSettings, held: int = 0) -> Fitting:
    """How to compute J, and the optimizer to descend it with, within ``settings.memory``.

    Tiles come first; an optimizer that remembers less is taken only where the smallest tiles do not help.

    Args:
        task: what an evaluation of J computes.
        settings: with nothing left open.
        held: bytes of the signals that are held beside those of G's size.

    Raises:
        SizeError: there is no way; the message has the memory that is needed, and the largest size that would fit.
    """
    budget = _budget(settings)
    for choice in _optimizers(settings):
        beside, step = _beside(choice, task, held)
        plan = cheapest(task, budget - beside)
        if plan is not None and step <= budget - beside:
            return Fitting(plan, choice, beside + max(step, plan.memory), budget)
    *_, frugal = _optimizers(settings)

    def needed(task: Task) -> float:
        beside, step = _beside(frugal, task, held)
        return beside + max(step, least_memory(task))

    raise _too_large(task, needed, budget)


def check_untiled(table: LayerTable, shape: Sequence[int], settings: TransferSettings) -> None:
    """See that an evaluation of J and its gradient of the whole at once fits into ``settings.memory``.

    Raises:
        SizeError: it does not; the message says what it needs and the largest size that fits.
    """
    task, budget = Task(table, tuple(shape), 3, 1, (), tuple(shape)), _budget(settings)

    def needed(task: Task) -> float:
        return _process(task) + untiled_memory(task)

    if needed(task) > budget:
        raise _too_large(task, needed, budget)


def peak_memory_mib() -> float:
    """The most memory this process has had so far, in MiB."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / MIB
    if sys.platform == "linux":
        # of the program alone: getrusage counts what the process that started it had
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / MIB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MIB


def gibibytes(n: float) -> str:
    """An amount of memory for people."""
    return f"{n / 2**30:.1f} GiB"


def _layers(settings: TransferSettings) -> list[str]:
    return [*settings.content_weights, *settings.style_lambdas]


def _optimizers(settings: TransferSettings) -> Iterator[TransferSettings]:
    """The optimizer that was wanted, and those with less to remember."""
    yield settings
    if settings.optimizer == "lbfgs":
        yield from (replace(settings, history=history) for history in _HISTORIES if history < settings.history)
        yield replace(settings, optimizer="adam")


def _budget(settings: TransferSettings) -> int:
    return settings.memory if isinstance(settings.memory, int) else default_memory(find_device(settings.device))


def _process(task: Task) -> int:
    """Bytes of the program and its network."""
    again = _WINOGRAD if len(task.shape) == 2 and winograd_possible() else 0
    return _FIXED + (_KERNELS + again) * kernel_memory(task)


def _beside(settings: TransferSettings, task: Task, held: int) -> tuple[int, int]:
    """Bytes that are held beside an evaluation of J, and those that a step takes instead of it."""
    signal = FLOAT * task.channels * task.items * prod(task.shape)
    signals = _HELD + _BEFORE + _STATE[settings.optimizer](min(settings.history, settings.iterations or settings.history))
    return _process(task) + held + signals * signal, _STEP[settings.optimizer] * signal


def _too_large(task: Task, needed: Callable[[Task], float], budget: int) -> SizeError:
    longest, low = max(task.shape), 4 * total_stride(task.table)

    def fits(size: int) -> bool:
        return needed(task.scaled(size / longest)) <= budget

    advice = f"the network alone needs {gibibytes(needed(task.scaled(low / longest)))}; give more --memory"
    if fits(low):
        high = longest
        while high - low > max(1, longest // 100):
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        advice = f"a --size of {low} would fit"
    size = " x ".join(str(n) for n in reversed(task.shape))
    return SizeError(
        f"{size} needs at least {gibibytes(needed(task))} of memory and {gibibytes(budget)} may be taken; {advice}"
    )
