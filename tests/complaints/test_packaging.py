"""What is declared about versions, and what is published, holds for those who get it."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = DECLARED["project"]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"

OF_LIBRARY_AND_TESTS = PROJECT["dependencies"] + [
    one
    for extra in ("cli", "download", "plot", "parquet", "onnx", "test")
    for one in PROJECT["optional-dependencies"][extra]
    if not one.startswith("fastmlp[")
]
FLOORS = dict(re.match(r"([\w-]+)>=([\w.]+)", one).groups() for one in OF_LIBRARY_AND_TESTS)
LOWEST = tuple(map(int, PROJECT["requires-python"].removeprefix(">=").split(".")))
"""Of Python; later ones have no wheels of some lowest versions."""


def numbers(text):
    """Turn 1.20.3 into (1, 20, 3), and 2.0.0 into (2,): zeros at the end say nothing."""
    parts = [int(part) for part in text.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


# `pip install` with a constraint, or beside another package that holds a version back, took a
# version that is declared good and fails: MDAnalysis #2272, check-jsonschema #719.
@pytest.mark.parametrize(
    ("package", "failing"),
    [
        ("numba", "0.62.1"),  # no kernel compiles
        ("scipy", "1.12.0"),  # has no wheel that goes with NumPy 2
        ("click", "8.1.8"),  # its test runner mixes stdout and stderr
        ("pandas", "2.2.1"),  # was compiled for NumPy 1
        ("matplotlib", "3.8.3"),  # the same
        ("pyarrow", "15.0.2"),  # the same
    ],
)
def test_versions_that_fail_are_not_declared_good(package, failing):
    assert numbers(failing) < numbers(FLOORS[package])


# As above: a bound that no resolver can reach is one that nobody has tried.
@pytest.mark.skipif(
    (os.environ.get("FASTMLP_RESOLUTION"), sys.version_info[:2]) != ("lowest-direct", LOWEST),
    reason="the lowest versions are not what is installed",
)
def test_bounds_are_versions_that_can_be_installed_together():
    installed = {package: version(package) for package in FLOORS}
    assert {package: numbers(text) for package, text in installed.items()} == {
        package: numbers(floor) for package, floor in FLOORS.items()
    }


# The command line died at its import beside click 8.1 to 8.3: "type 'ParamType' is not
# subscriptable" (check-jsonschema #719; globus-cli #1260).
def test_command_line_starts_where_parameter_types_are_not_generic():
    code = (
        "import click; click.ParamType.__class_getitem__ = None\n"
        "from fastmlp.cli import main; main(['train', '--hidden-layer-sizes', '3,x'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "'3,x' is not a list of whole numbers" in done.stderr
    assert done.returncode == 2


# Which Pythons are supported was said in one place and tried in another.
@pytest.mark.skipif(not WORKFLOW.exists(), reason="a source distribution has no workflow")
def test_every_python_that_is_declared_is_tried():
    declared = re.findall(r":: Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    workflow = WORKFLOW.read_text()
    assert declared == json.loads(re.search(r"python-version: (\[.*\])", workflow)[1])
    assert declared[0] == PROJECT["requires-python"].removeprefix(">=")
    assert "3.14" in declared


# The sources on PyPI lacked a file that tests read, so that packagers could not run them
# (python-gitlab #907, wcwidth #98).
def test_source_distribution_has_what_tests_read():
    included = DECLARED["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    texts = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    read = set(re.findall(r'ROOT / "([\w.]+)', texts))
    always = {"pyproject.toml", "README.md", "LICENSE"}
    assert {"BENCHMARKS.md"} < read
    of_the_checkout = {name for name in read if name.startswith(".")}
    assert read - always - of_the_checkout <= set(included)


# Links of the README led nowhere on PyPI (seaborn #3899, pytype #239).
def test_readme_links_lead_somewhere_from_everywhere():
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\(([^)]*)\)|^\[[^\]]+\]: (.*)$", readme, flags=re.MULTILINE)
    here = PROJECT["urls"]["Repository"] + "/blob/main/"
    targets = [inline or below for inline, below in links]
    assert len(targets) >= 2
    for target in targets:
        assert target.startswith("https://")
        if target.startswith(here):
            assert (ROOT / target.removeprefix(here)).exists()


# PyPI's page, and `pip show`, named no place to ask or to look (wheel metadata without URLs).
def test_metadata_say_where_the_project_lives():
    assert {"Repository", "Issues", "Changelog"} <= set(PROJECT["urls"])
    assert all(url.startswith("https://github.com/fastmlp/") for url in PROJECT["urls"].values())


# Distributions refuse sources with minified libraries of other projects inside (glances #788).
def test_no_library_of_another_project_lives_here():
    folders = ("fastmlp", "tests", "benchmarks")
    scripts = [path for folder in folders for path in (ROOT / folder).rglob("*.[jc]s*")]
    assert {path.suffix for path in scripts} <= {".json"}


# The published page explained a speed by what the kernels do no longer.
def test_published_notes_tell_of_no_reference_counts():
    published = json.loads((ROOT / "benchmarks" / "published" / "roofline.json").read_text())
    texts = [row["note"] for row in published["kernels"]] + [(ROOT / "BENCHMARKS.md").read_text()]
    assert not any("reference count" in text for text in texts)
