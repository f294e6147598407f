"""The few words of LLVM code that the inner loops are written in.

Numba cannot be made to keep a matrix product in registers, so simd_kernels.py writes LLVM code: a Python function emits the
instructions once, at compile time, and Numba's functions call it by its name. Addresses and strides are integers in bytes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from impasto.networks.kernels.instruction_set import LANES, SIGN_BYTES

INT, INDEX, FLOAT = ir.IntType(64), ir.IntType(32), ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
SIGNS = ir.IntType(8 * SIGN_BYTES)
ZERO = ir.Constant(VECTOR, [0.0] * LANES)
UNDEFINED = ir.Constant(VECTOR, ir.Undefined)
FAST_MATH = ("contract", "reassoc", "nsz")  # sums may be reordered and fused; NaN stays NaN


def numba_function(returns: types.Type = types.void) -> Callable[[Callable[..., Any]], Any]:
    """Make ``emit(builder, *arguments)``, which writes LLVM code, a function of integers that Numba's functions can call."""

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


class Vector:
    """A register in the code that is being written: adding such emits an addition."""

    def __init__(self, builder: ir.IRBuilder, value: Any) -> None:
        self.builder, self.value = builder, value

    def __add__(self, other: Vector) -> Vector:
        return Vector(self.builder, self.builder.fadd(self.value, other.value, flags=FAST_MATH))  # pyright: ignore[reportCallIssue]

    def __sub__(self, other: Vector) -> Vector:
        return Vector(self.builder, self.builder.fsub(self.value, other.value, flags=FAST_MATH))  # pyright: ignore[reportCallIssue]

    def __rmul__(self, factor: float) -> Vector:
        scale = ir.Constant(VECTOR, [factor] * LANES)
        return Vector(self.builder, self.builder.fmul(scale, self.value, flags=FAST_MATH))  # pyright: ignore[reportCallIssue]


def pointer(builder: ir.IRBuilder, address: Any, kind: ir.Type = VECTOR) -> Any:
    """An integer address as a pointer of LLVM."""
    return builder.inttoptr(address, kind.as_pointer())


def load(builder: ir.IRBuilder, address: Any, kind: ir.Type = VECTOR) -> Any:
    """Read a register, a number or signs from an address."""
    value = builder.load(pointer(builder, address, kind), align=1 if kind is SIGNS else 4)
    return Vector(builder, value) if kind is VECTOR else value


def store(builder: ir.IRBuilder, vector: Vector, address: Any) -> None:
    """Write a register to an address."""
    builder.store(vector.value, pointer(builder, address), align=4)


def offset(builder: ir.IRBuilder, address: Any, stride: Any, times: int = 1) -> Any:
    """The address ``times`` strides further."""
    return builder.add(address, builder.mul(stride, INT(times)))


def offset_2d(builder: ir.IRBuilder, address: Any, row: Any, i: int, column: Any, j: int) -> Any:
    """The address ``i`` rows and ``j`` columns further."""
    return offset(builder, offset(builder, address, row, i), column, j)


def broadcast(builder: ir.IRBuilder, scalar: Any) -> Any:
    """A register that holds the number in all its lanes."""
    single = builder.insert_element(UNDEFINED, scalar, INDEX(0))
    return builder.shuffle_vector(single, UNDEFINED, ir.Constant(ir.VectorType(INDEX, LANES), [0] * LANES))
