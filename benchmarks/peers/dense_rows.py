"""The rows on standardised tables, and what a second thread is worth on them."""

from dataclasses import replace

from .competitors import ALONE, FASTMLP, JAX, NUMPY, ON_ONE, ON_TWO, TORCH_EAGER
from .row import THREE, Row, aims
from .tasks import Task

DENSE = (
    # Samples, features, hidden units, classes, batch size, epochs, and the aims for the best of the
    # three: with AVX-512, and with AVX2 alone.
    (20_000, 30, (16,), 2, 32, 20, 3, 3),
    (20_000, 20, (100,), 2, 32, 20, 3, 2.5),
    (20_000, 20, (100,), 2, 200, 40, 3, 2),
    (20_480, 20, (100,), 2, 1024, 40, 2.8, 2),
    (20_000, 54, (100,), 7, 200, 40, 2.5, 2),
    (20_480, 54, (256, 256), 7, 256, 10, 1.7, 1.3),
    (10_240, 100, (512, 512), 10, 512, 5, 1.35, 1.1),
    (12_800, 784, (100,), 10, 64, 10, 1.7, 1.3),
    (12_800, 784, (100,), 10, 256, 10, 1.4, 1.2),
    (20_480, 784, (100,), 10, 1024, 10, 1.4, 1.2),
    (20_480, 784, (100,), 10, 4096, 10, 1.3, 1.15),
)
"""Standardised tables, of which no value is zero."""


def _dense_row(n_samples, n_features, hidden, n_classes, batch_size, epochs, own, avx2):
    """Make a row of `DENSE`."""
    sizes = "-".join(map(str, (n_features, *hidden, n_classes)))
    task = Task(
        form="standard", shape=(n_samples, n_features, n_classes), hidden_layer_sizes=hidden,
        activation="relu", batch_size=batch_size, epochs=epochs, learning_rate_init=0.01,
    )  # fmt: skip
    return Row(
        f"dense_{sizes}_{batch_size}", f"standardised, {sizes} ReLU, SGD, batch {batch_size}", task,
        FASTMLP + NUMPY + TORCH_EAGER + JAX, **aims(THREE, own, avx2), tolerance=1e-2,
    )  # fmt: skip


DENSE_ROWS = tuple(_dense_row(*dense) for dense in DENSE)

AS_GOOD_AS_ALONE = 0.91
"""The own choice takes at most 1.1 times as long as one thread."""


def _of_threads(shape, name, title, competitor, aim, neighbour=False):
    """Compare a number of threads with one, on the task of a row of `DENSE_ROWS`."""
    (row,) = (row for row in DENSE_ROWS if row.name == f"dense_{shape}")
    return replace(
        row, name=f"{name}_{shape}", title=f"{row.title}: {title}",
        competitors=(competitor, ON_ONE), neighbour=neighbour,
        **aims((ALONE,), aim, aim),
    )  # fmt: skip


def _beside_neighbour(shape):
    """Compare the own choice of threads with one thread where somebody else computes, too."""
    return _of_threads(
        shape, "neighbour", "own choice of threads, a core half busy", FASTMLP[1],
        AS_GOOD_AS_ALONE, neighbour=True,
    )  # fmt: skip


THREAD_ROWS = (
    _of_threads("20-100-2_200", "two_threads", "2 threads", ON_TWO, 1.5),
    _of_threads("20-100-2_1024", "two_threads", "2 threads", ON_TWO, 1.8),
    _beside_neighbour("30-16-2_32"),
    _beside_neighbour("20-100-2_200"),
    _beside_neighbour("20-100-2_1024"),
    _beside_neighbour("54-256-256-7_256"),
    _beside_neighbour("784-100-10_256"),
)
"""fastmlp beside itself on one thread."""
