"""
Speed against batch size
========================

Large batches are cheap and learn less from each sample. What counts is the loss after some
seconds.
"""

import matplotlib.pyplot as plt

import fastmlp

data = fastmlp.datasets.load("digits28")
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
sizes, speeds = (1, 4, 16, 64, 256, 1024), []
for size in sizes:
    history = fastmlp.train(
        data.X_train[:20_000], data.y_train[:20_000], input_scale="unit", batch_size=size,
        learning_rate_init=0.5 * min(size, 256) / 64, epochs=4, random_state=0,
    ).history  # fmt: skip
    speeds.append(20_000 / min(history.seconds))
    seconds = [sum(history.seconds[: n + 1]) for n in range(4)]
    right.plot(seconds, history.loss, marker="o", label=f"{size:,}")
left.plot(sizes, speeds, marker="o")
left.set(xscale="log", yscale="log", xlabel="batch size", ylabel="samples a second")
right.set(xscale="log", yscale="log", xlabel="seconds", ylabel="loss (nats)")
_ = right.legend(title="batch size")
