"""What a descent takes of the machine's memory, and how it is made to fit: told before it starts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch

from impasto.descent.optimizers import Optimizer
from impasto.errors import SizeError
from impasto.networks.device import free_memory
from impasto.networks.kernels.allocation import spare_memory
from impasto.networks.kernels.autotune import winograd_possible
from impasto.networks.layers import LayerTable, total_stride
from impasto.networks.tiling.plan import FLOAT, Plan, Task, cheapest, kernel_memory, least_memory, untiled_memory
from impasto.networks.tiling.statistics import Forward

MIB = 2**20
# interpreter, torch and what the other libraries bring
_FIXED = 640 * MIB
# the kernels themselves, at the scale at work and at the last; and those of Winograd's convolution, 36/9 as large, both ways
_KERNELS, _WINOGRAD = 2, 8
# signals of G's size that a descent holds while J is evaluated: G and its coefficients, the best G and its gradient
_HELD = 4
# of the scale before, of a quarter of G's size: what was painted and the last G, their content and the best G
_BEFORE = 1
_SHARE = 0.75
# positions of a side that is as good as nothing, where no table tells the stride
_SMALLEST = 16
# above this share of a budget, memory is spared, which takes time
_AMPLE = 0.5


class Limits(NamedTuple):
    """What a descent wants, and what it may take.

    Attributes:
        optimizer: where it is to go.
        iterations: how often J is evaluated.
        signals: of G's size that J holds beside the activations.
        budget: bytes that the process may take.
    """

    optimizer: Optimizer
    iterations: int
    signals: float
    budget: int


class Fitting(NamedTuple):
    """How J is computed and descended within a memory.

    Attributes:
        plan: how it is computed; None if it is computed whole.
        optimizer: the one that was wanted, or one that remembers less.
        memory: bytes that the process has at its peak.
        budget: and those that it may take.
    """

    plan: Plan | None
    optimizer: Optimizer
    memory: float
    budget: int

    def apply(self, network: Any, layers: Sequence[str]) -> Forward:
        """The network, computed so as far down as ``layers``; where the budget is tight, memory is spared from now on."""
        if self.memory > _AMPLE * self.budget:
            spare_memory()
        return self.plan.apply(network, layers) if self.plan else network


def default_memory(device: torch.device) -> int:
    """Three quarters of what is free on the device, and what this process has already."""
    own = torch.cuda.memory_allocated(device) if device.type == "cuda" else psutil.Process().memory_info().rss
    return int(_SHARE * free_memory(device)) + own


def fit(task: Task, limits: Limits, held: int = 0) -> Fitting:
    """How to compute J, and the optimizer to descend it with, within a memory.

    Tiles come first; an optimizer that remembers less is taken only where the smallest tiles do not help.

    Args:
        task: what an evaluation of J computes.
        limits: what is wanted, and the memory.
        held: bytes of the signals that are held beside those of G's size.

    Raises:
        SizeError: there is no way; the message has the memory that is needed, and the largest size that would fit.
    """
    choices = [limits.optimizer, *limits.optimizer.frugal()]
    for choice in choices:
        beside, step = _beside(choice, task, limits, held)
        plan = cheapest(task, limits.budget - beside)
        if plan is not None and step <= limits.budget - beside:
            return Fitting(plan, choice, beside + max(step, plan.memory), limits.budget)

    def needed(ratio: float) -> float:
        smaller = task.scaled(ratio)
        beside, step = _beside(choices[-1], smaller, limits, held)
        return beside + max(step, least_memory(smaller))

    raise _too_large(task.shape, total_stride(task.table), needed, limits.budget)


def fit_whole(
    activations: Callable[[tuple[int, ...]], float], shape: tuple[int, ...], items: int, limits: Limits, held: int = 0
) -> Fitting:
    """The optimizer to descend J with within a memory, where J is computed whole.

    Args:
        activations: bytes at the peak of an evaluation of J and its gradient, for positions along each axis.
        shape: positions of G along each axis.
        items: channels of G, times what is seen one by one.
        limits: what is wanted, and the memory.
        held: bytes of the signals that are held beside those of G's size.

    Raises:
        SizeError: there is no way; the message has the memory that is needed, and the largest size that would fit.
    """

    def needed(optimizer: Optimizer, ratio: float = 1.0) -> float:
        space = tuple(max(1, round(n * ratio)) for n in shape)
        signal = FLOAT * items * prod(space)
        return _FIXED + held + _signals(optimizer, limits) * signal + max(optimizer.moment * signal, activations(space))

    choices = [limits.optimizer, *limits.optimizer.frugal()]
    for choice in choices:
        if (memory := needed(choice)) <= limits.budget:
            return Fitting(None, choice, memory, limits.budget)
    raise _too_large(shape, _SMALLEST, partial(needed, choices[-1]), limits.budget)


def check_untiled(table: LayerTable, shape: Sequence[int], budget: int) -> None:
    """See that an evaluation of J and its gradient of the whole at once fits into a budget.

    Raises:
        SizeError: it does not; the message says what it needs and the largest size that fits.
    """
    task = Task(table, tuple(shape), 3, 1, (), tuple(shape))

    def needed(ratio: float = 1.0) -> float:
        smaller = task.scaled(ratio)
        return _process(smaller) + untiled_memory(smaller)

    if needed() > budget:
        raise _too_large(task.shape, total_stride(table), needed, budget)


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


def _process(task: Task) -> int:
    """Bytes of the program and its network."""
    again = _WINOGRAD if len(task.shape) == 2 and winograd_possible() else 0
    return _FIXED + (_KERNELS + again) * kernel_memory(task)


def _signals(optimizer: Optimizer, limits: Limits) -> float:
    """How many signals of G's size are held."""
    return _HELD + _BEFORE + optimizer.signals(limits.iterations) + limits.signals


def _beside(optimizer: Optimizer, task: Task, limits: Limits, held: int) -> tuple[float, float]:
    """Bytes that are held beside an evaluation of J, and those that a step takes instead of it."""
    signal = FLOAT * task.channels * task.items * prod(task.shape)
    return _process(task) + held + _signals(optimizer, limits) * signal, optimizer.moment * signal


def _too_large(shape: tuple[int, ...], stride: int, needed: Callable[[float], float], budget: int) -> SizeError:
    """What is needed, for the size times a ratio, is more than the budget."""
    longest, low = max(shape), 4 * stride

    def fits(size: int) -> bool:
        return needed(size / longest) <= budget

    advice = f"the network alone needs {gibibytes(needed(low / longest))}; give more --memory"
    if fits(low):
        high = longest
        while high - low > max(1, longest // 100):
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        advice = f"a --size of {low} would fit"
    size = " x ".join(str(n) for n in reversed(shape))
    return SizeError(
        f"{size} needs at least {gibibytes(needed(1.0))} of memory and {gibibytes(budget)} may be taken; {advice}"
    )
