"""The compiled loops of Winograd's convolution, over blocks of tiles.

Padding is a matter of which position is read, and its gradient of which is written: nothing is copied but at the border.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from impasto.networks.kernels import vectors
from impasto.networks.kernels.registers import FEW_ROWS, LANES, ROWS, SIGN_BYTES, WIDTH

GAP = 16
"""Floats between rows of the matrices: without it rows would meet in the same lines of the cache."""
Task = np.dtype(
    [
        ("address", np.int64),  # where the task itself is
        ("next_block", np.int64),  # counted by the threads
        ("next_worker", np.int64),
        ("x", np.int64),  # addresses; of signs 0 if there are none
        ("passed", np.int64),
        ("kernels", np.int64),
        ("bias", np.int64),
        ("y", np.int64),
        ("signs", np.int64),
        ("zeros", np.int64),
        ("scratch", np.int64),
        ("scratch_bytes", np.int64),  # of each thread
        ("pictures", np.int64),
        ("height", np.int64),
        ("width", np.int64),
        ("channels", np.int64),
        ("out_height", np.int64),
        ("out_width", np.int64),
        ("out_channels", np.int64),
        ("top", np.int64),  # where the first tile of results begins
        ("left", np.int64),
        ("lead", np.int64),  # how far before it its values do
        ("repeat", np.int64),  # outside is the border again; otherwise zeros
        ("fold", np.int64),  # results for one position outside are added to the border
        ("spread", np.int64),  # 2 if every position of x stands for 2 x 2 of the values, else 1
        ("pooled", np.int64),  # of 2 x 2 results the mean is kept
        ("down", np.int64),  # tiles
        ("across", np.int64),
        ("block", np.int64),  # tiles in one go
    ]
)
"""What the loops are told."""


@numba.njit(error_model="numpy")
def _clamped(i, n):
    return min(max(i, 0), n - 1)


@numba.njit(error_model="numpy")
def _gather(task, tile, target, point, edge):
    """Transform the 6 x 6 values of a tile."""
    pixel, sign_pixel = 4 * task.channels, task.channels // LANES * SIGN_BYTES
    spread, height, width = task.spread, task.height // task.spread, task.width // task.spread
    line, sign_line = pixel * width, sign_pixel * task.width
    picture, rest = tile // (task.down * task.across), tile % (task.down * task.across)
    top = task.top + 4 * (rest // task.across) - task.lead
    left = task.left + 4 * (rest % task.across) - task.lead
    if top >= 0 and left >= 0 and top + 6 <= spread * height and left + 6 <= spread * width:
        source = task.x + ((picture * height + top // spread) * width + left // spread) * pixel
        signs = task.passed + ((picture * task.height + top) * task.width + left) * sign_pixel
        if spread == 2:
            vectors.spread_input_tile(
                source, line, pixel, top % 2, left % 2, signs, sign_line, sign_pixel, task.channels, target, point
            )
        elif task.passed:
            vectors.passed_input_tile(source, line, pixel, signs, sign_line, sign_pixel, task.channels, target, point)
        else:
            vectors.input_tile(source, line, pixel, task.channels, target, point)
        return
    for i in range(6):
        row = _clamped(top + i, task.height)
        for j in range(6):
            column = _clamped(left + j, task.width)
            source = task.x + ((picture * height + row // spread) * width + column // spread) * pixel
            place = edge + (6 * i + j) * pixel
            outside = not task.repeat and (row != top + i or column != left + j)
            if outside or row >= spread * height or column >= spread * width:
                vectors.copy(task.zeros, task.channels, place)
            elif task.passed:
                signs = task.passed + ((picture * task.height + row) * task.width + column) * sign_pixel
                vectors.passed_copy(source, signs, task.channels, place)
            else:
                vectors.copy(source, task.channels, place)
    vectors.input_tile(edge, 6 * pixel, pixel, task.channels, target, point)


@numba.njit(error_model="numpy")
def _multiply(task, rows, values, value_row, results, result_row):
    """The matrix product of each point: (rows, channels) times (channels, out_channels)."""
    panels = task.out_channels // WIDTH
    for point in range(36):
        for panel in range(panels):
            kernels = task.kernels + (point * panels + panel) * 4 * WIDTH * task.channels
            row = 0
            while row < rows:
                left = values + (point * task.block + row) * value_row
                right = results + (point * task.block + row) * result_row + 4 * WIDTH * panel
                if rows - row >= ROWS:
                    vectors.product(left, value_row, kernels, right, result_row, task.channels)
                    row += ROWS
                else:
                    vectors.small_product(left, value_row, kernels, right, result_row, task.channels)
                    row += FEW_ROWS


@numba.njit(error_model="numpy")
def _scatter(task, tile, source, point, edge):
    """Transform the products of a tile to its 4 x 4 results."""
    pixel, sign_pixel = 4 * task.out_channels, task.out_channels // LANES * SIGN_BYTES
    line, sign_line = pixel * task.out_width, sign_pixel * task.out_width
    picture, rest = tile // (task.down * task.across), tile % (task.down * task.across)
    top, left = task.top + 4 * (rest // task.across), task.left + 4 * (rest % task.across)
    fold, channels = task.fold, task.out_channels
    if task.pooled:
        _pool(task, picture, top, left, source, point, edge)
        return
    if top >= 0 and left >= 0 and top + 4 <= task.out_height - fold and left + 4 <= task.out_width - fold:
        position = (picture * task.out_height + top) * task.out_width + left
        target, signs = task.y + position * pixel, task.signs + position * sign_pixel
        if task.signs:
            vectors.rectified_output_tile(
                source, point, channels, task.bias, target, line, pixel, signs, sign_line, sign_pixel
            )
        else:
            vectors.output_tile(source, point, channels, task.bias, target, line, pixel)
        return
    vectors.output_tile(source, point, channels, task.bias, edge, 4 * pixel, pixel)
    for i in range(max(0, -fold - top), min(4, task.out_height + fold - top)):
        row = _clamped(top + i, task.out_height)
        for j in range(max(0, -fold - left), min(4, task.out_width + fold - left)):
            column = _clamped(left + j, task.out_width)
            position = (picture * task.out_height + row) * task.out_width + column
            place, target = edge + (4 * i + j) * pixel, task.y + position * pixel
            # the first of a tile's results that fall to one position; all that do are of one tile
            again_row = row == _clamped(top + i - 1, task.out_height) and top + i - 1 >= -fold and i > 0
            again_column = column == _clamped(left + j - 1, task.out_width) and left + j - 1 >= -fold and j > 0
            if again_row or again_column:
                vectors.add(place, channels, target)
            elif task.signs:
                vectors.rectified_copy(place, channels, target, task.signs + position * sign_pixel)
            else:
                vectors.copy(place, channels, target)


@numba.njit(error_model="numpy")
def _pool(task, picture, top, left, source, point, edge):
    """The same with the means of 2 x 2 results; of an odd size the last ones are left out, as no one sees them."""
    channels, height, width = task.out_channels, task.out_height // 2, task.out_width // 2
    pixel, sign_pixel = 4 * channels, channels // LANES * SIGN_BYTES
    signs = task.signs + ((picture * task.out_height + top) * task.out_width + left) * sign_pixel
    sign_line = sign_pixel * task.out_width
    if top + 4 <= task.out_height and left + 4 <= task.out_width:
        vectors.rectified_output_tile(
            source, point, channels, task.bias, edge, 4 * pixel, pixel, signs, sign_line, sign_pixel
        )
    else:
        vectors.output_tile(source, point, channels, task.bias, edge, 4 * pixel, pixel)
        for i in range(min(4, task.out_height - top)):
            for j in range(min(4, task.out_width - left)):
                place = edge + (4 * i + j) * pixel
                vectors.rectified_copy(place, channels, place, signs + i * sign_line + j * sign_pixel)
    for i in range(min(2, height - top // 2)):
        for j in range(min(2, width - left // 2)):
            target = task.y + ((picture * height + top // 2 + i) * width + left // 2 + j) * pixel
            vectors.mean(edge + (8 * i + 2 * j) * pixel, 4 * pixel, pixel, channels, target)


def _work(pointer):
    """Take blocks of tiles until there are no more; as many threads as one likes do so at once."""
    task = numba.carray(pointer, 1)[0]  # pyright: ignore[reportPrivateImportUsage]
    scratch = task.scratch + vectors.take(task.address + 16) * task.scratch_bytes
    value_row, result_row = 4 * (task.channels + GAP), 4 * (task.out_channels + GAP)
    results = scratch + 36 * task.block * value_row
    edge = results + 36 * task.block * result_row
    tiles = task.pictures * task.down * task.across
    while True:
        first = vectors.take(task.address + 8) * task.block
        if first >= tiles:
            break
        rows = min(task.block, tiles - first)
        for row in range(rows):
            _gather(task, first + row, scratch + row * value_row, task.block * value_row, edge)
        _multiply(task, rows, scratch, value_row, results, result_row)
        for row in range(rows):
            _scatter(task, first + row, results + row * result_row, task.block * result_row, edge)


def compiled() -> Any:
    """The loops, which take the address of a task, as Numba's C function."""
    signature = numba.types.void(numba.types.CPointer(numba.from_dtype(Task)))
    try:
        return numba.cfunc(signature, cache=True, error_model="numpy")(_work)
    except RuntimeError:  # no folder for the cache
        return numba.cfunc(signature, error_model="numpy")(_work)
