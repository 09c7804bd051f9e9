import pytest
from click.testing import CliRunner

from benchmarks.instructions import __main__ as command
from benchmarks.instructions import callgrind, record
from benchmarks.instructions.callgrind import CannotCount, count, environment, read_dump
from benchmarks.instructions.record import compare, differences, sum_up, table

DUMP = """# callgrind format
version: 1
creator: callgrind-3.19.0
cmd:  python -m benchmarks.instructions.counted
part: 1

desc: Timerange: Basic block 0 - 1058109
desc: Trigger: Client Request: dense: SGD, batch 64

positions: line
events: Ir
summary: 0


ob=/usr/lib/libc.so.6
fl=string/strchr.S
fn=strchr
55 20
56 3

ob=???
fl=???
fn=0x4000
0 700
cob=/usr/lib/libm.so.6
cfi=math/log.c
cfn=log
calls=4 50
0 160
0 5

fn=0x5000
0 1000

ob=/usr/lib/libm.so.6
fl=math/log.c
fn=log
50 160

totals: 1888
"""

VERSIONS = {
    "python": "3.11.7", "numba": "0.68.0", "llvmlite": "0.48.0", "numpy": "2.4.6",
    "valgrind": "3.19.0",
}  # fmt: skip

TINY = """
from functools import partial
from benchmarks.instructions.table.workloads import packing

def lacking():
    raise AttributeError("not in this version")

WORKLOADS = {"256": partial(packing, 256), "lacking": lacking, "512": partial(packing, 512)}
"""


@pytest.fixture
def counting_is_possible(tmp_path):
    try:
        callgrind.require_machine()
        callgrind.compile_requests(tmp_path)
    except CannotCount as error:
        pytest.skip(str(error))


@pytest.fixture
def run(monkeypatch):
    """Run the command on a record of `before` where `now` would be counted."""

    def run(before, now, *arguments, **versions):
        content = {"versions": VERSIONS, "instructions": before}
        monkeypatch.setattr(command, "require_machine", lambda: None)
        monkeypatch.setattr(record, "read", lambda: content)
        monkeypatch.setattr(record, "versions", lambda: VERSIONS | versions)
        monkeypatch.setattr(command, "count", lambda **_: now)
        return CliRunner().invoke(command.main, arguments)

    return run


def test_what_lies_in_no_file_is_counted_and_what_it_calls_is_not():
    assert read_dump(DUMP) == ("dense: SGD, batch 64", 1705)


def test_a_dump_that_does_not_add_up_is_refused():
    with pytest.raises(CannotCount, match=r"got 1888 and \['1889'\]"):
        read_dump(DUMP.replace("totals: 1888", "totals: 1889"))


def test_the_table_shows_counts_and_changes():
    lines = table(compare({"a": 1000, "b": 5}, {"a": 1015}), "recorded").splitlines()
    assert lines[1].split() == ["a", "1,000", "1,015", "+1.50", "%"]
    assert lines[2].split() == ["b", "5", "-", "-"]


def test_only_what_grew_fails():
    before = {"grew": 1000, "shrank": 1000, "stayed": 1000, "gone": 1000}
    now = {"grew": 1011, "shrank": 989, "stayed": 1010, "new": 1000}
    sentences, failed = sum_up(compare(before, now), "recorded")
    assert failed
    assert sentences == [
        "More than 1 % above recorded: grew.",
        "More than 1 % below recorded: shrank.",
        "Counted once only, recorded or now: new; gone.",
    ]
    assert sum_up(compare({"shrank": 1000}, {"shrank": 900}), "recorded")[1] is False


@pytest.mark.parametrize(("now", "status"), [(1000, 0), (990, 0), (900, 0), (1010, 0), (1011, 1)])
def test_check_ends_with_status_1_where_more_is_executed(run, now, status):
    result = run({"a": 1000}, {"a": now}, "--check")
    assert result.exit_code == status
    assert ("All within 1 %" in result.output) == (990 <= now <= 1010)
    assert ("Is that meant? python -m" in result.output) == (not 990 <= now <= 1010)


def test_check_compares_nothing_where_other_code_is_compiled(run):
    result = run({"a": 1000}, {"a": 2000}, "--check", numba="0.69.0")
    assert result.exit_code == 0
    assert result.output.startswith("not comparable: numba is 0.69.0, was 0.68.0.")


def test_the_smallest_part_of_a_version_of_python_changes_nothing():
    assert differences(VERSIONS, VERSIONS | {"python": "3.11.9", "numpy": "2.5.0"}) == ""
    assert differences(VERSIONS, VERSIONS | {"python": "3.12.0"}) == "python is 3.12, was 3.11"


def test_two_comparisons_at_once_are_refused(run):
    result = run({}, {}, "--check", "--update")
    assert result.exit_code == 2
    assert "one of --update, --check and --against" in result.output


def test_a_missing_tool_is_named_in_one_line(monkeypatch):
    monkeypatch.setattr(callgrind.platform, "system", lambda: "Linux")
    monkeypatch.setattr(callgrind.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(callgrind.Path, "read_text", lambda path: "flags: avx2 fma")
    monkeypatch.setattr(callgrind.shutil, "which", lambda tool: None)
    result = CliRunner().invoke(command.main, [])
    assert result.exit_code == 2
    assert result.output == "Error: valgrind must be on the PATH; it is not. Install valgrind.\n"


def test_an_unknown_revision_is_refused(tmp_path):
    with pytest.raises(CannotCount, match="must be"):
        callgrind.extract("no-such-revision", tmp_path)
    assert not any(tmp_path.iterdir())


def test_the_record_is_written_and_read(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "versions", lambda: VERSIONS)
    record.write({"a": 1000}, tmp_path / "published" / "record.json")
    content = record.read(tmp_path / "published" / "record.json")
    assert content["instructions"] == {"a": 1000}
    assert content["versions"] == VERSIONS
    with pytest.raises(CannotCount, match="must be a record"):
        record.read(tmp_path / "none.json")


def test_every_workload_is_recorded():
    from benchmarks.instructions.table.workloads import WORKLOADS

    assert list(record.read()["instructions"]) == list(WORKLOADS)


def test_the_processor_is_pinned_and_kernels_are_compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    variables = environment(tmp_path, tmp_path / "cache")
    assert "NUMBA_DISABLE_JIT" not in variables
    assert variables["NUMBA_CPU_NAME"] == "haswell"
    assert variables["PYTHONPATH"].startswith(str(tmp_path))


@pytest.mark.usefixtures("counting_is_possible")
def test_twice_the_samples_count_twice_and_the_same_each_time(tmp_path, monkeypatch, capfd):
    (tmp_path / "tiny.py").write_text(TINY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    counts = count(table="tiny", may_lack=True)
    assert list(counts) == ["256", "512"]
    assert counts["512"] / counts["256"] == pytest.approx(2, rel=0.01)
    assert "not counted: lacking (AttributeError: not in this version)" in capfd.readouterr().err
    assert count(table="tiny", may_lack=True) == counts
    with pytest.raises(CannotCount, match="not in this version"):
        count(table="tiny")
