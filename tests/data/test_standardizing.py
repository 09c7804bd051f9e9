"""Sources that are standardized while they are read."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp.distributed import in_threads
from tests.data.test_streaming import SMALL
from tests.test_resuming import assert_same, break_off

GENERATOR = np.random.default_rng(5)
X = GENERATOR.normal(size=(103, 6)) * [1, 0.1, 50, 1e3, 1, 1] + [0, 5, -3e3, 1e4, 0, 0]
X[:, 5] = 0.1  # its mean over blocks is not 0.1 to the bit
Y = np.arange(103) % 3
STARTS = [0, 40, 43, 53, 73, 103]
KINDS = {
    "float64": X,
    "float32": X.astype(np.float32),
    "bytes": GENERATOR.integers(0, 256, (103, 6)).astype(np.uint8),
    "booleans": GENERATOR.integers(0, 2, (103, 6)).astype(bool),
}


def source(values=X, buffer="1GB"):
    """Make a source of ragged blocks."""
    readers = [lambda a=a, b=b: (values[a:b], Y[a:b]) for a, b in pairwise(STARTS)]
    return fastmlp.data.blocks(readers, buffer=buffer)


def read(found):
    """Read all values of a source."""
    blocks = range(len(found.lengths))
    return np.concatenate([chunk.X for block in blocks for chunk in found.chunks(block)])


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_scikit_learn(kind):
    values = KINDS[kind]
    scaler = StandardScaler().fit(values.astype(np.float64))
    for found in (source(values), fastmlp.data.memmap(values, Y, block_rows=10)):
        ours = fastmlp.data.standardized(found)
        np.testing.assert_allclose(ours.mean_, scaler.mean_, rtol=1e-12)
        np.testing.assert_allclose(ours.scale_, scaler.scale_, rtol=1e-12)
        expected = scaler.transform(values.astype(np.float64))
        tolerance = 1e-6 if kind == "float32" else 1e-12
        np.testing.assert_allclose(read(ours), expected, tolerance, tolerance)
        np.testing.assert_array_equal(read(ours), ours.transform(values))
        assert ours.dtype == ("float32" if kind == "float32" else "float64")
    assert (ours.scale_[5] == 1) == kind.startswith("float")


def test_others_are_standardized_alike():
    ours = fastmlp.data.standardized(source())
    scaler = StandardScaler().fit(X)
    few = fastmlp.data.memmap(X[:7], Y[:7])
    np.testing.assert_array_equal(
        read(fastmlp.data.standardized(few, like=ours)), ours.transform(X[:7])
    )
    np.testing.assert_array_equal(
        read(fastmlp.data.standardized(few, like=scaler)), scaler.transform(X[:7])
    )


@pytest.mark.parametrize("buffer", ["1GB", 80 * 64 * 2])
def test_train_and_the_estimators_learn_what_they_do_from_arrays(buffer, tmp_path, monkeypatch):
    ours = fastmlp.data.standardized(source(buffer=buffer))
    arguments = {**SMALL, "shuffle": False, "dtype": "float64"}
    result = fastmlp.train(ours, **arguments, X_val=fastmlp.data.standardized(source(), like=ours))
    values = ours.transform(X)
    whole = fastmlp.train(values, Y, **arguments, X_val=values, y_val=Y)
    assert result.history.loss == whole.history.loss
    np.testing.assert_allclose(result.history.val_loss, whole.history.val_loss, rtol=1e-12)
    np.testing.assert_array_equal(result.model.predict(ours), whole.model.predict(values))
    fitted = fastmlp.MLPClassifier((5,), max_iter=2, shuffle=False, random_state=0, backend="numpy")
    with pytest.warns(UserWarning, match="Maximum iterations"):
        from_source = fitted.fit(ours).predict_proba(ours)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        expected = fitted.fit(values, Y).predict_proba(values)
    np.testing.assert_allclose(from_source, expected, rtol=1e-10)
    del arguments["shuffle"]
    break_off(tmp_path / "run", monkeypatch, 2, arguments, (ours,))
    again = fastmlp.data.standardized(source(buffer=buffer))
    assert_same(fastmlp.resume(tmp_path / "run", again), fastmlp.train(ours, **arguments))


@pytest.mark.parametrize("buffer", ["1GB", 80 * 64 * 2])
def test_ranks_have_the_means_of_all(buffer):
    whole = fastmlp.data.standardized(source())

    def work(communicator, scaled_first):
        rank = communicator.rank
        if scaled_first:
            parts = fastmlp.data.standardized(source(buffer=buffer))
            return fastmlp.train(fastmlp.data.part(parts, rank, 2), comm=communicator, **SMALL)
        some = fastmlp.data.part(source(buffer=buffer), rank, 2)
        own = fastmlp.data.standardized(some)
        held = fastmlp.data.standardized(some, like=own)
        result = fastmlp.train(own, comm=communicator, **SMALL, X_val=held)
        np.testing.assert_allclose(own.mean_, whole.mean_, rtol=1e-12)
        np.testing.assert_allclose(own.scale_, whole.scale_, rtol=1e-12)
        return result

    apart, together = (in_threads(2, lambda c, f=f: work(c, f), 60.0) for f in (False, True))
    for ours, expected in zip(apart, together, strict=True):
        np.testing.assert_allclose(ours.history.loss, expected.history.loss, rtol=1e-5)


def test_ranks_that_are_not_alike_are_told():
    def work(communicator):
        given = source() if communicator.rank else fastmlp.data.standardized(source())
        return fastmlp.train(given, comm=communicator, **SMALL)

    for outcome in in_threads(2, work, 60.0):
        with pytest.raises(ValueError, match="X must be standardized on all ranks, or on none"):
            raise outcome


def test_ranks_with_other_columns_or_means_are_told():
    def work(communicator, make):
        given = make(communicator.rank)
        return fastmlp.train(given, comm=communicator, **SMALL)

    def other_columns(rank):
        return fastmlp.data.standardized(source(X[:, : 5 + rank]))

    def other_means(rank):
        scaler = StandardScaler().fit(X + rank)
        return fastmlp.data.standardized(source(), like=scaler)

    for make, message in [
        (other_columns, "X must be of as many columns, standardized alike, on all ranks"),
        (other_means, "like must be the same on all ranks; got other means or scales"),
    ]:
        for outcome in in_threads(2, lambda c, m=make: work(c, m), 60.0):
            with pytest.raises(ValueError, match=message):
                raise outcome


def test_bad_input_is_told():
    ours = fastmlp.data.standardized(source())
    with pytest.raises(ValueError, match=r"X_val must be standardized as X is.*like=X\)"):
        fastmlp.train(ours, **SMALL, X_val=fastmlp.data.standardized(source(X + 1)))
    with pytest.raises(ValueError, match="source must be a source; got a ndarray"):
        fastmlp.data.standardized(X)
    with pytest.raises(ValueError, match="like must be a standardized source, or a StandardScaler"):
        fastmlp.data.standardized(source(), like=StandardScaler())
    with pytest.raises(ValueError, match="X must be of 6 columns; got shape"):
        ours.transform(X[:, :2])
    broken = X.copy()
    broken[45, 2] = np.nan
    with pytest.raises(ValueError, match="X in block 2 must be finite; got nan at row 2"):
        fastmlp.data.standardized(source(broken))
