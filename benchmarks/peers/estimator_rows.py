"""The rows of the estimators: fits with their defaults, and the calls that users repeat."""

from dataclasses import replace

from .competitors import ESTIMATORS, FASTMLP_ESTIMATOR, SKLEARN, Competitor
from .row import ROUNDING_GROWS, Row, aims
from .tasks import Task

SAME_CURVE = 0.05
"""Tolerance where both train as long from equal seeds, but round differently, in float32."""
IN_FLOAT64 = 1e-2
"""The same in float64."""

MNIST = Task(activation="relu", solver="adam", batch_size=200, epochs=20)
TABLE = replace(MNIST, form="standard", dtype="float64")
ONE_ROW = Task(kind="predict", n_samples=5_000, epochs=1, n_rows=1, calls=500)
STEPS = Task(
    kind="partial_fit", form="standard", shape=(32, 4, 3), hidden_layer_sizes=(64, 64),
    activation="relu", solver="adam", learning_rate_init=1e-3, batch_size=32, epochs=1, calls=300,
)  # fmt: skip


def _row(name, title, task, own, avx2=None, tolerance=ROUNDING_GROWS):
    """Make a row of both estimators with their defaults."""
    return Row(
        f"estimator_{name}", title, task, ESTIMATORS, tolerance=tolerance,
        **aims(("scikit-learn",), own, avx2),
    )  # fmt: skip


def _one_row(dtype, aim):
    """Make a row in which the estimators predict one row of MNIST."""
    return Row(
        f"estimator_predict_one_{dtype}",
        f"MLPClassifier.predict_proba of 784-100-10, one row in {dtype}",
        replace(ONE_ROW, dtype=dtype), FASTMLP_ESTIMATOR + SKLEARN,
        **aims(("scikit-learn",), aim, aim),
    )  # fmt: skip


ESTIMATOR_ROWS = (
    _row(
        "sgd", "MLPClassifier(solver='sgd') on MNIST, 20 epochs", replace(MNIST, solver="sgd"), 10,
        tolerance=SAME_CURVE,
    ),
    _row("adam", "MLPClassifier() on MNIST, 20 epochs", MNIST, 6),
    _row(
        "sparse", "MLPClassifier() on CSR 20000 x 20000, 2 epochs",
        replace(MNIST, form="sparse", epochs=2), 25, 20, SAME_CURVE,
    ),
    _row(
        "table", "MLPClassifier() on 580000 x 54, 5 epochs",
        replace(MNIST, form="table", epochs=5), 4,
    ),
    _row(
        "digits", "MLPClassifier() on digits, 1797 x 64 in float64, 100 epochs",
        replace(MNIST, form="digits", epochs=100), 1,
    ),
    _row(
        "2_classes", "MLPClassifier() on 10000 x 30 in float64, 2 classes, 20 epochs",
        replace(TABLE, shape=(10_000, 30, 2)), 7, 4, IN_FLOAT64,
    ),
    _row(
        "7_classes", "MLPClassifier() on 50000 x 54 in float64, 7 classes, 10 epochs",
        replace(TABLE, shape=(50_000, 54, 7), epochs=10), 4.5, 2.5, IN_FLOAT64,
    ),
    _row(
        "regressor", "MLPRegressor((100, 50)) on 20000 x 100 in float64, 10 epochs",
        replace(TABLE, loss="squared_error", form="waves", shape=(20_000, 100, 1),
                hidden_layer_sizes=(100, 50), epochs=10),
        3, 1.8, IN_FLOAT64,
    ),
    _row(
        "2_layers", "MLPClassifier((256, 128)) on 20000 x 200 in float64, 2 classes, 5 epochs",
        replace(TABLE, shape=(20_000, 200, 2), hidden_layer_sizes=(256, 128), epochs=5),
        2, 1.4, IN_FLOAT64,
    ),
    _row(
        "lbfgs", "MLPClassifier(solver='lbfgs') on 500 x 10 in float64, 2 classes",
        replace(TABLE, shape=(500, 10, 2), solver="lbfgs", epochs=200), 1, 1,
    ),
    _one_row("float32", 12),
    _one_row("float64", 8),
    Row(
        "partial_fit", "partial_fit of 32 x 4, 64 and 64 ReLU, Adam", STEPS,
        FASTMLP_ESTIMATOR + SKLEARN + (Competitor("PyTorch", "with_torch", "eager", 1),),
        {"scikit-learn": 5, "PyTorch": 1.2}, {"scikit-learn": 5, "PyTorch": 1.2}, tolerance=1e-2,
    ),
    Row(
        "step", "OnlineTrainer.step of 32 x 4, 64 and 64 ReLU, Adam", STEPS,
        (
            Competitor("fastmlp", "with_fastmlp", "", 1), *SKLEARN,
            Competitor("PyTorch", "with_torch", "eager", 1),
        ),
        {"PyTorch": 10}, {"PyTorch": 10}, tolerance=1e-2,
    ),
)  # fmt: skip
