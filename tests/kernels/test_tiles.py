"""A tile fits the registers of every kind of processor, and products are right in all of them."""

import numba
import numpy as np
import pytest

from fastmlp.kernels import tiles
from fastmlp.kernels.products import Matrix
from fastmlp.kernels.simd import Lanes
from fastmlp.kernels.tiles import Registers, Tile, choose_tile, vector_registers
from tests.kernels.calling import of_compiled_code
from tests.tolerances import assert_close

PROCESSORS = {
    "AVX-512": Registers(32, 64), "AVX2": Registers(16, 32), "NEON": Registers(32, 16),
    "SSE2": Registers(16, 16),
}  # fmt: skip
LANES = [Lanes(np.float32, 16), Lanes(np.float32, 64), Lanes(np.float64, 4), Lanes(np.float64, 32)]


class Target:
    """Takes the place of numba's code generator."""

    def __init__(self, triple, features):
        self.described = (triple, "", features)

    def magic_tuple(self):
        return self.described


@pytest.mark.parametrize(
    ("processor", "triple", "features"),
    [("AVX-512", "x86_64-unknown-linux-gnu", "-sse4a,+avx2,+avx512f,+avx"),
     ("AVX2", "x86_64-pc-windows-msvc", "+avx,+avx2,+fma,-avx512f"),
     ("SSE2", "x86_64-unknown-linux-gnu", "+sse4.2,-avx,-avx512f"),
     ("NEON", "aarch64-unknown-linux-gnu", "+neon"),
     ("NEON", "arm64-apple-darwin23.1.0", "")],
)  # fmt: skip
def test_the_registers_are_those_that_llvm_may_use(processor, triple, features):
    assert vector_registers(Target(triple, features)) == PROCESSORS[processor]


@pytest.mark.parametrize(
    ("processor", "panel_bytes", "tile"),
    [("AVX-512", 64, Tile(8, 64)), ("AVX-512", 256, Tile(6, 256)), ("AVX-512", 16, Tile(8, 16)),
     ("AVX2", 64, Tile(6, 64)), ("AVX2", 256, Tile(6, 64)), ("AVX2", 16, Tile(8, 16)),
     ("NEON", 64, Tile(6, 64)), ("NEON", 256, Tile(6, 64)),
     ("SSE2", 64, Tile(6, 32)), ("SSE2", 256, Tile(6, 32))],
)  # fmt: skip
def test_a_tile_fits_the_registers(processor, panel_bytes, tile):
    registers = PROCESSORS[processor]
    assert choose_tile(registers, panel_bytes) == tile
    a_row = max(1, tile.n_bytes // registers.n_bytes)
    assert (tile.n_rows + 1) * a_row + 1 <= registers.n_registers


@of_compiled_code
@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("lanes", LANES, ids=str)
def test_products_are_right_in_the_tiles_of_every_processor(lanes, processor, monkeypatch):
    monkeypatch.setattr(tiles, "vector_registers", lambda codegen: PROCESSORS[processor])

    @numba.njit(error_model="numpy")
    def multiply(left, right, result, adding):
        tiles.multiply_tiles(lanes, left, right, result, adding)

    generator, width = np.random.default_rng(0), lanes.width
    for n_rows in (*range(18), 40):
        left, right = (
            generator.normal(size=shape).astype(lanes.dtype) for shape in ((n_rows, 7), (7, width))
        )
        result = np.full((n_rows + 1, width + 3), 2, lanes.dtype)
        matrices = (
            Matrix(left.reshape(-1), 0, n_rows, 7, 1),
            Matrix(right.reshape(-1), 0, 7, width, 1),
            Matrix(result.reshape(-1), 0, n_rows, width + 3, 1),
        )
        exact = left.astype(float) @ right.astype(float)
        for adding, expected in ((True, exact + 2), (False, exact)):
            multiply(*matrices, adding)
            assert (result[n_rows] == 2).all() and (result[:, width:] == 2).all()
            if n_rows:
                assert_close(result[:n_rows, :width], expected, "product", lanes.dtype)
