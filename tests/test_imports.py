"""What an import costs: only what is used."""

import subprocess
import sys

import pytest

HEAVY = ("numba", "scipy", "sklearn", "matplotlib", "pandas", "pooch", "rich", "click", "requests")


def modules_after(code):
    """Run code in a new process and return the names of the modules it imported."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_importing_fastmlp_imports_numpy_and_nothing_heavy():
    # NumPy itself is left to the first use.
    assert not modules_after("import fastmlp").intersection(HEAVY)


@pytest.mark.parametrize("name", ["training", "datasets", "model"])
def test_importing_a_part_imports_nothing_heavy(name):
    assert not modules_after(f"import fastmlp.{name}").intersection(HEAVY)


def test_every_public_name_needs_no_import_of_its_own():
    names = "import fastmlp\nfor name in fastmlp.__all__: getattr(fastmlp, name)"
    assert "fastmlp" in modules_after(names)


def test_numpy_backend_never_imports_numba():
    found = modules_after(
        "import fastmlp, numpy as np\n"
        "r = fastmlp.train(np.eye(8), np.arange(8) % 2, backend='numpy', batch_size=2)\n"
        "r.model.predict(np.eye(8))"
    )
    assert not found.intersection({"numba", "scipy", "sklearn"})


def test_command_line_starts_without_numba():
    assert not modules_after("import fastmlp.cli").intersection(
        {"numba", "scipy", "sklearn", "matplotlib"}
    )


def test_public_names_are_there():
    import fastmlp

    for name in fastmlp.__all__:
        assert getattr(fastmlp, name) is not None
    assert set(fastmlp.__all__) <= set(dir(fastmlp))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = fastmlp.trian


def test_python_may_leave_docstrings_out():
    code = "import fastmlp; print(fastmlp.MLPClassifier.__doc__, fastmlp.MLPRegressor.__doc__)"
    command = [sys.executable, "-OO", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["None", "None"]
