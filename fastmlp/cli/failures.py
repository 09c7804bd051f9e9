"""How a command ends when something is wrong: one line on stderr and an exit status."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, ParamSpec

import click

from fastmlp._errors import invalid

P = ParamSpec("P")

FAILED, INTERRUPTED = 2, 130
"""Exit statuses; the second is the shell's for Ctrl-C."""

PLOT_ENDINGS = (".png", ".svg", ".pdf")


def one_line(command: Callable[P, None]) -> Callable[P, None]:
    """Report errors of the user's making as one line; all others are faults and keep their trace.

    Parameters
    ----------
    command : callable
    """

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError:
            raise  # click ends quietly
        except OSError as error:
            where = f"{error.filename}: {error.strerror}" if error.strerror else str(error)
            stop(where, FAILED)
        except (ValueError, ImportError, ArithmeticError) as error:
            stop(str(error), FAILED)
        except KeyboardInterrupt:
            stop("interrupted", INTERRUPTED)

    return guarded


def stop(message: str, status: int) -> NoReturn:
    """Print one line on stderr and end."""
    click.echo("fastmlp: " + " ".join(message.split()), err=True)
    raise SystemExit(status)


def check_output(option: str, path: Path | None, endings: tuple[str, ...] = ()) -> None:
    """Make sure before the training that its results can be written after it.

    Parameters
    ----------
    option : str
        Its name, for the error message.
    path : Path or None
        Where to write.
    endings : tuple of str
        Those that the file may have; any where empty.

    Raises
    ------
    ValueError
        If the ending is another.
    OSError
        If the file cannot be opened for writing.
    """
    if path is None:
        return
    if endings and path.suffix.lower() not in endings:
        raise invalid(option, "a file that ends in " + ", ".join(endings), str(path))
    existed = path.exists()
    with path.open("ab"):
        pass
    if not existed:
        path.unlink()


def check_plot(path: Path | None) -> None:
    """Make sure before the training that a picture can be drawn after it; see `check_output`."""
    check_output("--plot", path, PLOT_ENDINGS)
    if path is not None:
        from fastmlp.plots import require_matplotlib

        require_matplotlib()
