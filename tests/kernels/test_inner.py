"""How functions are compiled that only kernels call."""

import gc

import numba
import numpy as np
import pytest

from fastmlp.kernels.jit import entry, inlined, kernel, specialise

compiling = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


@kernel
def item_of(values, index):
    return values[index] * 2.0


@inlined
def two_items(values, index):
    return item_of(values, index) + item_of(values, index + 1)


def sum_items(values, index):
    return two_items(values, index) + item_of(values, index)


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE_DIR", str(tmp_path))


@compiling
def test_only_what_is_inlined_is_always_copied_to_where_it_is_called():
    # A kernel that an inlined function was the first to call was inlined itself, wherever it was.
    assert entry(sum_items)(np.arange(4.0), 1) == 8.0
    for dispatcher, copied in ((two_items, True), (item_of, False)):
        (overload,) = dispatcher.overloads.values()
        assert overload.fndesc.inline == copied


@compiling
def test_an_index_out_of_bounds_is_told_of_where_bounds_are_checked(monkeypatch):
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    checked = kernel(lambda values, index: values[index])
    with pytest.raises(IndexError, match="out of bounds"):
        entry(lambda values, index: checked(values, index))(np.arange(4.0), 4)


@compiling
@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_collected_after_compiling_as_before(enabled, monkeypatch):
    (gc.enable if enabled else gc.disable)()
    try:
        specialise(entry(lambda number: number), 1)
        assert gc.isenabled() == enabled
        with pytest.raises(numba.core.errors.TypingError):
            specialise(entry(lambda number: number.nothing), 1)
        assert gc.isenabled() == enabled
    finally:
        gc.enable()
