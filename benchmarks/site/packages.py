"""Gets the libraries of asv's page from npm: the versions of package.json, nothing else.

package-lock.json has the hash of each package, by which npm checks what it receives.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from fastmlp._cache import cache_dir

from .errors import SiteError

LISTS = tuple(Path(__file__).with_name(name) for name in ("package.json", "package-lock.json"))

COMMAND = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")

UNREACHED = re.compile(r"\b(EAI_AGAIN|ENOTFOUND|ECONN\w+|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b")
"""What npm says where it reaches no registry."""


class RegistryError(SiteError):
    """No registry of packages can be asked."""


def installed():
    """Find the packages in the cache folder; install them there once.

    Returns
    -------
    Path
        The folder that holds one folder a package.

    Raises
    ------
    RegistryError
        If there is no npm, or npm reaches nobody.
    SiteError
        If npm fails otherwise, as when a package is not the one of the hash.
    """
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in LISTS)).hexdigest()
    folder = cache_dir() / "site" / digest[:16]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            _install(Path(scratch) / "new")
            _move(Path(scratch) / "new", folder)
    return folder / "node_modules"


def _install(folder):
    """Let npm install the packages into a new folder."""
    folder.mkdir()
    for path in LISTS:
        shutil.copy(path, folder)
    try:
        done = subprocess.run(COMMAND, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise RegistryError(
            "npm must be installed, by which asv's page gets its libraries; it is not. "
            "On Debian: apt-get install npm"
        ) from None
    if done.returncode:
        kind = RegistryError if UNREACHED.search(done.stderr) else SiteError
        said = "; ".join(line.removeprefix("npm error ") for line in done.stderr.splitlines()[:4])
        raise kind(f"npm must install the libraries of asv's page; it says: {said}")


def _move(new, folder):
    """Move a folder to its place, unless another process was faster."""
    try:
        new.rename(folder)
    except OSError:
        if not folder.exists():
            raise
