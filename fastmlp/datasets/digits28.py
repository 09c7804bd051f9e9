"""digits28: an embedded data set of MNIST's shape, made from scikit-learn's handwritten digits.

Each of the 1,797 digits of 8 x 8 pixels is drawn some forty times into a 28 x 28 frame, each time
turned, stretched, slanted and moved a little. All arithmetic is on whole numbers (products in
float32 whose every partial sum is below 2^24, hence exact), so the bytes are the same on every
machine.
"""

import contextlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp._cache import cache_dir
from fastmlp._files import write_file
from fastmlp.datasets.dataset import PARTS, Dataset
from fastmlp.datasets.digits import Arrays, load_originals

VERSION = 1
"""Part of the cached file's name: any change of the bytes needs a new one."""

SEED = 28
N_TRAIN, N_TEST = 60_000, 10_000
N_TRANSFORMS = 400
SIDE, SOURCE_SIDE = 28, 8

UNIT = 1 << 12
"""Source coordinates are whole multiples of 1 / 4096 of a pixel."""
WEIGHT_UNIT = 1 << 6
"""Interpolation weights are whole multiples of 1 / 4096, the product of two of these."""
STEP = UNIT * 10 // 27, UNIT * 10 // 22
"""Source pixels for each pixel of the frame: magnified 2.7 to 2.2 times."""
MOST_TURN, MOST_SLANT = UNIT // 16, UNIT // 32
"""Largest slopes, in source pixels for each pixel of the frame: up to 8 and 4 degrees."""
MOST_SHIFT = 3
"""Largest shift, in half pixels of the frame."""
INK_FROM, INK_RANGE = 5, 9
"""Source values (0 to 16) that become black and, so much higher, white."""


def load_digits28() -> Dataset:
    """Load 60,000 + 10,000 images of 28 x 28 pixels; no network is needed.

    They are made in a second or two and then kept in the cache folder, where it is writable. Test
    images are made from other originals than training images.

    Returns
    -------
    Dataset
        uint8 X of 784 columns, labels 0 to 9, `input_scale` "unit".
    """
    path = cache_dir() / "datasets" / f"digits28-v{VERSION}.npz"
    arrays = _read(path)
    if arrays is None:
        arrays = build()
        _write(path, arrays)
    return Dataset("digits28", *arrays, input_scale="unit")


def build() -> Arrays:
    """Draw all images.

    Returns
    -------
    X_train, y_train, X_test, y_test
        Of shapes (60000, 784), (60000,), (10000, 784), (10000,).
    """
    # RandomState's stream is frozen for ever; that of a Generator may change with NumPy.
    random = np.random.RandomState(SEED)
    X_train, y_train, X_test, y_test = load_originals()
    transforms = [_draw_transform(random) for _ in range(N_TRANSFORMS)]
    train = _draw_images(X_train, y_train, transforms, N_TRAIN, random)
    test = _draw_images(X_test, y_test, transforms, N_TEST, random)
    return *train, *test


def _draw_transform(random: np.random.RandomState) -> NDArray[np.float32]:
    """Draw one affine map as a matrix from source pixels to pixels of the frame.

    Returns
    -------
    ndarray of shape (64, 784), float32
        Whole numbers: bilinear weights in units of 1 / 4096.
    """
    step = random.randint(*STEP, 2)
    lean = random.randint(-MOST_TURN, MOST_TURN) + random.randint(-MOST_SLANT, MOST_SLANT, 2)
    shift = random.randint(-MOST_SHIFT, MOST_SHIFT + 1, 2)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    # Distances from the frame's centre, in half pixels so that they are whole.
    down, right = 2 * row - (SIDE - 1) - shift[0], 2 * column - (SIDE - 1) - shift[1]
    middle = (SOURCE_SIDE - 1) * UNIT
    source_row = (middle + down * step[0] + right * lean[0]) // 2
    source_column = (middle + right * step[1] - down * lean[1]) // 2
    by_row, by_column = _interpolation(source_row), _interpolation(source_column)
    weights = by_row[:, :, np.newaxis] * by_column[:, np.newaxis, :]
    return weights.reshape(SIDE * SIDE, -1).T.astype(np.float32)


def _interpolation(position: NDArray[np.int64]) -> NDArray[np.int64]:
    """Weigh the source pixels along one axis: linear, 0 from a distance of one pixel on.

    Parameters
    ----------
    position : ndarray of shape (784,)
        In units of 1 / `UNIT` of a source pixel.

    Returns
    -------
    ndarray of shape (784, 8)
        In units of 1 / `WEIGHT_UNIT`.
    """
    distance = np.abs(position[:, None] - np.arange(SOURCE_SIDE) * UNIT)
    return np.asarray(np.maximum(UNIT - distance, 0) // (UNIT // WEIGHT_UNIT))


def _draw_images(
    originals: NDArray[np.uint8],
    labels: NDArray[np.intp],
    transforms: list[NDArray[np.float32]],
    n_images: int,
    random: np.random.RandomState,
) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Draw each original equally often, each transform equally often, in random order."""
    source = np.arange(n_images) % len(originals)
    order = random.permutation(n_images)
    images = np.empty((n_images, SIDE * SIDE), np.uint8)
    pixels = originals.astype(np.float32)
    shuffled = random.permutation(n_images)
    for number, transform in enumerate(transforms):
        chosen = shuffled[number :: len(transforms)]
        images[order[chosen]] = _ink(pixels[source[chosen]] @ transform)
    drawn = np.empty(n_images, np.intp)
    drawn[order] = labels[source]
    return images, drawn


def _ink(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Raise the contrast: from source values in units of 1 / 4096 to black, grey and white."""
    ink = values.astype(np.int32) - INK_FROM * WEIGHT_UNIT**2
    ink *= 255
    ink //= INK_RANGE * WEIGHT_UNIT**2
    return np.clip(ink, 0, 255, out=ink).astype(np.uint8)


SHAPES = ((N_TRAIN, SIDE * SIDE), (N_TRAIN,), (N_TEST, SIDE * SIDE), (N_TEST,))


def _read(path: Path) -> Arrays | None:
    """Read the cached file; None where there is none that is whole."""
    try:
        # zipfile compares each member's CRC-32 as it reads.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            X_train, y_train, X_test, y_test = (file[name] for name in PARTS)
    except Exception:  # missing, unreadable, cut short or damaged: numpy raises many kinds
        return None
    if tuple(array.shape for array in (X_train, y_train, X_test, y_test)) != SHAPES:
        return None
    return X_train, y_train.astype(np.intp), X_test, y_test.astype(np.intp)


def _write(path: Path, arrays: Arrays) -> None:
    """Write the cached file whole or not at all; where that is not possible, do nothing."""
    X_train, y_train, X_test, y_test = arrays
    labels = y_train.astype(np.uint8), y_test.astype(np.uint8)
    content = io.BytesIO()
    np.savez(content, X_train=X_train, y_train=labels[0], X_test=X_test, y_test=labels[1])
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content.getvalue())
