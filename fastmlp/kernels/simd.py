"""A vector of numbers that stays in registers, as a type of numba's, and what can be done with it.

`Lanes(dtype, width)` names a vector type; LLVM splits a vector into as many registers as the
processor needs (64 float32 are four of AVX-512's, eight of AVX2's, sixteen of NEON's), so that one
line of a kernel is one operation on a whole panel of units. Vectors are added, subtracted,
multiplied and divided by their operators. Nothing is checked: an index is a place in memory.

Every operation has a twin in NumPy, which takes its place where NUMBA_DISABLE_JIT=1 asks for plain
Python: there a vector is an array of `width` numbers.
"""

import operator
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models
from numba.core.imputils import lower_builtin, lower_constant
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import (
    NativeValue,
    register_model,
    typeof_impl,
    unbox,
)

from fastmlp.kernels.jit import by_value
from fastmlp.kernels.lowering import (
    call,
    load_vector,
    operation,
    pointer_to,
    splat,
    store_vector,
)

LINE_BYTES = 64
"""A vector that lies across two lines of memory takes twice as long to load."""


class Lanes(NamedTuple):
    """The type of a vector."""

    dtype: Any
    """numpy.float32 or numpy.float64."""
    width: int
    """Number of numbers in it, a power of two."""


class LanesType(types.Opaque):
    """The numba type of one `Lanes`: the vector's type is known while a kernel is compiled."""

    def __init__(self, lanes):
        self.vector = VectorType(types.float32 if lanes.dtype is np.float32 else types.float64,
                                 lanes.width)  # fmt: skip
        super().__init__(f"Lanes({self.vector.dtype}, {lanes.width})")


class VectorType(types.Type):
    """The numba type of a vector."""

    def __init__(self, dtype, count):
        self.dtype, self.count = dtype, count
        number = ir.FloatType() if dtype == types.float32 else ir.DoubleType()
        self.llvm = ir.VectorType(number, count)
        self.suffix = f"v{count}f{dtype.bitwidth}"  # of LLVM's functions
        super().__init__(f"vector({dtype}, {count})")


@register_model(VectorType)
class VectorModel(models.PrimitiveModel):
    """A vector is one LLVM value."""

    def __init__(self, manager, kind):
        super().__init__(manager, kind, kind.llvm)


register_model(LanesType)(models.OpaqueModel)
by_value.add(Lanes)


@typeof_impl.register(Lanes)
def _typeof_lanes(lanes, context):
    return LanesType(lanes)


@lower_constant(LanesType)
def _lower_lanes(context, builder, kind, value):
    return context.get_dummy_value()


@unbox(LanesType)
def _unbox_lanes(kind, value, context):
    return NativeValue(context.context.get_dummy_value())


def _operator(function, instruction):
    """Let an operator of Python act on two vectors of one type."""

    class Template(AbstractTemplate):
        def generic(self, arguments, keywords):
            if len(arguments) == 2 and all(isinstance(kind, VectorType) for kind in arguments):
                return signature(arguments[0], *arguments)
            return None

    infer_global(function)(Template)

    @lower_builtin(function, VectorType, VectorType)
    def _lower(context, builder, sig, arguments):
        return getattr(builder, instruction)(*arguments, flags=("contract",))


