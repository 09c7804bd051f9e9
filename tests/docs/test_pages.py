"""The code of the README and of the site's pages runs and prints what stands there."""

import pytest

pytest.importorskip("sybil", reason="sybil is not installed")

from .pages import PAGES, ROOT, run_page

NEEDS = {"searches": ("optuna",), "serving": ("onnxruntime",), "keras": ("keras", "jax"),
         "clusters": ("dask", "distributed"),
         "pytorch": ("torch",)}  # fmt: skip
"""Libraries that a page is about, by its name."""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras", "ignore::UserWarning:keras")
def test_code_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # heeded when it is imported
    for module in NEEDS.get(path.stem, ()):
        pytest.importorskip(module, reason=f"{module} is not installed")
    monkeypatch.chdir(tmp_path)
    run_page(path)
