"""What reads the data: a batch of dense samples, and the packing of images of which most is 0."""

import numpy as np

from fastmlp.backends.compiled.memory import zeros
from fastmlp.backends.compiled.packing import LOOKED_AT_ONCE
from fastmlp.kernels.dense import DenseFeatures, gather
from fastmlp.kernels.products import Matrix
from fastmlp.kernels.sparse import count_nonzeros, pack_nonzeros

from . import work
from .cases import BATCH_SIZE, LINE, N_FEATURES, UNIT, Case
from .timing import compiled_loop


def _gather(number, lanes, features, batches, inputs):
    batch = batches[number % batches.shape[0]]
    gather(lanes, features, batch, 0, batch.size, N_FEATURES, inputs)


def gather_case(images):
    """Time the reading of dense samples, which lie anywhere.

    Parameters
    ----------
    images : cases.Images

    Returns
    -------
    Case
    """
    n_samples = len(images.X) // BATCH_SIZE * BATCH_SIZE
    batches = np.random.default_rng(13).permutation(n_samples).reshape(-1, BATCH_SIZE)
    scale, shift = (np.float32(number) for number in UNIT)
    features = DenseFeatures(images.X.ravel(), N_FEATURES, 1, scale, shift)
    inputs = zeros(BATCH_SIZE * N_FEATURES, np.float32)
    rows = Matrix(inputs, 0, BATCH_SIZE, N_FEATURES, 1)
    run = compiled_loop(_gather, LINE, features, batches, rows)

    def check():
        run(1)
        return inputs, images.X[batches[0]].ravel() / 255

    return Case(
        "read dense bytes", "kernels.dense.gather", f"{BATCH_SIZE} x {N_FEATURES}",
        work.gather(BATCH_SIZE, N_FEATURES), images.X.nbytes, run, check,
        note="the rows lie anywhere in memory, and each is waited for",
    )  # fmt: skip


def _count(number, values, n_samples, counts):
    count_nonzeros(
        LOOKED_AT_ONCE,
        values,
        N_FEATURES,
        1,
        values.dtype.type(0),
        N_FEATURES,
        0,
        n_samples,
        counts,
    )


def count_case(images):
    """Time the counting of each image's nonzeros; see `gather_case`."""
    counts = np.zeros(len(images.X), np.int64)
    run = compiled_loop(_count, images.X.ravel(), len(images.X), counts)

    def check():
        run(1)
        return counts, np.count_nonzero(images.X, axis=1)

    return Case(
        "count nonzeros", "kernels.sparse.count_nonzeros",
        f"{len(images.X):,} x {N_FEATURES} bytes",
        work.count(images.X.size), images.X.nbytes, run, check,
        note="sixteen bytes at a time, a quarter of a register",
    )  # fmt: skip


def _pack(number, values, n_samples, indptr, indices, packed):
    pack_nonzeros(
        LOOKED_AT_ONCE, values, N_FEATURES, 1, values.dtype.type(0), N_FEATURES, 0, n_samples,
        indptr, indices, packed,
    )  # fmt: skip


def pack_case(images):
    """Time the packing of all images into compressed rows; see `gather_case`."""
    indptr, n_nonzeros = images.sparse.indptr, len(images.sparse.indices)
    indices, packed = np.zeros(n_nonzeros, np.int32), np.zeros(n_nonzeros, np.uint8)
    run = compiled_loop(_pack, images.X.ravel(), len(images.X), indptr, indices, packed)

    def check():
        run(1)
        places = np.nonzero(images.X)
        return np.append(indices, packed), np.append(places[1], images.X[places])

    return Case(
        "pack nonzeros", "kernels.sparse.pack_nonzeros",
        f"{len(images.X):,} x {N_FEATURES} bytes, {n_nonzeros / images.X.size:.0%} nonzero",
        work.pack(images.X.size, n_nonzeros), images.X.nbytes + 5 * n_nonzeros, run, check,
        note="sixteen values at a time, whose place depends on how many came before",
    )  # fmt: skip


def reading_cases(images):
    """List what reads the data; see `gather_case`."""
    return [gather_case(images), count_case(images), pack_case(images)]
