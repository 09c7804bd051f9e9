"""Saving: what others' reports say broke, in the files, their contents and their places."""

import contextlib
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(50, 4))
Y = np.arange(50) % 3
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0, "backend": "numpy", "batch_size": 16}
unix = pytest.mark.skipif(os.name == "nt", reason="Unix's permissions and links")


@pytest.fixture(scope="module")
def model():
    """Fit a small classifier."""
    return MLPClassifier(**SMALL, max_iter=2).fit(X, Y)


@pytest.fixture
def folder():
    """Make a folder that every user can reach; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def is_whole(path):
    """Load a saved file, and see that nothing was left beside it."""
    leftovers = [one for one in path.parent.iterdir() if one.suffix == ".tmp"]
    return bool((fastmlp.load(path).classes_ == [0, 1, 2]).all()) and not leftovers


@contextlib.contextmanager
def an_ordinary_user(*paths):
    """Be one, also where the tests are run by root, whom no permission stops."""
    if os.geteuid() != 0:
        yield
        return
    for path in paths:
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@unix
def test_a_symbolic_link_stays_and_its_file_is_written(model, tmp_path):
    """`current.safetensors -> run-7/model` became a file of its own (imbue-ai/mngr #1238)."""
    (tmp_path / "run").mkdir()
    target, link, other = tmp_path / "run" / "model", tmp_path / "current", tmp_path / "latest"
    target.write_bytes(b"old")
    link.symlink_to("run/model")
    other.symlink_to("current")
    model.save(other)
    assert link.is_symlink() and other.is_symlink() and is_whole(target)


@unix
def test_a_dangling_link_gets_its_file(model, tmp_path):
    """A link that was made before its file became a file (imbue-ai/mngr #1238)."""
    (tmp_path / "link").symlink_to("model")
    model.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and is_whole(tmp_path / "model")


@unix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_files_permissions_stay(mode, model, tmp_path):
    """A private file became readable for all, a group's closed to it (jainal09/envdrift #405)."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    path.chmod(mode)
    model.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode and is_whole(path)


@unix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can chown")
def test_a_files_owner_stays(model, tmp_path):
    """What root saved over another's file was root's from then on."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    os.chown(path, 1234, 4321)
    model.save(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321) and is_whole(path)


@unix
def test_a_new_file_has_the_permissions_that_the_umask_leaves(model, tmp_path):
    """It must, and without setting the umask, which is the whole process's, for a moment."""
    for number, (mask, mode) in enumerate([(0o077, 0o600), (0o002, 0o664)]):
        before = os.umask(mask)
        try:
            model.save(tmp_path / str(number))
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / str(number)).stat().st_mode) == mode


@unix
def test_the_umask_is_never_set(model, tmp_path, monkeypatch):
    """Files that other threads made meanwhile were open to all (libgit2 #5350)."""
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask was set"))
    model.save(tmp_path / "model")
    assert is_whole(tmp_path / "model")


@unix
def test_a_hard_link_stays_one(model, tmp_path):
    """Two names of a file were two files, the other with the old content (Gitlawb/zero #941)."""
    path, other = tmp_path / "model", tmp_path / "other"
    path.write_bytes(b"old")
    other.hardlink_to(path)
    model.save(path)
    assert path.samefile(other) and is_whole(other)


@unix
def test_a_writable_file_in_a_closed_folder_is_written(model, folder):
    """A file made for us in a folder of root's could not be saved to."""
    path = folder / "model"
    path.write_bytes(b"old")
    folder.chmod(0o555)
    with an_ordinary_user(path):
        model.save(path)
    folder.chmod(0o755)
    assert is_whole(path)


@unix
def test_a_file_that_is_write_protected_is_not_overwritten(model, folder):
    """`chmod a-w` did not protect a model: it was replaced, and writable again."""
    path = folder / "model"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with an_ordinary_user(path, folder), pytest.raises(PermissionError) as raised:
        model.save(path)
    assert raised.value.filename == str(path)
    assert path.read_bytes() == b"old"


