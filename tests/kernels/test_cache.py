"""The cache of compiled kernels: in new processes, as users meet it."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

# A kernel that compiles in a fraction of a second, in the cache of the real ones.
SCRIPT = """
import numpy as np
from fastmlp.kernels.jit import entry

@entry
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result

assert total(np.arange(4.0)) == 6.0
"""

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


def run(folder, **environment):
    """Run the script in a new process and return what it says on stderr."""
    variables = {**os.environ, "FASTMLP_CACHE_DIR": str(folder), **environment}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=variables, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def files(folder):
    return list(Path(folder, "kernels").glob("*.bin"))


def test_the_first_call_says_what_it_does_and_the_second_loads(tmp_path):
    said = run(tmp_path)
    assert "compiling the kernel 'total'" in said
    assert "compiled 'total' in" in said
    assert str(tmp_path) in said
    assert len(files(tmp_path)) == 1
    assert run(tmp_path) == ""


@pytest.mark.parametrize("damage", [b"", b"nonsense", None], ids=["empty", "nonsense", "cut"])
def test_a_damaged_file_is_compiled_again_and_mended(damage, tmp_path):
    run(tmp_path)
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-100] if damage is None else damage)
    said = run(tmp_path)
    assert "damaged" in said
    assert "compiled 'total'" in said
    assert run(tmp_path) == ""


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path):
    # A file in the place of the folder stops even a superuser, whom permissions do not.
    blocked = tmp_path / "blocked"
    blocked.write_text("not a folder")
    said = run(blocked, HOME=str(blocked))
    assert "compiled 'total'" in said
    assert "cannot be written to" in said


def test_numba_cache_dir_is_heeded(tmp_path):
    run(tmp_path / "ours", NUMBA_CACHE_DIR=str(tmp_path / "theirs"))
    assert len(files(tmp_path / "theirs")) == 1
    assert not files(tmp_path / "ours")


def test_nothing_half_written_is_left(tmp_path):
    run(tmp_path)
    assert [path.suffix for path in Path(tmp_path, "kernels").iterdir()] == [".bin"]
