"""Winograd's F(4x4, 3x3): a 3x3 convolution of pictures with a quarter of the multiplications, on the CPU.

The result is cut into tiles of 4 x 4 positions, each of which depends on 6 x 6 positions of the input. Input and kernels are
transformed to 36 values each, those of a polynomial at 36 points, where a convolution is one product per point; over all
tiles and channels these are 36 matrix products. After Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks"
(2016), arXiv:1509.09308. README.md beside this file has the layout of the data.

This module prepares the memory and starts the threads; the loops are in winograd_loops.py. It needs Numba: importing it
compiles the loops, or reads them compiled.
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

from impasto.networks.kernels.compiled_loops import load_loops
from impasto.networks.kernels.instruction_set import FEW_ROWS, LANES, SIGN_BYTES, WIDTH
from impasto.networks.kernels.winograd_task import GAP, Task

_loops = load_loops()
_run_one = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_loops)
_of_thread = threading.local()


def _openmp_of_torch() -> Any:
    """What starts torch's own threads, if they are those of GNU OpenMP; others would compete with them for the cores."""
    try:
        return ctypes.CDLL("libgomp.so.1", mode=os.RTLD_NOLOAD).GOMP_parallel
    except (OSError, AttributeError):
        return None


_parallel = _openmp_of_torch()
_pool = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1))


def _run_on_threads(task: Any, threads: int) -> None:
    """Let so many threads take blocks of tiles of the task until none is left."""
    address = ctypes.c_void_p(task.ctypes.data)
    if threads == 1:
        _run_one(address)
    elif _parallel is not None:
        _parallel(ctypes.c_void_p(_loops), address, ctypes.c_uint(threads), ctypes.c_uint(0))
    else:
        others = [_pool.submit(_run_one, address) for _ in range(threads - 1)]
        _run_one(address)
        for other in others:
            other.result()


_KERNEL_POINTS = torch.tensor(
    [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]],
    dtype=torch.float64,
).div(24)


def transform_kernels(kernels: Tensor) -> Tensor:
    """G g G^T of kernels (out, in, 3, 3), in the order in which they are read: (36, out / WIDTH, in, WIDTH).

    Kernels of zeros are added until the channels fill the registers.
    """
    kernels = F.pad(kernels, (0, 0, 0, 0, 0, -kernels.shape[1] % LANES, 0, -kernels.shape[0] % WIDTH))
    out_channels, channels = kernels.shape[:2]
    points = torch.kron(_KERNEL_POINTS, _KERNEL_POINTS).to(kernels)
    panels = kernels.unflatten(0, (-1, WIDTH)).permute(3, 4, 0, 2, 1)  # the order of the result: 9 numbers are moved, not 36
    return (points @ panels.reshape(9, -1)).view(36, out_channels // WIDTH, channels, WIDTH)


def unpack_signs(signs: Tensor, channels: int) -> Tensor:
    """The bits of signs (..., bytes) as booleans (..., channels)."""
    bits = signs.unsqueeze(-1) >> torch.arange(min(8, LANES), dtype=torch.uint8) & 1
    return bits.flatten(-2).reshape(*signs.shape[:-1], channels).bool()


def _tiles_per_block(tiles: int, channels: int, out_channels: int, threads: int) -> int:
    """How many tiles a block has: few, to stay in the cache; more where the kernels, read again for each block, do not."""
    largest = 36 if channels * out_channels <= 2**16 else 144
    blocks = -(-tiles // largest)
    blocks = -(-blocks // threads) * threads
    return -(-tiles // blocks // FEW_ROWS) * FEW_ROWS if tiles > FEW_ROWS else FEW_ROWS


def fills_registers(channels: int, out_channels: int) -> bool:
    """Whether the channels fill the registers; few input channels, such as the three colours, are filled up with zeros."""
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
    mask: Tensor | None = None,
    unpool: bool = False,
    rectified: bool = False,
    pooled: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """The convolution of x (N, H, W, C), contiguous and in float32.

    Args:
        x: the input.
        kernels: from :func:`transform_kernels`.
        bias: (out,).
        size: height and width of the result.
        lead: how many positions up and left of its result a kernel begins: 1 is padding by one, 0 is none.
        repeat: outside of x its border is repeated; otherwise there are zeros.
        fold: also compute the results one position outside on each side, and add them to the border.
        mask: signs of the input; where a bit is not set, the input counts as zero.
        unpool: each position of x stands for 2 x 2 of the input. The size of the input is that of ``mask``; an odd last row
            or column is zero.
        rectified: take the ReLU of the result.
        pooled: take the mean of each 2 x 2 positions afterwards; only together with ``rectified``.

    Returns:
        The result (N, \\*size, out), of half the size if pooled; and, if rectified, the signs of all its positions before
        the pooling: (N, \\*size, bytes), one bit per channel, set where it is above zero.
    """
    wanted, out_channels = bias.shape[0], kernels.shape[1] * WIDTH
    bias = F.pad(bias, (0, out_channels - wanted))
    if x.shape[3] % LANES:
        x = F.pad(x, (0, -x.shape[3] % LANES))
    pictures, height, width, channels = x.shape
    if mask is not None:
        height, width = mask.shape[1:3]
    y = x.new_empty(pictures, *(n // 2 if pooled else n for n in size), out_channels)
    signs = torch.empty((pictures, *size, out_channels // LANES * SIGN_BYTES), dtype=torch.uint8) if rectified else None
    # with fold, a tile must hold both the border and the row outside that is added to it
    top, left = ((-2 if n % 4 == 3 else -1) if fold else 0 for n in size)
    down, across = (-(-(n + fold - first) // 4) for n, first in zip(size, (top, left), strict=True))
    threads = torch.get_num_threads()
    block = _tiles_per_block(pictures * down * across, channels, out_channels, threads)
    floats = 36 * block * (channels + out_channels + 2 * GAP) + 36 * max(channels, out_channels)
    scratch = getattr(_of_thread, "scratch", None)
    if scratch is None or scratch.numel() < threads * floats + channels:
        with torch.inference_mode(False):  # a tensor made in inference mode could not be written to outside of it
            scratch = _of_thread.scratch = torch.empty(threads * floats + channels)
    scratch[:channels] = 0
    task = np.zeros(1, Task)
    values = {
        "address": task.ctypes.data,
        "x": x.data_ptr(),
        "mask": 0 if mask is None else mask.data_ptr(),
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
        "unpool": 2 if unpool else 1,
        "pooled": pooled,
        "down": down,
        "across": across,
        "block": block,
    }
    for name, value in values.items():
        task[name] = value
    _run_on_threads(task, threads)
    return y[..., :wanted], signs
