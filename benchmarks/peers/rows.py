"""The rows of the table, with all the instructions that the processor has and with AVX2 alone."""

from dataclasses import replace

from .competitors import (
    FASTMLP,
    FASTMLP_ESTIMATOR,
    JAX,
    NUMPY,
    NUMPY_PER_SAMPLE,
    REFERENCE,
    SKLEARN,
    TORCH,
    TORCH_EAGER,
    in_part,
)
from .dense_rows import DENSE_ROWS, THREAD_ROWS
from .estimator_rows import ESTIMATOR_ROWS
from .row import ROUNDING_GROWS, THREE, Row, aims
from .tasks import Task

RECIPE = {
    "hidden_layer_sizes": (256,),
    "activation": "relu",
    "solver": "adam",
    "learning_rate": "one_cycle",
    "learning_rate_init": 4e-3,
    "batch_size": 128,
    "epochs": 6,
}
"""How both competitors of the row `accuracy` train."""
GOAL = 0.98
"""The test accuracy at which they stop."""

ADAM = Task(
    hidden_layer_sizes=(256,), activation="relu", solver="adam", learning_rate_init=1e-3,
    batch_size=128,
)  # fmt: skip
SPARSE = Task(form="sparse", epochs=1)
BRIEF = Task(kind="predict", n_samples=5_000, epochs=1)
EXPONENTIALS = Task(
    loss="squared_error", form="exponentials", shape=(10_000, 4, 4), hidden_layer_sizes=(32, 16),
    activation="tanh", solver="adam", learning_rate_init=1e-3, batch_size=10_000, epochs=200,
    shuffle=False,
)  # fmt: skip
"""What SimpleChains.jl shows its speed by."""

ROWS = (
    Row(
        "batch64", "784-100-10 logistic, SGD, batch 64, 10 epochs", Task(),
        FASTMLP + NUMPY + SKLEARN + TORCH + JAX,
        {"JAX": 4, "PyTorch": 7.5, "scikit-learn": 11, "NumPy": 4.5},
        avx2=dict.fromkeys(THREE, 2.5) | {"scikit-learn": 11},
    ),
    Row(
        "one_thread", "the same, everybody on one thread", Task(), FASTMLP[:1] + NUMPY[:1],
        {"NumPy": 3},
    ),
    Row(
        "batch256", "784-100-10 logistic, SGD, batch 256, 10 epochs", Task(batch_size=256),
        FASTMLP + NUMPY + TORCH + JAX, **aims(THREE, 2.2, 2),
    ),
    Row(
        "batch1024", "784-100-10 logistic, SGD, batch 1024, 10 epochs", Task(batch_size=1024),
        FASTMLP + NUMPY + TORCH + JAX, **aims(THREE, 1.5, 1.5),
    ),
    Row(
        "batch1", "784-100-10 logistic, SGD, batch 1, 5 epochs",
        Task(batch_size=1, epochs=5, learning_rate_init=0.01),
        FASTMLP + JAX + in_part(NUMPY_PER_SAMPLE + SKLEARN + TORCH),
        {"NumPy per sample": 95, "JAX": 15, "PyTorch": 150, "scikit-learn": 250},
        tolerance=1e-2,
    ),
    Row(
        "article", "the article: 784-100-10 logistic, SGD, batch 1, float64, 10 epochs",
        Task(form="bytes", learning_rate_init=1e-4, batch_size=1, init="standard_normal",
             dtype="float64"),
        FASTMLP + REFERENCE, {"reference": 60}, tolerance=1e-6,
    ),
    Row(
        "no_zeros", "784-100-10 logistic, SGD, batch 64, 10 epochs, no input is zero",
        Task(form="noisy"), FASTMLP + NUMPY + JAX, {"NumPy": 2.3, "JAX": 2},
        {"NumPy": 2.3, "JAX": 2},
    ),
    Row(
        "adam", "784-256-10 ReLU, Adam, batch 128, 10 epochs", ADAM, FASTMLP + SKLEARN + TORCH,
        {"PyTorch": 3, "scikit-learn": 6}, tolerance=ROUNDING_GROWS,
    ),
    Row(
        "two_hidden", "784-256-128-10 ReLU, Adam, batch 128, 10 epochs",
        replace(ADAM, hidden_layer_sizes=(256, 128)), FASTMLP + TORCH, {"PyTorch": 2.5},
        tolerance=ROUNDING_GROWS,
    ),
    Row(
        "wide", "784-1024-1024-10 ReLU, Adam, batch 256, 1 epoch",
        replace(ADAM, hidden_layer_sizes=(1024, 1024), batch_size=256, epochs=1),
        FASTMLP + TORCH, {"PyTorch": 1}, tolerance=0.05,
    ),
    Row(
        "sparse_sgd", "CSR 20000 x 20000, 49 a row, 100 logistic, 20 classes, SGD, 1 epoch",
        SPARSE, FASTMLP + SKLEARN, {"scikit-learn": 60},
    ),
    Row(
        "sparse_adam", "the same with Adam",
        replace(SPARSE, solver="adam", learning_rate_init=1e-3), FASTMLP + SKLEARN,
        {"scikit-learn": 30}, tolerance=1e-2,
    ),
    Row(
        "predict_many", "predict_proba of 784-100-10, 10,000 rows",
        replace(BRIEF, n_rows=10_000, calls=20), FASTMLP + SKLEARN,
        **aims(("scikit-learn",), 3, 2.5),
    ),
    Row(
        "predict_dense", "predict_proba of 784-100-10, 10,000 standardised rows",
        replace(BRIEF, form="standard", shape=(10_000, 784, 10), n_rows=10_000, calls=20),
        FASTMLP + SKLEARN, **aims(("scikit-learn",), 1.5, 1.2),
    ),
    Row(
        "predict_one", "predict_proba of 784-100-10, one row",
        replace(BRIEF, n_rows=1, calls=500), FASTMLP + SKLEARN, {"scikit-learn": 20},
    ),
    Row(
        "accuracy", f"784-256-10 to {GOAL:.1%} of test accuracy, evaluated each epoch",
        Task(kind="reach", goal=GOAL, **RECIPE), FASTMLP + TORCH_EAGER, {"PyTorch": 3},
        most_seconds=1.5,
    ),
    Row(
        "exponentials", "4-32-16-4 tanh learns exponentials of 2 x 2 matrices, Adam, 200 steps of "
        "10,000", EXPONENTIALS, FASTMLP_ESTIMATOR + TORCH + JAX, {"JAX": 2.5, "PyTorch": 4},
        {"JAX": 2, "PyTorch": 3}, peak_share=0.35,
    ),
    *ESTIMATOR_ROWS, *DENSE_ROWS, *THREAD_ROWS,
)  # fmt: skip

ROWS_AVX2 = tuple(replace(row, targets=row.avx2) for row in ROWS if row.avx2 is not None)
"""What is raced where everybody is held to AVX2."""
