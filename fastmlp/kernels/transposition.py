"""A block of a matrix that is transposed in registers."""

import numpy as np
from llvmlite import ir
from numba.core import types

from fastmlp.kernels.lowering import load_vector, operation, pointer_to, store_vector


def _transpose_twin(lanes, source, start, stride, target, target_start, target_stride):
    reach = np.arange(lanes.width)
    block = source[start + stride * reach[:, None] + reach]
    target[target_start + target_stride * reach[:, None] + reach] = block.T


@operation(_transpose_twin)
def transpose(typing, lanes, source, start, stride, target, target_start, target_stride):
    """Transpose a block of `width` rows of `width` numbers, its rows `stride` numbers apart.

    log2(width) rounds, in each of which every two rows exchange half of what they hold.
    """

    def generate(context, builder, sig, arguments):
        kind, count = lanes.vector, lanes.vector.count
        reads, writes = (pointer_to(context, builder, sig, arguments, which) for which in (1, 4))
        read_stride, write_stride = (
            context.cast(builder, arguments[which], sig.args[which], types.intp) for which in (3, 6)
        )
        places = [builder.mul(read_stride, read_stride.type(row)) for row in range(count)]
        rows = [load_vector(builder, builder.gep(reads, [place]), kind) for place in places]
        for row, partner, masks in _exchanges(count):
            low, high = rows[row], rows[partner]
            rows[row] = builder.shuffle_vector(low, high, masks[0])
            rows[partner] = builder.shuffle_vector(low, high, masks[1])
        for row in range(count):
            place = builder.gep(writes, [builder.mul(write_stride, write_stride.type(row))])
            store_vector(builder, rows[row], place, kind)
        return context.get_dummy_value()

    kinds = (lanes, source, start, stride, target, target_start, target_stride)
    return types.void(*kinds), generate


def _exchanges(count):
    """Yield which rows exchange lanes in each round of a transposition, and how."""
    kind = ir.VectorType(ir.IntType(32), count)
    distance = 1
    while distance < count:
        keep = [lane if not lane & distance else count + (lane ^ distance) for lane in range(count)]
        take = [count + lane if lane & distance else lane ^ distance for lane in range(count)]
        masks = ir.Constant(kind, keep), ir.Constant(kind, take)
        for row in range(count):
            if not row & distance:
                yield row, row | distance, masks
        distance *= 2
