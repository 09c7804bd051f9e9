"""What contributors are told is so."""

import re
import tomllib

import pytest

import fastmlp

pytest.importorskip("sybil", reason="the documentation's tools are not installed")

from .pages import ROOT

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

if not (ROOT / ".ci").exists():
    pytest.skip("a source distribution has no door", allow_module_level=True)

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_files_that_are_named_are_there():
    named = set(re.findall(r"`([\w./]+(?:\.py|\.md|/))`", CONTRIBUTING))
    assert len(named) > 8
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "fastmlp" / name).exists(), name


def test_names_of_tables_and_functions_are_there():
    for section in re.findall(r"^1\. `.*?(?=^###)", CONTRIBUTING, re.MULTILINE | re.DOTALL):
        paths = re.findall(r"`(fastmlp/[\w/]+\.py)`", section)
        texts = "".join((ROOT / path).read_text() for path in paths)
        for name in re.findall(r"`([A-Z_]{3,}|[a-z]+_[a-z_]+)`", section):
            assert name in texts, name


def test_commands_of_nox_are_sessions():
    sessions = re.findall(r"^def (\w+)\(session\)", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    told = re.findall(r"nox -s (\w+)", CONTRIBUTING + (ROOT / ".ci" / "run").read_text())
    assert told
    assert set(told) <= set(sessions)


def test_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == fastmlp.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert cited["license"] == project["license"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_template_is_a_form(path):
    form = yaml.safe_load(path.read_text())
    assert {"name", "description", "body"} <= set(form)
    assert all(field["attributes"]["label"] for field in form["body"])


def test_pre_commit_calls_what_ci_calls():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"].split()[0] for hook in hooks] == ["ruff", "ruff", "mypy", "lint-imports"]
