"""Which convolution is faster on this machine: torch's direct one or Winograd's.

Both are timed for a few milliseconds, once for every number of channels and size. The figures are kept in a file, so that
the choice stays the same, and with it the last digits of a result. A run that resumes another one takes over its choices.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, get_args

import platformdirs
import torch
import torch.nn.functional as F

from impasto.errors import SettingsError, SignalError, nearest
from impasto.files import first_line, write_whole
from impasto.networks.kernels.first_run import Spent, spending

Convolution = Literal["direct", "winograd", "auto"]

VARIABLE = "IMPASTO_CONVOLUTION"
_ROUNDS = 5
_LARGEST_SIDE = 64  # of what is timed; for larger pictures the ratio hardly changes
_LEAST_GAIN = 1.03  # Winograd's must be so many times faster to be chosen
_CACHE_FLOATS = 2**25  # more than any cache holds
_chosen: ContextVar[dict[str, bool] | None] = ContextVar("chosen convolutions", default=None)
_measuring: ContextVar[Spent | None] = ContextVar("time spent on measuring", default=None)


@contextlib.contextmanager
def own_choices() -> Iterator[None]:
    """Give one run choices of its own, which it remembers and can take over; for a block or as a decorator."""
    before = _chosen.set({})
    with spending("measuring which convolutions are faster direct and which by Winograd", "measured") as spent:
        measuring = _measuring.set(spent)
        try:
            yield
        finally:
            _measuring.reset(measuring)
            _chosen.reset(before)


def convolution_wanted() -> Convolution:
    """What the environment variable asks for, "auto" by default.

    Raises:
        SettingsError: there is no convolution of that name, or Winograd's cannot be compiled here.
    """
    wanted, known = os.environ.get(VARIABLE) or "auto", get_args(Convolution)
    if wanted not in known:
        raise SettingsError(
            f"{VARIABLE} is one of {', '.join(known)}, not {wanted!r}: did you mean {nearest(wanted, known)!r}?"
        )
    if wanted == "winograd" and _why_not_compiled():
        raise SettingsError(f"{VARIABLE} is winograd, but {_why_not_compiled()}; choose direct or auto")
    return wanted  # pyright: ignore[reportReturnType]


def winograd_possible() -> bool:
    """Whether any convolution may be Winograd's: it can be compiled, and the environment does not forbid it."""
    return convolution_wanted() != "direct" and not _why_not_compiled()


def chooses_winograd(shape: Sequence[int], out_channels: int) -> bool:
    """Whether a tensor of ``shape`` (N, channels, H, W) is convolved to ``out_channels`` by Winograd's convolution."""
    if not winograd_possible():
        return False
    from impasto.networks.kernels import winograd

    wanted = convolution_wanted()

    pictures, channels, height, width = shape
    if not winograd.fills_registers(channels, out_channels):
        return False
    side = _side(pictures * height * width)
    name = f"{channels} to {out_channels} channels, {side} px"
    if wanted == "winograd":
        return True
    chosen = _chosen.get()
    if chosen is None:  # outside of a run
        chosen = {}
    if name not in chosen:
        chosen[name] = _gain(_machine(), name, channels, out_channels, side) > _LEAST_GAIN
    return chosen[name]


def convolutions_chosen() -> dict[str, bool]:
    """The choices of this run so far: by the name of a shape, whether it is Winograd's."""
    return dict(_chosen.get() or {})


def choose_convolutions(chosen: Mapping[str, bool]) -> None:
    """Take over the choices of the run that this one resumes, whatever is faster here: the last digits depend on them."""
    own = _chosen.get()
    assert own is not None, "choices are taken over within own_choices()"
    own.update(chosen)


def describe_convolution() -> str:
    """Which convolutions are used here, and why, in one line."""
    wanted = convolution_wanted()
    if wanted == "direct":
        return f"direct ({VARIABLE})"
    if _why_not_compiled():
        return f"direct ({_why_not_compiled()})"
    if wanted == "winograd":
        return f"Winograd F(4x4, 3x3), compiled by Numba {version('numba')} ({VARIABLE})"
    gains = _read_gains().get(_machine(), {})
    faster = [gain for gain in gains.values() if gain > _LEAST_GAIN]
    found = (
        f"faster than direct for {len(faster)} of {len(gains)} shapes measured on {processor_and_instructions()}"
        + (f", {min(faster):.1f} to {max(faster):.1f} times" if faster else "")
        if gains
        else "to be measured when first used"
    )
    return f"direct or Winograd F(4x4, 3x3), compiled by Numba {version('numba')}: {found}"


