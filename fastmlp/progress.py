"""A line an epoch while training runs."""

from rich.console import Console

from fastmlp.history import EpochReport


class ProgressLines:
    """A callback that prints loss, validation score, speed and the time left.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to print; stderr when left out.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self.seconds = 0.0

    def __call__(self, report: EpochReport) -> None:
        """Print one epoch."""
        self.seconds += report.seconds
        left = self.seconds / report.epoch * (report.epochs - report.epoch)
        width = len(str(report.epochs))
        parts = [f"epoch {report.epoch:{width}d}/{report.epochs}", f"loss {report.loss:.4f}"]
        if report.val_loss is not None:
            parts += [f"val_loss {report.val_loss:.4f}", f"val_score {report.val_score:.4f}"]
        parts += [f"{report.iterations_per_second:,.0f} it/s", f"{left:.1f} s left"]
        self.console.print("  ".join(parts))