def test_a_name_of_250_bytes_is_saved_to(model, tmp_path):
    """`.<name>.<random>.tmp` is longer than a name may be where the name itself is not."""
    path = tmp_path / ("m" * 250)
    model.save(path)
    assert is_whole(path)


def test_a_mounted_file_is_written_where_it_lies(model, tmp_path, monkeypatch):
    """`docker run -v model:/app/model`: Device or resource busy (emby-watchparty #66)."""
    path = tmp_path / "model"
    path.write_bytes(b"old")

    def busy(self, target):
        raise OSError(16, "Device or resource busy", str(self), None, str(target))

    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(os, "replace", lambda source, target: busy(Path(source), target))
    model.save(path)
    assert is_whole(path)


WRITE = "import sys; from fastmlp._files import write_file; write_file(sys.argv[1], b'new')"


def test_a_really_mounted_file_is_written(tmp_path):
    """The same with the kernel's own answer (stacklok/toolhive #3979)."""
    for name in ("source", "mounted"):
        (tmp_path / name).write_bytes(b"old")
    script = 'mount --bind source mounted || exit 77; exec "$0" -c "$1" mounted'
    try:
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, sys.executable, WRITE], cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if done.returncode == 77 or b"unshare" in done.stderr:
        pytest.skip("mounting is not allowed here")
    assert (tmp_path / "source").read_bytes() == b"new", done.stderr


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="there is no /dev/stdout here")
def test_standard_output_can_be_saved_to(tmp_path):
    """It could not (haowenz/chromap #150), or as root became a file (sahib/rmlint #763)."""
    command = [sys.executable, "-c", WRITE, "/dev/stdout"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    piped = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    with (tmp_path / "out").open("wb") as file:
        number = os.fstat(file.fileno()).st_ino
        subprocess.run(command, env=environment, stdout=file, check=True)
    assert piped.stdout == (tmp_path / "out").read_bytes() == b"new"
    assert (tmp_path / "out").stat().st_ino == number and Path("/dev/stdout").is_symlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_named_pipe_can_be_saved_to(model, tmp_path):
    """Who reads from the pipe waited for ever, and a file stood in its place."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as reader:
        try:
            model.save(path)
            assert stat.S_ISFIFO(path.stat().st_mode)
            (tmp_path / "model").write_bytes(reader.communicate(timeout=20)[0])
        finally:
            reader.kill()
    assert is_whole(tmp_path / "model")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_told_with_the_files_name(model):
    """`No space left on device`, and not where."""
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        model.save("/dev/full")


@pytest.mark.parametrize("what", ["model", "history"])
def test_a_full_disk_leaves_the_old_file(what, model, tmp_path, monkeypatch):
    """Where the new one does not fit, the old one must not be cut off to make room."""
    path = tmp_path / what
    write = model.save if what == "model" else fastmlp.History(loss=[1.0]).to_csv
    write(path)
    old = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        write(path)
    assert raised.value.filename == str(path)
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["none/model", "none/deeper/model"])
def test_a_folder_that_is_not_there_is_named(name, model, tmp_path):
    """`No such file or directory: '/none/.model.x8dk2.tmp'` (robertzk/s3mpi #41)."""
    path = tmp_path / name
    with pytest.raises(FileNotFoundError) as raised:
        model.save(path)
    assert f"there is no folder {str(path.parent)!r} to write to" in str(raised.value)
    assert raised.value.filename == str(path)


@pytest.mark.parametrize(("name", "kind"), [("", IsADirectoryError), ("f/m", NotADirectoryError)])
def test_a_path_that_can_be_no_file_is_named(name, kind, model, tmp_path):
    """A folder's path, or one through a file, was answered with that of a temporary file."""
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(kind) as raised:
        model.save(tmp_path / name)
    assert raised.value.filename == str(tmp_path / name)
