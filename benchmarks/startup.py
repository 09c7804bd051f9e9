"""What a user waits for before the first epoch, imports and the first call, and what it leaves."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

IMPORT_NUMPY = "import numpy"

FIRST_CALL = """
import numpy as np
import fastmlp
X, y = np.eye(8, dtype=np.float32), np.arange(8)
fastmlp.train(X, y, backend={backend!r}, batch_size=2, epochs=1)
"""

COLD = """
import os, tempfile
folder = tempfile.TemporaryDirectory()
os.environ["FASTMLP_CACHE_DIR"] = folder.name
"""


class Import:
    """Each in a new process; the difference is what fastmlp adds."""

    number = 1
    repeat = (3, 10, 5.0)
    rounds = 1

    def timeraw_import_numpy(self):
        """Time NumPy alone, the baseline."""
        return IMPORT_NUMPY

    def timeraw_import_fastmlp(self):
        """Time what a program pays that imports fastmlp and NumPy."""
        return f"{IMPORT_NUMPY}; import fastmlp"


class FirstCall:
    """The first training of a new process, imports included."""

    number = 1
    repeat = (1, 3, 10.0)
    rounds = 1
    timeout = 300

    params = ("numpy", "numba")
    param_names = ("backend",)

    def timeraw_first_call_cached(self, backend):
        """Time it where the kernels have been compiled before."""
        return FIRST_CALL.format(backend=backend)

    def timeraw_first_call_cold(self, backend):
        """Time it where nothing has been compiled yet."""
        return COLD + FIRST_CALL.format(backend=backend)


class KernelCache:
    """What compiling leaves on the disk."""

    timeout = 300

    def track_size_after_first_call(self):
        """Track all files that the first training puts into an empty cache folder."""
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"FASTMLP_CACHE_DIR": folder}
            program = FIRST_CALL.format(backend="numba")
            subprocess.run([sys.executable, "-c", program], env=environment, check=True)
            return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())

    track_size_after_first_call.unit = "bytes"
