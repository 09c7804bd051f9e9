"""
Activations
===========

The same network with each activation, from weights drawn for it. Names may be mixed, one for each
layer.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLPClassifier
from fastmlp.activations import ACTIVATIONS

X, y = load_digits(return_X_y=True)
warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is meant

figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
for name in [*ACTIVATIONS, ("gelu", "tanh")]:
    model = MLPClassifier(
        (64, 32), activation=name, max_iter=20, n_iter_no_change=20, random_state=0,
        backend="numpy",  # networks of few epochs are not worth compiling for
    ).fit(X / 16, y)  # fmt: skip
    axis.plot(range(1, 21), model.loss_curve_, label=str(name))
axis.set(xlabel="epoch", ylabel="loss (nats)", yscale="log")
_ = axis.legend(ncols=2)
