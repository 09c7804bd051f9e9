"""The tile: the block of a product of matrices whose sums stay in the processor's registers.

A tile is some rows of the result, each a vector of at most as many numbers as the panel has lanes.
For each column of the left factor one vector of the right factor is loaded, and times one number of
each row is added to that row's sums. What fits follows from the registers, and these from the
instructions that LLVM may use, which are part of the name under which a kernel is kept:

| registers | rows of a tile in panels of 64 bytes | registers in use | in panels of 256 bytes |
|---|---:|---:|---:|
| 32 of 64 bytes (AVX-512) | 8 | 10 | 6, 29 in use |
| 16 of 32 bytes (AVX2) | 6 | 15 | 6, a quarter of the panel at a time |
| 32 of 16 bytes (NEON) | 6 | 29 | 6, a quarter of the panel at a time |
| 16 of 16 bytes (SSE2) | 6, half of the panel at a time | 15 | 6, an eighth at a time |

More than eight rows gain nothing: eight sums keep two multipliers busy that take four cycles each.
At the end of a matrix tiles of fewer rows follow. Every number of the result is the sum from the
first product to the last, whatever the tile it is computed in.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from fastmlp.kernels.lowering import call, load_vector, operation, splat, store_vector
from fastmlp.kernels.simd import VectorType

LEAST_ROWS, MOST_ROWS = 6, 8


class Registers(NamedTuple):
    """The vector registers of a processor."""

    n_registers: int
    n_bytes: int


def vector_registers(codegen: Any) -> Registers:
    """Ask LLVM's target for the vector registers.

    Parameters
    ----------
    codegen : numba code generator

    Returns
    -------
    Registers
    """
    if not codegen.magic_tuple()[0].startswith(("x86_64", "i686")):
        return Registers(32, 16)
    if has_feature(codegen, "avx512f"):
        return Registers(32, 64)
    return Registers(16, 32 if has_feature(codegen, "avx") else 16)


def has_feature(codegen: Any, name: str) -> bool:
    """Tell whether LLVM may use some instructions, by its name for them; see `vector_registers`."""
    return f"+{name}" in codegen.magic_tuple()[2].split(",")


class Tile(NamedTuple):
    """The shape of a tile."""

    n_rows: int
    n_bytes: int
    """Of a row."""


def choose_tile(registers: Registers, panel_bytes: int) -> Tile:
    """Choose the widest tile of at least `LEAST_ROWS` rows.

    Parameters
    ----------
    registers : Registers
    panel_bytes : int
        Size of a row of a panel.

    Returns
    -------
    Tile
    """
    n_bytes = panel_bytes
    while True:
        # Sums for each row, one row of the right factor, and one number of the left factor.
        a_row = max(1, n_bytes // registers.n_bytes)
        n_rows = (registers.n_registers - a_row - 1) // a_row
        if n_rows >= LEAST_ROWS:
            return Tile(min(n_rows, MOST_ROWS), n_bytes)
        n_bytes //= 2


class _Operand:
    """A `products.Matrix` inside a kernel: a pointer to bytes, and its steps in bytes."""

    def __init__(self, context, builder, kind, value, itemsize):
        def field(name):
            return builder.extract_value(value, kind.fields.index(name))

        memory = kind.types[kind.fields.index("memory")]
        data = context.make_array(memory)(context, builder, field("memory")).data
        self.builder, self.n_rows = builder, field("n_rows")
        self.start = builder.bitcast(builder.gep(data, [field("start")]), _BYTES)
        self.row_step, self.column_step = (
            builder.mul(field(name), _WHOLE(itemsize)) for name in ("row_step", "column_step")
        )

    def row(self, number):
        """Point to a row."""
        return self.builder.gep(self.start, [self.builder.mul(number, self.row_step)])


_WHOLE, _BYTES = ir.IntType(64), ir.IntType(8).as_pointer()

SHARED = 3
"""Rows whose places are reckoned from one pointer, which spares registers for the others: an
instruction of x86 adds a step, or twice a step, to a pointer at no cost."""


def _of_its_own(builder, pointer):
    """Hide from LLVM how a pointer was reckoned: it would do so again in each turn of a loop."""
    return builder.asm(ir.FunctionType(_BYTES, [_BYTES]), "", "=r,0", [pointer], False)


def _first_sums(builder, kind, places, adding):
    """Begin each row's sum with what is there, or with 0."""
    begin, zero = builder.block, ir.Constant(kind.llvm, [0.0] * kind.count)
    with builder.if_then(adding):
        there = [load_vector(builder, place, kind) for place in places]
        loaded = builder.block
    sums = [builder.phi(kind.llvm) for _ in places]
    for total, number in zip(sums, there, strict=True):
        total.add_incoming(zero, begin)
        total.add_incoming(number, loaded)
    return sums


