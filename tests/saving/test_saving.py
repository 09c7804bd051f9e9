"""What is saved comes back; what is broken is told; a kill leaves the old file whole."""

import contextlib
import json
import signal
import subprocess
import sys
import textwrap
import time
import warnings

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.activations import ACTIVATIONS
from fastmlp.saving import encoding

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 5))
LABELS = {
    "numbers": np.arange(60) % 3,
    "two": np.arange(60) % 2 > 0,
    "words": np.array(["ä", "b", "c"])[np.arange(60) % 3],
    "objects": np.array(["ä", "b", "c"], object)[np.arange(60) % 3],
    "multilabel": (X[:, :3] > 0).astype(int),
}


def classifier(labels="numbers", **arguments):
    """Fit a small classifier."""
    settings = {"random_state": 0, "max_iter": 4, "backend": "numpy"}
    settings["hidden_layer_sizes"] = (6,)
    return MLPClassifier(**{**settings, **arguments}).fit(X, LABELS[labels])


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.booleans(), inner)
    ),
)


def same(one, other):
    """Compare, with NaN equal to itself and every type told apart."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    return one == other or (one != one and other != other)


@given(VALUES)
def test_settings_come_back(value):
    text = json.dumps(encoding.encode(value, "it"))
    assert same(encoding.decode(json.loads(text)), value)


@pytest.mark.parametrize(
    "array",
    [
        np.array([True, False]), np.arange(4, dtype=np.int8).reshape(2, 2), np.array(["a", "é"]),
        np.array([1.5, np.nan, np.inf], np.float32), np.array(["2026-01-01"], "M8[D]"),
        np.array(["a", 1], object), np.zeros((0, 3)),
    ],
    ids=lambda array: str(array.dtype),
)  # fmt: skip
def test_arrays_come_back(array):
    back = encoding.decode(json.loads(json.dumps(encoding.encode(array, "it"))))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_classifier_comes_back_and_goes_on(labels, dtype, tmp_path):
    arguments = {"activation": ["gelu"], "dropout": (0.1,), "dtype": dtype}
    model = classifier(labels, **arguments)
    model.save(tmp_path / "model")
    loaded = fastmlp.load(tmp_path / "model")
    assert loaded.get_params() == model.get_params()
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.loss_curve_ == model.loss_curve_
    for one in (model, loaded):
        one.set_params(dropout=0.0).partial_fit(X, LABELS[labels])
    np.testing.assert_array_equal(loaded.coefs_[0], model.coefs_[0])


def test_a_regressor_and_its_names_come_back(tmp_path):
    import pandas as pd

    frame = pd.DataFrame(X, columns=list("abcde"))
    model = MLPRegressor("huber", max_iter=3, random_state=0, backend="numpy").fit(frame, X[:, 0])
    model.save(tmp_path / "model")
    loaded = fastmlp.load(tmp_path / "model")
    assert loaded.feature_names_in_.tolist() == list("abcde")
    np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))


def test_what_cannot_be_saved_is_named_and_the_old_file_stays(tmp_path):
    path = tmp_path / "model"
    model = classifier()
    model.save(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="scoring must be made of None"):
        model.set_params(scoring=lambda *_: 0).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_broken_files_are_told(tmp_path):
    path = tmp_path / "model"
    classifier().save(path)
    content = path.read_bytes()
    for length in range(0, len(content), 50):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="must be a file saved by fastmlp"):
            fastmlp.load(path)
    with pytest.raises(FileNotFoundError):
        fastmlp.load(tmp_path / "none")


def test_a_flipped_byte_does_no_worse_than_another_number(tmp_path):
    path = tmp_path / "model"
    classifier().save(path)
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), 37):
        content[place] ^= 0x15
        path.write_bytes(content)
        with contextlib.suppress(ValueError):
            fastmlp.load(path)
        content[place] ^= 0x15


def header(path):
    """Read the header of a file."""
    with safetensors.safe_open(path, "numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return json.loads(file.metadata()["fastmlp"]), tensors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, t: h.update(version=99), "version 99"),
        (lambda h, t: h.update(version="1"), "without a version"),
        (lambda h, t: h.update(activations=["swish"]), "swish"),
        (lambda h, t: h.update(output="eval"), "eval"),
        (lambda h, t: h.pop("settings"), "incomplete header"),
        (lambda h, t: h.update(kind="os.system"), "unknown kind"),
        (lambda h, t: h["settings"].update(surprise=1), "surprise"),
        (lambda h, t: h["settings"].update(alpha={"!": "code"}), "unknown kind, 'code'"),
        (lambda h, t: t.pop("coefs.1"), "no tensor 'coefs.1'"),
        (lambda h, t: t.update({"coefs.1": np.zeros((4, 3))}), "layers of shapes"),
        (lambda h, t: t.update({"intercepts.0": np.zeros(2)}), "biases of"),
        (lambda h, t: t.update({"arrays.state": np.zeros((2, 2))}), "solver's state"),
    ],
)
def test_a_tampered_file_is_told(change, message, tmp_path):
    path = tmp_path / "model"
    classifier().save(path)
    head, tensors = header(path)
    change(head, tensors)
    path.write_bytes(safetensors.numpy.save(tensors, {"fastmlp": json.dumps(head)}))
    with pytest.raises(ValueError, match=message):
        fastmlp.load(path)


def test_another_programs_file_is_told(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(safetensors.numpy.save({"a": np.zeros(3)}))
    with pytest.raises(ValueError, match="no fastmlp header"):
        fastmlp.load(path)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_a_kill_in_the_middle_leaves_a_whole_file(tmp_path):
    path = tmp_path / "model"
    script = textwrap.dedent("""
        import sys, numpy as np
        from fastmlp.saving.content import Content
        from fastmlp.saving.file import write
        number = 0
        while True:
            number += 1
            weights = np.full((1000, 1000), float(number))
            write(Content("Model", [weights], [weights[0]], (), "identity"), sys.argv[1])
            print(number, flush=True)
    """)
    from fastmlp.saving.file import read

    for round_ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE
        ) as process:
            process.stdout.readline()
            time.sleep(0.013 * round_)
            process.kill()
        weights = read(path).coefs[0]
        assert (weights == weights[0, 0]).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_onnx_computes_the_same(activation):
    runtime = pytest.importorskip("onnxruntime")
    rows = X.astype(np.float32)
    for labels in LABELS:
        model = classifier(labels, activation=activation, dtype="float32")
        session = runtime.InferenceSession(model.to_onnx().SerializeToString())
        found, probabilities = session.run(None, {"X": rows})
        np.testing.assert_allclose(probabilities, model.predict_proba(rows), atol=1e-6)
        assert found.tolist() == model.predict(rows).tolist()
    for loss in ("squared_error", "poisson", "gaussian_nll"):
        model = MLPRegressor(loss, activation=activation, max_iter=3, backend="numpy")
        model.fit(rows, X[:, :2] ** 2)
        session = runtime.InferenceSession(model.to_onnx().SerializeToString())
        (values,) = session.run(None, {"X": rows})
        np.testing.assert_allclose(values, model.predict(rows), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_pytorch_computes_the_same_and_gives_weights_back(activation):
    torch = pytest.importorskip("torch")
    model = classifier(activation=activation, dtype="float64")
    module = model.to_torch()
    with torch.no_grad():
        probabilities = torch.softmax(module(torch.from_numpy(X)), 1).numpy()
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-12)
    other = classifier(activation=activation, random_state=1)
    other.load_state_dict(module.state_dict())
    np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    "state",
    [
        {"0.weight": np.zeros((6, 5))},
        {"0.weight": np.zeros((5, 6)), "0.bias": np.zeros(6)},
        {"layer.weight": np.zeros((6, 5))},
        {"0.running_mean": np.zeros(6)},
        {},
    ],
    ids=str,
)
def test_another_networks_state_dict_is_told(state):
    with pytest.raises(ValueError, match="state_dict must be"):
        classifier().load_state_dict(state)


def test_missing_packages_are_named(monkeypatch):
    model = classifier()
    for package, call in (("onnx", model.to_onnx), ("torch", model.to_torch)):
        monkeypatch.setitem(sys.modules, package, None)
        with warnings.catch_warnings(), pytest.raises(ImportError, match="pip install"):
            call()
