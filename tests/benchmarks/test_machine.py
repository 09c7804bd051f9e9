import json
import sys

import pytest
from click.testing import CliRunner

from benchmarks import machine

FACTS = {"cpu_features", "blas", "cores", "clock_source"}


def test_describe_says_what_makes_a_machine_fast():
    described = machine.describe()
    assert described.keys() >= {"processor", "cpu_features", "cores", "clock_source", "blas"}
    assert set(described["cpu_features"].split()) <= set(machine.FEATURES)
    assert described["cores"] >= 1
    assert described["versions"]["numpy"] != "not installed"


def test_clock_source_is_not_known_where_the_system_does_not_say(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CLOCK_SOURCE", tmp_path / "current")
    assert machine.describe()["clock_source"] == "not known"
    (tmp_path / "current").write_text("tsc\n")
    assert machine.describe()["clock_source"] == "tsc"


def test_sgemm_peak_is_a_speed():
    assert machine.sgemm_peak(1, size=64, calls=2) > 1e6


@pytest.fixture
def machines(tmp_path, monkeypatch):
    """The file in which asv keeps what it knows of machines; there is none yet."""
    pytest.importorskip("asv")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / ".asv-machine.json"


def test_facts_are_told_to_asv(machines):
    outcome = CliRunner().invoke(machine.main, ["--name", "bench"])
    assert outcome.exit_code == 0, outcome.output
    assert "asv run --machine bench" in outcome.output
    known = json.loads(machines.read_text())["bench"]
    assert known["machine"] == "bench"
    assert known.keys() >= FACTS | {"os", "arch", "cpu", "num_cpu", "ram"}
    assert all(isinstance(value, str) for value in known.values())


def test_what_asv_knows_already_is_kept_and_the_facts_are_renewed(machines):
    machines.write_text(json.dumps({"version": 1, "bench": {
        "machine": "bench", "cpu": "by hand", "clock_source": "sundial",
    }}))  # fmt: skip
    known = machine.register("bench")
    assert known["cpu"] == "by hand"
    assert known["clock_source"] != "sundial"
    assert json.loads(machines.read_text())["bench"] == known


def test_asv_keeps_the_facts_beside_the_results(machines, tmp_path):
    from asv.machine import Machine

    machine.register("bench")
    Machine.load(machine_name="bench").save(str(tmp_path / "results"))
    kept = json.loads((tmp_path / "results" / "bench" / "machine.json").read_text())
    assert kept.keys() >= FACTS


def test_asv_must_be_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "asv", None)
    monkeypatch.setitem(sys.modules, "asv.machine", None)
    outcome = CliRunner().invoke(machine.main)
    assert outcome.exit_code == 1
    assert 'pip install -e ".[bench]"' in outcome.output
