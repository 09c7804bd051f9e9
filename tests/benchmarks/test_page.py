"""BENCHMARKS.md and the README say what the published JSON says, and nothing else."""

import copy
import re

import pytest

from benchmarks.page import ROOT, tables
from benchmarks.page.__main__ import read_results
from benchmarks.page.markdown import BEGIN, END, competitors, page, readme
from benchmarks.page.pictures import draw_sweep
from benchmarks.peers import records
from benchmarks.peers.competitors import ALONE
from benchmarks.peers.rows import ROWS, ROWS_AVX2
from benchmarks.peers.sweeps import sweeps

README = (ROOT / "README.md").read_text()
MEASURED = re.compile(
    r"\d(\.\d+)?x\b|\d (s|ms|us|seconds?|minutes?|MB|GB|MiB)\b|\d (times|iterations|updates)\b"
)
"""What looks like a speed, a time or a size."""


@pytest.fixture(scope="module")
def results():
    return read_results()


def entry(group, *seconds, problem=None, loss=0.5):
    return {
        "label": group, "group": group, "n_threads": 1, "in_part": False, "seconds": list(seconds),
        "prepare_seconds": 0.1, "loss": loss, "accuracy": None, "epochs": 1, "problem": problem,
    }  # fmt: skip


@pytest.fixture
def row():
    """A row in which fastmlp takes 2 ms, NumPy 5, PyTorch 1, and JAX is wrong."""
    entries = [
        entry("fastmlp", 0.003, 0.002), entry("NumPy", 0.005), entry("PyTorch", 0.001, 0.004),
        entry("JAX", 0.0005, problem="its loss is 1, the median 0.5"),
    ]  # fmt: skip
    return {
        "name": "some", "title": "some work", "task": {"n_samples": 100, "epochs": 2},
        "targets": {"NumPy": 3, "PyTorch": 0.5, "JAX": 2}, "entries": entries, "date": "2026-01-01",
    }  # fmt: skip


def test_readme_says_what_the_json_says(results):
    assert readme(README, results) == README


def test_page_says_what_the_json_says(results):
    assert page(results) == (ROOT / "BENCHMARKS.md").read_text()


def test_page_and_readme_follow_the_json(results):
    changed = copy.deepcopy(results)
    for one in changed["peers"]["rows"]["batch64"]["entries"]:
        one["seconds"] = (
            [7 * seconds for seconds in one["seconds"]] if "NumPy" in one["label"] else [0.5]
        )
    assert page(changed) != page(results)
    assert readme(README, changed) != README


def test_readme_measures_nothing_outside_its_section():
    head, _, rest = README.partition(BEGIN)
    outside = head + rest.partition(END)[2]
    assert [match[0] for match in MEASURED.finditer(outside)] == []


@pytest.fixture(params=["peers", "avx2"])
def race(request, results):
    """What is published of a race, and the names that it has now."""
    rows = {"peers": ROWS, "avx2": ROWS_AVX2}[request.param]
    return list(results[request.param]["rows"]), [row.name for row in rows]


def test_every_sweep_is_published(results):
    n_cores = results["peers"]["machine"]["cores"]
    assert list(results["peers"]["sweeps"]) == [sweep.name for sweep in sweeps(n_cores)]


def test_every_published_row_is_one_of_the_race(race):
    published, names = race
    assert published == [name for name in names if name in published]


def test_every_row_of_the_race_is_published(race):
    published, names = race
    assert published == names


def test_every_picture_of_the_page_is_there():
    names = re.findall(r"\]\((benchmarks/published/[^)]+)\)", (ROOT / "BENCHMARKS.md").read_text())
    assert len(names) > 5
    for name in names:
        assert (ROOT / name).read_bytes().startswith(b"\x89PNG"), name


def test_every_published_file_is_of_one_machine(results):
    machines = [result["machine"]["processor"] for result in results.values()]
    assert len(set(machines)) == 1


