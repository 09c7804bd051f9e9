"""How a command ends when something is wrong: one line on stderr and an exit status."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, ParamSpec

from fastmlp._errors import invalid
from fastmlp._extras import require
from fastmlp.cli.interruptions import interruptions
from fastmlp.cli.streams import complain, warnings_in_one_line
from fastmlp.distributed import RankError

P = ParamSpec("P")

FAILED = 2
"""Exit status of a command that could not do all it was asked for."""

PLOT_ENDINGS = (".png", ".svg", ".pdf")


def one_line(command: Callable[P, None]) -> Callable[P, None]:
    """Report errors of the user's making as one line; all others are faults and keep their trace.

    Parameters
    ----------
    command : callable
    """

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        with interruptions.listen(), warnings_in_one_line():
            try:
                command(*args, **kwargs)
                if interruptions.heard:
                    raise KeyboardInterrupt
            except BrokenPipeError:
                raise  # click ends quietly
            except OSError as error:
                stop(f"{error.filename}: {_reason(error)}" if error.filename else _reason(error))
            except (ValueError, ImportError, ArithmeticError, RankError) as error:
                stop(str(error))
            except KeyboardInterrupt as interruption:
                interruptions.put_off()
                stop(str(interruption) or "interrupted", interruptions.status)

    return guarded


def stop(message: str, status: int = FAILED) -> NoReturn:
    """Print one line on stderr and end."""
    complain(message)
    raise SystemExit(status)


def _reason(error: Exception) -> str:
    """Say what is wrong, without the number and the file that an `OSError` adds."""
    return getattr(error, "strerror", None) or str(error)


def write_each(outputs: Mapping[str, Callable[[], object]]) -> bool:
    """Write results one after the other: one that cannot be written costs itself alone.

    Parameters
    ----------
    outputs : mapping of str to callable
        What writes a result, by what it is called in a message.

    Returns
    -------
    bool
        Whether all are written.
    """
    interruptions.put_off()
    complete = True
    for name, write in outputs.items():
        try:
            write()
        except (OSError, ValueError, ImportError) as error:
            complain(f"{name} could not be written: {_reason(error)}")
            complete = False
    return complete


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
    if existed and not path.is_file():
        return  # whoever reads a pipe would take the trial for the end
    with path.open("ab"):
        pass
    if not existed:
        path.unlink()


def check_plot(path: Path | None) -> None:
    """Make sure before the training that a picture can be drawn after it; see `check_output`."""
    check_output("--plot", path, PLOT_ENDINGS)
    if path is not None:
        require("a plot", "plot", "matplotlib")
