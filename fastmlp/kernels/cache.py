"""Compiled kernels on disk.

Only the functions that Python calls are cached, each with all it calls inside it. numba's own cache
has four faults this one mends: it notices an edit only in the file of the cached function, it does
not notice numba's own settings, it raises at import where no folder is writable, and a truncated
file raises for ever. Here a file's name carries a hash of all that the code depends on, see
`identity`; the file a digest of its content; and a file that cannot be read or written means
compiling again, never an error.
"""

import hashlib
import logging
import pickle
import time

from numba.core import caching
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from fastmlp._cache import cache_dir, named_by
from fastmlp._files import write_file
from fastmlp.kernels.identity import fingerprint, identity, is_known

logger = logging.getLogger("fastmlp")

UNKNOWN = (
    "not kept, for what it was compiled of is not known: the source or numba's settings changed"
)


class Clock:
    """Adds up the time that compiling, and loading what was compiled before, has taken."""

    seconds = 0.0


clock = Clock()


class KernelCache(caching._Cache):
    """One file for each compiled version of one entry function.

    Parameters
    ----------
    function : function
    """

    def __init__(self, function):
        self.name = function.__name__
        self.code = function.__module__, fingerprint(function.__code__)
        self.started = 0.0

    @property
    def folder(self):
        """Where the files are, as a Path."""
        return (named_by("NUMBA_CACHE_DIR") or cache_dir()) / "kernels"

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
        key = repr((str(signature), codegen.magic_tuple(), self.code, identity()))
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
            if is_known():
                result = CompileResult._rebuild(target_context, *pickle.loads(_read(path)))
                clock.seconds += time.perf_counter() - self.started
                return result
        except (FileNotFoundError, NotADirectoryError):
            pass
        except Exception as error:
            logger.warning("the cached kernel %s cannot be used (%s): compiling again", path, error)
        logger.warning("compiling the kernel %r, once on this machine ...", self.name)
        return None

    def save_overload(self, signature, compiled):
        """Write a freshly compiled version to disk and say how long it took to compile."""
        seconds = time.perf_counter() - self.started
        clock.seconds += seconds
        path = self.path(signature, compiled.codegen)
        kept = _write(path, dumps(compiled._reduce())) if is_known() else UNKNOWN
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
    """Write a file whole or not at all, the payload's digest first, and say what came of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, hashlib.sha256(payload).digest() + payload)
    except OSError as error:
        return f"not kept, for {path.parent} cannot be written to ({error.strerror})"
    return f"kept in {path.parent}"
