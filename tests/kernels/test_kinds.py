"""Kinds of named tuples are told apart by their class, whatever their fields."""

from typing import NamedTuple

import numba
import pytest
from numba.core.errors import CompilerError

from fastmlp.kernels.jit import inlined
from fastmlp.kernels.kinds import is_a
from tests.kernels.calling import compiled, of_compiled_code


class Circle(NamedTuple):
    radius: float


class Square(NamedTuple):
    side: float


@inlined
def size(shape):
    if is_a(shape, Circle):
        return shape.radius
    if is_a(shape, Square):
        return -shape.side
    return 0.0


@pytest.mark.parametrize(("shape", "expected"), [(Circle(2.0), 2), (Square(2.0), -2), ((), 0)])
def test_kinds_of_as_many_fields_are_told_apart(shape, expected):
    assert compiled(size)(shape) == expected


@inlined
def of_another(shape):
    other = shape
    other = (shape, other)
    return is_a(other, Circle)


@of_compiled_code
def test_what_is_no_parameter_is_refused():
    with pytest.raises(
        (CompilerError, numba.TypingError), match="is_a takes a parameter of the kernel"
    ):
        compiled(of_another)(Circle(2.0))
