"""Finding MNIST, and refusing what is not it."""

import gzip

import numpy as np
import pytest

from fastmlp.datasets import load_mnist, mnist
from tests.datasets import fakes


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """Look for small files, and find none to begin with."""
    monkeypatch.setattr(mnist, "FILES", fakes.files())
    monkeypatch.setattr(mnist, "MIRRORS", ())
    for name in ("FASTMLP_DATA_DIR", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FASTMLP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def assert_is_mnist(data):
    train_images, train_labels, test_images, test_labels = fakes.arrays().values()
    np.testing.assert_array_equal(data.X_train, train_images.reshape(6, 784))
    np.testing.assert_array_equal(data.y_train, train_labels)
    np.testing.assert_array_equal(data.X_test, test_images.reshape(2, 784))
    np.testing.assert_array_equal(data.y_test, test_labels)
    assert data.X_train.dtype == np.uint8
    assert data.input_scale == "unit"


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("below", ["", "mnist", "MNIST/raw"])
def test_files_in_an_explicit_folder_are_found(below, compress, tmp_path):
    fakes.write(tmp_path / "given" / below, compress)
    assert_is_mnist(load_mnist(tmp_path / "given", download=False))


@pytest.mark.parametrize(
    "place",
    ["cache/mnist", "data/MNIST/raw", "home/data/MNIST/raw", "home/.cache/torchvision/MNIST/raw"],
)
def test_files_in_the_usual_places_are_found(place, tmp_path):
    fakes.write(tmp_path / place)
    assert_is_mnist(load_mnist(download=False))


def test_the_environment_variable_is_heeded(monkeypatch, tmp_path):
    fakes.write(tmp_path / "elsewhere" / "mnist")
    monkeypatch.setenv("FASTMLP_DATA_DIR", str(tmp_path / "elsewhere"))
    assert_is_mnist(load_mnist(download=False))


def test_the_file_of_keras_is_found(tmp_path):
    folder = tmp_path / "home" / ".keras" / "datasets"
    folder.mkdir(parents=True)
    arrays = fakes.arrays()
    np.savez(folder / "mnist.npz", **{file.keras: arrays[file.name] for file in fakes.files()})
    assert_is_mnist(load_mnist(download=False))


def test_files_named_with_a_dot_are_found(tmp_path):
    fakes.write(tmp_path / "given", compress=False)
    for path in (tmp_path / "given").iterdir():
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert_is_mnist(load_mnist(tmp_path / "given", download=False))


def test_where_it_was_looked_for_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"MNIST is not in any of: .*given/MNIST/raw"):
        load_mnist(tmp_path / "given", download=False)
    with pytest.raises(FileNotFoundError, match=r"cache/mnist.*\.keras.*FASTMLP_DATA_DIR"):
        load_mnist(download=False)


TRAIN_IMAGES = fakes.content(fakes.arrays()["train-images-idx3-ubyte"])
UNUSABLE = {
    "text": (b"<html>moved</html>", r"must be an IDX file of unsigned bytes; got first bytes"),
    "empty": (b"", "must be an IDX file"),
    "another type": (b"\0\0\x0d\3" + TRAIN_IMAGES[4:], "must be an IDX file of unsigned bytes"),
    "cut in the header": (TRAIN_IMAGES[:9], "must be an IDX file"),
    "cut short": (TRAIN_IMAGES[:-9], r"shape \(6, 28, 28\).*got 4695 bytes: it is cut short"),
    "too long": (TRAIN_IMAGES + b"xx", "got 4706 bytes: something follows its end"),
    "altered": (TRAIN_IMAGES[:-1] + b"\xff", "must be MNIST's train-images.* with other content"),
    "other shape": (fakes.content(np.zeros((3, 2, 2), np.uint8)), r"shape \(3, 2, 2\) with other"),
}


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_that_is_not_mnist_is_refused(name, compress, tmp_path):
    data, message = UNUSABLE[name]
    fakes.write(tmp_path / "given", compress, train_images=data)
    with pytest.raises(ValueError, match=message) as caught:
        load_mnist(tmp_path / "given", download=False)
    assert "train-images-idx3-ubyte" in str(caught.value)


@pytest.mark.parametrize("cut", [5, 20, -4])
def test_a_damaged_gzip_file_is_refused(cut, tmp_path):
    fakes.write(tmp_path / "given")
    path = tmp_path / "given" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match="must be a whole gzip file"):
        load_mnist(tmp_path / "given", download=False)


def test_fashion_mnist_under_the_same_names_is_recognised(tmp_path):
    fakes.write(tmp_path / "given")
    labels = np.array([9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9], np.uint8)
    path = tmp_path / "given" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(fakes.content(labels)))
    with pytest.raises(ValueError, match="got Fashion-MNIST, which has the same file names"):
        load_mnist(tmp_path / "given", download=False)


def test_a_damaged_keras_file_is_refused(tmp_path):
    (tmp_path / "mnist.npz").write_bytes(b"PK nonsense")
    with pytest.raises(ValueError, match=r"mnist.npz must be Keras' mnist.npz"):
        load_mnist(tmp_path, download=False)


def test_missing_files_are_downloaded(monkeypatch, tmp_path):
    with fakes.mirror() as (address, requests):
        monkeypatch.setattr(mnist, "MIRRORS", (address,))
        assert_is_mnist(load_mnist())
        assert_is_mnist(load_mnist())
    assert len(requests) == 4
    assert len(list((tmp_path / "cache" / "mnist").iterdir())) == 4
