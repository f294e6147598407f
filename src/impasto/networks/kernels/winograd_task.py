"""What the loops of Winograd's convolution are told of one convolution; they and their caller have it from here."""

from __future__ import annotations

import numpy as np

ENTRY = "impasto_winograd"
"""The name of the compiled loops, a C function of the address of a task."""
GAP = 16
"""Unused floats at the end of each row of the matrices: rows a power of two apart would compete for the same cache lines."""
Task = np.dtype(
    [
        ("address", np.int64),  # of the task itself
        ("next_block", np.int64),  # counted up by the threads, at address + 8
        ("next_worker", np.int64),  # the same, at address + 16
        ("x", np.int64),  # from here to scratch: addresses; 0 if there is no mask, or no signs are wanted
        ("mask", np.int64),
        ("kernels", np.int64),
        ("bias", np.int64),
        ("y", np.int64),
        ("signs", np.int64),
        ("zeros", np.int64),
        ("scratch", np.int64),
        ("scratch_bytes", np.int64),  # for each thread
        ("pictures", np.int64),
        ("height", np.int64),
        ("width", np.int64),
        ("channels", np.int64),
        ("out_height", np.int64),
        ("out_width", np.int64),
        ("out_channels", np.int64),
        ("top", np.int64),  # where the first tile of the result begins
        ("left", np.int64),
        ("lead", np.int64),  # from here on as in winograd.convolve
        ("repeat", np.int64),
        ("fold", np.int64),
        ("unpool", np.int64),  # but 2 if each position of x stands for 2 x 2, else 1
        ("pooled", np.int64),
        ("down", np.int64),  # rows of tiles in a picture
        ("across", np.int64),  # tiles in a row
        ("block", np.int64),  # tiles in a block
    ]
)
"""All that the loops need to know of one convolution."""
