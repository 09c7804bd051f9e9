"""The pages that are written by hand, and how their code is run."""

import shlex
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from pathlib import Path

from sybil import Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser, SkipParser

from tests.cli.calling import run

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
"""What `sphinx-build` writes into `docs` has other endings."""


def run_commands(example):
    """Run the lines of a console that call fastmlp, and read on what the others only show."""
    for line in example.parsed.splitlines():
        if line.startswith("$ fastmlp "):
            # In this process: each of its own would import all that it needs anew.
            result = run(*shlex.split(line.removeprefix("$ fastmlp ")))
            assert result.exit_code == 0, result.stderr


SYBIL = Sybil(
    parsers=[
        PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE),
        CodeBlockParser(language="console", evaluator=run_commands),
        SkipParser(),
    ]
)


def run_page(path):
    """Run the code of a page, from its beginning to its end in one namespace."""
    for example in SYBIL.parse(path).examples():
        example.evaluate()
