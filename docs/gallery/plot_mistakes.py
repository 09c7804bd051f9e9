"""
The mistakes
============

What a good network gets wrong is often hard for us, too. The surest mistakes come first.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastmlp

try:
    data = fastmlp.datasets.load_mnist(download=False)
except FileNotFoundError:
    data = fastmlp.datasets.load("digits28")
model = fastmlp.train(
    dataset=data, hidden_layer_sizes=128, activation="relu", solver="adam", epochs=4, random_state=0
).model

probabilities = model.predict_proba(data.X_test)
predicted = model.classes_[probabilities.argmax(axis=1)]
wrong = np.flatnonzero(predicted != data.y_test)
surest = wrong[np.argsort(-probabilities[wrong].max(axis=1))][:16]
print(f"{len(wrong)} of {len(predicted):,} are wrong")

figure, axes = plt.subplots(2, 8, figsize=(9, 2.8), layout="constrained")
for axis, sample in zip(axes.flat, surest, strict=True):
    axis.imshow(data.X_test[sample].reshape(28, 28), cmap="gray_r")
    axis.set_title(f"{data.y_test[sample]}, said {predicted[sample]}", fontsize=8)
    axis.axis("off")
