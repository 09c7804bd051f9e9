"""Finding the compiled version of an entry anew: once for all arguments of the same types."""

from typing import NamedTuple

import numba
import numpy as np
import pytest

from fastmlp.kernels import jit
from fastmlp.kernels.simd import Lanes


class Pair(NamedTuple):
    """Two arguments, as the kernels take them."""

    left: object
    right: object


READ_ONLY = np.zeros(3)
READ_ONLY.flags.writeable = False

DIFFERENT = [
    np.zeros(3), np.zeros(3, np.float32), np.zeros((3, 1)), np.zeros((3, 2), order="F"),
    np.zeros(6)[::2], READ_ONLY, 1, 1.0, True,
    np.float32(1), np.int32(1), (), (1, 2), (1, 2.0), Pair(1, 2), Pair(1, np.zeros(3)),
    Lanes(np.float32, 4), Lanes(np.float32, 8), Lanes(np.float64, 4),
]  # fmt: skip


def test_what_numba_takes_for_different_types_is_of_different_kinds():
    kinds = [jit.kind_of(argument) for argument in DIFFERENT]
    types = [numba.typeof(argument) for argument in DIFFERENT]
    assert len(set(types)) == len(types)
    assert len(set(kinds)) == len(kinds)


def test_values_of_a_type_are_of_one_kind():
    assert jit.kind_of((1, Pair(2.0, np.zeros(3)))) == jit.kind_of((7, Pair(3.0, np.ones(5))))


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_types_are_found_out_once(monkeypatch):
    @jit.entry
    def add(pair):
        return pair.left[0] + pair.right

    compiled = jit.specialise(add, Pair(np.zeros(3), 1))
    assert compiled(Pair(np.ones(3), 2)) == 3
    assert jit.specialise(add, Pair(np.zeros(3), 1.0))(Pair(np.ones(3), 0.5)) == 1.5
    monkeypatch.setattr(numba, "typeof", lambda argument: pytest.fail("asked again"))
    assert jit.specialise(add, Pair(np.zeros(7), 5)) is compiled