def test_table_gives_ratios_to_the_best_times(row):
    table = tables.race_table([row])
    assert "| `some` | some work | 2 ms | 2.5x (3x) |  | 0.5x (0.5x) |  |" in table


def test_row_that_another_library_wins_is_told(row):
    content = {"rows": {"some": row}, "sweeps": {}}
    assert tables.losses(content) == ["some work (`some`): PyTorch takes 0.50x as long."]


def test_fastmlp_beside_its_one_thread_has_a_table_of_its_own(row, results):
    row = row | {"name": "two", "targets": {ALONE: 1.5}, "tolerance": 0.01}
    row["entries"] = [entry("fastmlp", 0.002), entry(ALONE, 0.0015)]
    content = results["peers"] | {"rows": results["peers"]["rows"] | {"two": row}}
    changed = results | {"peers": content}
    line = "| `two` | some work | 2 ms | 0.75x (1.5x) |\n"
    assert f"| row | work | fastmlp | {ALONE} |\n| --- | --- | ---: | ---: |\n" in page(changed)
    assert line in page(changed)
    assert readme(README, changed) == README
    assert tables.losses(content) == tables.losses(results["peers"])
    assert f"`two`: {ALONE} takes 0.75x as long, the goal is 1.5x." in page(changed)


def test_share_of_the_peak_is_told(row, results):
    row = row | {"peak_share": 0.35, "flops": 2e8, "tolerance": 0.01}
    content = {"rows": {"some": row}, "sweeps": {}, "machine": results["peers"]["machine"],
               "sgemm_flops_per_second": {"1": 1e11, "2": 2e11}}  # fmt: skip
    told = "fastmlp reaches {} of sgemm's peak on all threads, the goal is 35%: {}"
    assert told.format("50%", "reached") in competitors(results | {"avx2": content})
    row["flops"] = 1e8
    assert told.format("25%", "missed") in competitors(results | {"avx2": content})


def test_goal_that_was_missed_is_told(row):
    assert tables.missed_targets([row]) == ["`some`: NumPy takes 2.5x as long, the goal is 3x."]
    assert [records.verdict(row, group) for group in row["targets"]] == ["missed", "reached", "-"]


def test_costs_are_a_sample(row):
    sweep = {"name": "s", "title": "t", "axis": "rows", "measure": "cost",
             "points": [{"value": 100, "row": row}]}  # fmt: skip
    assert tables.sweep_table(sweep).splitlines()[-1] == (
        "| 100 | 10 us | 25 us (2.50x) | 5 us (0.50x) | missing |"
    )


@pytest.mark.parametrize("measure", ["cost", "loss"])
def test_sweep_is_drawn(measure, row, tmp_path):
    sweep = {"name": "s", "title": "t", "axis": "rows", "measure": measure,
             "points": [{"value": value, "row": row} for value in (1, 10)]}  # fmt: skip
    draw_sweep(sweep, tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").stat().st_size > 10_000


def test_readme_without_its_section_is_refused(results):
    with pytest.raises(ValueError, match=r"README\.md must have one section"):
        readme("nothing", results)


def test_results_of_another_machine_are_not_mixed(tmp_path):
    machine = {"processor": "A", "cores": 2, "python": "3.11", "versions": {"numpy": "2"}}
    path = tmp_path / "peers.json"
    assert records.read(path, machine) == {"rows": {}, "sweeps": {}}
    records.write(path, {"machine": machine, "rows": {"a": 1}, "sweeps": {}})
    assert records.read(path, machine)["rows"] == {"a": 1}
    with pytest.raises(ValueError, match=r"of the same processor as those that are in .* already"):
        records.read(path, machine | {"processor": "B"})


@pytest.mark.parametrize("content", ["", "{", "3", "[]", "{}", '{"rows": {}}'])
def test_file_that_is_not_of_the_race_is_kept_and_refused(content, tmp_path):
    path = tmp_path / "peers.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"must be a file of the race's results"):
        records.read(path, {})
    assert path.read_text() == content
