"""
Calibration
===========

Of all predictions of 70 %, 70 % should come true. A network that was trained long is surer than
that; label smoothing and early stopping hold it back.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.calibration import calibration_curve
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from fastmlp import MLPClassifier

X, y = make_classification(4000, 20, n_informative=5, flip_y=0.15, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, random_state=0)
warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is meant

MODELS = {
    "100 epochs": {"max_iter": 100, "n_iter_no_change": 100},
    "with label_smoothing=0.2": {"max_iter": 100, "n_iter_no_change": 100, "label_smoothing": 0.2},
    "with early_stopping": {"early_stopping": True},
}
figure, axis = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
axis.plot([0, 1], [0, 1], color="gray", linestyle=":")
for name, settings in MODELS.items():
    model = MLPClassifier((100,), random_state=0, **settings).fit(X, y)
    share, told = calibration_curve(y_test, model.predict_proba(X_test)[:, 1], n_bins=8)
    axis.plot(told, share, marker="o", label=f"{name}: accuracy {model.score(X_test, y_test):.2f}")
axis.set(xlabel="predicted probability", ylabel="share that comes true")
_ = axis.legend()
