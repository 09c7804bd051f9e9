"""What happened in each epoch."""

import csv
import io
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple

from fastmlp._files import write_file

if TYPE_CHECKING:
    from fastmlp.base_model import BaseModel


class EpochScores(NamedTuple):
    """What is computed with the network as an epoch leaves it; see `History`."""

    val_loss: float | None = None
    val_score: float | None = None
    score: float | None = None


UNSCORED = EpochScores()


RECORDED = ("loss", "val_loss", "val_score", "seconds", "iterations_per_second", "score")
"""What `History` and `EpochReport` have of each epoch."""


class EpochReport(NamedTuple):
    """What a callback is told after each epoch."""

    epoch: int
    """Number of the epoch, from 1."""
    epochs: int
    """Number of epochs asked for."""
    loss: float
    """Mean over the epoch's samples of the loss taken before each update."""
    val_loss: float | None
    """Mean loss on the validation set after the epoch; None without one."""
    val_score: float | None
    """Score on the validation set after the epoch; None without one."""
    seconds: float
    """Duration of the epoch's training, validation not counted."""
    iterations_per_second: float
    """Updates a second."""
    score: float | None
    """Score on the training data after the epoch; None without a `scoring`, or with a validation
    set."""
    model: "BaseModel"
    """The model as it is now; it changes as training goes on."""


@dataclass
class History:
    """One entry for each epoch that was finished.

    Attributes
    ----------
    loss : list of float
        Mean over the epoch's samples of the loss taken before each update, the L2 penalty included.
    val_loss : list of float
        Mean loss on the validation set after the epoch; empty without one.
    val_score : list of float
        Score on the validation set after the epoch: `scoring`, or else accuracy, or the coefficient
        of determination; empty without one.
    seconds : list of float
        Duration of the epoch's training, validation and compilation not counted.
    iterations_per_second : list of float
        Updates a second.
    compile_seconds : float
        Time to import the backend and to compile its kernels or load them from the cache.
    score : list of float
        Score on the training data after the epoch, where a `scoring` was asked for and there is no
        validation set; else empty.
    """

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_score: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    iterations_per_second: list[float] = field(default_factory=list)
    compile_seconds: float = 0.0
    score: list[float] = field(default_factory=list)

    def add(
        self, loss: float, seconds: float, n_steps: int, scores: EpochScores = UNSCORED
    ) -> None:
        """Add one epoch.

        Parameters
        ----------
        loss, seconds : float
        n_steps : int
            Updates that were made.
        scores : EpochScores
        """
        record = loss, scores.val_loss, scores.val_score, seconds, n_steps / seconds, scores.score
        for name, value in zip(RECORDED, record, strict=True):
            if value is not None:
                getattr(self, name).append(value)

    def last(self) -> dict[str, Any]:
        """Return the last epoch: each of `RECORDED`, None where it was not recorded."""
        return {name: column[-1] if column else None for name, column in self._columns().items()}

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write one line an epoch, with a header; a column that was not recorded is left out.

        Parameters
        ----------
        path : path-like
            Overwritten, at once where the file system lets us.

        Raises
        ------
        OSError
            If the file cannot be written; a folder that is not there is named.
        """
        columns = {name: column for name, column in self._columns().items() if column}
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["epoch", *columns])
        writer.writerows(zip(range(1, len(self.loss) + 1), *columns.values(), strict=True))
        write_file(path, text.getvalue().encode())

    def plot(self, path: str | PathLike[str]) -> None:
        """Draw the loss curve, and validation loss and scores where there are, into a file.

        Parameters
        ----------
        path : path-like
            Its ending chooses the format: .png, .svg, .pdf.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from fastmlp.plots import plot_history

        plot_history(self, path)

    def _columns(self) -> dict[str, list[Any]]:
        return {name: getattr(self, name) for name in RECORDED}


class DivergenceError(ArithmeticError):
    """Training ended because a loss or a parameter was no longer finite.

    Attributes
    ----------
    history : History
        The epochs before the one that diverged.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history
