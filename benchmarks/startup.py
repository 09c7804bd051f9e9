"""What a user waits for before the first epoch: imports and the first call."""

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
    repeat = (1, 3, 20.0)
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
