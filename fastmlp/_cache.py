"""Where fastmlp keeps what it can make again: compiled kernels and data sets."""

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path

OF_PLATFORM: dict[str, tuple[str, ...]] = {
    "darwin": ("XDG_CACHE_HOME", "~/Library/Caches"),
    "win32": ("LOCALAPPDATA", "~/AppData/Local", "Cache"),
}
OF_OTHERS: tuple[str, ...] = "XDG_CACHE_HOME", "~/.cache"
"""The variable that names a user's caches, where they are without it, and what follows our name."""

NOWHERE = Path(os.devnull) / "fastmlp"
"""A folder that cannot be made, for where there is none that may be used."""


def cache_dir() -> Path:
    """Return the folder; it may not exist yet, and it may not be writable.

    `FASTMLP_CACHE_DIR` where it is set, else the platform's folder for a user's caches. Where that
    cannot be made, as for a user without a home, one of the user's own among the temporary files.
    """
    return named_by("FASTMLP_CACHE_DIR") or _of_user() or _temporary() or NOWHERE


def named_by(variable: str) -> Path | None:
    """Return the folder that an environment variable names.

    Parameters
    ----------
    variable : str

    Returns
    -------
    Path or None
        None where the variable is not set, or names a home that is not known.
    """
    name = os.environ.get(variable)
    return expanded(name) if name else None


def expanded(path: str | os.PathLike[str]) -> Path | None:
    """Put the home in the place of `~`; None where it is not known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return None


def _of_user() -> Path | None:
    """Make the platform's folder for a user's caches; None where it cannot be made and read."""
    variable, usual, *below = OF_PLATFORM.get(sys.platform, OF_OTHERS)
    named = os.environ.get(variable, "").strip()
    # Whoever sets a variable to a relative path means another folder wherever they are.
    caches = Path(named) if Path(named).is_absolute() else expanded(usual)
    if caches is None:
        return None
    folder = caches.joinpath("fastmlp", *below)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.R_OK | os.X_OK) else None


def _temporary() -> Path | None:
    """Make a folder among the temporary files; None where it is not the user's alone.

    What is loaded from it is run, and anybody may have made a folder of this name before.
    """
    uid = getattr(os, "getuid", int)()
    with contextlib.suppress(OSError):
        folder = Path(tempfile.gettempdir()) / f"fastmlp-{uid}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
        private = status.st_uid == uid and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if stat.S_ISDIR(status.st_mode) and private:
            return folder
    return None
