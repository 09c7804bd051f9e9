"""What every loader returns."""

from typing import NamedTuple

from fastmlp._arrays import Array


class Dataset(NamedTuple):
    """Training and test samples, and how their values are to be scaled."""

    name: str
    X_train: Array
    """(n_train, n_features), uint8 for the named data sets."""
    y_train: Array
    """(n_train,) labels."""
    X_test: Array
    """(n_test, n_features)."""
    y_test: Array
    """(n_test,) labels."""
    input_scale: str | tuple[float, float] | None = None
    """For `fastmlp.train`: None, "unit", "symmetric" or (scale, shift)."""
    notes: tuple[str, ...] = ()
    """What was decided while reading a file: columns left out, the label, the scale."""
    feature_names: tuple[str, ...] | None = None
    """The columns' names, which models that are trained on it remember; None where there are none
    by which to tell them apart."""


PARTS = Dataset._fields[1:5]
"""The names of the samples' arrays."""
