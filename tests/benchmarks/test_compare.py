import json
import subprocess

import pytest
from click.testing import CliRunner

pytest.importorskip("asv")

from asv.results import Results
from asv.runner import BenchmarkResult

from benchmarks import compare

FAST, SLOW, GONE = (f"{name}-64-100x1-sgd-float32-uint8-1" for name in ("numba", "numpy", "old"))


@pytest.fixture
def project(tmp_path):
    """A repository of three commits and a configuration of asv; nothing has been measured."""
    configuration = {"version": 1, "project": "p", "repo": ".", "branches": ["HEAD"]}
    (tmp_path / "asv.conf.json").write_text(json.dumps(configuration))
    git(tmp_path, "init", "-q")
    for name in ("first", "second", "third"):
        git(tmp_path, "-c", "user.name=n", "-c", "user.email=e@e", "commit", "-q", "-m", name,
            "--allow-empty")  # fmt: skip
    return tmp_path


def git(folder, *arguments):
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def measure(project, commit, values, machine="bench", environment="env"):
    """Save results as asv does: a value for each label, by benchmark."""
    folder = project / "results" / machine
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "machine.json").write_text(json.dumps({"machine": machine, "version": 1}))
    commit_hash = git(project, "rev-parse", commit)
    results = Results({"machine": machine}, {}, commit_hash, 0, "3", environment, {})
    for name, by_label in values.items():
        benchmark = {"name": name, "version": "1", "params": [[repr(label) for label in by_label]]}
        nothing = [None] * len(by_label)
        result = BenchmarkResult(list(by_label.values()), nothing, nothing, 0, "", None)
        results.add_result(benchmark, result)
    results.save(str(project / "results"))


def run(project, *arguments):
    config = str(project / "asv.conf.json")
    return CliRunner().invoke(compare.main, [*arguments, "--config", config])


BEFORE = {
    compare.SECONDS: {FAST: 1e-3, SLOW: 0.25, GONE: 0.5},
    compare.LOSS: {FAST: 1.75, SLOW: 1.75},
}
AFTER = {
    compare.SECONDS: {FAST: 5e-4, SLOW: 0.5},
    compare.LOSS: {FAST: 1.5, SLOW: 1.75},
    compare.DEVIATION: {FAST: 3e-9, SLOW: float("nan")},
}


def test_table_shows_iterations_per_second_loss_and_deviation(project):
    measure(project, "HEAD~1", BEFORE)
    measure(project, "HEAD", AFTER)
    outcome = run(project, "HEAD~1", "HEAD")
    assert outcome.exit_code == 0, outcome.output
    lines = {line.split()[0]: line.split()[1:] for line in outcome.output.splitlines() if line}
    assert lines[FAST] == ["1,000", "2,000", "2.00", "1.75", "1.5", "3.0e-09"]
    assert lines[SLOW] == ["4", "2", "0.50", "1.75", "1.75"]
    assert lines[GONE] == ["2"]


def test_failed_cell_is_as_one_that_was_not_run(project):
    measure(project, "HEAD~1", BEFORE)
    measure(project, "HEAD", AFTER | {compare.SECONDS: {FAST: 5e-4, SLOW: None}})
    lines = run(project, "HEAD~1", "HEAD").output.splitlines()
    (line,) = [line for line in lines if line.startswith(SLOW)]
    assert line.split()[1:] == ["4", "1.75", "1.75"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["HEAD~2", "HEAD"], "HEAD~2 must have been measured; there are no results of "),
        (["HEAD", "HEAD~2"], "--bench fits "),
        (["nowhere", "HEAD"], "git knows no 'nowhere'"),
        (["HEAD~1", "HEAD", "--machine", "other"], "one that has results, bench; got 'other'"),
    ],
)
def test_what_cannot_be_compared_is_told_in_a_line(project, arguments, message):
    measure(project, "HEAD~1", BEFORE)
    measure(project, "HEAD", AFTER)
    outcome = run(project, *arguments)
    assert outcome.exit_code == 1
    assert message in outcome.output
    assert outcome.output.count("\n") == 1


def test_results_must_be_there(project):
    outcome = run(project, "HEAD~1", "HEAD")
    assert outcome.exit_code == 1
    assert "must hold results; it holds none. Run: asv run" in outcome.output


def test_machine_must_be_named_where_there_are_several(project):
    for machine in ("bench", "laptop"):
        measure(project, "HEAD~1", BEFORE, machine)
        measure(project, "HEAD", AFTER, machine)
    assert "bench, laptop; got None" in run(project, "HEAD~1", "HEAD").output
    assert run(project, "HEAD~1", "HEAD", "--machine", "laptop").exit_code == 0


def test_commits_must_have_been_measured_in_one_environment(project):
    measure(project, "HEAD~1", BEFORE, environment="py3.11")
    measure(project, "HEAD", AFTER, environment="py3.12")
    outcome = run(project, "HEAD~1", "HEAD")
    assert outcome.exit_code == 1
    assert "the first was in py3.11, the second in py3.12" in outcome.output
