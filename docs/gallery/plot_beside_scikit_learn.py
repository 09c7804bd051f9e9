"""
Loss over time beside scikit-learn
==================================

From equal seeds both libraries go through the same weights: one curve over epochs, two over
seconds.
"""

import time
import warnings

import matplotlib.pyplot as plt
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

import fastmlp

data = fastmlp.datasets.load("digits28")
X, y = data.X_train[:5000] / 255, data.y_train[:5000]
warnings.simplefilter("ignore", ConvergenceWarning)  # ten epochs are meant
fastmlp.MLPClassifier(max_iter=1).fit(X, y)  # compiles, once on a machine

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", sharey=True)
for name, kind, width in (
    ("scikit-learn", MLPClassifier, 5),
    ("fastmlp", fastmlp.MLPClassifier, 2),
):
    begin = time.perf_counter()
    model = kind(max_iter=10, random_state=0).fit(X, y)
    seconds = time.perf_counter() - begin
    epochs = range(1, 11)
    left.plot(epochs, model.loss_curve_, linewidth=width, label=name)
    right.plot([seconds * n / 10 for n in epochs], model.loss_curve_, linewidth=width, label=name)
    print(f"{name:>12}: {seconds:.2f} s to a loss of {model.loss_:.6f}")
left.set(xlabel="epoch", ylabel="loss (nats)", yscale="log", title="One curve")
right.set(xlabel="seconds", xscale="log", title="Two clocks")
_ = right.legend()
