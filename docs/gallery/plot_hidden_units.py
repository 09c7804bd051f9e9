"""
What the hidden units look for
==============================

The weights of a unit of the first layer are an image: red where ink excites it, blue where ink
holds it back. A penalty makes them smooth.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastmlp

try:
    data = fastmlp.datasets.load_mnist(download=False)
except FileNotFoundError:
    data = fastmlp.datasets.load("digits28")

figure, parts = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for part, alpha in zip(parts, (0.0, 3.0), strict=True):
    result = fastmlp.train(
        dataset=data, hidden_layer_sizes=36, activation="relu", solver="adam", alpha=alpha,
        epochs=3, random_state=0,
    )  # fmt: skip
    images = result.model.coefs_[0].T.reshape(6, 6, 28, 28)
    wall = images.transpose(0, 2, 1, 3).reshape(168, 168)
    limit = np.quantile(abs(wall), 0.99)
    part.imshow(wall, cmap="RdBu_r", vmin=-limit, vmax=limit)
    part.set_title(f"alpha={alpha:g}: accuracy {result.history.val_score[-1]:.3f}")
    part.axis("off")
