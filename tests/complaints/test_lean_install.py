"""What only the command and downloads need is not needed by who trains and predicts."""

import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp import _cache
from fastmlp.datasets.mnist_download import fetch
from tests.datasets import fakes

ROOT = Path(__file__).parents[2]

WITHOUT = """
import sys
for name in ("click", "rich", "pooch", "requests", "platformdirs"):
    sys.modules[name] = None
"""

USE = """
import numpy as np
import fastmlp
X, y = np.eye(8), np.arange(8) % 2
fastmlp.train(X, y, backend="numpy", batch_size=2, epochs=1).model.save(sys.argv[1])
assert len(fastmlp.load(sys.argv[1]).predict(X)) == 8
fastmlp.MLPClassifier(backend="numpy", max_iter=300, random_state=0).fit(X, y)
"""

COMMAND = """
sys.argv[:] = ["fastmlp", "train"]
from fastmlp.__main__ import main
main()
"""


def run_without_extras(code, *arguments):
    """Run code in a new process that finds none of what the extras bring."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + code, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_library_needs_none_of_the_extras(tmp_path):
    done = run_without_extras(USE, str(tmp_path / "model.safetensors"))
    assert done.returncode == 0, done.stderr


# A console script of an extra that is not installed ended in a traceback (black #2230).
def test_the_command_says_what_to_install():
    done = run_without_extras(COMMAND)
    assert done.stderr == (
        "fastmlp: the command fastmlp needs click and rich. "
        "Install it: pip install 'fastmlp[cli]'\n"
    )
    assert done.returncode == 2


def test_the_download_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"of MNIST needs pooch. .*'fastmlp\[download\]'"):
        fetch(tmp_path, fakes.files(), ("http://127.0.0.1:9/mnist/",))


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {}, "home/.cache/fastmlp"),
        ("linux", {"XDG_CACHE_HOME": "{}/caches"}, "caches/fastmlp"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "home/.cache/fastmlp"),
        ("freebsd14", {}, "home/.cache/fastmlp"),
        ("darwin", {}, "home/Library/Caches/fastmlp"),
        ("win32", {}, "home/AppData/Local/fastmlp/Cache"),
        ("win32", {"LOCALAPPDATA": "{}/local"}, "local/fastmlp/Cache"),
    ],
)
def test_caches_are_where_the_platform_has_them(platform, variables, folder, tmp_path, monkeypatch):
    for name in ("FASTMLP_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    assert _cache.cache_dir() == tmp_path / folder
