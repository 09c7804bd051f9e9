"""How functions are compiled that only kernels call."""

import gc
import re

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
def test_a_kernel_is_compiled_once_whoever_calls_it():
    # One that an inlined function was the first to call was inlined itself, wherever it was called.
    function = entry(sum_items)
    assert function(np.arange(4.0), 1) == 8.0
    (text,) = function.inspect_llvm().values()
    defined = re.findall(r"^define .*@\S*test_inner\d*([a-z_]+?)B", text, flags=re.MULTILINE)
    assert [re.sub(r"^\d+", "", name) for name in defined].count("item_of") == 1
    assert len(re.findall(r" call [^\n]*item_of", text)) == 3


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
