"""What a kernel must do: bytes that it must move and operations, from the shapes alone.

Counted are the units, rows and nonzeros that the network has, not those that fill panels up; a
number that is used again while it can stay in a nearer cache is counted once. A fused
multiply-add is two operations; a division, a root and a comparison are one each.
"""

from typing import NamedTuple

FLOAT = 4
"""Bytes of a float32."""

INDEX = 4
"""Bytes of a nonzero's column."""

EXP = 24
"""Of `functions.exp`: the range 2, the reduction 7, the polynomial 14, the exponent 1."""

SIGMOID = EXP + 3
"""1 / (1 + e^-x)."""


class Work(NamedTuple):
    """Bytes and operations of one call."""

    read: int
    written: int
    flops: int

    @property
    def bytes(self):
        """All that is moved."""
        return self.read + self.written

    def __add__(self, other):
        """Do one after the other."""
        return Work(*(mine + its for mine, its in zip(self, other, strict=True)))

    def times(self, count):
        """Do it so many times."""
        return Work(*(number * count for number in self))


def product(n_rows, n_inner, n_columns):
    """Count C = A B: read both once, write C; 2 n_rows n_inner n_columns operations.

    Parameters
    ----------
    n_rows, n_inner, n_columns : int

    Returns
    -------
    Work
    """
    read = FLOAT * (n_rows * n_inner + n_inner * n_columns)
    return Work(read, FLOAT * n_rows * n_columns, 2 * n_rows * n_inner * n_columns)


def sparse_product(n_nonzeros, n_rows, n_units, value_bytes):
    """Count Z = P W: for each nonzero p its value, its index and a row of W; z += p w; Z once.

    The panel of W does not fit into the first-level cache, so that each nonzero reads its row anew.

    Parameters
    ----------
    n_nonzeros, n_rows, n_units : int
    value_bytes : int
        Of a value of P.

    Returns
    -------
    Work
    """
    read = n_nonzeros * (value_bytes + INDEX + FLOAT * n_units)
    return Work(read, FLOAT * n_rows * n_units, 2 * n_nonzeros * n_units)


def sparse_update(n_nonzeros, n_rows, n_units, value_bytes):
    """Count W += P^T D: for each nonzero p a row of W is read and written; w += p d; D once.

    Parameters
    ----------
    n_nonzeros, n_rows, n_units, value_bytes : int
        See `sparse_product`.

    Returns
    -------
    Work
    """
    row = FLOAT * n_units
    read = n_nonzeros * (value_bytes + INDEX + row) + n_rows * row
    return Work(read, n_nonzeros * row, 2 * n_nonzeros * n_units)


def logistic(n_rows, n_units):
    """Count A = sigmoid(s Z + b) in place: read and write each number, 2 + `SIGMOID` operations.

    Parameters
    ----------
    n_rows, n_units : int

    Returns
    -------
    Work
    """
    size = n_rows * n_units
    return Work(FLOAT * (size + n_units), FLOAT * size, (2 + SIGMOID) * size)


def logistic_slope(n_rows, n_units):
    """Count D = D a (1 - a) where D has just been computed: read a, 3 operations.

    Parameters
    ----------
    n_rows, n_units : int

    Returns
    -------
    Work
    """
    size = n_rows * n_units
    return Work(FLOAT * size, 0, 3 * size)


def softmax_cross_entropy(n_rows, n_classes):
    """Count D = (softmax(Z) - y) / n_rows and the losses: read Z, write D.

    For each logit a maximum, e^(z - max), a sum and a product: 4 + `EXP` operations; for each row a
    division, y, and the loss: 4.

    Parameters
    ----------
    n_rows, n_classes : int

    Returns
    -------
    Work
    """
    size = n_rows * n_classes
    return Work(FLOAT * size, FLOAT * size, (4 + EXP) * size + 4 * n_rows)


def sgd(n_parameters):
    """Count w -= rate g: read and write w, 2 operations; g comes from the cache.

    Parameters
    ----------
    n_parameters : int

    Returns
    -------
    Work
    """
    return Work(FLOAT * n_parameters, FLOAT * n_parameters, 2 * n_parameters)


def adam(n_parameters):
    """Count Adam's step: read and write w, m and v, 12 operations; g comes from the cache.

    m = b1 m + (1 - b1) g: 3; v = b2 v + (1 - b2) g^2: 4; w -= rate m / (sqrt(v) + eps): 5.

    Parameters
    ----------
    n_parameters : int

    Returns
    -------
    Work
    """
    moved = 3 * FLOAT * n_parameters
    return Work(moved, moved, 12 * n_parameters)


def adam_catch_up(n_parameters, n_missed):
    """Count missed steps of Adam: read and write w, m and v once.

    A step is m *= b1, r *= b2', w -= rate m / (r + eps): 6 operations; r = sqrt(v) before and the
    shrinking of m and v after them are 3 more.

    Parameters
    ----------
    n_parameters, n_missed : int

    Returns
    -------
    Work
    """
    moved = 3 * FLOAT * n_parameters
    return Work(moved, moved, (6 * n_missed + 3) * n_parameters)


def gather(n_rows, n_features):
    """Count A = s V + c from bytes: read them, 2 operations; A stays in the cache.

    Parameters
    ----------
    n_rows, n_features : int

    Returns
    -------
    Work
    """
    size = n_rows * n_features
    return Work(size, 0, 2 * size)


def count(n_values):
    """Count the counting of nonzero bytes: read each, compare and add.

    Parameters
    ----------
    n_values : int

    Returns
    -------
    Work
    """
    return Work(n_values, 0, 2 * n_values)


def pack(n_values, n_nonzeros):
    """Count the packing of bytes: read and compare each, write the others and their columns.

    Parameters
    ----------
    n_values, n_nonzeros : int

    Returns
    -------
    Work
    """
    return Work(n_values, n_nonzeros * (1 + INDEX), 2 * n_values)


def few_rows(n_rows, n_features, n_nonzeros, n_units, n_classes):
    """Count the prediction of dense rows that skips what is 0: X and for each nonzero a row of W.

    Every input is scaled, 2 operations, and compared; then the layers as above.

    Parameters
    ----------
    n_rows, n_features, n_nonzeros, n_units, n_classes : int

    Returns
    -------
    Work
    """
    size = n_rows * n_features
    inputs = Work(FLOAT * size, 0, 3 * size)
    first = Work(FLOAT * n_nonzeros * n_units, 0, 2 * n_nonzeros * n_units)
    above = logistic(n_rows, n_units) + product(n_rows, n_units, n_classes)
    return inputs + first + above + softmax_cross_entropy(n_rows, n_classes)
