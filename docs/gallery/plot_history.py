"""
The history of a training
=========================

``History.plot`` draws loss and accuracy into a file; here the same numbers are drawn by hand.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import fastmlp

X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
result = fastmlp.train(
    X, y, X_val=X_test, y_val=y_test,
    hidden_layer_sizes=(64, 32), activation="relu", solver="adam", epochs=30, random_state=0,
)  # fmt: skip
history = result.history

# %%
epochs = range(1, len(history.loss) + 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.plot(epochs, history.loss, label="training")
left.plot(epochs, history.val_loss, label="validation")
left.set(xlabel="epoch", ylabel="loss (nats)")
left.legend()
right.plot(epochs, history.val_score, color="tab:green")
right.set(xlabel="epoch", ylabel="validation accuracy")

# %%
print(f"best epoch: {max(history.iterations_per_second):,.0f} updates a second")
