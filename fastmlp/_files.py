"""Writing files as `open(path, "wb")` would, at once where the file system lets us."""

import errno
import os
import secrets
import shutil
import stat
from os import PathLike
from pathlib import Path


def write_file(path: str | PathLike[str], payload: bytes) -> None:
    """Write a file whole or not at all: until the last moment the old one stays.

    All else is as if the path were opened and written to: links, symbolic and hard, lead to the
    file afterwards as before; the file keeps its owner and permissions, and a new one gets those
    that the umask leaves. Where no other file can take its place (a pipe or device, a file with
    several names, one that is mounted, a folder that cannot be written to), it is written where it
    lies, which a kill or a full disk can interrupt.

    Parameters
    ----------
    path : path-like
    payload : bytes

    Raises
    ------
    OSError
        As opening or writing raises it, with this path; a missing folder is named.
    """
    path = Path(path)
    try:
        status = _status(path)
        if not _is_replaceable(path, status) or not _replace(path, status, payload):
            path.write_bytes(payload)
    except OSError as error:
        error.filename = str(path)
        raise


def _status(path: Path) -> os.stat_result | None:
    """Describe the file that is there, None where there is none, and check that it can be made."""
    try:
        return path.stat()
    except FileNotFoundError:
        folder = Path(os.path.realpath(path)).parent
        if folder.is_dir():
            return None
        what = f"there is no folder {str(folder)!r} to write to. Make it first"
        raise FileNotFoundError(errno.ENOENT, what) from None


def _is_replaceable(path: Path, status: os.stat_result | None) -> bool:
    """Tell whether putting another file in its place would do what writing to it does."""
    if status is None:
        return True
    if not stat.S_ISREG(status.st_mode):
        return False
    os.close(os.open(path, os.O_WRONLY))  # raises what writing to it would
    return status.st_nlink == 1 and not _is_descriptor(path)


def _is_descriptor(path: Path) -> bool:
    """Tell whether it names a file that is open already, as /dev/stdout does."""
    while path.is_symlink():
        folder = Path(os.path.realpath(path.parent))
        if folder.is_relative_to("/proc"):
            return True
        path = folder / path.readlink()
    return False


def _replace(path: Path, status: os.stat_result | None, payload: bytes) -> bool:
    """Write beside the file, to the disk, and put that in its place; tell whether it could be."""
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666 if status is None else 0o600)
    except OSError:
        return False
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(descriptor)
        return _put(temporary, target, status)
    finally:
        temporary.unlink(missing_ok=True)


def _put(temporary: Path, target: Path, status: os.stat_result | None) -> bool:
    """Give a file the old one's owner and permissions and its place; tell whether it could be."""
    try:
        if status is not None:
            _take_after(temporary, target, status)
        temporary.replace(target)
    except OSError:
        return False
    return True


def _take_after(temporary: Path, target: Path, status: os.stat_result) -> None:
    """Take over owner, group, permissions and extended attributes, but not the times."""
    own = temporary.stat()
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        os.chown(temporary, status.st_uid, status.st_gid)
    shutil.copystat(target, temporary)
    os.utime(temporary)
