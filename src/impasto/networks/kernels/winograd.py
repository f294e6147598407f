"""Winograd's F(4x4, 3x3): a 3x3 convolution of pictures with a quarter of the multiplications, on the CPU.

The picture is cut into tiles of 4 x 4 results, each of which depends on 6 x 6 values. Both they and the kernel become the
values of a polynomial at 36 points; there the convolution is one product for each point, and over all tiles and channels
that is a matrix product. After Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), arXiv:1509.09308.

A block of tiles goes all the way before the next begins, so that what is between stays in the cache. This module needs
Numba; importing it compiles the loops, or reads them from Numba's cache.
"""

from __future__ import annotations

import ctypes
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.networks.kernels.registers import FEW_ROWS, LANES, SIGN_BYTES, WIDTH
from impasto.networks.kernels.winograd_loops import GAP, Task, compiled

_compiled_work = compiled()
_run_one = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_compiled_work.address)
_own = threading.local()


def _openmp_of_torch() -> Any:
    """The library whose threads torch computes with: threads of our own would fight with them for the processor."""
    try:
        return ctypes.CDLL("libgomp.so.1", mode=os.RTLD_NOLOAD).GOMP_parallel
    except (OSError, AttributeError):
        return None


_parallel = _openmp_of_torch()
_pool = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1))


def _run(task: Any, threads: int) -> None:
    address = ctypes.c_void_p(task.ctypes.data)
    if threads == 1:
        _run_one(address)
    elif _parallel is not None:
        _parallel(ctypes.c_void_p(_compiled_work.address), address, ctypes.c_uint(threads), ctypes.c_uint(0))
    else:
        others = [_pool.submit(_run_one, address) for _ in range(threads - 1)]
        _run_one(address)
        for other in others:
            other.result()


_KERNEL_POINTS = torch.tensor(
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]],
    dtype=torch.float64,
).div(24)


def transformed(kernels: Tensor) -> Tensor:
    """G g G^T of kernels (out, in, 3, 3), as the products read it: (36, out / WIDTH, in, WIDTH).

    Both numbers of channels become such as fill the registers: the further kernels are zero.
    """
    kernels = F.pad(kernels, (0, 0, 0, 0, 0, -kernels.shape[1] % LANES, 0, -kernels.shape[0] % WIDTH))
    out_channels, channels = kernels.shape[:2]
    points = torch.kron(_KERNEL_POINTS, _KERNEL_POINTS).to(kernels)
    at_points = points @ kernels.permute(2, 3, 1, 0).reshape(9, -1)
    return at_points.view(36, channels, out_channels // WIDTH, WIDTH).transpose(1, 2).contiguous()


def unpacked(signs: Tensor, channels: int) -> Tensor:
    """The signs (..., bytes) as booleans (..., channels)."""
    bits = signs.unsqueeze(-1) >> torch.arange(min(8, LANES), dtype=torch.uint8) & 1
    return bits.flatten(-2).reshape(*signs.shape[:-1], channels).bool()


def _block(tiles: int, channels: int, out_channels: int, threads: int) -> int:
    """How many tiles go through together: few, unless the kernels are too many for the cache and must be read for each."""
    largest = 36 if channels * out_channels <= 2**16 else 144
    blocks = -(-tiles // largest)
    blocks = -(-blocks // threads) * threads
    return -(-tiles // blocks // FEW_ROWS) * FEW_ROWS if tiles > FEW_ROWS else FEW_ROWS


def takes(channels: int, out_channels: int) -> bool:
    """Whether the numbers of channels fill the registers, as those of a signal need not."""
    return (channels % WIDTH == 0 or channels < LANES) and out_channels % WIDTH == 0


def convolve(
    x: Tensor,
    kernels: Tensor,
    bias: Tensor,
    size: tuple[int, int],
    *,
    lead: int,
    repeat: bool = False,
    fold: bool = False,
    passed: Tensor | None = None,
    spread: bool = False,
    rectified: bool = False,
    pooled: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """The convolution of x (N, H, W, C), without gaps and in float32, with :func:`transformed` kernels.

    Args:
        x: what is convolved.
        kernels: as :func:`transformed` gives them.
        bias: (out,).
        size: height and width of the result.
        lead: how many positions before its result a kernel begins; outside x there are zeros.
        repeat: outside x the border is repeated instead.
        fold: the result is also computed for one position outside on each side, and added to the border.
        passed: signs of x; where they are not set, x counts as zero.
        spread: x has a position for each 2 x 2 of what is convolved, of which ``passed`` has all; what is left over is zero.
        rectified: take the ReLU.
        pooled: of what is rectified take the mean of each 2 x 2.

    Returns:
        The result (N, \\*size, out), with half the size if pooled, and, if rectified, its signs.
    """
    wanted, out_channels = bias.shape[0], kernels.shape[1] * WIDTH
    bias = F.pad(bias, (0, out_channels - wanted))
    if x.shape[3] % LANES:
        x = F.pad(x, (0, -x.shape[3] % LANES))
    pictures, height, width, channels = x.shape
    if passed is not None:
        height, width = passed.shape[1:3]
    y = x.new_empty(pictures, *(n // 2 if pooled else n for n in size), out_channels)
    signs = torch.empty((pictures, *size, out_channels // LANES * SIGN_BYTES), dtype=torch.uint8) if rectified else None
    # a tile must hold both the border and what is added to it
    top, left = ((-2 if n % 4 == 3 else -1) if fold else 0 for n in size)
    down, across = (-(-(n + fold - first) // 4) for n, first in zip(size, (top, left), strict=True))
    threads = torch.get_num_threads()
    block = _block(pictures * down * across, channels, out_channels, threads)
    floats = 36 * block * (channels + out_channels + 2 * GAP) + 36 * max(channels, out_channels)
    scratch = getattr(_own, "scratch", None)
    if scratch is None or scratch.numel() < threads * floats + channels:
        with torch.inference_mode(False):  # else only inference could write to it
            scratch = _own.scratch = torch.empty(threads * floats + channels)
    scratch[:channels] = 0
    task = np.zeros(1, Task)
    values = {
        "address": task.ctypes.data,
        "x": x.data_ptr(),
        "passed": 0 if passed is None else passed.data_ptr(),
        "kernels": kernels.data_ptr(),
        "bias": bias.data_ptr(),
        "y": y.data_ptr(),
        "signs": 0 if signs is None else signs.data_ptr(),
        "scratch": scratch.data_ptr() + 4 * channels,
        "scratch_bytes": 4 * floats,
        "zeros": scratch.data_ptr(),
        "pictures": pictures,
        "height": height,
        "width": width,
        "channels": channels,
        "out_height": size[0],
        "out_width": size[1],
        "out_channels": out_channels,
        "top": top,
        "left": left,
        "lead": lead,
        "repeat": repeat,
        "fold": fold,
        "spread": 2 if spread else 1,
        "pooled": pooled,
        "down": down,
        "across": across,
        "block": block,
    }
    for name, value in values.items():
        task[name] = value
    _run(task, threads)
    return y[..., :wanted], signs
