"""Rows a second from files, against the same rows in memory; and the memory that it takes.

    python -m benchmarks.reading [--gigabytes 0.2] [--buffer 2GB] [--features 54] [--folder /tmp]

Data are generated into files, trained on from each kind of source and from memory, and deleted. The
file cache is hot: what is measured is reading, not a disk. More data than `MOST_IN_MEMORY` are
trained on from files alone; the rate in memory is that of a part.
"""

import argparse
import resource
import shutil
import tempfile
from pathlib import Path

import numpy as np

import fastmlp
from fastmlp.data.memory import as_bytes
from fastmlp.data.shuffling import as_column

MOST_IN_MEMORY = 1e9
"""Bytes that are trained on in memory, too."""

CLASSES = {54: 7, 784: 10}
"""Of data shaped like Covertype's, float32, and MNIST's, uint8."""

PIECE_ROWS = 1 << 16

REPEATS = 3


def draw(generator, n_rows, n_features):
    """Draw rows whose class follows from their first features.

    Parameters
    ----------
    generator : numpy.random.Generator
    n_rows, n_features : int

    Returns
    -------
    X : ndarray of shape (n_rows, n_features), float32, or uint8 where they are images
    y : ndarray of shape (n_rows,), int64
    """
    if n_features == 784:
        X = generator.integers(0, 256, (n_rows, n_features), dtype=np.uint8)
    else:
        X = generator.standard_normal((n_rows, n_features), dtype=np.float32)
    return X, X[:, : CLASSES[n_features]].argmax(axis=1)


def write(folder, n_rows, n_features):
    """Write the same rows as .npy files and as Parquet, a piece at a time.

    Parameters
    ----------
    folder : Path
    n_rows, n_features : int
    """
    # asv imports every module here, in an environment without it.
    import pyarrow
    from pyarrow import parquet

    generator = np.random.default_rng(0)
    dtype = np.dtype(np.uint8 if n_features == 784 else np.float32)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", dtype, (n_rows, n_features))
    y = np.lib.format.open_memmap(folder / "y.npy", "w+", np.int64, (n_rows,))
    group = max(1, (1 << 23) // (n_features * dtype.itemsize))
    for number, first in enumerate(range(0, n_rows, PIECE_ROWS)):
        rows, labels = draw(generator, min(PIECE_ROWS, n_rows - first), n_features)
        X[first : first + len(rows)], y[first : first + len(rows)] = rows, labels
        columns = {f"x{n}": rows[:, n] for n in range(n_features)}
        if n_features == 784:
            columns = {"X": as_column(rows)}
        columns["y"] = labels
        parquet.write_table(
            pyarrow.table(columns), folder / f"{number:05d}.parquet", row_group_size=group,
            use_dictionary=False, compression="none",
        )  # fmt: skip
        X._mmap.madvise(4)  # MADV_DONTNEED: what is written is to leave this process
    del X, y


def sources(folder, buffer):
    """Make what opens each kind of source.

    Parameters
    ----------
    folder : Path
    buffer : int

    Returns
    -------
    dict of str to callable
    """
    return {
        "Parquet": lambda: fastmlp.data.parquet(folder, "y", buffer=buffer),
        "memory map": lambda: fastmlp.data.npy(folder / "X.npy", folder / "y.npy", buffer=buffer),
    }


def rate(data, n_rows, n_features, epochs):
    """Measure the rows a second of the fastest epoch.

    Parameters
    ----------
    data : dict
        Arguments of `fastmlp.train`.
    n_rows, n_features, epochs : int

    Returns
    -------
    float
    """
    scale = "unit" if n_features == 784 else None
    result = fastmlp.train(
        **data, input_scale=scale, hidden_layer_sizes=(100,), epochs=epochs, n_threads=1,
        random_state=0,
    )  # fmt: skip
    return n_rows / min(result.history.seconds)


def peak():
    """Return the most memory that this process has taken until now, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    """Generate, train, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=0.2)
    parser.add_argument("--buffer", default="2GB")
    parser.add_argument("--features", type=int, choices=CLASSES, default=54)
    parser.add_argument("--folder", default=None)
    asked = parser.parse_args()
    bytes_a_row = asked.features * (1 if asked.features == 784 else 4)
    n_rows = int(asked.gigabytes * 1e9 / bytes_a_row)
    buffer = min(as_bytes(asked.buffer), n_rows * bytes_a_row // 4)
    folder = Path(tempfile.mkdtemp(prefix="fastmlp-reading", dir=asked.folder))
    try:
        write(folder, n_rows, asked.features)
        report(folder, n_rows, asked.features, buffer)
    finally:
        shutil.rmtree(folder)


def report(folder, n_rows, n_features, buffer):
    """Train from each kind of source and from memory, and print rates and memory.

    Parameters
    ----------
    folder : Path
    n_rows, n_features, buffer : int
    """
    opened, best = sources(folder, buffer), {}
    small = n_rows * n_features <= MOST_IN_MEMORY
    draw_rows = min(n_rows, 200_000)
    X, y = draw(np.random.default_rng(1), draw_rows, n_features)
    rate({"X": X[:1000], "y": y[:1000]}, 1000, n_features, 1)  # compiles
    del X, y
    begin = peak()
    for _ in range(REPEATS if small else 1):
        for name, source in opened.items():
            found = rate({"X": source()}, n_rows, n_features, 2 if small else 1)
            best[name] = max(best.get(name, 0), found)
    print(f"{n_rows:,} rows of {n_features} features, buffer {buffer / 1e6:,.0f} MB")
    print(f"peak memory {peak() / 1e6:,.0f} MB, {begin / 1e6:,.0f} MB of it before training")
    X, y = draw(np.random.default_rng(1), draw_rows, n_features)
    in_memory = max(rate({"X": X, "y": y}, draw_rows, n_features, 2) for _ in range(REPEATS))
    print(f"in memory    {in_memory:12,.0f} rows/s")
    for name, found in best.items():
        print(f"{name:<12} {found:12,.0f} rows/s, {found / in_memory:.0%}")


if __name__ == "__main__":
    main()
