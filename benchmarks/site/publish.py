"""Publishes the results by asv and makes the site complete in itself."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from .errors import SiteError
from .offline import make_local


class Site(NamedTuple):
    """What was published.

    Attributes
    ----------
    html_dir : Path
    n_benchmarks : int
        Those that have a result.
    n_commits : int
        Commits of the history that have a result.
    """

    html_dir: Path
    n_benchmarks: int
    n_commits: int


def publish(config_path, html_dir=None):
    """Publish asv's results as a site that loads nothing from other hosts.

    Parameters
    ----------
    config_path : Path
        The file asv.conf.json.
    html_dir : Path, optional
        Where to; an earlier site there is removed. By default what asv.conf.json says.

    Returns
    -------
    Site
    """
    config = _load_config(config_path)
    root = config_path.resolve().parent
    html_dir = html_dir.resolve() if html_dir else root / config.html_dir
    n_commits = _count_commits(root, config)
    _check_target(html_dir)
    _run_asv(root, config_path, html_dir)
    make_local(html_dir)
    n_benchmarks = len(list((html_dir / "graphs" / "summary").glob("*.json")))
    return Site(html_dir, n_benchmarks, n_commits)


def _load_config(config_path):
    """Read asv.conf.json by asv, which must be installed."""
    if find_spec("asv") is None:
        raise SiteError('asv must be installed; it is not. Run: pip install -e ".[bench]"')
    from asv.config import Config
    from asv.util import UserError

    try:
        return Config.load(str(config_path))
    except UserError as error:
        raise SiteError(str(error)) from error


def _count_commits(root, config):
    """Count the commits of the branches that have results; none is an error."""
    from asv.results import iter_existing_hashes

    branches = [branch or "HEAD" for branch in config.branches]
    history = set(_git(root / config.repo, "rev-list", *branches).split())
    results_dir = root / config.results_dir
    known = set(iter_existing_hashes(str(results_dir)))
    if known & history:
        return len(known & history)
    remedy = "Run the benchmarks first: asv run"
    if _git(root / config.repo, "rev-parse", "--is-shallow-repository").strip() == "true":
        remedy = "The history is cut off: git fetch --unshallow"
    raise SiteError(
        f"{results_dir} must hold results of this repository's commits; it holds results of "
        f"{len(known)} commits, none of them among the {len(history)} of {', '.join(branches)}. "
        + remedy
    )


def _check_target(html_dir):
    """Raise if what asv is about to remove is something else than an earlier site."""
    if html_dir.exists() and any(html_dir.iterdir()) and not (html_dir / "info.json").exists():
        raise SiteError(
            f"--html-dir must be a new folder or an earlier site, which is removed; {html_dir} "
            "holds something else. Take another."
        )


def _git(repository, *arguments):
    """Run git and return what it prints."""
    command = ["git", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise SiteError("git must be installed; it is not.") from None
    if done.returncode:
        raise SiteError(
            f"{repository} must have a git history, by which asv orders the results; git says: "
            f"{_last_line(done.stderr)}. Work in a clone."
        )
    return done.stdout


def _run_asv(root, config_path, html_dir):
    """Run ``asv publish``."""
    command = [sys.executable, "-m", "asv", "--config", str(config_path.resolve()), "publish"]
    command += ["--html-dir", str(html_dir)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if done.returncode:
        said = _last_line(done.stdout + done.stderr)
        raise SiteError(f"asv publish must succeed; it ended with {done.returncode}: {said}")


def _last_line(output):
    """Cut out the line where programs say what went wrong."""
    lines = output.strip().splitlines()
    return lines[-1].strip() if lines else "nothing was said"
