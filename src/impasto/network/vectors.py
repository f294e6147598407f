"""The inner loops of Winograd's convolution, written for the vector registers of the processor at hand.

Each function here writes a few lines of LLVM code, and Numba sees a function of the same name and arguments: addresses and
strides, integers in bytes, and how many channels, a multiple of what a register holds.

Signs are kept with activations as one bit for each: whether it is above zero.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_FEATURES = llvm.get_host_cpu_features()
LANES = 16 if _FEATURES.get("avx512f") else 8 if _FEATURES.get("avx2") else 4
"""How many float32 a register holds."""
ROWS = 12 if LANES == 16 else 6
"""How many rows of a matrix product are kept in registers, two in each row; AVX-512 has 32 of them, AVX2 16."""
FEW_ROWS = 4
"""The same where fewer than ROWS are left."""
WIDTH = 2 * LANES
"""How many columns of a matrix product are kept in registers."""
SIGN_BYTES = max(1, LANES // 8)
"""How many bytes the signs of a register take."""

_INT, _INDEX, _FLOAT = ir.IntType(64), ir.IntType(32), ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_SIGNS = ir.IntType(8 * SIGN_BYTES)
_ZERO = ir.Constant(_VECTOR, [0.0] * LANES)
_UNDEFINED = ir.Constant(_VECTOR, ir.Undefined)
_TOGETHER = ("contract", "reassoc", "nsz")  # NaN stays NaN


def _function(returns: types.Type = types.void) -> Callable[[Callable[..., Any]], Any]:
    """Make of what writes the code, ``emit(builder, *arguments)``, a function for Numba."""

    def made(emit: Callable[..., Any]) -> Any:
        def codegen(context: Any, builder: ir.IRBuilder, signature: Any, values: Sequence[Any]) -> Any:
            result = emit(builder, *values)
            return context.get_dummy_value() if result is None else result

        def typed(typing_context: Any, *arguments: Any) -> Any:
            return returns(*[types.int64] * len(arguments)), codegen

        typed.__signature__ = inspect.signature(emit)  # pyright: ignore[reportFunctionMemberAccess]
        typed.__name__ = emit.__name__
        return intrinsic(typed)

    return made


class _Vector:
    """A register in the code that is being written: arithmetic with it writes more code."""

    def __init__(self, builder: ir.IRBuilder, value: Any) -> None:
        self.builder, self.value = builder, value

    def __add__(self, other: _Vector) -> _Vector:
        return _Vector(self.builder, self.builder.fadd(self.value, other.value, flags=_TOGETHER))  # pyright: ignore[reportCallIssue]

    def __sub__(self, other: _Vector) -> _Vector:
        return _Vector(self.builder, self.builder.fsub(self.value, other.value, flags=_TOGETHER))  # pyright: ignore[reportCallIssue]

    def __rmul__(self, factor: float) -> _Vector:
        scale = ir.Constant(_VECTOR, [factor] * LANES)
        return _Vector(self.builder, self.builder.fmul(scale, self.value, flags=_TOGETHER))  # pyright: ignore[reportCallIssue]


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


def _pointer(builder: ir.IRBuilder, address: Any, kind: ir.Type = _VECTOR) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _load(builder: ir.IRBuilder, address: Any, kind: ir.Type = _VECTOR) -> Any:
    value = builder.load(_pointer(builder, address, kind), align=1 if kind is _SIGNS else 4)
    return _Vector(builder, value) if kind is _VECTOR else value


def _store(builder: ir.IRBuilder, vector: _Vector, address: Any) -> None:
    builder.store(vector.value, _pointer(builder, address), align=4)


def _plus(builder: ir.IRBuilder, address: Any, stride: Any, times: int = 1) -> Any:
    return builder.add(address, builder.mul(stride, _INT(times)))


def _place(builder: ir.IRBuilder, address: Any, row: Any, i: int, column: Any, j: int) -> Any:
    return _plus(builder, _plus(builder, address, row, i), column, j)


def _everywhere(builder: ir.IRBuilder, scalar: Any) -> Any:
    single = builder.insert_element(_UNDEFINED, scalar, _INDEX(0))
    return builder.shuffle_vector(single, _UNDEFINED, ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES))


def _rectified(builder: ir.IRBuilder, vector: _Vector, target: Any, signs: Any) -> None:
    below = builder.fcmp_ordered("<=", vector.value, _ZERO)
    _store(builder, _Vector(builder, builder.select(below, _ZERO, vector.value)), target)
    bits = builder.bitcast(builder.not_(below), ir.IntType(LANES))
    bits = bits if _SIGNS.width == LANES else builder.zext(bits, _SIGNS)
    builder.store(bits, _pointer(builder, signs, _SIGNS), align=1)


def _passed(builder: ir.IRBuilder, vector: _Vector, signs: Any) -> _Vector:
    bits = _load(builder, signs, _SIGNS)
    bits = bits if _SIGNS.width == LANES else builder.trunc(bits, ir.IntType(LANES))
    above = builder.bitcast(bits, ir.VectorType(ir.IntType(1), LANES))
    return _Vector(builder, builder.select(above, vector.value, _ZERO))


def _each_register(builder: ir.IRBuilder, channels: Any) -> Any:
    return cgutils.for_range(builder, builder.udiv(channels, _INT(LANES)))


def _transform_input(builder: ir.IRBuilder, sample: Callable[[Any, int, int], _Vector], channels, target, point) -> None:
    with _each_register(builder, channels) as loop:
        tile = [[sample(loop.index, i, j) for j in range(6)] for i in range(6)]
        target = _plus(builder, target, loop.index, 4 * LANES)
        for p, vector in enumerate(chain.from_iterable(_both_axes(input_points, tile))):
            _store(builder, vector, _plus(builder, target, point, p))


def _transform_output(
    builder: ir.IRBuilder, put: Callable[[_Vector, Any, int, int], None], source, point, channels, bias
) -> None:
    with _each_register(builder, channels) as loop:
        products = [
            [
                _load(builder, _plus(builder, _plus(builder, source, point, 6 * i + j), loop.index, 4 * LANES))
                for j in range(6)
            ]
            for i in range(6)
        ]
        shift = _load(builder, _plus(builder, bias, loop.index, 4 * LANES))
        for i, row in enumerate(_both_axes(output_samples, products)):
            for j, vector in enumerate(row):
                put(vector + shift, loop.index, i, j)


@_function()
def input_tile(builder, source, row, column, channels, target, point):
    """B^T d B of the 6 x 6 positions from ``source``, each of the 36 results ``point`` bytes behind the last."""

    def sample(index: Any, i: int, j: int) -> _Vector:
        return _load(builder, _plus(builder, _place(builder, source, row, i, column, j), index, 4 * LANES))

    _transform_input(builder, sample, channels, target, point)


@_function()
def passed_input_tile(builder, source, row, column, signs, sign_row, sign_column, channels, target, point):
    """As input_tile, of the values whose sign is set; the others count as zero."""

    def sample(index: Any, i: int, j: int) -> _Vector:
        vector = _load(builder, _plus(builder, _place(builder, source, row, i, column, j), index, 4 * LANES))
        bits = _plus(builder, _place(builder, signs, sign_row, i, sign_column, j), index, SIGN_BYTES)
        return _passed(builder, vector, bits)

    _transform_input(builder, sample, channels, target, point)


@_function()
def output_tile(builder, source, point, channels, bias, target, row, column):
    """A^T m A + bias at 4 x 4 positions, of 36 products ``point`` bytes behind each other."""

    def put(vector: _Vector, index: Any, i: int, j: int) -> None:
        _store(builder, vector, _plus(builder, _place(builder, target, row, i, column, j), index, 4 * LANES))

    _transform_output(builder, put, source, point, channels, bias)


@_function()
def rectified_output_tile(builder, source, point, channels, bias, target, row, column, signs, sign_row, sign_column):
    """As output_tile, after the ReLU, and with the signs."""

    def put(vector: _Vector, index: Any, i: int, j: int) -> None:
        place = _plus(builder, _place(builder, target, row, i, column, j), index, 4 * LANES)
        bits = _plus(builder, _place(builder, signs, sign_row, i, sign_column, j), index, SIGN_BYTES)
        _rectified(builder, vector, place, bits)

    _transform_output(builder, put, source, point, channels, bias)


@_function()
def copy(builder, source, channels, target):
    """Copy the channels of one position."""
    with _each_register(builder, channels) as loop:
        vector = _load(builder, _plus(builder, source, loop.index, 4 * LANES))
        _store(builder, vector, _plus(builder, target, loop.index, 4 * LANES))


@_function()
def passed_copy(builder, source, signs, channels, target):
    """Copy the channels of one position whose sign is set; the others become zero."""
    with _each_register(builder, channels) as loop:
        vector = _load(builder, _plus(builder, source, loop.index, 4 * LANES))
        vector = _passed(builder, vector, _plus(builder, signs, loop.index, SIGN_BYTES))
        _store(builder, vector, _plus(builder, target, loop.index, 4 * LANES))


@_function()
def rectified_copy(builder, source, channels, target, signs):
    """Copy the channels of one position after the ReLU, and write their signs."""
    with _each_register(builder, channels) as loop:
        vector = _load(builder, _plus(builder, source, loop.index, 4 * LANES))
        place = _plus(builder, target, loop.index, 4 * LANES)
        _rectified(builder, vector, place, _plus(builder, signs, loop.index, SIGN_BYTES))


@_function()
def add(builder, source, channels, target):
    """Add the channels of one position to those of another."""
    with _each_register(builder, channels) as loop:
        place = _plus(builder, target, loop.index, 4 * LANES)
        _store(builder, _load(builder, _plus(builder, source, loop.index, 4 * LANES)) + _load(builder, place), place)


@_function(types.int64)
def take(builder, counter):
    """The number at the address, which is one more afterwards, whichever thread asks."""
    return builder.atomic_rmw("add", _pointer(builder, counter, _INT), _INT(1), "monotonic")


def _product(builder: ir.IRBuilder, rows: int, left, left_row, right, target, target_row, depth) -> None:
    fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fma.v{LANES}f32")
    entry, loop, done = builder.block, builder.append_basic_block("depth"), builder.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(_INT)
    sums = [[builder.phi(_VECTOR) for _ in range(2)] for _ in range(rows)]
    totals: list[list[Any]] = [list(row) for row in sums]
    for step in range(4):  # unrolled: the depth is a multiple of every register's size
        at = builder.add(k, _INT(step))
        line = _plus(builder, right, at, 4 * WIDTH)
        columns = [_load(builder, builder.add(line, _INT(4 * LANES * j))).value for j in range(2)]
        for i in range(rows):
            scalar = _load(builder, _place(builder, left, left_row, i, at, 4), _FLOAT)
            factor = _everywhere(builder, scalar)
            totals[i] = [builder.call(fma, [factor, columns[j], totals[i][j]]) for j in range(2)]
    after = builder.add(k, _INT(4))
    k.add_incoming(_INT(0), entry)
    k.add_incoming(after, loop)
    for i in range(rows):
        for j in range(2):
            sums[i][j].add_incoming(_ZERO, entry)
            sums[i][j].add_incoming(totals[i][j], loop)
    builder.cbranch(builder.icmp_signed("<", after, depth), loop, done)
    builder.position_at_end(done)
    for i in range(rows):
        for j in range(2):
            place = builder.add(_plus(builder, target, target_row, i), _INT(4 * LANES * j))
            _store(builder, _Vector(builder, totals[i][j]), place)


@_function()
def product(builder, left, left_row, right, target, target_row, depth):
    """The matrix product of (ROWS, depth) and (depth, WIDTH), the second without gaps."""
    _product(builder, ROWS, left, left_row, right, target, target_row, depth)


@_function()
def small_product(builder, left, left_row, right, target, target_row, depth):
    """The matrix product of (FEW_ROWS, depth) and (depth, WIDTH), the second without gaps."""
    _product(builder, FEW_ROWS, left, left_row, right, target, target_row, depth)
