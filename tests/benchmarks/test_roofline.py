"""The roofline: models counted by hand, kernels that are right before they are timed, the table."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.page.__main__ import read_results
from benchmarks.roofline import __main__ as command
from benchmarks.roofline import measuring, report, table, work
from benchmarks.roofline.cases import Case
from benchmarks.roofline.peaks import cache_sizes, level_of, timed_peaks
from benchmarks.roofline.picture import free_place
from benchmarks.roofline.timing import Timed
from benchmarks.roofline.work import EXP, SIGMOID, Work
from tests.kernels.calling import of_compiled_code

LEVELS = {
    "L1": {"size": 100, "read": 200.0, "update": 400.0},
    "memory": {"size": None, "read": 10.0, "update": 20.0},
}
PEAKS = {"fma": 1000.0, "sgemm": {"1": 900.0, "2": 1800.0}, "levels": LEVELS}


@pytest.fixture(scope="module")
def cases():
    return measuring.make_cases(measuring.N_QUICK_SAMPLES)


@pytest.fixture(scope="module")
def result(cases):
    return measuring.measure_cases(cases, quick=True)


def case_of(done, footprint=80, check=None, **more):
    return Case("a kernel", "a.kernel", "a shape", done, footprint, None, check, **more)


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        # A of 2 x 3, B of 3 x 5: 6 + 15 numbers read, 10 written; 10 sums of 3 products.
        (work.product(2, 3, 5), Work(84, 40, 60)),
        # 4 nonzero bytes in 2 rows, 3 units: each a byte, an index and 3 floats.
        (work.sparse_product(4, 2, 3, 1), Work(4 * 17, 24, 24)),
        # The same rows written back; the deltas are 2 x 3.
        (work.sparse_update(4, 2, 3, 1), Work(4 * 17 + 24, 48, 24)),
        # 2 x 3 units, 3 biases.
        (work.logistic(2, 3), Work(36, 24, 6 * (2 + SIGMOID))),
        (work.logistic_slope(2, 3), Work(24, 0, 18)),
        (work.softmax_cross_entropy(2, 3), Work(24, 24, 6 * (4 + EXP) + 8)),
        (work.sgd(5), Work(20, 20, 10)),
        (work.adam(5), Work(60, 60, 60)),
        # Two steps of 6 operations, and 3.
        (work.adam_catch_up(5, 2), Work(60, 60, 75)),
        (work.gather(2, 3), Work(6, 0, 12)),
        (work.count(6), Work(6, 0, 12)),
        # 2 of 6 bytes are copied, each with an index.
        (work.pack(6, 2), Work(6, 10, 12)),
        # 1 row of 4 inputs, 2 of them not 0, 3 units, 5 classes.
        (
            work.few_rows(1, 4, 2, 3, 5),
            Work(16 + 24 + 24 + 72 + 20, 12 + 20 + 20, 12 + 12 + 3 * (2 + SIGMOID) + 30
                 + 5 * (4 + EXP) + 4),
        ),
    ],
)  # fmt: skip
def test_models_agree_with_counts_by_hand(counted, expected):
    assert counted == expected
    assert counted.bytes == expected.read + expected.written


def test_work_adds_up():
    assert Work(1, 2, 3) + Work(10, 20, 30) == Work(11, 22, 33)
    assert Work(1, 2, 3).times(4) == Work(4, 8, 12)


@pytest.mark.parametrize(
    ("case", "bound", "attainable", "share"),
    [
        # 5 operations a byte: 64 / 200 s of reading, 320 / 1000 s of arithmetic.
        (case_of(Work(64, 0, 319)), "L1", 319 / 0.32, 0.16),
        (case_of(Work(64, 0, 640)), "arithmetic", 1000, 0.32),
        # Half is written, and it does not fit into the cache.
        (case_of(Work(100, 100, 100), 101), "memory", 10, 5),
        # Two threads have two caches, but one memory.
        (case_of(Work(64, 0, 319), threads=2), "L1", 319 / 0.16, 0.08),
        (case_of(Work(100, 100, 100), 101, threads=2), "memory", 10, 5),
        # Nothing but moving.
        (case_of(Work(100, 0, 0)), "L1", 0, 0.25),
    ],
)
def test_share_is_that_of_the_lower_roof(case, bound, attainable, share):
    row = report.row_of(case, 2.0, PEAKS)
    assert row["bound_by"] == bound
    assert row["attainable_flops_per_second"] == pytest.approx(attainable)
    assert row["share"] == pytest.approx(share)


def test_the_nearest_level_that_holds_it_counts():
    assert [level_of(n, LEVELS) for n in (1, 100, 101)] == ["L1", "L1", "memory"]
    sizes = list(cache_sizes().values())
    assert sizes == sorted(sizes)
    assert sizes[0] >= 4096


@of_compiled_code
def test_every_kernel_gives_what_numpy_gives(cases):
    assert len({case.kernel for case in cases}) == len(cases)
    for case in cases:
        measuring.verify(case)


def test_a_wrong_kernel_is_not_timed():
    wrong = case_of(Work(1, 0, 1), check=lambda: (np.array([1.0, 2.001]), np.array([1.0, 2.0])))
    with pytest.raises(RuntimeError, match="a kernel must give what NumPy gives"):
        measuring.measure_cases([wrong], quick=True)
    nothing = case_of(Work(1, 0, 1), check=lambda: (np.array([np.nan]), np.array([1.0])))
    with pytest.raises(RuntimeError, match=r"a\.kernel"):
        measuring.verify(nothing)


@of_compiled_code
def test_peaks_and_times_are_numbers(result, cases):
    peaks = result["peaks"]
    rates = [level[kind] for level in peaks["levels"].values() for kind in ("read", "update")]
    rates += [peaks["fma"], *peaks["sgemm"].values()]
    for row, case in zip(result["kernels"], cases, strict=True):
        assert (row["kernel"], row["flops"]) == (case.kernel, case.work.flops)
        rates += [row["seconds"], row["share"], row["intensity"]]
    assert all(math.isfinite(rate) and rate > 0 for rate in rates)


@of_compiled_code
def test_more_turns_of_a_peak_take_longer():
    """Were a loop folded, a thousand turns would take as long as one."""
    timed = timed_peaks(quick=True)
    for name in (("L1", "read"), ("L1", "update"), ("registers", "fma")):
        one, many = timed[name], Timed(timed[name].run)
        many.n_calls = 1000
        for _ in range(3):
            one.repeat()
            many.repeat()
        assert many.seconds * many.n_calls > 20 * one.seconds


@of_compiled_code
def test_json_table_and_picture_hold_every_kernel(result, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "measure", lambda quick: result)
    paths = tmp_path / "roofline.json", tmp_path / "roofline.svg"
    options = ["--quick", "--json", str(paths[0]), "--plot", str(paths[1])]
    done = CliRunner().invoke(command.main, options, catch_exceptions=False)
    assert done.exit_code == 0
    again = json.loads(paths[0].read_text())
    assert again == result
    lines = table(again).splitlines()
    assert lines == table(result).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    for row, line in zip(again["kernels"], lines[2:], strict=True):
        assert line.startswith(f"| {row['kernel']} | {row['shape']} |")
        assert line in done.output
        drawn = f"<!-- {row['kernel']} {row['share']:.0%} -->" in paths[1].read_text()
        assert drawn == (row["threads"] == 1)


def test_published_notes_are_the_cases_own(cases):
    assert {row["kernel"]: row["note"] for row in read_results()["roofline"]["kernels"]} == {
        case.kernel: case.note for case in cases
    }


def test_labels_do_not_overlap():
    from matplotlib.transforms import Bbox

    room, size, taken = Bbox([[0, 0], [400, 300]]), np.array([60.0, 10.0]), []
    for _ in range(12):  # all at one point
        centre = free_place(np.array([200.0, 150.0]), size, taken, room)
        box = Bbox([centre - size / 2, centre + size / 2])
        assert box.count_overlaps(taken) == 0
        taken.append(box)


def test_plain_python_is_not_timed(monkeypatch):
    monkeypatch.setattr(measuring, "disabled", lambda: True)
    done = CliRunner().invoke(command.main, ["--quick"])
    assert done.exit_code == 1
    assert done.output.startswith("Error: kernels must be compiled to be timed")


def test_numbers_are_written_with_units():
    assert report.scaled(1.234e-6, report.TIMES) == "1.23 us"
    assert report.scaled(0.75, report.TIMES) == "750 ms"
    assert report.scaled(1536, report.SIZES) == "1.54 kB"
    assert report.scaled(12, report.COUNTS) == "12"
