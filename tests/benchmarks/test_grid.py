import itertools
from collections import Counter

import numpy as np
import pytest

import fastmlp
from benchmarks import common, fits, grid
from tests.tolerances import TOLERANCES

SAMPLE = [
    "1-32x3-adam-float64-CSR-1",
    "1-100x2-momentum-float32-CSR-1",
    "1-512x2-sgd-float32-uint8-best",
    "64-32x2-momentum-float64-uint8-best",
    "64-100x1-sgd-float32-dense-1",
    "64-512x3-adam-float64-CSR-best",
    "256-32x1-sgd-float64-CSR-best",
    "256-32x3-momentum-float32-dense-1",
    "256-100x3-adam-float64-uint8-1",
    "1024-100x1-sgd-float32-uint8-best",
    "1024-512x1-momentum-float32-dense-1",
    "1024-512x2-adam-float64-dense-best",
]
"""As long as the levels are these: results of years must compare."""


@pytest.fixture(scope="module")
def data():
    return common.make_data()


def test_sample_holds_every_level_of_an_axis_equally_often():
    for position, levels in enumerate(grid.AXES.values()):
        counts = Counter(shape[position] for shape in grid.sample())
        assert counts == dict.fromkeys(levels, grid.SAMPLE_SIZE // len(levels))


def test_sample_holds_almost_every_pair_of_levels():
    axes = range(len(grid.AXES))
    pairs = {
        (i, shape[i], j, shape[j])
        for shape in grid.sample()
        for i, j in itertools.combinations(axes, 2)
    }
    assert len(pairs) == 160


def test_sample_stays_the_same():
    assert {shape.label for shape in grid.sample()} == set(SAMPLE)


def test_another_level_leaves_the_other_axes_as_they_are(monkeypatch):
    before = grid.sample()
    monkeypatch.setitem(grid.AXES, "width", (*grid.AXES["width"], 2048))
    after = grid.sample()
    assert {shape.width for shape in after} == {32, 100, 512, 2048}
    assert [shape._replace(width=0) for shape in after] == [
        shape._replace(width=0) for shape in before
    ]


def test_article_is_always_run():
    article = {
        f"{backend}-{batch_size}-100x1-sgd-float32-uint8-{n_threads}"
        for backend in ("numba", "numpy")
        for batch_size in (1, 64)
        for n_threads in (1, "best")
    }
    for name in grid.GRIDS:
        assert article <= {cell.label for cell in grid.cells(name)}


def test_full_grid_is_every_combination_that_makes_sense():
    shapes = [grid.Shape(*levels) for levels in itertools.product(*grid.AXES.values())]
    expected = {
        grid.Cell(backend, shape)
        for backend, shape in itertools.product(grid.BACKENDS, shapes)
        if backend != "reference" or shape.n_threads == 1
    }
    actual = set(grid.cells("full"))
    assert expected <= actual
    assert {cell.shape.form for cell in actual - expected} == {"wide"}
    assert (
        set(grid.cells("smoke")) <= set(grid.cells("fixed")) <= set(grid.cells("sample")) <= actual
    )


def test_labels_are_distinct_and_can_be_read():
    cells = grid.cells("full")
    labels = [cell.label for cell in cells]
    assert len(set(labels)) == len(labels)
    assert list(map(grid.parse, labels)) == cells


def test_backends_of_a_shape_are_beside_each_other():
    for name in grid.GRIDS:
        runs = [shape for shape, _ in itertools.groupby(grid.cells(name), lambda cell: cell.shape)]
        assert len(runs) == len(set(runs))


def test_grid_is_chosen_by_the_environment(monkeypatch):
    monkeypatch.delenv(grid.VARIABLE, raising=False)
    assert grid.chosen_labels() == [cell.label for cell in grid.cells("sample")]
    monkeypatch.setenv(grid.VARIABLE, "smoke")
    assert grid.chosen_labels() == [cell.label for cell in grid.cells("smoke")]
    monkeypatch.setenv(grid.VARIABLE, "ful")
    message = "FASTMLP_BENCHMARK_GRID must be one of 'smoke', 'fixed', 'sample', 'full'; got 'ful'"
    with pytest.raises(SystemExit, match=message):
        grid.chosen_labels()


def test_forms_hold_the_same_images(data):
    shapes = {form: grid.Shape(1, 32, 1, "sgd", "float64", form, 1) for form in common.FORMS}
    forms = {form: common.training_set(data, shape, 500) for form, shape in shapes.items()}
    dense, pixels, sparse = (forms[form][0] for form in ("dense", "uint8", "CSR"))
    assert pixels.dtype == np.uint8
    assert (dense > 0).all()
    assert 0.15 < sparse.nnz / sparse.shape[0] / sparse.shape[1] < 0.25
    np.testing.assert_array_equal(sparse.toarray(), pixels / 255)
    np.testing.assert_allclose(dense - dense[:, :1], (pixels - pixels[:, :1].astype(float)) / 256)
    assert all((y == forms["uint8"][1]).all() for form, (_, y) in forms.items() if form != "wide")
    assert forms["wide"][0].shape == (500, 10_000)


def test_samples_are_whole_batches_and_fit_the_data():
    for cell in grid.cells("full"):
        for amount in (*common.TIMED.values(), common.COMPARED):
            n_samples = common.count_samples(cell.shape, amount, fewest_batches=2)
            assert n_samples % cell.shape.batch_size == 0
            assert 2 * cell.shape.batch_size <= n_samples <= common.N_TRAIN


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_cell_learns_what_the_reference_learns(backend, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    label = f"{backend}-64-100x1-sgd-float32-uint8-1"
    learning = fits.Learning()
    learning.setup(data, label)
    deviation = learning.track_deviation(data, label)
    assert 0 <= deviation <= TOLERANCES["loss curve", "float32"].relative
    assert 0 < learning.track_loss(data, label) < np.log(common.N_CLASSES)
    assert common.NOISE / 2 < learning.track_error_rate(data, label) < 0.8
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {f"{label}.json", "reference-64-100x1-sgd-float32-uint8-1.json"}


def test_what_has_been_learned_is_not_learned_again(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    label = "numpy-64-32x1-sgd-float32-uint8-1"
    (tmp_path / f"{label}.json").write_text('{"loss": [2.0, 1.5], "error_rate": 0.25}')
    learning = fits.Learning()
    learning.setup(data, label)
    assert learning.track_loss(data, label) == 1.5
    assert learning.track_error_rate(data, label) == 0.25


def test_seconds_an_iteration_are_an_epoch_by_its_updates(data, monkeypatch):
    label = "numpy-256-32x1-sgd-float32-uint8-1"
    fit = fits.Fit()
    fit.setup(data, label)
    result = fastmlp.train(fit.X, fit.y, epochs=1, **fit.arguments)
    result.history.seconds[:] = [0.5, 0.25, 0.75]
    monkeypatch.setattr(fastmlp, "train", lambda *args, **kwargs: result)
    assert fit.n_samples == 2048
    assert fit.track_seconds_an_iteration(data, label) == 0.25 / 8


@pytest.mark.parametrize("error", [TypeError("unexpected argument"), ValueError("unknown solver")])
def test_what_a_version_cannot_do_does_not_apply(error, data, tmp_path, monkeypatch):
    def refuse(X, y, **arguments):
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fastmlp, "train", refuse)
    for benchmark in (fits.Fit(), fits.Learning()):
        with pytest.raises(NotImplementedError, match=str(error)):
            benchmark.setup(data, "numpy-64-32x1-adam-float32-uint8-1")
