"""Panels hold what they are given, and what fills them up stays as it is."""

import itertools

import numpy as np
import pytest

from fastmlp.kernels import layout as layouts


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(7, 3), (784, 100, 10), (5, 64, 65, 1000), (3, 1, 2)], ids=str)
def test_packing_and_unpacking_give_the_same(sizes, dtype, sparse):
    generator = np.random.default_rng(0)
    shapes = list(itertools.pairwise(sizes))
    coefs = [generator.normal(size=shape).astype(dtype) for shape in shapes]
    intercepts = [generator.normal(size=shape[1]).astype(dtype) for shape in shapes]
    output = layouts.choose_lanes(sizes[-1], dtype, sparse)
    hidden = layouts.choose_lanes(max(sizes[1:-1], default=sizes[-1]), dtype, sparse)
    layout = layouts.make_layout(sizes, ("relu",) * (len(sizes) - 2), hidden, output)
    packed = np.zeros(layouts.n_packed(layout), dtype)
    turned = np.zeros(layouts.n_transposed(layout), dtype)
    parts, places = layouts.parts(layout, coefs, intercepts), layouts.places(layout, packed)
    layouts.copy_in(zip(parts, places, strict=True))
    layouts.copy_in(layouts.transposed_parts(layout, coefs, turned))
    values = sum(array.size for array in (*coefs, *intercepts))
    assert np.count_nonzero(packed) == values
    assert np.count_nonzero(turned) == sum(array.size for array in coefs[1:])
    others = [np.zeros_like(array) for array in coefs], [np.zeros_like(a) for a in intercepts]
    parts, places = layouts.parts(layout, *others), layouts.places(layout, packed)
    layouts.copy_out(zip(parts, places, strict=True))
    for actual, expected in zip(others[0] + others[1], coefs + intercepts, strict=True):
        np.testing.assert_array_equal(actual, expected)
    again = [np.zeros_like(array) for array in coefs]
    layouts.copy_out(layouts.transposed_parts(layout, again, turned))
    for actual, expected in zip(again[1:], coefs[1:], strict=True):
        np.testing.assert_array_equal(actual, expected)
