"""How functions are compiled that only kernels call."""

import gc

import numba
import numpy as np
import pytest
from numba.core.typing.context import BaseContext as Context

from fastmlp.kernels.inner import InnerLibrary
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
def test_what_a_sum_of_two_numbers_is_is_found_once(monkeypatch):
    asked = []

    def resolve(self, func, args, kws):
        asked.append((id(func), args))
        return usual(self, func, args, kws)

    usual = Context.resolve_function_type
    monkeypatch.setattr(Context, "resolve_function_type", resolve)
    assert entry(lambda a, b: (a + b) + (a + b) - (a - b) - (a - b))(3, 4) == 16
    assert len(asked) == len(set(asked))


@compiling
def test_an_entry_is_linked_with_what_its_kernels_call():
    nested = kernel(lambda values, index: item_of(values, index) - 1.0)
    whole = entry(lambda values: nested(values, 0) + item_of(values, 1) + two_items(values, 0))
    assert whole(np.array([1.0, 2.0])) == 1.0 + 4.0 + 6.0
    (overload,) = whole.overloads.values()
    linked = [one for one in overload.library._linking_libraries if type(one) is InnerLibrary]
    assert len(set(linked)) == 3


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
