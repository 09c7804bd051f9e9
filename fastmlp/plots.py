"""Pictures; matplotlib is imported when one is asked for."""

import math
from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from fastmlp._extras import require

if TYPE_CHECKING:
    from fastmlp.history import History

Path = str | PathLike[str]


def plot_history(history: "History", path: Path) -> None:
    """Draw loss and validation loss against the epoch, and the scores beside them.

    Parameters
    ----------
    history : History
    path : path-like
        Where to write; the ending chooses the format.
    """
    epochs = range(1, len(history.loss) + 1)
    scores = history.val_score or history.score
    figure, axes = _subplots(2 if scores else 1)
    axes[0].plot(epochs, history.loss, marker="o", label="training, before each update")
    if history.val_loss:
        axes[0].plot(epochs, history.val_loss, marker="o", label="validation, after the epoch")
        axes[0].legend()
    axes[0].set(xlabel="epoch", ylabel="loss (nats)", title="Loss")
    if scores:
        what = "Validation" if history.val_score else "Training"
        axes[1].plot(epochs, scores, marker="o", color="tab:green")
        axes[1].set(xlabel="epoch", ylabel="score", title=f"{what} score")
    _save(figure, axes, path)


def plot_comparison(histories: Mapping[str, "History"], path: Path) -> None:
    """Draw the loss curves of several backends over one another and their it/s as bars.

    Parameters
    ----------
    histories : mapping of str to History
        By the name of the backend.
    path : path-like
        Where to write; the ending chooses the format.
    """
    figure, axes = _subplots(2)
    widths = range(3 * len(histories), 0, -3)  # the first lines show beside the later ones
    for (name, history), width in zip(histories.items(), widths, strict=True):
        epochs = range(1, len(history.loss) + 1)
        axes[0].plot(epochs, history.loss, marker="o", linewidth=width, alpha=0.7, label=name)
    axes[0].set(xlabel="epoch", ylabel="loss (nats)", title="Loss curves: one over the other")
    axes[0].legend()
    speeds = [max(history.iterations_per_second) for history in histories.values()]
    bars = axes[1].bar(list(histories), speeds, color=["C0", "C1", "C2"])
    axes[1].bar_label(bars, [f"{speed:,.0f}" for speed in speeds])
    axes[1].set(yscale="log", ylabel="iterations a second", title="Speed of the best epoch")
    axes[1].set_ylim(10 ** math.floor(math.log10(min(speeds)) - 0.3), 2 * max(speeds))
    axes[1].minorticks_off()
    _save(figure, axes, path)


def _subplots(n_columns: int) -> tuple[Any, Any]:
    """Open a figure with one row of axes, without touching the user's pyplot state."""
    require("a plot", "plot", "matplotlib")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * n_columns, 4), layout="constrained")
    return figure, figure.subplots(1, n_columns, squeeze=False)[0]


def _save(figure: Any, axes: Any, path: Path) -> None:
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        if axis.get_xlabel() == "epoch":
            axis.xaxis.get_major_locator().set_params(integer=True)
    figure.savefig(path, dpi=150)