def _add_products(builder, kind, first_sums, left, place, right, offset):
    """Loop over the columns of the left factor; return the sums of a tile's rows."""
    begin, n_rows = builder.block, len(first_sums)
    steps = [_WHOLE(0), left.row_step, builder.mul(left.row_step, _WHOLE(2))]
    starts = [
        _of_its_own(builder, builder.gep(place, [builder.mul(left.row_step, _WHOLE(row))]))
        for row in range(0, n_rows, SHARED)
    ]
    first = builder.gep(right.start, [offset])
    last = builder.gep(first, [builder.mul(right.n_rows, right.row_step)])
    loop, end = builder.append_basic_block("products"), builder.append_basic_block("sums")
    builder.cbranch(builder.icmp_signed("<", _WHOLE(0), right.n_rows), loop, end)

    builder.position_at_end(loop)
    vector_place = builder.phi(_BYTES)  # which counts the columns, too
    pointers = [builder.phi(_BYTES) for _ in starts]
    sums = [builder.phi(kind.llvm) for _ in range(n_rows)]
    vector, added = load_vector(builder, vector_place, kind), []
    for row, total in enumerate(sums):
        number_place = builder.gep(pointers[row // SHARED], [steps[row % SHARED]])
        number = builder.load(builder.bitcast(number_place, kind.llvm.element.as_pointer()))
        arguments = [splat(builder, number, kind.llvm), vector, total]
        added.append(call(builder, f"llvm.fmuladd.{kind.suffix}", kind.llvm, arguments))
    moved = [builder.gep(pointer, [left.column_step]) for pointer in pointers]
    moved_place = builder.gep(vector_place, [right.row_step])
    for phi, initial, later in zip(
        [vector_place, *pointers, *sums],
        [first, *starts, *first_sums],
        [moved_place, *moved, *added],
        strict=True,
    ):
        phi.add_incoming(initial, begin)
        phi.add_incoming(later, loop)
    builder.cbranch(builder.icmp_unsigned("!=", moved_place, last), loop, end)

    builder.position_at_end(end)
    results = [builder.phi(kind.llvm) for _ in range(n_rows)]
    for result, initial, total in zip(results, first_sums, added, strict=True):
        result.add_incoming(initial, begin)
        result.add_incoming(total, loop)
    return results


def _multiply_rows(builder, kind, n_rows, operands, row_place, offset):
    """Compute tiles of so many rows while there are as many left."""
    left, right, result, adding = operands
    ask, work, done = (builder.append_basic_block(name) for name in ("ask", "tile", "done"))
    builder.branch(ask)
    builder.position_at_end(ask)
    row = builder.load(row_place)
    following = builder.add(row, _WHOLE(n_rows))
    builder.cbranch(builder.icmp_signed("<=", following, result.n_rows), work, done)

    builder.position_at_end(work)
    target = builder.gep(result.row(row), [offset])
    places = [
        builder.gep(target, [builder.mul(result.row_step, _WHOLE(number))])
        for number in range(n_rows)
    ]
    first_sums = _first_sums(builder, kind, places, adding)
    sums = _add_products(builder, kind, first_sums, left, left.row(row), right, offset)
    for place, total in zip(places, sums, strict=True):
        store_vector(builder, total, place, kind)
    builder.store(following, row_place)
    builder.branch(ask)
    builder.position_at_end(done)


def _multiply_twin(lanes, left, right, result, adding):
    def view(matrix, n_columns):
        steps = np.array([matrix.row_step, matrix.column_step]) * matrix.memory.itemsize
        shape = (matrix.n_rows, n_columns)
        return np.lib.stride_tricks.as_strided(matrix.memory[matrix.start :], shape, steps)

    A, B, C = view(left, right.n_rows), view(right, lanes.width), view(result, lanes.width)
    if not adding:
        C[...] = 0
    for inner in range(right.n_rows):
        C += A[: len(C), inner : inner + 1] * B[inner]


@operation(_multiply_twin)
def multiply_tiles(typing, lanes, left, right, result, adding):
    """Compute A B for one panel, or add it, tile by tile; see `products.multiply`."""

    def generate(context, builder, sig, arguments):
        panel = lanes.vector
        itemsize = panel.dtype.bitwidth // 8
        tile = choose_tile(vector_registers(context.codegen()), panel.count * itemsize)
        kind = VectorType(panel.dtype, tile.n_bytes // itemsize)
        heights = [tile.n_rows, *(height for height in (4, 2, 1) if height < tile.n_rows)]
        operands = [
            _Operand(context, builder, operand, value, itemsize)
            for operand, value in zip(sig.args[1:4], arguments[1:4], strict=True)
        ]
        operands.append(arguments[4])
        n_bytes = _WHOLE(panel.count * itemsize)
        with cgutils.for_range_slice(builder, _WHOLE(0), n_bytes, _WHOLE(tile.n_bytes)) as loop:
            row_place = cgutils.alloca_once(builder, _WHOLE)
            builder.store(_WHOLE(0), row_place)
            for height in heights:
                _multiply_rows(builder, kind, height, operands, row_place, loop[0])
        return context.get_dummy_value()

    return types.void(lanes, left, right, result, adding), generate
