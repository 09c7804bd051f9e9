"""Downloading from mirrors in turn: a file arrives whole and checked, or not at all."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastmlp._extras import require
from fastmlp._files import write_file
from fastmlp.datasets.idx import read_idx
from fastmlp.datasets.mnist_files import MnistFile, require_canonical

TIMEOUT_SECONDS = 30


def fetch(folder: Path, files: Sequence[MnistFile], mirrors: Sequence[str]) -> None:
    """Download the files that a folder does not hold yet.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    files : sequence of MnistFile
    mirrors : sequence of str
        Addresses to which a file's name and .gz are appended, tried in turn.

    Raises
    ------
    ConnectionError
        If no mirror delivers a file; those that arrived before stay for the next call.
    OSError
        If the folder cannot be made.
    ImportError
        If what downloads is not installed.
    """
    _make(folder)
    for source in files:
        target = folder / f"{source.name}.gz"
        if not (target.is_file() or target.with_suffix("").is_file()):
            require("the download of MNIST", "download", "pooch", "requests", "rich")
            _fetch_one(target, source, mirrors)


def _make(folder: Path) -> None:
    """Make the folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "Pass data_dir, or set FASTMLP_CACHE_DIR, as a folder that can be written to"
        what = f"MNIST cannot be kept ({error.strerror}). {remedy}"
        raise OSError(error.errno, what, str(folder)) from error


def _fetch_one(target: Path, source: MnistFile, mirrors: Sequence[str]) -> None:
    """Download one file from the first mirror that has it."""
    failures, answered = [], False
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{target.name}"
        try:
            _download(url, target, source)
        except (OSError, ValueError) as error:  # requests' errors are OSErrors
            failures.append(f"{url}: {type(error).__name__}: {error}")
            answered = answered or not _no_answer(error)
        else:
            return
    if not answered:
        raise ConnectionError(
            "MNIST could not be downloaded: no mirror answers. Without a network, choose the data "
            f"set digits28 or digits, or put MNIST's files into {target.parent}."
        )
    raise ConnectionError(
        f"{target.name} could not be downloaded. " + "; ".join(failures) + ". Try again later, or "
        f"put the file into {target.parent} yourself."
    )


def _no_answer(error: Exception) -> bool:
    """Tell whether an error says that there is no network, and nothing that helps beyond it."""
    from requests import exceptions

    telling = exceptions.SSLError, exceptions.ProxyError
    silent = exceptions.ConnectionError, exceptions.Timeout
    return isinstance(error, silent) and not isinstance(error, telling)


def _download(url: str, target: Path, source: MnistFile) -> None:
    """Download into a temporary folder, check, and only then move to the target."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # its notes on hashes are about the .gz file
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch, _progress_bar() as bar:
        downloader = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT_SECONDS)
        # Archives of the same file differ, so the hash is that of the uncompressed content.
        arrived = Path(pooch.retrieve(url, None, target.name, scratch, downloader=downloader))
        require_canonical(read_idx(arrived), source, arrived)
        write_file(target, arrived.read_bytes())


@contextmanager
def _progress_bar() -> Iterator[Any]:
    """Offer pooch a progress bar on a terminal, else False."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:  # stderr may be None
        yield False
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    columns = "downloading MNIST", BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        yield _PoochBar(progress)


class _PoochBar:
    """What pooch asks of a progress bar, drawn by rich."""

    total: float | None = None  # pooch sets it

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def update(self, n_bytes: int) -> None:
        self._progress.update(self._task, advance=n_bytes, total=self.total)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        self._progress.refresh()
