"""The outer loops of Winograd's convolution, over blocks of tiles, compiled by Numba.

Padding only decides which position is read, and its gradient which one is written: whole pictures are never copied, only
tiles at the border. All addresses and strides are in bytes.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir

from impasto.networks.kernels import simd_kernels
from impasto.networks.kernels.instruction_set import FEW_ROWS, LANES, ROWS, SIGN_BYTES, WIDTH
from impasto.networks.kernels.winograd_task import ENTRY, GAP, Task


@numba.njit(error_model="numpy")
def _clamped(i, n):
    return min(max(i, 0), n - 1)


@numba.njit(error_model="numpy")
def _gather(task, tile, target, point, edge):
    """Transform the 6 x 6 positions of a tile to one row of the 36 matrices; a border tile is copied to ``edge`` first."""
    pixel, sign_pixel = 4 * task.channels, task.channels // LANES * SIGN_BYTES
    unpool, height, width = task.unpool, task.height // task.unpool, task.width // task.unpool
    line, sign_line = pixel * width, sign_pixel * task.width
    picture, rest = tile // (task.down * task.across), tile % (task.down * task.across)
    top = task.top + 4 * (rest // task.across) - task.lead
    left = task.left + 4 * (rest % task.across) - task.lead
    if top >= 0 and left >= 0 and top + 6 <= unpool * height and left + 6 <= unpool * width:
        source = task.x + ((picture * height + top // unpool) * width + left // unpool) * pixel
        signs = task.mask + ((picture * task.height + top) * task.width + left) * sign_pixel
        if unpool == 2:
            simd_kernels.unpooled_input_tile(
                source, line, pixel, top % 2, left % 2, signs, sign_line, sign_pixel, task.channels, target, point
            )
        elif task.mask:
            simd_kernels.masked_input_tile(source, line, pixel, signs, sign_line, sign_pixel, task.channels, target, point)
        else:
            simd_kernels.input_tile(source, line, pixel, task.channels, target, point)
        return
    for i in range(6):
        row = _clamped(top + i, task.height)
        for j in range(6):
            column = _clamped(left + j, task.width)
            source = task.x + ((picture * height + row // unpool) * width + column // unpool) * pixel
            place = edge + (6 * i + j) * pixel
            outside = not task.repeat and (row != top + i or column != left + j)
            if outside or row >= unpool * height or column >= unpool * width:
                simd_kernels.copy(task.zeros, task.channels, place)
            elif task.mask:
                signs = task.mask + ((picture * task.height + row) * task.width + column) * sign_pixel
                simd_kernels.masked_copy(source, signs, task.channels, place)
            else:
                simd_kernels.copy(source, task.channels, place)
    simd_kernels.input_tile(edge, 6 * pixel, pixel, task.channels, target, point)


@numba.njit(error_model="numpy")
def _multiply(task, rows, values, value_row, results, result_row):
    """The 36 matrix products of a block: (rows, channels) times (channels, out_channels)."""
    panels = task.out_channels // WIDTH
    for point in range(36):
        for panel in range(panels):
            kernels = task.kernels + (point * panels + panel) * 4 * WIDTH * task.channels
            row = 0
            while row < rows:
                left = values + (point * task.block + row) * value_row
                right = results + (point * task.block + row) * result_row + 4 * WIDTH * panel
                if rows - row >= ROWS:
                    simd_kernels.matrix_product(left, value_row, kernels, right, result_row, task.channels)
                    row += ROWS
                else:
                    simd_kernels.small_matrix_product(left, value_row, kernels, right, result_row, task.channels)
                    row += FEW_ROWS


@numba.njit(error_model="numpy")
def _scatter(task, tile, source, point, edge):
    """Transform one row of each of the 36 products to the 4 x 4 results of a tile."""
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
            simd_kernels.rectified_output_tile(
                source, point, channels, task.bias, target, line, pixel, signs, sign_line, sign_pixel
            )
        else:
            simd_kernels.output_tile(source, point, channels, task.bias, target, line, pixel)
        return
    simd_kernels.output_tile(source, point, channels, task.bias, edge, 4 * pixel, pixel)
    for i in range(max(0, -fold - top), min(4, task.out_height + fold - top)):
        row = _clamped(top + i, task.out_height)
        for j in range(max(0, -fold - left), min(4, task.out_width + fold - left)):
            column = _clamped(left + j, task.out_width)
            position = (picture * task.out_height + row) * task.out_width + column
            place, target = edge + (4 * i + j) * pixel, task.y + position * pixel
            # several results of this tile may fall on one position of the border: the first is written, the others are added
            again_row = row == _clamped(top + i - 1, task.out_height) and top + i - 1 >= -fold and i > 0
            again_column = column == _clamped(left + j - 1, task.out_width) and left + j - 1 >= -fold and j > 0
            if again_row or again_column:
                simd_kernels.add_to(place, channels, target)
            elif task.signs:
                simd_kernels.rectified_copy(place, channels, target, task.signs + position * sign_pixel)
            else:
                simd_kernels.copy(place, channels, target)


@numba.njit(error_model="numpy")
def _pool(task, picture, top, left, source, point, edge):
    """The same, then the means of 2 x 2 results; an odd last row or column has none."""
    channels, height, width = task.out_channels, task.out_height // 2, task.out_width // 2
    pixel, sign_pixel = 4 * channels, channels // LANES * SIGN_BYTES
    signs = task.signs + ((picture * task.out_height + top) * task.out_width + left) * sign_pixel
    sign_line = sign_pixel * task.out_width
    if top + 4 <= task.out_height and left + 4 <= task.out_width:
        simd_kernels.rectified_output_tile(
            source, point, channels, task.bias, edge, 4 * pixel, pixel, signs, sign_line, sign_pixel
        )
    else:
        simd_kernels.output_tile(source, point, channels, task.bias, edge, 4 * pixel, pixel)
        for i in range(min(4, task.out_height - top)):
            for j in range(min(4, task.out_width - left)):
                place = edge + (4 * i + j) * pixel
                simd_kernels.rectified_copy(place, channels, place, signs + i * sign_line + j * sign_pixel)
    for i in range(min(2, height - top // 2)):
        for j in range(min(2, width - left // 2)):
            target = task.y + ((picture * height + top // 2 + i) * width + left // 2 + j) * pixel
            simd_kernels.mean(edge + (8 * i + 2 * j) * pixel, 4 * pixel, pixel, channels, target)


def _work(pointer):
    """Take blocks of tiles until there are none left; any number of threads do so at once."""
    task = numba.carray(pointer, 1)[0]  # pyright: ignore[reportPrivateImportUsage]
    scratch = task.scratch + simd_kernels.fetch_and_add(task.address + 16) * task.scratch_bytes
    value_row, result_row = 4 * (task.channels + GAP), 4 * (task.out_channels + GAP)
    results = scratch + 36 * task.block * value_row
    edge = results + 36 * task.block * result_row
    tiles = task.pictures * task.down * task.across
    while True:
        first = simd_kernels.fetch_and_add(task.address + 8) * task.block
        if first >= tiles:
            break
        rows = min(task.block, tiles - first)
        for row in range(rows):
            _gather(task, first + row, scratch + row * value_row, task.block * value_row, edge)
        _multiply(task, rows, scratch, value_row, results, result_row)
        for row in range(rows):
            _scatter(task, first + row, results + row * result_row, task.block * result_row, edge)


def compile_loops() -> Any:
    """The loops as a module of LLVM with one C function, ``ENTRY``, which takes the address of a task.

    Numba's own C function is left out: it needs Numba to tell of exceptions, and the loops raise none.
    """
    signature = numba.types.void(numba.types.CPointer(numba.from_dtype(Task)))
    compiled = numba.cfunc(signature, error_model="numpy")(_work)
    module = llvm.parse_assembly(compiled.inspect_llvm())
    module.get_function(compiled.native_name).linkage = "internal"
    (work,) = (one.name for one in module.functions if one.linkage == llvm.Linkage.external and not one.is_declaration)
    loops = llvm.parse_assembly(str(_entry_to(work, module)))
    loops.link_in(module)  # of what is internal only what is called
    return loops


def _entry_to(work: str, module: Any) -> ir.Module:
    """A module whose ``ENTRY`` calls the function ``work`` as Numba's functions are called: with where to put its result,
    and where an exception."""
    entry = ir.Module()
    entry.triple, entry.data_layout = module.triple, module.data_layout
    address = ir.IntType(8).as_pointer()
    called = ir.Function(entry, ir.FunctionType(ir.IntType(32), [address.as_pointer(), address.as_pointer(), address]), work)
    function = ir.Function(entry, ir.FunctionType(ir.VoidType(), [address]), ENTRY)
    builder = ir.IRBuilder(function.append_basic_block())
    builder.call(called, [builder.alloca(address), builder.alloca(address), function.args[0]])
    builder.ret_void()
    return entry
