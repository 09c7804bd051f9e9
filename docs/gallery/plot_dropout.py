"""
Dropout
=======

Few samples, many units: the network learns them by heart. With dropout, every update leaves out
some units by chance, and what is learned must hold without any one of them.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.exceptions import ConvergenceWarning

import fastmlp

data = fastmlp.datasets.load("digits28")
X, y = data.X_train[:1000] / 255, data.y_train[:1000]
X_val, y_val = data.X_test[:2000] / 255, data.y_test[:2000]
warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is meant

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for number, rate in enumerate((0.0, 0.3, 0.6)):
    model = fastmlp.MLPClassifier(
        (256,), dropout=rate, max_iter=60, n_iter_no_change=60, random_state=0
    ).fit(X, y, X_val=X_val, y_val=y_val)
    left.plot(model.loss_curve_, color=f"C{number}", linestyle=":")
    left.plot(model.validation_loss_curve_, color=f"C{number}", label=f"dropout={rate:g}")
    right.plot(model.validation_scores_, color=f"C{number}")
left.set(xlabel="epoch", ylabel="loss (nats)", yscale="log", title="Training (dotted), validation")
left.legend()
_ = right.set(xlabel="epoch", title="Validation accuracy", ylim=(0.7, None))
