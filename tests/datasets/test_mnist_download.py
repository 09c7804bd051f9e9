"""Mirrors that are down, lie, or hang up: a file arrives whole and checked, or not at all."""

import pytest

from fastmlp.datasets.idx import read_idx
from fastmlp.datasets.mnist_download import fetch
from tests.datasets import fakes

DOWN = "http://127.0.0.1:9/mnist/"  # the discard port: nobody listens


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_complete(folder):
    assert names(folder) == sorted(f"{file.name}.gz" for file in fakes.files())
    for name, array in fakes.arrays().items():
        assert (read_idx(folder / f"{name}.gz") == array).all()


@pytest.mark.parametrize("fault", [404, 500, "wrong", "cut", "nonsense"])
def test_the_second_mirror_is_asked_where_the_first_fails(fault, tmp_path):
    folder = tmp_path / "mnist"
    with fakes.mirror({"": fault}) as (bad, asked_bad), fakes.mirror() as (good, asked_good):
        fetch(folder, fakes.files(), (bad, good))
    assert len(asked_bad) == len(asked_good) == 4
    assert_complete(folder)


def test_a_mirror_that_is_down_is_passed_over(tmp_path):
    with fakes.mirror() as (good, _):
        fetch(tmp_path, fakes.files(), (DOWN, good))
    assert_complete(tmp_path)


@pytest.mark.parametrize("fault", [404, "wrong", "cut", "nonsense"])
def test_the_next_call_resumes_and_nothing_half_written_is_left(fault, tmp_path):
    with (
        fakes.mirror({"t10k-images": fault}) as (bad, _),
        pytest.raises(ConnectionError, match=r"t10k-images-idx3-ubyte.gz could not be downloaded"),
    ):
        fetch(tmp_path, fakes.files(), (bad,))
    assert names(tmp_path) == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
    with fakes.mirror() as (good, requests):
        fetch(tmp_path, fakes.files(), (good,))
    assert requests == ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    assert_complete(tmp_path)


def test_when_every_mirror_fails_each_failure_is_named(tmp_path):
    with (
        fakes.mirror({"": 404}) as (missing, _),
        fakes.mirror({"": "wrong"}) as (wrong, _),
        pytest.raises(ConnectionError) as caught,
    ):
        fetch(tmp_path, fakes.files(), (missing, wrong, DOWN))
    message = str(caught.value)
    for text in (missing, wrong, DOWN, "404", "other content", "put the file into", str(tmp_path)):
        assert text in message
    assert names(tmp_path) == []
