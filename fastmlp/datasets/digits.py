"""digits: the 1,797 handwritten digits of 8 x 8 pixels that scikit-learn ships."""

import numpy as np
from numpy.typing import NDArray

from fastmlp.datasets.dataset import Dataset

TEST_EVERY = 7
"""Every seventh original, from the first on, is for testing."""


Arrays = tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.uint8], NDArray[np.intp]]
"""X_train, y_train, X_test and y_test."""


def load_originals() -> Arrays:
    """Load 1,540 + 257 digits as uint8 values from 0 to 16, 64 of each, and their labels."""
    from sklearn.datasets import load_digits as load

    images, labels = load(return_X_y=True)
    images, labels = images.astype(np.uint8), labels.astype(np.intp)
    is_test = np.arange(len(images)) % TEST_EVERY == 0
    return images[~is_test], labels[~is_test], images[is_test], labels[is_test]


def load_digits() -> Dataset:
    """Load 1,540 + 257 images of 8 x 8 pixels; no network is needed.

    Returns
    -------
    Dataset
        uint8 X of 64 columns with values from 0 to 16, labels 0 to 9, `input_scale` (1/16, 0).
    """
    return Dataset("digits", *load_originals(), input_scale=(1 / 16, 0.0))
