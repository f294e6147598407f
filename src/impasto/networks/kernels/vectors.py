"""The inner loops of Winograd's convolution, written for the vector registers of the processor at hand.

Arguments are addresses and strides, in bytes, and how many channels, a multiple of what a register holds. Signs are kept
with activations as one bit for each: whether it is above zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from impasto.networks.kernels.registers import (
    FEW_ROWS,
    FLOAT,
    INT,
    LANES,
    ROWS,
    SIGN_BYTES,
    SIGNS,
    VECTOR,
    WIDTH,
    ZERO,
    Vector,
    everywhere,
    function,
    load,
    plus,
    pointer,
    position,
    store,
)


def input_points(d: Sequence[Any]) -> list[Any]:
    """B^T d of F(4, 3): six samples as the values of a polynomial at 0, 1, -1, 2, -2 and infinity."""
    a, b = d[4] - 4.0 * d[2], d[3] - 4.0 * d[1]
    c, e = d[4] - d[2], 2.0 * (d[3] - d[1])
    return [4.0 * d[0] - 5.0 * d[2] + d[4], a + b, a - b, c + e, c - e, 4.0 * d[1] - 5.0 * d[3] + d[5]]


def output_samples(m: Sequence[Any]) -> list[Any]:
    """A^T m of F(4, 3): four samples of the result from the six products."""
    s, d, p, q = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    return [m[0] + s + p, d + 2.0 * q, s + 4.0 * p, d + 8.0 * q + m[5]]


def _both_axes(transform: Callable[[Sequence[Any]], list[Any]], tile: list[list[Any]]) -> list[list[Any]]:
    columns = [transform(column) for column in zip(*tile, strict=True)]
    return [transform(row) for row in zip(*columns, strict=True)]


def _rectified(builder: ir.IRBuilder, vector: Vector, target: Any, signs: Any) -> None:
    below = builder.fcmp_ordered("<=", vector.value, ZERO)
    store(builder, Vector(builder, builder.select(below, ZERO, vector.value)), target)
    bits = builder.bitcast(builder.not_(below), ir.IntType(LANES))
    bits = bits if SIGNS.width == LANES else builder.zext(bits, SIGNS)
    builder.store(bits, pointer(builder, signs, SIGNS), align=1)


def _passed(builder: ir.IRBuilder, vector: Vector, signs: Any) -> Vector:
    bits = load(builder, signs, SIGNS)
    bits = bits if SIGNS.width == LANES else builder.trunc(bits, ir.IntType(LANES))
    above = builder.bitcast(bits, ir.VectorType(ir.IntType(1), LANES))
    return Vector(builder, builder.select(above, vector.value, ZERO))


def _each_register(builder: ir.IRBuilder, channels: Any) -> Any:
    return cgutils.for_range(builder, builder.udiv(channels, INT(LANES)))


def _transform_input(builder: ir.IRBuilder, sample: Callable[[Any, int, int], Vector], channels, target, point) -> None:
    with _each_register(builder, channels) as loop:
        tile = [[sample(loop.index, i, j) for j in range(6)] for i in range(6)]
        target = plus(builder, target, loop.index, 4 * LANES)
        for p, vector in enumerate(chain.from_iterable(_both_axes(input_points, tile))):
            store(builder, vector, plus(builder, target, point, p))


def _transform_output(
    builder: ir.IRBuilder, put: Callable[[Vector, Any, int, int], None], source, point, channels, bias
) -> None:
    with _each_register(builder, channels) as loop:
        products = [
            [load(builder, plus(builder, plus(builder, source, point, 6 * i + j), loop.index, 4 * LANES)) for j in range(6)]
            for i in range(6)
        ]
        shift = load(builder, plus(builder, bias, loop.index, 4 * LANES))
        for i, row in enumerate(_both_axes(output_samples, products)):
            for j, vector in enumerate(row):
                put(vector + shift, loop.index, i, j)


@function()
def input_tile(builder, source, row, column, channels, target, point):
    """B^T d B of the 6 x 6 positions from ``source``, each of the 36 results ``point`` bytes behind the last."""

    def sample(index: Any, i: int, j: int) -> Vector:
        return load(builder, plus(builder, position(builder, source, row, i, column, j), index, 4 * LANES))

    _transform_input(builder, sample, channels, target, point)


@function()
def passed_input_tile(builder, source, row, column, signs, sign_row, sign_column, channels, target, point):
    """As input_tile, of the values whose sign is set; the others count as zero."""

    def sample(index: Any, i: int, j: int) -> Vector:
        vector = load(builder, plus(builder, position(builder, source, row, i, column, j), index, 4 * LANES))
        bits = plus(builder, position(builder, signs, sign_row, i, sign_column, j), index, SIGN_BYTES)
        return _passed(builder, vector, bits)

    _transform_input(builder, sample, channels, target, point)


@function()
def spread_input_tile(builder, source, row, column, down, right, signs, sign_row, sign_column, channels, target, point):
    """As passed_input_tile, of values that each stand for 2 x 2 positions; the tile begins ``down`` and ``right`` in one."""

    def sample(index: Any, i: int, j: int) -> Vector:
        below, beside = (builder.lshr(builder.add(odd, INT(n)), INT(1)) for odd, n in ((down, i), (right, j)))
        place = builder.add(source, builder.add(builder.mul(row, below), builder.mul(column, beside)))
        bits = plus(builder, position(builder, signs, sign_row, i, sign_column, j), index, SIGN_BYTES)
        return _passed(builder, load(builder, plus(builder, place, index, 4 * LANES)), bits)

    _transform_input(builder, sample, channels, target, point)


@function()
def output_tile(builder, source, point, channels, bias, target, row, column):
    """A^T m A + bias at 4 x 4 positions, of 36 products ``point`` bytes behind each other."""

    def put(vector: Vector, index: Any, i: int, j: int) -> None:
        store(builder, vector, plus(builder, position(builder, target, row, i, column, j), index, 4 * LANES))

    _transform_output(builder, put, source, point, channels, bias)


@function()
def rectified_output_tile(builder, source, point, channels, bias, target, row, column, signs, sign_row, sign_column):
    """As output_tile, after the ReLU, and with the signs."""

    def put(vector: Vector, index: Any, i: int, j: int) -> None:
        place = plus(builder, position(builder, target, row, i, column, j), index, 4 * LANES)
        bits = plus(builder, position(builder, signs, sign_row, i, sign_column, j), index, SIGN_BYTES)
        _rectified(builder, vector, place, bits)

    _transform_output(builder, put, source, point, channels, bias)


@function()
def copy(builder, source, channels, target):
    """Copy the channels of one position."""
    with _each_register(builder, channels) as loop:
        vector = load(builder, plus(builder, source, loop.index, 4 * LANES))
        store(builder, vector, plus(builder, target, loop.index, 4 * LANES))


@function()
def passed_copy(builder, source, signs, channels, target):
    """Copy the channels of one position whose sign is set; the others become zero."""
    with _each_register(builder, channels) as loop:
        vector = load(builder, plus(builder, source, loop.index, 4 * LANES))
        vector = _passed(builder, vector, plus(builder, signs, loop.index, SIGN_BYTES))
        store(builder, vector, plus(builder, target, loop.index, 4 * LANES))


@function()
def rectified_copy(builder, source, channels, target, signs):
    """Copy the channels of one position after the ReLU, and write their signs."""
    with _each_register(builder, channels) as loop:
        vector = load(builder, plus(builder, source, loop.index, 4 * LANES))
        place = plus(builder, target, loop.index, 4 * LANES)
        _rectified(builder, vector, place, plus(builder, signs, loop.index, SIGN_BYTES))


@function()
def add(builder, source, channels, target):
    """Add the channels of one position to those of another."""
    with _each_register(builder, channels) as loop:
        place = plus(builder, target, loop.index, 4 * LANES)
        store(builder, load(builder, plus(builder, source, loop.index, 4 * LANES)) + load(builder, place), place)


@function()
def mean(builder, source, row, column, channels, target):
    """The mean of the channels of 2 x 2 positions."""
    with _each_register(builder, channels) as loop:
        a, b, c, d = (
            load(builder, plus(builder, position(builder, source, row, i, column, j), loop.index, 4 * LANES))
            for i in range(2)
            for j in range(2)
        )
        store(builder, 0.25 * (a + b + c + d), plus(builder, target, loop.index, 4 * LANES))


@function(types.int64)
def take(builder, counter):
    """The number at the address, which is one more afterwards, whichever thread asks."""
    return builder.atomic_rmw("add", pointer(builder, counter, INT), INT(1), "monotonic")


def _product(builder: ir.IRBuilder, rows: int, left, left_row, right, target, target_row, depth) -> None:
    fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(VECTOR, [VECTOR] * 3), f"llvm.fma.v{LANES}f32")
    entry, loop, done = builder.block, builder.append_basic_block("depth"), builder.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(INT)
    sums = [[builder.phi(VECTOR) for _ in range(2)] for _ in range(rows)]
    totals: list[list[Any]] = [list(row) for row in sums]
    for step in range(4):  # unrolled: the depth is a multiple of every register's size
        at = builder.add(k, INT(step))
        line = plus(builder, right, at, 4 * WIDTH)
        columns = [load(builder, builder.add(line, INT(4 * LANES * j))).value for j in range(2)]
        for i in range(rows):
            scalar = load(builder, position(builder, left, left_row, i, at, 4), FLOAT)
            factor = everywhere(builder, scalar)
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
            place = builder.add(plus(builder, target, target_row, i), INT(4 * LANES * j))
            store(builder, Vector(builder, totals[i][j]), place)


@function()
def product(builder, left, left_row, right, target, target_row, depth):
    """The matrix product of (ROWS, depth) and (depth, WIDTH), the second without gaps."""
    _product(builder, ROWS, left, left_row, right, target, target_row, depth)


@function()
def small_product(builder, left, left_row, right, target, target_row, depth):
    """The matrix product of (FEW_ROWS, depth) and (depth, WIDTH), the second without gaps."""
    _product(builder, FEW_ROWS, left, left_row, right, target, target_row, depth)