def describe_choices() -> dict[str, str]:
    """For each size measured on this machine, one line: which channels are convolved in which way, and the gains.

    A gain is how many times faster Winograd's convolution is than the direct one. Empty where nothing is measured, or the
    environment decides.
    """
    if convolution_wanted() != "auto" or _why_not_compiled():
        return {}
    sides: dict[int, dict[bool, list[str]]] = {}
    for name, gain in sorted(_read_gains().get(_machine(), {}).items(), key=lambda row: _numbers(row[0])):
        channels, out_channels, side = _numbers(name)
        sides.setdefault(side, {}).setdefault(gain > _LEAST_GAIN, []).append(f"{channels} to {out_channels} ({gain:.2f})")
    return {
        f"{side} px": "; ".join(
            f"{'Winograd' if chosen else 'direct'} for {', '.join(shapes)}" for chosen, shapes in sorted(ways.items())[::-1]
        )
        for side, ways in sorted(sides.items(), reverse=True)
    }


def _numbers(name: str) -> tuple[int, int, int]:
    """Channels, out channels and side from the name of a shape."""
    channels, out_channels, side = map(int, re.findall(r"\d+", name))
    return channels, out_channels, side


@functools.cache
def _why_not_compiled() -> str:
    """Why Winograd's convolution cannot be compiled here; an empty text if it can."""
    try:
        importlib.import_module("impasto.networks.kernels.winograd")
    except ImportError as error:
        return f"Numba does not work here: {first_line(error)}"
    return ""


def _side(positions: int) -> int:
    """The side of the square that is timed in place of so many positions: a power of two, from 4 to 64."""
    side = 4
    while side < _LARGEST_SIDE and 2 * side * side < positions:
        side *= 2
    return side


@functools.cache
def _gain(machine: str, name: str, channels: int, out_channels: int, side: int) -> float:
    """How many times faster Winograd's convolution is on this machine: read from the file, or measured and kept there."""
    kept = _read_gains()
    if name not in kept.get(machine, {}):
        with _measuring.get() or contextlib.nullcontext():
            gain = _measure_gain(channels, out_channels, side)
        kept = _read_gains()  # another process may have measured meanwhile: the first figure stays
        kept.setdefault(machine, {}).setdefault(name, gain)
        with contextlib.suppress(OSError, SignalError):  # a folder that is closed: it is measured again next time
            path = _gains_file()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(kept, indent=2).encode())
    return kept[machine][name]


@torch.no_grad()
def _measure_gain(channels: int, out_channels: int, side: int) -> float:
    """The least time of the direct convolution divided by the least time of Winograd's."""
    from impasto.networks.kernels import winograd

    random = torch.Generator().manual_seed(0)  # not torch's own generator: its numbers belong to the caller
    x = torch.rand(1, side, side, channels, generator=random)
    weight = torch.rand(out_channels, channels, 3, 3, generator=random)
    bias = torch.rand(out_channels, generator=random)
    direct_weight, kernels = weight.contiguous(memory_format=torch.channels_last), winograd.transform_kernels(weight)
    contestants: list[Callable[[], object]] = [
        lambda: F.conv2d(x.permute(0, 3, 1, 2), direct_weight, bias, padding=1),
        lambda: winograd.convolve(x, kernels, bias, (side, side), lead=1, rectified=True),
    ]
    other_data = torch.empty(_CACHE_FLOATS)
    times: list[list[float]] = [[], []]
    for _ in range(_ROUNDS):
        for contestant, kept in zip(contestants, times, strict=True):
            other_data.fill_(0)  # in an evaluation the kernels are not in the cache either
            began = time.perf_counter()
            contestant()
            kept.append(time.perf_counter() - began)
    direct, fast = (min(kept) for kept in times)
    return round(direct / fast, 3)


def _gains_file() -> Path:
    """``convolution.json`` in the user's cache folder."""
    return Path(platformdirs.user_cache_dir("impasto")) / "convolution.json"


def _read_gains() -> dict[str, dict[str, float]]:
    """All gains measured so far, by machine and by the name of a shape."""
    try:
        kept = json.loads(_gains_file().read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


@functools.cache
def processor() -> str:
    """The name of the processor, as its maker gives it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def processor_and_instructions() -> str:
    """The processor's name, which may say little in a virtual machine, and what torch makes use of on it."""
    return f"{processor()} with {torch.backends.cpu.get_cpu_capability()}"


def _machine() -> str:
    """What the figures depend on; with another processor, number of threads or version they are measured anew."""
    try:
        own_version = version("impasto")
    except PackageNotFoundError:
        own_version = "?"
    versions = f"torch {torch.__version__}, impasto {own_version}"
    return f"{processor_and_instructions()}, {torch.get_num_threads()} threads, {versions}"
