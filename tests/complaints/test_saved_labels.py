"""Labels in files and in ONNX: what others' reports say came back as something else."""

import json

import numpy as np
import pytest

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.saving.encoding import decode, encode

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
BIG = 2**63

NUMBERS = {
    "uint64 of all sizes": np.array([5, BIG + 1, BIG + 3], np.uint64),
    "large uint64": np.array([BIG + 1, BIG + 3, BIG + 5], np.uint64),
    "two uint64": np.array([BIG + 1, BIG + 3], np.uint64),
    "large int64": np.array([2**53 + 1, 2**53 + 2, -(2**53) - 1]),
    "int8": np.array([-3, 1, 2], np.int8),
    "bool": np.array([False, True]),
    "float64": np.array([1.0, 2.0, 2.0**60]),
    "float32": np.array([1, 2, 2**24], np.float32),
    "float16": np.array([1, 2, 3], np.float16),
}
STRINGS = {
    "strings": np.array(["a", "ä", "ccc"]),
    "NUL": np.array(["a\0b", "b", "c"]),
    "one number": np.array([7]),
    "one float": np.array([2.0]),
    "one string": np.array(["x"]),
    "one uint64": np.array([BIG + 1], np.uint64),
}
TIMES = {
    "nanoseconds": np.array([5, 2**62 + 1, 2**62 + 3]).view("M8[ns]"),
    "steps of 25 s": np.array([1, 2, 30]).view("M8[25s]"),
    "durations": np.array([1, 2, 30]).view("m8[h]"),
}


def fit(classes, **arguments):
    """Fit a small classifier to labels that lie nowhere near the samples."""
    settings = {"hidden_layer_sizes": (4,), "random_state": 0, "backend": "numpy", "max_iter": 3}
    model = MLPClassifier(**{**settings, **arguments})
    return model.fit(X, np.asarray(classes)[np.arange(len(X)) % len(classes)])


def assert_same(actual, expected):
    """Compare arrays, their data types and Python's types of their items."""
    assert (actual.dtype, actual.tolist()) == (expected.dtype, expected.tolist())
    assert list(map(type, actual.tolist())) == list(map(type, expected.tolist()))


@pytest.mark.parametrize("classes", {**NUMBERS, **STRINGS, **TIMES})
def test_classes_come_back_from_a_file(classes, tmp_path):
    """2^63 + 1 became 2^63 on its way through a float (midnightfreddie/nbt2json #7)."""
    model = fit({**NUMBERS, **STRINGS, **TIMES}[classes])
    model.save(tmp_path / "model")
    loaded = fastmlp.load(tmp_path / "model")
    assert_same(loaded.classes_, model.classes_)
    assert_same(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize(
    "array",
    [
        np.array([b"a\0b", b"\xff"]), np.array(["a", "bb"], "U10"), np.array(["a", "b"], "T"),
        np.array([2**80, b"a", None, "x", np.float32(0.1), np.datetime64("2026-01-01")], object),
        np.array([BIG + 1, 5], np.uint64), np.array(["2026-01-01", "NaT"], ">M8[s]"),
        np.array([], "M8[D]"), np.array(7), np.array([True, False], object),
    ],
    ids=lambda array: str(array.dtype),
)  # fmt: skip
def test_arrays_of_every_kind_come_back(array):
    """Bytes were refused, unsigned numbers rounded, NumPy's scalars made Python's."""
    back = decode(json.loads(json.dumps(encode(array, "it"))))
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert repr(back.tolist()) == repr(array.tolist())
    assert list(map(type, back.ravel())) == list(map(type, array.ravel()))


def test_long_double_classes_are_refused_by_name(tmp_path):
    """JSON has no number that holds them: say so rather than round them."""
    with pytest.raises(ValueError, match="classes_ must be of numbers of at most 64 bits"):
        fit(np.array([1, 2, 3], np.longdouble)).save(tmp_path / "model")


def test_numpys_scalars_come_back_as_they_were(tmp_path):
    """As Python's floats they make other products of float32 (numpy #25098)."""
    scalars = {"alpha": np.float64(0.1), "learning_rate_init": np.float32(0.1)}
    model = fit([0, 1, 2], **scalars, dtype="float32")
    model.save(tmp_path / "model")
    loaded = fastmlp.load(tmp_path / "model")
    assert repr(loaded.get_params()) == repr(model.get_params())
    for one in (model, loaded):
        one.partial_fit(X, np.arange(len(X)) % 3)
    np.testing.assert_array_equal(loaded.coefs_[0], model.coefs_[0])


@pytest.fixture(scope="module")
def run():
    """Make what runs a model with onnxruntime and returns what it puts out, by name."""
    runtime = pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")

    def run(model, rows):
        made = model.to_onnx()
        onnx.shape_inference.infer_shapes(made, strict_mode=True, check_type=True)
        session = runtime.InferenceSession(made.SerializeToString())
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, {"X": rows}), strict=True))

    return run


@pytest.mark.parametrize("classes", {**NUMBERS, **STRINGS})
def test_onnx_gives_the_labels_that_predict_gives(classes, run):
    """Unsigned labels became negative, floats were refused, one class failed when it was run.

    onnx/sklearn-onnx #813, onnxmltools #415.
    """
    model = fit({**NUMBERS, **STRINGS}[classes])
    found = run(model, X)
    assert found["label"].tolist() == model.predict(X).tolist()
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), atol=1e-6)


def test_onnx_labels_keep_their_type(run):
    """2^60 as float32 is another label; what int64 holds is int64, whatever it was."""
    names = {"uint64 of all sizes": "uint64", "int8": "int64", "bool": "int64"}
    names |= {"float64": "float64", "float32": "float32", "float16": "float32"}
    for name, expected in names.items():
        assert run(fit(NUMBERS[name]), X)["label"].dtype == expected


@pytest.mark.parametrize("classes", [*TIMES, "no Unicode"])
def test_onnx_refuses_labels_that_it_has_not(classes):
    """An error from inside onnx says nothing of y."""
    pytest.importorskip("onnx")
    model = fit({**TIMES, "no Unicode": np.array(["a\ud800", "b", "c"])}[classes])
    with pytest.raises(ValueError, match="classes_ must be whole numbers, floats or strings"):
        model.to_onnx()


def test_onnx_names_the_batch_axis(run):
    """`unk__0`: runtimes and tools set the batch's size by its name (pytorch #148629)."""
    models = [fit(np.arange(3)), fit(np.arange(2)), fit(["a"])]
    models += [MLPClassifier(max_iter=2, backend="numpy").fit(X, X[:, :2] > 0)]
    models += [MLPRegressor(max_iter=2, backend="numpy").fit(X, X[:, 0])]
    for model in models:
        graph = model.to_onnx().graph
        for value in (*graph.input, *graph.output):
            assert value.type.tensor_type.shape.dim[0].dim_param == "batch"
        for rows in (X[:0], X[:1], X):
            assert {len(array) for array in run(model, rows).values()} == {len(rows)}
