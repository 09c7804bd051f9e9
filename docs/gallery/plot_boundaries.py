"""
Decision boundaries while training
==================================

A callback is told after each epoch. Here it draws what the network says over the plane.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

import fastmlp

X, y = make_moons(400, noise=0.2, random_state=0)
grid = np.stack(np.meshgrid(np.linspace(-2, 3, 120), np.linspace(-1.5, 2, 90)), axis=-1)
surfaces = {}


def look(report):
    """Keep the probabilities over the plane after some epochs."""
    if report.epoch in (1, 5, 20, 100):
        surfaces[report.epoch] = report.model.predict_proba(grid.reshape(-1, 2))[:, 1]


fastmlp.train(
    X, y, hidden_layer_sizes=(16, 16), activation="tanh", solver="adam", learning_rate_init=0.01,
    batch_size=32, epochs=100, random_state=0, callbacks=[look],
)  # fmt: skip

figure, axes = plt.subplots(1, 4, figsize=(10, 2.6), layout="constrained")
for axis, (epoch, surface) in zip(axes, surfaces.items(), strict=True):
    axis.contourf(*grid.transpose(2, 0, 1), surface.reshape(90, 120), 20, cmap="RdBu_r",
                  vmin=0, vmax=1)  # fmt: skip
    axis.scatter(*X.T, c=y, s=6, cmap="RdBu_r", edgecolors="white", linewidths=0.3)
    axis.set(title=f"epoch {epoch}", xticks=[], yticks=[])
