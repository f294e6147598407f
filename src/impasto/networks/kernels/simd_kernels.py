"""The inner loops of Winograd's convolution, written for the vector registers of this processor.

Their arguments are addresses, strides in bytes and the number of channels, a multiple of LANES. Each loop goes over the
channels of a position or a tile, a register at a time. Signs are one bit for each activation: whether it is above zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from impasto.networks.kernels.instruction_set import FEW_ROWS, LANES, ROWS, SIGN_BYTES, WIDTH
from impasto.networks.kernels.simd_registers import (
    FLOAT,
    INT,
    SIGNS,
    VECTOR,
    ZERO,
    Vector,
    broadcast,
    load,
    numba_function,
    offset,
    offset_2d,
    pointer,
    store,
)


def input_points(d: Sequence[Any]) -> list[Any]:
    """B^T d of F(4, 3): from six values of the input those of a polynomial at 0, 1, -1, 2, -2 and infinity."""
    a, b = d[4] - 4.0 * d[2], d[3] - 4.0 * d[1]
    c, e = d[4] - d[2], 2.0 * (d[3] - d[1])
    return [4.0 * d[0] - 5.0 * d[2] + d[4], a + b, a - b, c + e, c - e, 4.0 * d[1] - 5.0 * d[3] + d[5]]


def output_samples(m: Sequence[Any]) -> list[Any]:
    """A^T m of F(4, 3): the four results from the six products."""
    s, d, p, q = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    return [m[0] + s + p, d + 2.0 * q, s + 4.0 * p, d + 8.0 * q + m[5]]


def _both_axes(transform: Callable[[Sequence[Any]], list[Any]], tile: list[list[Any]]) -> list[list[Any]]:
    """Transform the columns of a tile, then its rows."""
    columns = [transform(column) for column in zip(*tile, strict=True)]
    return [transform(row) for row in zip(*columns, strict=True)]


def _store_rectified(builder: ir.IRBuilder, vector: Vector, target: Any, signs: Any) -> None:
    """Write the ReLU of a register, and its signs."""
    below = builder.fcmp_ordered("<=", vector.value, ZERO)
    store(builder, Vector(builder, builder.select(below, ZERO, vector.value)), target)
    bits = builder.bitcast(builder.not_(below), ir.IntType(LANES))
    bits = bits if SIGNS.width == LANES else builder.zext(bits, SIGNS)
    builder.store(bits, pointer(builder, signs, SIGNS), align=1)


def _masked(builder: ir.IRBuilder, vector: Vector, signs: Any) -> Vector:
    """The register with zeros where its sign is not set."""
    bits = load(builder, signs, SIGNS)
    bits = bits if SIGNS.width == LANES else builder.trunc(bits, ir.IntType(LANES))
    above = builder.bitcast(bits, ir.VectorType(ir.IntType(1), LANES))
    return Vector(builder, builder.select(above, vector.value, ZERO))


def _each_register(builder: ir.IRBuilder, channels: Any) -> Any:
    """The loop over the channels, a register at a time."""
    return cgutils.for_range(builder, builder.udiv(channels, INT(LANES)))


def _transform_input(builder: ir.IRBuilder, sample: Callable[[Any, int, int], Vector], channels, target, point) -> None:
    with _each_register(builder, channels) as loop:
        tile = [[sample(loop.index, i, j) for j in range(6)] for i in range(6)]
        target = offset(builder, target, loop.index, 4 * LANES)
        for p, vector in enumerate(chain.from_iterable(_both_axes(input_points, tile))):
            store(builder, vector, offset(builder, target, point, p))


def _transform_output(
    builder: ir.IRBuilder, put: Callable[[Vector, Any, int, int], None], source, point, channels, bias
) -> None:
    with _each_register(builder, channels) as loop:
        source = offset(builder, source, loop.index, 4 * LANES)
        products = [[load(builder, offset(builder, source, point, 6 * i + j)) for j in range(6)] for i in range(6)]
        shift = load(builder, offset(builder, bias, loop.index, 4 * LANES))
        for i, row in enumerate(_both_axes(output_samples, products)):
            for j, vector in enumerate(row):
                put(vector + shift, loop.index, i, j)


@numba_function()
def input_tile(builder, source, row, column, channels, target, point):
    """B^T d B of the 6 x 6 positions at ``source``; the 36 results are written ``point`` bytes apart."""

    def sample(index: Any, i: int, j: int) -> Vector:
        return load(builder, offset(builder, offset_2d(builder, source, row, i, column, j), index, 4 * LANES))

    _transform_input(builder, sample, channels, target, point)


@numba_function()
def masked_input_tile(builder, source, row, column, signs, sign_row, sign_column, channels, target, point):
    """The same as input_tile, where values whose sign is not set count as zero."""

    def sample(index: Any, i: int, j: int) -> Vector:
        vector = load(builder, offset(builder, offset_2d(builder, source, row, i, column, j), index, 4 * LANES))
        bits = offset(builder, offset_2d(builder, signs, sign_row, i, sign_column, j), index, SIGN_BYTES)
        return _masked(builder, vector, bits)

    _transform_input(builder, sample, channels, target, point)


@numba_function()
def unpooled_input_tile(builder, source, row, column, down, right, signs, sign_row, sign_column, channels, target, point):
    """The same as masked_input_tile, of values that stand for 2 x 2 positions each.

    ``down`` and ``right`` are 1 where the tile begins in the second row or column of such a 2 x 2, otherwise 0.
    """

    def sample(index: Any, i: int, j: int) -> Vector:
        below, beside = (builder.lshr(builder.add(odd, INT(n)), INT(1)) for odd, n in ((down, i), (right, j)))
        place = builder.add(source, builder.add(builder.mul(row, below), builder.mul(column, beside)))
        bits = offset(builder, offset_2d(builder, signs, sign_row, i, sign_column, j), index, SIGN_BYTES)
        return _masked(builder, load(builder, offset(builder, place, index, 4 * LANES)), bits)

    _transform_input(builder, sample, channels, target, point)


@numba_function()
def output_tile(builder, source, point, channels, bias, target, row, column):
    """A^T m A + bias at 4 x 4 positions, from 36 products that are ``point`` bytes apart."""

    def put(vector: Vector, index: Any, i: int, j: int) -> None:
        store(builder, vector, offset(builder, offset_2d(builder, target, row, i, column, j), index, 4 * LANES))

    _transform_output(builder, put, source, point, channels, bias)


@numba_function()
def rectified_output_tile(builder, source, point, channels, bias, target, row, column, signs, sign_row, sign_column):
    """The same as output_tile, followed by the ReLU; the signs are written too."""

    def put(vector: Vector, index: Any, i: int, j: int) -> None:
        place = offset(builder, offset_2d(builder, target, row, i, column, j), index, 4 * LANES)
        bits = offset(builder, offset_2d(builder, signs, sign_row, i, sign_column, j), index, SIGN_BYTES)
        _store_rectified(builder, vector, place, bits)

    _transform_output(builder, put, source, point, channels, bias)


@numba_function()
def copy(builder, source, channels, target):
    """Copy the channels of one position."""
    with _each_register(builder, channels) as loop:
        vector = load(builder, offset(builder, source, loop.index, 4 * LANES))
        store(builder, vector, offset(builder, target, loop.index, 4 * LANES))


@numba_function()
def masked_copy(builder, source, signs, channels, target):
    """Copy the channels of one position; those whose sign is not set become zero."""
    with _each_register(builder, channels) as loop:
        vector = load(builder, offset(builder, source, loop.index, 4 * LANES))
        vector = _masked(builder, vector, offset(builder, signs, loop.index, SIGN_BYTES))
        store(builder, vector, offset(builder, target, loop.index, 4 * LANES))


@numba_function()
def rectified_copy(builder, source, channels, target, signs):
    """Copy the ReLU of the channels of one position, and write their signs."""
    with _each_register(builder, channels) as loop:
        vector = load(builder, offset(builder, source, loop.index, 4 * LANES))
        place = offset(builder, target, loop.index, 4 * LANES)
        _store_rectified(builder, vector, place, offset(builder, signs, loop.index, SIGN_BYTES))


@numba_function()
def add_to(builder, source, channels, target):
    """Add the channels of one position to those of another."""
    with _each_register(builder, channels) as loop:
        place = offset(builder, target, loop.index, 4 * LANES)
        store(builder, load(builder, offset(builder, source, loop.index, 4 * LANES)) + load(builder, place), place)


@numba_function()
def mean(builder, source, row, column, channels, target):
    """The mean of 2 x 2 positions, channel by channel."""
    with _each_register(builder, channels) as loop:
        a, b, c, d = (
            load(builder, offset(builder, offset_2d(builder, source, row, i, column, j), loop.index, 4 * LANES))
            for i in range(2)
            for j in range(2)
        )
        store(builder, 0.25 * (a + b + c + d), offset(builder, target, loop.index, 4 * LANES))


@numba_function(types.int64)
def fetch_and_add(builder, counter):
    """The number at an address, which is then one more: every thread that asks gets another one."""
    return builder.atomic_rmw("add", pointer(builder, counter, INT), INT(1), "monotonic")


def _write_product(builder: ir.IRBuilder, rows: int, left, left_row, right, target, target_row, depth) -> None:
    """Emit a matrix product whose sums, ``rows`` times two registers, stay in registers along the whole depth."""
    fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(VECTOR, [VECTOR] * 3), f"llvm.fma.v{LANES}f32")
    entry, loop, done = builder.block, builder.append_basic_block("depth"), builder.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(INT)
    sums = [[builder.phi(VECTOR) for _ in range(2)] for _ in range(rows)]
    totals: list[list[Any]] = [list(row) for row in sums]
    for step in range(4):  # unrolled: the depth is a multiple of LANES, which is one of 4
        at = builder.add(k, INT(step))
        line = offset(builder, right, at, 4 * WIDTH)
        columns = [load(builder, builder.add(line, INT(4 * LANES * j))).value for j in range(2)]
        for i in range(rows):
            scalar = load(builder, offset_2d(builder, left, left_row, i, at, 4), FLOAT)
            factor = broadcast(builder, scalar)
            totals[i] = [builder.call(fma, [factor, columns[j], totals[i][j]]) for j in range(2)]
    after = builder.add(k, INT(4))
    k.add_incoming(INT(0), entry)
    k.add_incoming(after, loop)
    for i in range(rows):
        for j in range(2):
            sums[i][j].add_incoming(ZERO, entry)
            sums[i][j].add_incoming(totals[i][j], loop)
    builder.cbranch(builder.icmp_signed("<", after, depth), loop, done)
    builder.position_at_end(done)
    for i in range(rows):
        for j in range(2):
            place = builder.add(offset(builder, target, target_row, i), INT(4 * LANES * j))
            store(builder, Vector(builder, totals[i][j]), place)


@numba_function()
def matrix_product(builder, left, left_row, right, target, target_row, depth):
    """The matrix product of (ROWS, depth) and (depth, WIDTH), the second contiguous."""
    _write_product(builder, ROWS, left, left_row, right, target, target_row, depth)


@numba_function()
def small_matrix_product(builder, left, left_row, right, target, target_row, depth):
    """The matrix product of (FEW_ROWS, depth) and (depth, WIDTH), the second contiguous."""
    _write_product(builder, FEW_ROWS, left, left_row, right, target, target_row, depth)
