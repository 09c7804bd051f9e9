"""Compiled kernels and data sets on disk: never stale, never in the way, and there for others."""

import ast
import compileall
import contextlib
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.registry import cpu_target

import fastmlp
from fastmlp import _cache
from fastmlp.datasets import digits28, load_mnist, mnist
from fastmlp.kernels import cache, identity
from fastmlp.kernels.cache import KernelCache
from fastmlp.kernels.jit import entry
from tests.datasets import fakes

compiling = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
PACKAGE = Path(fastmlp.__file__).parent


def double(x):
    return 2 * x


def path_of(function=double):
    """Where a kernel for one int64 is kept."""
    return KernelCache(function).path((numba.int64,), cpu_target.target_context.codegen())


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """An empty cache folder."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("FASTMLP_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


# Kernels compiled once with NUMBA_OPT=0, SLP_VECTORIZE or DEBUGINFO are used by every later process
# that did not ask for it: numba #10821.


@pytest.mark.parametrize(("name", "value"), [
    ("OPT", 0), ("BOUNDSCHECK", 1), ("DEBUGINFO_DEFAULT", 1), ("LOOP_VECTORIZE", 0),
    ("SLP_VECTORIZE", 1), ("LLVM_REFPRUNE_FLAGS", "per_bb"), ("EXTEND_VARIABLE_LIFETIMES", 1),
    ("CPU_NAME", "generic"), ("CPU_FEATURES", "+sse2"), ("ENABLE_PROFILING", 1),
    ("A_SETTING_OF_NEXT_YEAR", 1),
])  # fmt: skip
def test_settings_that_change_code_name_another_file(name, value, folder, monkeypatch):
    before = path_of()
    monkeypatch.setattr(numba.config, name, value, raising=False)
    assert path_of() != before
    assert path_of().parent == folder / "kernels"


@pytest.mark.parametrize("variable", ["NUMBA_NUM_THREADS", "NUMBA_CUDA_DRIVER", "NUMBA_SHOW_HELP"])
def test_settings_that_change_no_code_name_the_same_file(variable, folder, monkeypatch):
    before = path_of()
    with monkeypatch.context() as patched:
        patched.setenv(variable, "1")
        assert path_of() == before
    numba.config.reload_config()


@pytest.mark.parametrize(("module", "name", "value"), [
    (identity.llvmlite, "__version__", "0.1"), (identity.numba, "__version__", "0.1"),
    (identity.np, "__version__", "9.9.9"), (identity.sys, "abiflags", "d"),
])  # fmt: skip
def test_versions_of_all_that_makes_code_name_another_file(module, name, value, monkeypatch):
    before = path_of()
    monkeypatch.setattr(module, name, value, raising=False)
    assert path_of() != before


def test_another_function_of_the_same_name_is_another_file():
    def double(x):
        return x + x

    assert path_of(double) != path_of()


@compiling
def test_what_was_compiled_under_other_settings_is_neither_used_nor_kept(
    folder, monkeypatch, caplog
):
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    assert entry(double)(3) == 6
    assert "not kept, for what it was compiled of is not known" in caplog.text
    assert not folder.exists()
    monkeypatch.undo()
    monkeypatch.setenv("FASTMLP_CACHE_DIR", str(folder))
    assert entry(double)(3) == 6
    assert [path.suffix for path in (folder / "kernels").iterdir()] == [".bin"]


# A library installed as a zip, or as .pyc files alone: caching fails (numba #4908), or goes on with
# what was compiled before an upgrade.

SHOW_PATH = """
import sys; sys.path.insert(0, sys.argv[1])
import numba
from numba.core.registry import cpu_target
from fastmlp.kernels import cache, few
assert sys.argv[1] in cache.__file__, cache.__file__
print(few.predict_few._cache.path((numba.int64,), cpu_target.target_context.codegen()))
"""


def install(target, form):
    """Copy the package as a folder of .pyc files, or as a zip of sources; and its next version."""
    for version in ("0.01", "0.02"):
        source = target / version / "fastmlp"
        shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
        changed = source / "kernels" / "activations.py"
        text = changed.read_text()
        assert "LEAK = 0.01" in text
        changed.write_text(text.replace("LEAK = 0.01", f"LEAK = {version}"))
        if form == "pyc":
            compileall.compile_dir(source, quiet=1, legacy=True)
            for path in source.rglob("*.py"):
                path.unlink()
            yield source.parent
        else:
            archive = target / f"{version}.zip"
            with zipfile.ZipFile(archive, "w") as opened:
                for path in source.rglob("*.py"):
                    opened.write(path, path.relative_to(source.parent))
            yield archive


@compiling
@pytest.mark.parametrize("form", ["pyc", "zip"])
def test_after_an_upgrade_no_old_kernel_runs_however_it_is_installed(form, tmp_path):
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    paths = {
        subprocess.run(
            [sys.executable, "-P", "-c", SHOW_PATH, str(place)], capture_output=True, text=True,
            env=variables, check=True,
        ).stdout for place in install(tmp_path, form)
    }  # fmt: skip
    assert len(paths) == 2


def make_package(folder, text, form):
    """Write a package of one module; return its name and what to find it in."""
    name = f"pretended_{abs(hash(str(folder)))}"
    source = folder / name
    source.mkdir(parents=True)
    for module, content in (("__init__", ""), ("module", text)):
        path = source / f"{module}.py"
        path.write_text(content)
        if "pyc" in form:
            compileall.compile_file(path, quiet=1, legacy=True)
            path.unlink()
    if "zip" in form:
        with zipfile.ZipFile(folder / "all.zip", "w") as opened:
            for path in source.iterdir():
                opened.write(path, f"{name}/{path.name}")
        shutil.rmtree(source)
        return name, folder / "all.zip"
    return name, folder


SOURCE = (
    "A = 1.5\ndef f(x, y=2, *z):\n    return A * x if x in {'a', 'b'} else [i + y for i in z]\n"
)
OTHERS = {
    "a constant": ("1.5", "1.25"), "one inside": ("i + y", "i + 3"), "a member": ("'b'", "'c'"),
    "a default": ("y=2", "y=3"), "an operator": ("A *", "A +"), "a name": ("A * x", "B * x"),
}  # fmt: skip


@pytest.mark.parametrize("form", ["source", "pyc", "zip", "zip of pyc"])
def test_every_change_of_a_source_is_seen_and_its_place_is_not(form, tmp_path, monkeypatch):
    def hash_of(text, folder):
        name, place = make_package(tmp_path / folder, text, form)
        monkeypatch.syspath_prepend(place)
        return identity.sources(name)

    hashes = {hash_of(SOURCE.replace(*change), what) for what, change in OTHERS.items()}
    assert len(hashes | {hash_of(SOURCE, "before")}) == len(OTHERS) + 1
    assert hash_of(SOURCE, "here") == hash_of(SOURCE, "elsewhere")


def test_where_no_source_can_be_told_nothing_is_kept(monkeypatch):
    monkeypatch.setattr(identity.pkgutil, "iter_modules", lambda path: [])
    assert identity.identity() == ""
    assert not identity.is_known()
    monkeypatch.setattr(identity, "AT_IMPORT", "")
    assert not identity.is_known()


def test_kernels_depend_on_nothing_outside_their_folder():
    # What is there is frozen into them, and is not part of the key.
    allowed = {"cache.py": {"fastmlp._cache", "fastmlp._files"}}
    for path in (PACKAGE / "kernels").glob("*.py"):
        imports = {
            node.module for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module.startswith("fastmlp")
        }  # fmt: skip
        ours = {name for name in imports if not name.startswith("fastmlp.kernels")}
        assert ours == allowed.get(path.name, set())


# A uid without an entry in passwd and without HOME: OpenShift gives every container one
# (openshift/origin #23369).


@pytest.fixture
def homeless(monkeypatch, tmp_path):
    """A user without a home, in an empty folder; return its folder among temporary files."""

    def unknown(uid):
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME", "KERAS_HOME", "FASTMLP_DATA_DIR", "FASTMLP_CACHE_DIR",
                 "NUMBA_CACHE_DIR"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pytest.importorskip("pwd"), "getpwuid", unknown)
    for name in ("here", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary" / f"fastmlp-{os.getuid()}"


@compiling
def test_without_a_home_kernels_are_kept_among_the_temporary_files(homeless, tmp_path):
    assert entry(double)(3) == 6
    assert len(list((homeless / "kernels").iterdir())) == 1
    assert stat.S_IMODE(homeless.stat().st_mode) == 0o700
    assert not list((tmp_path / "here").iterdir())


def test_without_a_home_mnist_is_looked_for_and_found(homeless, monkeypatch, tmp_path):
    monkeypatch.setattr(mnist, "FILES", fakes.files())
    with pytest.raises(FileNotFoundError, match="MNIST is not in any of"):
        load_mnist(download=False)
    fakes.write(homeless / "mnist")
    assert load_mnist(download=False).X_train.shape == (6, 784)


@pytest.mark.parametrize("home", ["/dev/null", "file"])
def test_a_home_that_cannot_hold_a_cache_is_no_error(home, homeless, monkeypatch):
    # docker --user sets HOME=/, where nobody but root may write.
    Path("file").write_text("no folder")
    monkeypatch.setenv("HOME", str(Path(home).absolute()))
    assert _cache.cache_dir() == homeless


@pytest.mark.parametrize("trap", ["writable by all", "a link", "a file", "another's"])
def test_a_temporary_folder_that_others_prepared_is_not_used(trap, homeless, monkeypatch, tmp_path):
    # Kernels are code: what others wrote there would be run.
    if trap == "a file":
        homeless.touch()
    elif trap == "a link":
        homeless.symlink_to(tmp_path / "here")
    elif trap == "another's":
        homeless.mkdir()
        folder = homeless.with_name("fastmlp-12345")
        homeless.rename(folder)
        monkeypatch.setattr(os, "getuid", lambda: 12345)
    else:
        homeless.mkdir()
        homeless.chmod(0o777)
    assert _cache.cache_dir() == _cache.NOWHERE
    with contextlib.suppress(FileNotFoundError):
        load_mnist(download=False)


@compiling
def test_where_nothing_can_be_written_kernels_run_all_the_same(homeless, monkeypatch, caplog):
    monkeypatch.setattr(_cache, "_temporary", lambda: None)
    assert entry(double)(3) == 6
    assert "not kept, for /dev/null/fastmlp/kernels cannot be written to" in caplog.text


def test_mnist_that_cannot_be_kept_says_where_it_could(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"MNIST cannot be kept .* Pass data_dir, or"):
        load_mnist(tmp_path / "file")


def test_a_folder_that_may_not_be_looked_into_holds_nothing(homeless, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refused)
    with pytest.raises(FileNotFoundError, match="MNIST is not in any of"):
        load_mnist(download=False)


# Files made with tempfile are 0600 whatever the umask, and useless to others: uv #5496.


@pytest.fixture(params=[0o022, 0o002, 0o077], ids=oct)
def mode(request):
    """What a new file gets under a umask."""
    if os.name == "nt":
        pytest.skip("Windows has no such permissions")
    before = os.umask(request.param)
    yield 0o666 & ~request.param
    os.umask(before)


def modes(folder):
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}


@compiling
def test_kernels_are_there_for_whom_the_umask_says(mode, folder):
    assert entry(double)(3) == 6
    assert modes(folder) == {mode}


def test_data_are_there_for_whom_the_umask_says(mode, folder, monkeypatch):
    tiny = (np.zeros((2, 4), np.uint8), np.zeros(2, int)) * 2
    monkeypatch.setattr(digits28, "build", lambda: tiny)
    assert digits28.load_digits28().X_train.shape == (2, 4)
    assert modes(folder) == {mode}


def test_downloads_are_there_for_whom_the_umask_says(mode, folder, monkeypatch, tmp_path):
    fakes.write(tmp_path / "server")
    monkeypatch.setattr(mnist, "FILES", fakes.files())

    def retrieve(url, known_hash, name, scratch, downloader):
        arrived = Path(shutil.copy(tmp_path / "server" / name, scratch))
        arrived.chmod(0o600)  # as pooch leaves it
        return arrived

    monkeypatch.setattr("pooch.retrieve", retrieve)
    monkeypatch.setattr(mnist, "_places", lambda given: [])
    assert load_mnist().X_train.shape == (6, 784)
    assert modes(folder) == {mode}


@compiling
def test_a_cache_that_can_only_be_read_is_used(folder, monkeypatch, caplog):
    assert entry(double)(3) == 6
    monkeypatch.setattr(cache, "write_file", lambda path, payload: pytest.fail("written to"))
    caplog.clear()
    assert entry(double)(3) == 6
    assert caplog.text == ""


# A ~ in a variable that no shell has expanded makes a folder of that name: uv #9326.


@pytest.mark.parametrize("variable", ["FASTMLP_CACHE_DIR", "NUMBA_CACHE_DIR"])
def test_a_tilde_is_the_home_in_the_folders_for_kernels(variable, homeless, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(variable, "~/some")
    assert path_of().parent == tmp_path / "home" / "some" / "kernels"


@pytest.mark.parametrize("variable", ["FASTMLP_DATA_DIR", "KERAS_HOME", "argument"])
def test_a_tilde_is_the_home_in_the_folders_for_data(variable, homeless, monkeypatch, tmp_path):
    monkeypatch.setattr(mnist, "FILES", fakes.files())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(variable, "~/some")
    fakes.write(tmp_path / "home" / "some")
    if variable == "KERAS_HOME":
        arrays = {file.keras: fakes.arrays()[file.name] for file in fakes.files()}
        (tmp_path / "home" / "some" / "datasets").mkdir()
        np.savez(tmp_path / "home" / "some" / "datasets" / "mnist.npz", **arrays)
    given = "~/some" if variable == "argument" else None
    assert load_mnist(given, download=False).X_train.shape == (6, 784)


def test_a_tilde_of_whom_nothing_is_known_is_no_folder_of_that_name(homeless, monkeypatch):
    monkeypatch.setenv("FASTMLP_CACHE_DIR", "~/some")
    assert _cache.cache_dir() == homeless
    assert not list(Path().iterdir())
