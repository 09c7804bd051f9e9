"""Picking values out of a stretch of memory, a vector at a time: what the packing of data needs."""

import numpy as np
from llvmlite import ir
from numba.core import types

from fastmlp.kernels.lowering import call, operation, pointer_to, splat
from fastmlp.kernels.tiles import has_feature, vector_registers

COUNT = types.int64


def _differing(context, builder, sig, arguments, lanes):
    """Load a vector of an array, and compare it with a number: the vector, the number, a mask."""
    pointer, array = pointer_to(context, builder, sig, arguments, 1), sig.args[1]
    kind = ir.VectorType(pointer.type.pointee, lanes.vector.count)
    vector = builder.load(builder.bitcast(pointer, kind.as_pointer()))
    vector.align = array.dtype.bitwidth // 8
    number = context.cast(builder, arguments[3], sig.args[3], array.dtype)
    number = splat(builder, number, kind)
    whole = isinstance(kind.element, ir.IntType)
    differs = builder.icmp_unsigned("!=", vector, number) if whole else None
    return vector, number, differs or builder.fcmp_unordered("!=", vector, number)


def _count(builder, mask):
    """Count the lanes of a mask that are set."""
    bits = ir.IntType(mask.type.count)
    number = call(builder, f"llvm.ctpop.i{bits.width}", bits, [builder.bitcast(mask, bits)])
    return builder.zext(number, ir.IntType(64)) if bits.width < 64 else number


def _count_twin(lanes, array, start, number):
    return np.count_nonzero(array[start : start + lanes.width] != number)


@operation(_count_twin)
def count_differing(typing, lanes, array, start, number):
    """Count the values of `array[start : start + width]` that are not equal to a number."""

    def generate(context, builder, sig, arguments):
        return _count(builder, _differing(context, builder, sig, arguments, lanes)[2])

    return COUNT(lanes, array, start, number), generate


def _less(builder, vector, number, array, target):
    """Subtract in floats, of bytes in those of the target; a target of integers has them as are."""
    if isinstance(target.dtype, types.Integer):
        return vector
    result = ir.FloatType() if target.dtype == types.float32 else ir.DoubleType()
    result = ir.VectorType(result, vector.type.count)
    if isinstance(array.dtype, types.Integer):
        return builder.fsub(builder.uitofp(vector, result), builder.uitofp(number, result))
    rest = builder.fsub(vector, number)
    if array.dtype == target.dtype:
        return rest
    narrower = array.dtype.bitwidth < target.dtype.bitwidth
    return (builder.fpext if narrower else builder.fptrunc)(rest, result)


def _front_of(chosen, n_parts):
    """List what comes first, in parts, where some of 8 // n_parts lanes are to."""
    lanes = [lane for lane in range(8 // n_parts) if chosen >> lane & 1]
    places = [lane * n_parts + part for lane in lanes for part in range(n_parts)]
    return places + [0] * (8 - len(places))


def _fronts(builder, n_parts):
    """Keep a table of `_front_of` for each mask in the code, 2 KB of bytes."""
    name = f"fastmlp_fronts_of_{n_parts}"
    if name in builder.module.globals:
        return builder.module.globals[name]
    byte = ir.ArrayType(ir.IntType(8), 8)
    table = [ir.Constant(byte, _front_of(chosen, n_parts)) for chosen in range(256)]
    kind = ir.ArrayType(byte, len(table))
    fronts = ir.GlobalVariable(builder.module, kind, name)
    fronts.initializer = ir.Constant(kind, table)
    fronts.global_constant, fronts.linkage = True, "internal"
    return fronts


def _compress_by_table(builder, vector, mask):
    """Do the same where there is no instruction for it: which lanes come first is looked up."""
    kind, count, whole = vector.type, vector.type.count, ir.IntType(32)
    n_parts = 2 if kind.element == ir.DoubleType() else 1
    eight = ir.VectorType(whole, 8)
    if isinstance(kind.element, ir.IntType) and kind.element.width < whole.width:
        vector = builder.zext(vector, ir.VectorType(whole, count))
    vector = builder.bitcast(vector, ir.VectorType(whole, count * n_parts))
    if count * n_parts < 8:
        vector = _part(builder, vector, 0, 8)
    chosen = builder.zext(builder.bitcast(mask, ir.IntType(count)), ir.IntType(64))
    place = builder.gep(_fronts(builder, n_parts), [ir.IntType(64)(0), chosen], inbounds=True)
    bytes_of_8 = ir.VectorType(ir.IntType(8), 8)
    front = builder.load(builder.bitcast(place, bytes_of_8.as_pointer()))
    front.align = 1
    front = builder.zext(front, eight)
    vector = call(builder, "llvm.x86.avx2.permd", eight, [vector, front])
    if count * n_parts < 8:
        vector = _part(builder, vector, 0, count * n_parts)
    if isinstance(kind.element, ir.IntType) and kind.element.width < whole.width:
        return builder.trunc(vector, kind)
    return builder.bitcast(vector, kind)


def _compress(builder, vector, mask):
    """Bring the lanes that a mask names to the front."""
    count, number = vector.type.count, vector.type.element
    short = {ir.FloatType(): "f32", ir.DoubleType(): "f64"}.get(number) or f"i{number.width}"
    name = f"llvm.experimental.vector.compress.v{count}{short}"
    return call(builder, name, vector.type, [vector, mask, ir.Constant(vector.type, ir.Undefined)])


def _write(builder, vector, mask, pointer, by_table):
    """Store the lanes that a mask names one behind the other, and anything after them."""
    target = builder.bitcast(pointer, vector.type.as_pointer())
    compress = _compress_by_table if by_table else _compress
    builder.store(compress(builder, vector, mask), target).align = 1


def _part(builder, vector, first, count):
    """Take some lanes of a vector."""
    places = ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(first, first + count)))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), places)


