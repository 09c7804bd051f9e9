"""Compiled kernels on disk.

Only the functions that Python calls are cached, each with all it calls inside it. numba's own cache
has three faults this one mends: it notices an edit only in the file of the cached function, it
raises at import where no folder is writable, and a truncated file raises for ever. Here the
folder's name carries a hash of every kernel's source, each file a digest of its content, and a file
that cannot be read or written means compiling again, never an error.
"""

import hashlib
import logging
import os
import pickle
import sys
import tempfile
import time
from pathlib import Path

import numba
from numba.core import caching
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from fastmlp._cache import cache_dir

logger = logging.getLogger("fastmlp")


class Clock:
    """Adds up the time that compiling, and loading what was compiled before, has taken."""

    seconds = 0.0


clock = Clock()


def source_hash():
    """Hash the source of every kernel.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class KernelCache(caching._Cache):
    """One file for each compiled version of one entry function.

    Parameters
    ----------
    name : str
        The function's name.
    """

    def __init__(self, name):
        self.name = name
        self.folder = Path(os.environ.get("NUMBA_CACHE_DIR") or cache_dir()) / "kernels"
        self.started = 0.0

    @property
    def cache_path(self):
        """The folder, as numba's statistics show it."""
        return str(self.folder)

    def path(self, signature, codegen):
        """Name the file of one version: everything that compiled code depends on is in the name.

        Parameters
        ----------
        signature : numba signature
            The types of the arguments.
        codegen : numba code generator
            It knows the processor.

        Returns
        -------
        Path
        """
        versions = (sys.version_info[:2], numba.__version__, source_hash())
        key = repr((str(signature), codegen.magic_tuple(), versions))
        return self.folder / f"{self.name}-{hashlib.sha256(key.encode()).hexdigest()[:32]}.bin"

    def load_overload(self, signature, target_context):
        """Load a version from disk; say so where it must be compiled instead.

        Returns
        -------
        CompileResult or None
            None makes numba compile.
        """
        self.started = time.perf_counter()
        target_context.refresh()
        path = self.path(signature, target_context.codegen())
        try:
            result = CompileResult._rebuild(target_context, *pickle.loads(_read(path)))
            clock.seconds += time.perf_counter() - self.started
            return result
        except FileNotFoundError:
            pass
        except Exception as error:
            logger.warning("the cached kernel %s cannot be used (%s): compiling again", path, error)
        logger.warning("compiling the kernel %r, once on this machine ...", self.name)
        return None

    def save_overload(self, signature, compiled):
        """Write a freshly compiled version to disk and say how long it took to compile."""
        seconds = time.perf_counter() - self.started
        clock.seconds += seconds
        try:
            _write(self.path(signature, compiled.codegen), dumps(compiled._reduce()))
            kept = f"kept in {self.folder}"
        except OSError as error:
            kept = f"not kept, for {self.folder} cannot be written to ({error.strerror})"
        logger.warning("compiled %r in %.1f s, %s", self.name, seconds, kept)

    def enable(self):
        """Do nothing: the cache is always on."""

    def disable(self):
        """Do nothing: the cache is always on."""

    def files(self):
        """List the files of this function's versions, those of older sources too.

        Returns
        -------
        list of Path
        """
        return sorted(self.folder.glob(f"{self.name}-*.bin"))

    def flush(self):
        """Remove every version of this function."""
        for path in self.files():
            path.unlink(missing_ok=True)


def _read(path):
    """Read a file written by `_write`, which begins with the digest of the rest."""
    content = path.read_bytes()
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        raise ValueError("its content is damaged")
    return content[32:]


def _write(path, payload):
    """Write a file whole or not at all, the payload's digest first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        try:
            file.write(hashlib.sha256(payload).digest() + payload)
            file.close()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
