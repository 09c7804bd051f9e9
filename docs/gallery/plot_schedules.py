"""
Learning-rate schedules
=======================

A long step first, short ones at the end. Each schedule is drawn beside what it does to the loss.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLPClassifier

X, y = load_digits(return_X_y=True)
warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is meant

figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
SCHEDULES = {
    "constant": {},
    "invscaling": {"power_t": 0.3},
    "step": {"step_size": 15},
    "cosine": {},
    "cosine, warm_up=5": {"learning_rate": "cosine", "warm_up": 5},
    "one_cycle": {"learning_rate_init": 0.3},
}
for name, settings in SCHEDULES.items():
    arguments = {"learning_rate": name, "learning_rate_init": 0.1, **settings}
    model = MLPClassifier(
        (50,), solver="sgd", max_iter=40, n_iter_no_change=40, random_state=0, **arguments
    ).fit(X / 16, y)
    axis.plot(range(1, 41), model.loss_curve_, label=name)
axis.set(xlabel="epoch", ylabel="loss (nats)", yscale="log")
_ = axis.legend()
