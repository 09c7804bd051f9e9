"""Kernels are compiled into a folder before anybody waits for them."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from click.testing import CliRunner

import fastmlp
from fastmlp.cli import main

compiling = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")

USE = """
import sys
import numpy as np
import fastmlp
X = np.random.default_rng(0).random((300, 6), np.float32)
model = fastmlp.load(sys.argv[1])
model.predict(X)
model.predict_proba(X[:1])
"""
TRAIN = """
X *= X > 0.9
for size in (1, 64, 200):
    fastmlp.MLPClassifier(max_iter=1, batch_size=size).fit(X, np.arange(300) % 2).predict(X)
fastmlp.train(X, np.arange(300) % 2, batch_size=1, epochs=1)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    X, y = np.random.default_rng(0).random((40, 6), np.float32), np.arange(40) % 2
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    fastmlp.train(X, y, backend="numpy", epochs=1, random_state=0).model.save(path)
    return path


def said_by(code, folder, *arguments):
    """Run code with a folder of kernels in a new process, and return what it says on stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments], capture_output=True, text=True,
        env={**os.environ, "FASTMLP_CACHE_DIR": str(folder)}, timeout=300, check=True,
    )  # fmt: skip
    return done.stderr


# Each worker of a container that can only be read compiled for itself, at every start.
@compiling
def test_what_is_compiled_for_a_model_and_a_case_is_only_loaded(model, tmp_path):
    folder = tmp_path / "kernels"
    command = ["compile", "--folder", str(folder)]
    printed = CliRunner().invoke(main, [*command, "--for", str(model)], catch_exceptions=False)
    assert printed.output.startswith(f"{model}: ")
    seconds = fastmlp.compile(folder=folder, cases=["binary classifier zeros float32"])
    assert list(seconds) == ["binary classifier zeros float32"]
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    kept = sorted(folder.rglob("*"))
    assert said_by(USE + TRAIN, folder, str(model)) == ""
    assert sorted(folder.rglob("*")) == kept
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)


def test_what_is_wrong_is_said(model, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"cases must be one of .*; got 'classifier'"):
        fastmlp.compile(cases=["classifier"])
    with pytest.raises(FileNotFoundError):
        fastmlp.compile(tmp_path / "nothing.safetensors", tmp_path)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="folder must be one that can be written to"):
        fastmlp.compile(model, tmp_path / "file")
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    with pytest.raises(ValueError, match="NUMBA_DISABLE_JIT must be unset"):
        fastmlp.compile()
