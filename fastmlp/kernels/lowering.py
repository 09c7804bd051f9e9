"""What intrinsics are made of: LLVM's own functions, places in memory, vectors to and from it."""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from fastmlp.kernels.jit import disabled


def operation(twin):
    """Make an intrinsic, or where nothing is compiled its twin in NumPy."""
    return lambda function: twin if disabled() else intrinsic(function)


def call(builder, name, result, arguments, flags=()):
    """Call one of LLVM's own functions."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(
        cgutils.get_or_insert_function(builder.module, kind, name), arguments, fastmath=flags
    )


def pointer_to(context, builder, sig, arguments, which=0):
    """Point to the place in an array that the argument after it names."""
    array = context.make_array(sig.args[which])(context, builder, arguments[which])
    index = context.cast(builder, arguments[which + 1], sig.args[which + 1], types.intp)
    return builder.gep(array.data, [index])


def splat(builder, number, kind):
    """Repeat a number in every lane."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)


def load_vector(builder, pointer, kind):
    """Load a vector that need not lie at a multiple of its size."""
    vector = builder.load(builder.bitcast(pointer, kind.llvm.as_pointer()))
    vector.align = kind.dtype.bitwidth // 8
    return vector


def store_vector(builder, vector, pointer, kind):
    """Store a vector at a place that need not be a multiple of its size."""
    stored = builder.store(vector, builder.bitcast(pointer, kind.llvm.as_pointer()))
    stored.align = kind.dtype.bitwidth // 8
