"""What a stranger is shown of the race, in the README and on the site: a few rows, no goals."""

from benchmarks.peers.records import best, groups_of, ratio

from . import COMMANDS, PICTURES, REPOSITORY
from .tables import COLUMNS, markdown_table, race_cells, titled_rows

FRONT = {
    "estimator_adam": "`MLPClassifier()` on MNIST, 20 epochs",
    "estimator_table": "`MLPClassifier()` on a table of 580,000 rows, 5 epochs",
    "estimator_sparse": "`MLPClassifier()` on sparse text, 20,000 words, 2 epochs",
    "predict_one": "predicting one row",
    "batch64": "SGD, batches of 64, 10 epochs",
    "batch1": "SGD, one sample at a time, 5 epochs",
    "wide": "two hidden layers of 1,024, Adam, batches of 256",
}
"""Rows that are shown, in plain words; behind them comes the one in which fastmlp does worst."""


def front(peers, first_call):
    """Write the section of the README: picture, table, and how both came about.

    Parameters
    ----------
    peers : dict
        The race's JSON.
    first_call : dict
        The JSON of first calls.

    Returns
    -------
    str
        Markdown.
    """
    fits = [row["first_fit_seconds"] for row in first_call["rows"] if row["library"] == "fastmlp"]
    return FRONT_TEXT.format(
        table=front_table(peers), machine=machine_sentence(peers), command=COMMANDS["peers"],
        cold=f"{first_call['fastmlp']['cold_seconds']:.0f}", warm=f"{fits[0]:.1f}",
        picture=f"{REPOSITORY}/raw/main/benchmarks/published/{PICTURES}/loss_sgd.png",
    )  # fmt: skip


def front_table(peers):
    """Write the table.

    Parameters
    ----------
    peers : dict
        The race's JSON.

    Returns
    -------
    str
        Markdown.
    """
    rows = [(title, peers["rows"][name]) for name, title in FRONT.items()]
    body = [[title, *race_cells(row, COLUMNS, goals=False)] for title, row in [*rows, worst(peers)]]
    return markdown_table(["work", "fastmlp", *COLUMNS], body, "lr")


def worst(peers):
    """Find the row or the point of a sweep in which another library is furthest ahead.

    Parameters
    ----------
    peers : dict

    Returns
    -------
    (str, dict)
        What it is, and its row.
    """
    return min(titled_rows(peers), key=lambda titled: _least_ratio(titled[1]))


def _least_ratio(row):
    """Find the ratio of the library that does best beside fastmlp."""
    ratios = [ratio(row, best(row, group)) for group in groups_of([row]) if group != "fastmlp"]
    return min((times for times in ratios if times is not None), default=float("inf"))


def machine_sentence(peers):
    """Write the machine, the versions and the dates of the front rows in a sentence.

    Parameters
    ----------
    peers : dict

    Returns
    -------
    str
    """
    machine = peers["machine"]
    dates = sorted({peers["rows"][name]["date"] for name in FRONT})
    versions = machine["versions"]
    libraries = ", ".join(
        f"{name} {versions[package]}"
        for name, package in (
            ("NumPy", "numpy"), ("scikit-learn", "scikit-learn"), ("PyTorch", "torch"),
            ("JAX", "jax"), ("numba", "numba"),
        )
    )  # fmt: skip
    blas = " and ".join(sorted({" ".join(text.split()[:3]) for text in machine["blas"].values()}))
    day = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    return (
        f"Measured {day} on {machine['cores']} cores of {machine['processor']} "
        f"({peaks_text(peers)} in float32 by NumPy), Python {machine['python']}, {libraries}, "
        f"BLAS {blas}."
    )


def peaks_text(content):
    """Write what NumPy's sgemm reaches on each number of threads.

    Parameters
    ----------
    content : dict
        A race's JSON.
    """
    peaks = content["sgemm_flops_per_second"]
    return ", ".join(f"{peak / 1e9:.0f} GFLOP/s on {n}" for n, peak in peaks.items())


FRONT_TEXT = """
![Loss over seconds of fastmlp, NumPy, scikit-learn, PyTorch and JAX on MNIST]({picture})

How many times as long as fastmlp the others take; the last row is where it does worst:

{table}

Whole fits of 784-100-10 on MNIST in float32 unless it says otherwise, from arrays in memory to the
trained model. Everybody runs at its best number of threads, from the same weights through the same
samples to the same loss. The first training on a machine compiles the kernels, {cold} s here; after
that, a new Python has imported, loaded and trained its first small network in {warm} s.

{machine} Made by `{command}`.
"""
