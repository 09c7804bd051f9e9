"""What a command prints arrives, or is named as missing: stdout and stderr may be anything."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import click


class Watched:
    """A stream that remembers why something written to it was lost.

    Attributes
    ----------
    error : OSError or None
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write a text."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self.error = error
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def prepare() -> None:
    """Open what the process was started without (`>&-`, `2>&-`, pythonw), and watch stderr.

    What is opened swallows all. A file opened later would else get the number of the closed one,
    and with it whatever libraries print.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    # Progress lines and warnings that are lost are no reason to end; in the end they are told of.
    sys.stderr = Watched(sys.stderr)


def say(text: str, stream: str = "stdout") -> None:
    """Print a text; characters that the stream's encoding cannot say are escaped.

    Parameters
    ----------
    text : str
    stream : {"stdout", "stderr"}

    Raises
    ------
    OSError
        If it cannot be written; its `filename` is the name of the stream.
    """
    file = getattr(sys, stream)
    if file is None:
        return
    encoding = getattr(file, "encoding", None) or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace").decode(encoding), file=file)
    except OSError as error:
        raise OSError(error.errno, error.strerror, stream) from error


def complain(message: str) -> None:
    """Tell what is wrong, in one line."""
    tell("fastmlp: " + " ".join(message.split()))


def tell(line: str) -> None:
    """Print a line on stderr; where that is broken, on stdout."""
    for stream in ("stderr", "stdout"):
        with suppress(OSError):
            say(line, stream)
            return


@contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Tell warnings without the place in the code, which says nothing to who uses a command."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(str(message))
        yield


def settle() -> bool:
    """End the use of both streams at the end of the process.

    Returns
    -------
    bool
        Whether all that was printed to stderr has arrived.
    """
    lost = getattr(sys.stderr, "error", None)
    if lost is not None:
        complain(f"not all of stderr could be written: {lost.strerror}")
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Python would flush it once more, fail, and end with a status of its own.
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
    return lost is None