for _function, _instruction in [
    (operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
]:  # fmt: skip
    _operator(_function, _instruction)


def _store_twin(array, start, vector):
    array[start : start + len(vector)] = vector


@operation(lambda lanes: lanes.width)
def n_lanes(typing, lanes):
    """Count the lanes."""

    def generate(context, builder, sig, arguments):
        return ir.Constant(ir.IntType(64), lanes.vector.count)

    return types.intp(lanes), generate


@operation(lambda lanes, array, start: array[start : start + lanes.width].copy())
def load(typing, lanes, array, start):
    """Load `array[start : start + width]` of a contiguous array."""

    def generate(context, builder, sig, arguments):
        return load_vector(builder, pointer_to(context, builder, sig, arguments, 1), lanes.vector)

    return lanes.vector(lanes, array, start), generate


def _load_as_twin(lanes, array, start):
    return array[start : start + lanes.width].astype(lanes.dtype)


@operation(_load_as_twin)
def load_as(typing, lanes, array, start):
    """Load `array[start : start + width]` of floats or of unsigned integers, and convert it."""

    def generate(context, builder, sig, arguments):
        kind, pointer = lanes.vector, pointer_to(context, builder, sig, arguments, 1)
        number = pointer.type.pointee
        vector = builder.load(
            builder.bitcast(pointer, ir.VectorType(number, kind.count).as_pointer())
        )
        vector.align = array.dtype.bitwidth // 8
        if isinstance(number, ir.IntType):
            return builder.uitofp(vector, kind.llvm)
        if array.dtype.bitwidth == kind.dtype.bitwidth:
            return vector
        narrower = array.dtype.bitwidth < kind.dtype.bitwidth
        return (builder.fpext if narrower else builder.fptrunc)(vector, kind.llvm)

    return lanes.vector(lanes, array, start), generate


def _load_first_twin(lanes, array, start, count):
    vector = np.zeros(lanes.width, lanes.dtype)
    vector[:count] = array[start : start + min(count, lanes.width)]
    return vector


@operation(_load_first_twin)
def load_first(typing, lanes, array, start, count):
    """Load the first numbers of `array[start : start + width]`, and 0 for those from a count on.

    What lies beyond the count is not read.
    """

    def generate(context, builder, sig, arguments):
        kind, whole = lanes.vector, ir.IntType(64)
        numbers = ir.VectorType(whole, kind.count)
        most = context.cast(builder, arguments[3], count, types.int64)
        mask = builder.icmp_signed(
            "<", ir.Constant(numbers, list(range(kind.count))), splat(builder, most, numbers)
        )
        pointer = pointer_to(context, builder, sig, arguments, 1)
        pointer = builder.bitcast(pointer, kind.llvm.as_pointer())
        align = ir.IntType(32)(kind.dtype.bitwidth // 8)
        name = f"llvm.masked.load.{kind.suffix}.p0"
        return call(builder, name, kind.llvm, [pointer, align, mask, ir.Constant(kind.llvm, None)])

    return lanes.vector(lanes, array, start, count), generate


@operation(_store_twin)
def store(typing, array, start, vector):
    """Store a vector as `array[start : start + width]`."""

    def generate(context, builder, sig, arguments):
        pointer = pointer_to(context, builder, sig, arguments)
        store_vector(builder, arguments[2], pointer, vector)
        return context.get_dummy_value()

    return types.void(array, start, vector), generate


@operation(lambda array, index: array[index])
def item(typing, array, index):
    """Read `array[index]`, without the question whether the index counts from the end."""

    def generate(context, builder, sig, arguments):
        return builder.load(pointer_to(context, builder, sig, arguments))

    return array.dtype(array, index), generate


@operation(lambda lanes, number: np.full(lanes.width, number, lanes.dtype))
def broadcast(typing, lanes, number):
    """Make a vector of one number."""

    def generate(context, builder, sig, arguments):
        kind = lanes.vector
        scalar = context.cast(builder, arguments[1], sig.args[1], kind.dtype)
        return splat(builder, scalar, kind.llvm)

    return lanes.vector(lanes, number), generate


@operation(lambda vector, number: np.full_like(vector, number))
def like(typing, vector, number):
    """Make a vector of one number, of another vector's type."""

    def generate(context, builder, sig, arguments):
        scalar = context.cast(builder, arguments[1], sig.args[1], vector.dtype)
        return splat(builder, scalar, vector.llvm)

    return vector(vector, number), generate


@operation(lambda a, b, c: a * b + c)
def fma(typing, a, b, c):
    """Compute a * b + c, rounded once where the processor can."""

    def generate(context, builder, sig, arguments):
        return call(builder, f"llvm.fmuladd.{a.suffix}", a.llvm, arguments)

    return a(a, b, c), generate


@operation(lambda a, b, x, y: np.where(a < b, x, y))
def where_less(typing, a, b, x, y):
    """Take x where a < b, else y, also where one of the two is NaN."""

    def generate(context, builder, sig, arguments):
        return builder.select(builder.fcmp_ordered("<", *arguments[:2]), *arguments[2:])

    return a(a, b, x, y), generate


def _load_kept_twin(lanes, numbers, start, threshold, factor):
    kept = numbers[start : start + lanes.width] >= threshold
    return np.where(kept, factor, 0).astype(lanes.dtype)


@operation(_load_kept_twin)
def load_kept(typing, lanes, numbers, start, threshold, factor):
    """Compute `factor` where a number of `numbers[start : start + width]` >= threshold, else 0.

    The numbers are uint16, of an array that lies contiguous.
    """

    def generate(context, builder, sig, arguments):
        kind, half = lanes.vector, ir.IntType(16)
        vector = ir.VectorType(half, kind.count)
        pointer = pointer_to(context, builder, sig, arguments, 1)
        loaded = builder.load(builder.bitcast(pointer, vector.as_pointer()))
        loaded.align = 2
        limit = splat(builder, builder.trunc(arguments[3], half), vector)
        number = context.cast(builder, arguments[4], sig.args[4], kind.dtype)
        kept = builder.icmp_unsigned(">=", loaded, limit)
        return builder.select(kept, splat(builder, number, kind.llvm), ir.Constant(kind.llvm, None))

    return lanes.vector(lanes, numbers, start, threshold, factor), generate


@operation(np.sqrt)
def sqrt(typing, a):
    """Compute the square root."""

    def generate(context, builder, sig, arguments):
        return call(builder, f"llvm.sqrt.{a.suffix}", a.llvm, arguments)

    return a(a), generate


@operation(np.abs)
def absolute(typing, a):
    """Compute |a|."""

    def generate(context, builder, sig, arguments):
        return call(builder, f"llvm.fabs.{a.suffix}", a.llvm, arguments)

    return a(a), generate


@operation(np.copysign)
def copy_sign(typing, a, b):
    """Give a the sign of b."""

    def generate(context, builder, sig, arguments):
        return call(builder, f"llvm.copysign.{a.suffix}", a.llvm, arguments)

    return a(a, b), generate


@operation(np.sum)
def reduce_add(typing, a):
    """Add the lanes up, in pairs."""

    def generate(context, builder, sig, arguments):
        start = ir.Constant(a.llvm.element, -0.0)
        name = f"llvm.vector.reduce.fadd.{a.suffix}"
        return call(builder, name, a.llvm.element, [start, *arguments], ("reassoc",))

    return a.dtype(a), generate


@operation(np.max)
def reduce_max(typing, a):
    """Find the largest lane; NaN is passed over."""

    def generate(context, builder, sig, arguments):
        return call(builder, f"llvm.vector.reduce.fmax.{a.suffix}", a.llvm.element, arguments)

    return a.dtype(a), generate


def _add_exponent_twin(a, shifted):
    bits, mantissa = (np.int32, 23) if a.dtype == np.float32 else (np.int64, 52)
    return (a.view(bits) + (shifted.view(bits) << bits(mantissa))).view(a.dtype)


@operation(_add_exponent_twin)
def add_exponent(typing, a, shifted):
    """Multiply by 2^n, with n in the last bits of `shifted` = n + 1.5 * 2^(digits of the mantissa).

    The bits of n are added to those of the exponent, which must stay in range.
    """

    def generate(context, builder, sig, arguments):
        width = a.dtype.bitwidth
        bits = ir.VectorType(ir.IntType(width), a.count)
        places = ir.Constant(bits, [23 if width == 32 else 52] * a.count)
        power = builder.shl(builder.bitcast(arguments[1], bits), places)
        return builder.bitcast(builder.add(builder.bitcast(arguments[0], bits), power), a.llvm)

    return a(a, shifted), generate


def _prefetch_twin(array, index):
    pass


@operation(_prefetch_twin)
def prefetch(typing, array, index):
    """Ask for the line of memory of `array[index]`, which will be read soon."""

    def generate(context, builder, sig, arguments):
        byte, whole = ir.IntType(8).as_pointer(), ir.IntType(32)
        pointer = builder.bitcast(pointer_to(context, builder, sig, arguments), byte)
        hints = whole(0), whole(3), whole(1)
        call(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, *hints])
        return context.get_dummy_value()

    return types.void(array, index), generate


@operation(lambda array: 0)
def line_start(typing, array):
    """Find the first index of an array of floats whose number begins a line of memory."""

    def generate(context, builder, sig, arguments):
        data = context.make_array(array)(context, builder, arguments[0]).data
        address = builder.ptrtoint(data, ir.IntType(64))
        missing = builder.and_(builder.neg(address), ir.IntType(64)(LINE_BYTES - 1))
        return builder.udiv(missing, ir.IntType(64)(array.dtype.bitwidth // 8))

    return types.intp(array), generate
