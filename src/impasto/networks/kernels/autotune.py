"""Which convolution is faster here: torch's direct one or Winograd's.

For each shape both run for a few milliseconds. What was measured is kept for the machine, so that the choice stays the same,
and with it the last digits of a result. A run that goes on with another one chooses as that did, and no other run does.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import platform
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

Convolution = Literal["direct", "winograd", "auto"]

VARIABLE = "IMPASTO_CONVOLUTION"
_ROUNDS = 5
_LARGEST = 64  # positions along an axis in a measurement; beyond, the ratio hardly changes
_WORTH = 1.03  # how much faster it must be
_CACHES = 2**25  # floats, more than any cache holds: in an evaluation, the kernels are not in the cache
_chosen: ContextVar[dict[str, bool] | None] = ContextVar("chosen convolutions", default=None)


@contextlib.contextmanager
def own_choices() -> Iterator[None]:
    """Within it, or within a function that it decorates, choices are remembered and can be taken over; a run is such one."""
    before = _chosen.set({})
    try:
        yield
    finally:
        _chosen.reset(before)


def convolution_wanted() -> Convolution:
    """What the environment asks for, "auto" by default.

    Raises:
        SettingsError: it asks for something else than there is, or for Winograd's where it cannot be compiled.
    """
    wanted, known = os.environ.get(VARIABLE) or "auto", get_args(Convolution)
    if wanted not in known:
        raise SettingsError(
            f"{VARIABLE} is one of {', '.join(known)}, not {wanted!r}: did you mean {nearest(wanted, known)!r}?"
        )
    if wanted == "winograd" and _missing():
        raise SettingsError(f"{VARIABLE} is winograd, but {_missing()}; choose direct or auto")
    return wanted  # pyright: ignore[reportReturnType]


def winograd_possible() -> bool:
    """Whether Winograd's convolution is to be considered at all."""
    return convolution_wanted() != "direct" and not _missing()


def chooses_winograd(shape: Sequence[int], out_channels: int) -> bool:
    """Whether a (N, channels, H, W), to be convolved with 3x3 kernels to ``out_channels``, goes through Winograd's."""
    if not winograd_possible():
        return False
    from impasto.networks.kernels import winograd

    wanted = convolution_wanted()

    pictures, channels, height, width = shape
    if not winograd.takes(channels, out_channels):
        return False
    side = _bucket(pictures * height * width)
    name = f"{channels} to {out_channels} channels, {side} px"
    if wanted == "winograd":
        return True
    chosen = _chosen.get()
    if chosen is None:  # not within a run
        chosen = {}
    if name not in chosen:
        chosen[name] = _gain(_machine(), name, channels, out_channels, side) > _WORTH
    return chosen[name]


def convolutions_chosen() -> dict[str, bool]:
    """For each shape that this run has met, whether it goes through Winograd's."""
    return dict(_chosen.get() or {})


def choose_convolutions(chosen: Mapping[str, bool]) -> None:
    """Choose in this run as another process did, whatever would be faster: its last digits are those of its convolutions."""
    own = _chosen.get()
    assert own is not None, "choices are taken over within own_choices()"
    own.update(chosen)


def describe_convolution() -> str:
    """What computes the convolutions here, and why, in a line."""
    wanted = convolution_wanted()
    if wanted == "direct":
        return f"direct ({VARIABLE})"
    if _missing():
        return f"direct ({_missing()})"
    if wanted == "winograd":
        return f"Winograd F(4x4, 3x3), compiled by Numba {version('numba')} ({VARIABLE})"
    gains = _kept().get(_machine(), {})
    faster = [gain for gain in gains.values() if gain > _WORTH]
    found = (
        f"faster than direct for {len(faster)} of {len(gains)} shapes measured here"
        + (f", {min(faster):.1f} to {max(faster):.1f} times" if faster else "")
        if gains
        else "to be measured when first used"
    )
    return f"direct or Winograd F(4x4, 3x3), compiled by Numba {version('numba')}: {found}"


@functools.cache
def _missing() -> str:
    """Why Winograd's convolution cannot be compiled here; empty if it can."""
    try:
        importlib.import_module("impasto.networks.kernels.winograd")
    except ImportError as error:
        return f"Numba does not work here: {first_line(error)}"
    return ""


def _bucket(positions: int) -> int:
    """The side of the square, a power of two, that stands for so many positions."""
    side = 4
    while side < _LARGEST and 2 * side * side < positions:
        side *= 2
    return side


@functools.cache
def _gain(machine: str, name: str, channels: int, out_channels: int, side: int) -> float:
    """How many times faster Winograd's convolution is; measured once for the machine."""
    kept = _kept()
    if name not in kept.get(machine, {}):
        gain = _measured(channels, out_channels, side)
        kept = _kept()  # others may have measured meanwhile; who kept it first is right
        kept.setdefault(machine, {}).setdefault(name, gain)
        with contextlib.suppress(OSError, SignalError):  # nowhere to keep it: it is measured again next time
            path = _path()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(kept, indent=2).encode())
    return kept[machine][name]


@torch.no_grad()
def _measured(channels: int, out_channels: int, side: int) -> float:
    from impasto.networks.kernels import winograd

    random = torch.Generator().manual_seed(0)  # the numbers of torch's own one belong to who called
    x = torch.rand(1, side, side, channels, generator=random)
    weight = torch.rand(out_channels, channels, 3, 3, generator=random)
    bias = torch.rand(out_channels, generator=random)
    direct_weight, kernels = weight.contiguous(memory_format=torch.channels_last), winograd.transformed(weight)
    contestants: list[Callable[[], object]] = [
        lambda: F.conv2d(x.permute(0, 3, 1, 2), direct_weight, bias, padding=1),
        lambda: winograd.convolve(x, kernels, bias, (side, side), lead=1, rectified=True),
    ]
    elsewhere = torch.empty(_CACHES)
    times: list[list[float]] = [[], []]
    for _ in range(_ROUNDS):
        for contestant, kept in zip(contestants, times, strict=True):
            elsewhere.fill_(0)
            began = time.perf_counter()
            contestant()
            kept.append(time.perf_counter() - began)
    direct, fast = (min(kept) for kept in times)
    return round(direct / fast, 3)


def _path() -> Path:
    return Path(platformdirs.user_cache_dir("impasto")) / "convolution.json"


def _kept() -> dict[str, dict[str, float]]:
    try:
        kept = json.loads(_path().read_text())
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


def _machine() -> str:
    """What the measurements hold for."""
    try:
        own = version("impasto")
    except PackageNotFoundError:
        own = "?"
    return f"{processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}, impasto {own}"
