"""How much memory a source takes."""

import subprocess
import sys

import numpy as np
import pytest

SCRIPT = """
import sys
import numpy as np
import fastmlp

def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

settings = {"hidden_layer_sizes": (2,), "epochs": 1, "backend": "numpy", "batch_size": 512}
fastmlp.train(np.eye(1024, 784, dtype=np.uint8), np.arange(1024) % 2, **settings)
before = peak()
source = fastmlp.data.npy("X.npy", "y.npy", buffer="20MB")
fastmlp.train(source, **settings).model.predict(source)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_four_times_the_memory_allowed_is_trained_on(tmp_path):
    n_rows = 500_000
    # Zeros that are never written take no room on the disk.
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.uint8, (n_rows, 784))
    del X
    np.save(tmp_path / "y.npy", np.arange(n_rows) % 2)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=True,
        timeout=120,
    )  # fmt: skip
    allowed = n_rows * 784 / 4  # 98 MB: the buffer, pieces, what is being read, and targets
    assert int(done.stdout) < allowed
