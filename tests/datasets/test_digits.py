"""The two data sets that need no network."""

import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits as originals

from fastmlp import datasets
from fastmlp.datasets import digits28

SHA256 = "96c31e7077c54dbb3bec2e29e7a962dfdbea9dd593101c8a5d7fa119942ad01b"
"""Of the four arrays, labels as int64: the same bytes everywhere for version 1."""


@pytest.fixture(scope="module")
def built():
    """All images: drawing them takes seconds, so it is done once."""
    return digits28.build()


@pytest.fixture
def cache(monkeypatch, tmp_path, built):
    """Keep the user's own cache out of the test, and count how often images are drawn."""
    monkeypatch.setenv("FASTMLP_CACHE_DIR", str(tmp_path))
    n_built = []
    monkeypatch.setattr(digits28, "build", lambda: n_built.append(1) or built)
    return tmp_path, n_built


def digest(data):
    arrays = (data.X_train, data.y_train, data.X_test, data.y_test)
    content = b"".join(
        (array if array.dtype == np.uint8 else array.astype("<i8")).tobytes() for array in arrays
    )
    return hashlib.sha256(content).hexdigest()


def cached_file(cache):
    (path,) = (cache[0] / "datasets").iterdir()
    return path


def test_digits28_has_the_shape_of_mnist(cache):
    data = datasets.load("digits28")
    assert data.X_train.shape == (60_000, 784)
    assert data.X_test.shape == (10_000, 784)
    assert data.X_train.dtype == data.X_test.dtype == np.uint8
    assert data.input_scale == "unit"
    assert np.bincount(data.y_train).min() > 5000
    assert np.bincount(data.y_test).min() > 800
    for X in (data.X_train, data.X_test):
        assert 0.185 < (X != 0).mean() < 0.200
        assert X.max() == 255


def test_digits28_is_the_same_bytes_made_or_cached(cache):
    assert digest(datasets.load_digits28()) == SHA256
    changed = cached_file(cache).stat().st_mtime_ns
    assert digest(datasets.load_digits28()) == SHA256
    assert cached_file(cache).stat().st_mtime_ns == changed
    assert len(cache[1]) == 1


@pytest.mark.parametrize("damage", ["cut", "byte", "nonsense"])
def test_a_damaged_cache_is_made_again(damage, cache):
    datasets.load_digits28()
    path = cached_file(cache)
    content = bytearray(path.read_bytes())
    content[1_000_000] ^= 255
    path.write_bytes({"cut": content[:5000], "byte": content, "nonsense": b"no"}[damage])
    assert digest(datasets.load_digits28()) == SHA256
    assert len(path.read_bytes()) == len(content)
    assert len(cache[1]) == 2


def test_a_cache_that_cannot_be_written_to_is_no_error(monkeypatch, cache):
    blocked = cache[0] / "blocked"
    blocked.write_text("not a folder")
    monkeypatch.setenv("FASTMLP_CACHE_DIR", str(blocked))
    assert digest(datasets.load_digits28()) == SHA256


def test_digits28_tests_on_other_originals_than_it_trains_on(cache):
    data = datasets.load_digits28()
    trained = {image.tobytes() for image in data.X_train}
    assert not any(image.tobytes() in trained for image in data.X_test)


def test_digits_are_those_of_scikit_learn():
    data = datasets.load("digits")
    images, labels = originals(return_X_y=True)
    assert (len(data.X_train), len(data.X_test)) == (1540, 257)
    np.testing.assert_array_equal(data.X_test, images[::7])
    np.testing.assert_array_equal(data.y_test, labels[::7])
    np.testing.assert_array_equal(data.X_train[:6], images[1:7])
    assert data.X_train.dtype == np.uint8
    assert data.input_scale == (1 / 16, 0.0)


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"dataset must be one of .*Did you mean 'digits28'"):
        datasets.load("digits29")
    with pytest.raises(ValueError, match="dataset must be one of"):
        datasets.load(None)
