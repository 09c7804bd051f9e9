"""Which trainers may go on with other data, instead of others being made for those."""

from typing import Any

from fastmlp.kernels.dense import DenseFeatures

MOST_BYTES = 1 << 22
"""What a trainer that is kept may hold: the steps of larger ones take longer than making one."""


def form_of(features: Any) -> tuple[Any, ...] | None:
    """Describe what a trainer and its compiled kernel depend on in the packed features.

    Parameters
    ----------
    features : DenseFeatures or SparseFeatures

    Returns
    -------
    tuple or None
        None for sparse ones, whose number of nonzeros decides how the weights are updated.
    """
    if not isinstance(features, DenseFeatures):
        return None
    return features.values.dtype, features.values.flags.aligned, features.values.size


def is_small(packed: Any, spaces: list[Any]) -> bool:
    """Tell whether a trainer may be kept; see `MOST_BYTES`.

    Parameters
    ----------
    packed : ndarray of shape (n_packed,)
        The parameters.
    spaces : list of Space
    """
    units = sum(space.workspace.units.nbytes for space in spaces)
    return bool(packed.nbytes + units <= MOST_BYTES)