@operation(lambda lanes: True)
def can_compress(typing, lanes):
    """Tell whether the processor has instructions for it, as AVX-512 has, and AVX2."""

    def generate(context, builder, sig, arguments):
        able = _register_bits(context) == 512 or has_feature(context.codegen(), "avx2")
        return ir.IntType(1)(able)

    return types.boolean(lanes), generate


def _register_bits(context):
    return 8 * vector_registers(context.codegen()).n_bytes


def _less_twin(values, number, packed):
    if packed.dtype.kind == "u":
        return values
    wide = np.result_type(values.dtype, packed.dtype)
    return values.astype(wide) - wide.type(number)


def _pick_twin(lanes, array, start, number, feature, packed, indices, place):
    some = array[start : start + lanes.width]
    found = np.flatnonzero(some != number)
    ends = slice(place, place + found.size)
    packed[ends] = _less_twin(some[found], number, packed)
    indices[ends] = feature + found
    return found.size


@operation(_pick_twin)
def pick_differing(typing, lanes, array, start, number, feature, packed, indices, place):
    """Write the values of `array[start : start + width]` that are not equal to a number, less it.

    Parameters
    ----------
    lanes : simd.Lanes
        Its width counts.
    array : (n,) float32, float64 or uint8
    start : int
    number : scalar of the array's dtype
    feature : int
        Index of the first value.
    packed : (n_nonzeros,) float, or as the array where the number is 0
        Overwritten from the place on; so many as the vector has lanes, whatever is found.
    indices : (n_nonzeros,) int32
        Overwritten by their indices, as `packed`.
    place : int

    Returns
    -------
    int
        How many were found.
    """

    def generate(context, builder, sig, arguments):
        vector, number, mask = _differing(context, builder, sig, arguments, lanes)
        rest = _less(builder, vector, number, sig.args[1], sig.args[5])
        whole = ir.VectorType(ir.IntType(32), vector.type.count)
        first = context.cast(builder, arguments[4], sig.args[4], types.int32)
        numbers = ir.Constant(whole, list(range(vector.type.count)))
        numbers = builder.add(splat(builder, first, whole), numbers)
        targets = [context.make_array(sig.args[n])(context, builder, arguments[n]).data
                   for n in (5, 6)]  # fmt: skip
        start = place = context.cast(builder, arguments[7], sig.args[7], types.intp)
        # LLVM 22 writes beyond its stack where a vector wider than a register is compressed.
        widest = max(array.dtype.bitwidth for array in (sig.args[1], *sig.args[5:7]))
        by_table = _register_bits(context) < 512
        count = min(vector.type.count, _register_bits(context) // widest)
        for lane in range(0, vector.type.count, count):
            some = _part(builder, mask, lane, count)
            for values, target in zip((rest, numbers), targets, strict=True):
                values = _part(builder, values, lane, count)
                _write(builder, values, some, builder.gep(target, [place]), by_table)
            place = builder.add(place, _count(builder, some))
        return builder.sub(place, start)

    given = (lanes, array, start, number, feature, packed, indices, place)
    return COUNT(*given), generate
