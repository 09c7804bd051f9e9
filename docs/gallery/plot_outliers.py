"""
Outliers
========

Squares let a few wild values pull the curve; Huber's loss and the absolute error do not.
"""

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import MLPRegressor

rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, (400, 1))
y = np.sin(2 * x[:, 0]) + rng.normal(0, 0.1, 400)
y[rng.random(400) < 0.12] += 4

figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
axis.plot(x, y, ".", color="silver")
line = np.linspace(-3, 3, 300)[:, np.newaxis]
axis.plot(line, np.sin(2 * line), "k:", label="truth")
for loss in ("squared_error", "huber", "absolute_error"):
    model = MLPRegressor(
        loss, (50, 50), activation="tanh", learning_rate_init=0.01, max_iter=500, random_state=0
    ).fit(x, y)
    axis.plot(line, model.predict(line), label=loss)
_ = axis.legend(ncols=2)
