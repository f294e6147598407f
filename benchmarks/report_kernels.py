"""Pieces of the report that run in its own process: the matrix product, evaluations, layers, the explorer; and memory."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch
import torch.nn.functional as F
from evaluation import NAMES, Padding, compare
from explore_throughput import alternate
from machine import peak_gflops, run
from torch import Tensor

from impasto.networks.kernels.allocation import freed_memory_kept
from impasto.networks.kernels.autotune import chooses_winograd
from impasto.networks.kernels.convolution import convolve
from impasto.networks.layers import VGG19, up_to_deepest
from impasto.transfer.settings import TransferSettings

HERE = Path(__file__).parent
_PLAIN_BYTES = 7000  # that plain PyTorch takes for each position of the picture


def convolutions(size: int) -> dict[str, tuple[int, int, int]]:
    """Channels, out channels and side of each 3x3 convolution of an evaluation with default settings."""
    settings = TransferSettings().for_kind("image")
    found: dict[str, tuple[int, int, int]] = {}
    channels, side = 3, size
    for row in up_to_deepest(VGG19, {**settings.content_weights, **settings.style_lambdas}):
        side //= row.stride
        if row.operation == "conv":
            found[row.name] = channels, row.channels, side
            channels = row.channels
    return found


def operations(channels: int, out_channels: int, side: int) -> float:
    """Additions and multiplications of a 3x3 convolution by its definition; its gradient has as many."""
    return 2.0 * 9 * channels * out_channels * side**2


def rounds_at(size: int, rounds: int) -> int:
    """Large pictures take fewer rounds: their times vary less."""
    return min(rounds, max(1, 2048 // size))


def names_at(size: int) -> tuple[str, ...]:
    """Who is compared: impasto alone where plain PyTorch takes more memory than there is."""
    return NAMES if _PLAIN_BYTES * size**2 < psutil.virtual_memory().available else NAMES[:1]


def product(rounds: int) -> dict[str, Any]:
    """Thousand million operations a second of a matrix product in float32."""
    return {"gflops": peak_gflops(rounds)}


def evaluation(size: int, padding: Padding, rounds: int) -> dict[str, Any]:
    """Seconds of an evaluation of J and its gradient, and its speed beside a matrix product in the same run."""
    peak = peak_gflops(2, side=2048)
    medians = compare(size, rounds_at(size, rounds), padding, names_at(size))
    of_both = 2 * sum(operations(*shape) for shape in convolutions(size).values())
    return {"seconds": medians, "product_gflops": peak, "of_product": of_both / medians["impasto"] / 1e9 / peak}


class Way(NamedTuple):
    """A way to convolve; its results have gradients."""

    name: str
    convolve: Callable[[Tensor], Tensor]


def layer(channels: int, out_channels: int, side: int, rounds: int) -> dict[str, Any]:
    """Seconds of a convolution of zero padding, bias and ReLU, and of the same with its gradient, in turns."""
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(out_channels, channels, 3, 3, generator=random) / (9 * channels) ** 0.5
    bias = torch.randn(out_channels, generator=random)
    x = torch.randn(1, side, side, channels, generator=random).permute(0, 3, 1, 2)  # channels last, as activations are
    gradient = torch.randn(1, side, side, out_channels, generator=random).permute(0, 3, 1, 2)
    direct_weight = weight.contiguous(memory_format=torch.channels_last)
    ways = (
        Way("impasto", lambda a: convolve(a, weight, bias, padding="zeros", rectified=True)),
        Way("direct", lambda a: F.relu_(F.conv2d(a, direct_weight, bias, padding=1))),
    )
    times: dict[str, dict[str, list[float]]] = {
        kind: {way.name: [] for way in ways} for kind in ("forward", "with_gradient")
    }
    for turn in range(rounds + 1):
        for way in ways:
            with torch.no_grad():
                began = time.perf_counter()
                way.convolve(x)
                forward = time.perf_counter() - began
            a = x.detach().requires_grad_()
            began = time.perf_counter()
            torch.autograd.grad(way.convolve(a), a, gradient)
            both = time.perf_counter() - began
            if turn:  # the first warms up
                times["forward"][way.name].append(forward)
                times["with_gradient"][way.name].append(both)
    seconds = {kind: {name: statistics.median(row) for name, row in ways.items()} for kind, ways in times.items()}
    return {"shape": [channels, out_channels, side], "winograd": chooses_winograd(x.shape, out_channels), **seconds}


def layers(rounds: int, size: int = 512) -> dict[str, Any]:
    """The distinct convolutions of an evaluation, each alone."""
    distinct: dict[tuple[int, int, int], str] = {}
    for name, shape in convolutions(size).items():
        distinct.setdefault(shape, name)
    peak = peak_gflops(2, side=2048)
    with freed_memory_kept():
        return {"product_gflops": peak, "layers": {name: layer(*shape, rounds) for shape, name in distinct.items()}}


def memory() -> dict[str, Any]:
    """MiB at the peak of a process that evaluates J at 1024 pixels twice, padded with zeros."""
    command = (sys.executable, str(HERE / "evaluation.py"), "--size", "1024", "--padding", "zeros", "--only")
    return {"padding": "zeros", "mib": {name: int(run([*command, name]).said) for name in names_at(1024)}}


def explorer(rounds: int) -> dict[str, Any]:
    """Images a second of the search for patches beside the bare forward pass: relu5_1, all its units, 224 px."""
    with tempfile.TemporaryDirectory() as folder:
        found = alternate(["relu5_1"], 32, 224, rounds, Path(folder))
    bare, whole = (statistics.median(column) for column in zip(*((turn.bare, turn.whole) for turn in found), strict=True))
    ratio = statistics.median(turn.bare / turn.whole for turn in found)
    return {"images_per_second": 32 / whole, "bare_per_second": 32 / bare, "of_bare": ratio}
