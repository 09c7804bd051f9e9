"""The published site, opened in a real browser that reaches nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.site import offline, packages, publish
from benchmarks.site.__main__ import CONFIG, main
from benchmarks.site.browser import chromium, find_chromium, visiting
from benchmarks.site.errors import SiteError
from benchmarks.site.serve import served
from fastmlp._cache import cache_dir

BENCHMARK = "cost.Suite.track_cost"
COSTS = (1.0, 1.0, 3.0, 3.0)
"""What the benchmark measures at each commit: a regression in the middle."""

SUITE = """
from .measured import COST

class Suite:
    params = (["small", "large"], [1, 2])
    param_names = ["kind", "size"]

    def track_cost(self, kind, size):
        return COST * size * {"small": 1, "large": 10}[kind]
    track_cost.unit = "seconds"

def track_nothing():
    return 1
"""


def run(root, *command, **variables):
    """Run a command in a repository that knows nothing of this machine's settings."""
    settings = {
        "HOME": str(root.parent),
        "PYTHONDONTWRITEBYTECODE": "1",  # files as long and as old as the last's
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    environment = os.environ | settings | variables
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def commit(root, day):
    """Commit everything on a day and return the hash."""
    date = f"2024-06-{day:02}T12:00:00Z"
    author = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    run(root, "git", "add", "-A")
    run(root, "git", *author, "commit", "-q", "--allow-empty", "-m", f"on day {day}",
        GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)  # fmt: skip
    return run(root, "git", "rev-parse", "HEAD")


def write_project(root):
    """Write an asv suite and asv.conf.json, under version control."""
    (root / "suite").mkdir(parents=True)
    (root / "suite" / "__init__.py").touch()
    (root / "suite" / "cost.py").write_text(SUITE)
    config = {
        "version": 1, "project": "trivial", "repo": ".", "branches": ["HEAD"],
        "environment_type": "virtualenv", "benchmark_dir": "suite", "results_dir": "results",
        "html_dir": "html",
    }  # fmt: skip
    (root / "asv.conf.json").write_text(json.dumps(config))
    (root / ".gitignore").write_text("results/\nhtml/\n")
    run(root, "git", "init", "-q", "-b", "main")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A repository of four commits, each measured by asv in this environment."""
    pytest.importorskip("asv", reason="asv is not installed")
    root = tmp_path_factory.mktemp("site") / "project"
    write_project(root)
    asv = (sys.executable, "-m", "asv")
    run(root, *asv, "machine", "--yes", "--machine", "somewhere")
    for day, cost in enumerate(COSTS, 1):
        (root / "suite" / "measured.py").write_text(f"COST = {cost}\n")
        commit_hash = commit(root, day)
        run(root, *asv, "run", "--quick", "--environment", "existing",
            "--machine", "somewhere", "--set-commit-hash", commit_hash)  # fmt: skip
    return root


@pytest.fixture(scope="session")
def libraries():
    """The folder of the packages; skip where no registry can be reached."""
    try:
        return packages.installed()
    except packages.RegistryError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def published(project, libraries):
    """What the project's results become."""
    return publish.publish(project / "asv.conf.json")


@pytest.fixture(scope="module")
def browser():
    """Start a browser; skip where there is none, or nothing that drives it."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    if find_chromium() is None:
        pytest.skip("Chromium is not installed")
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(published, browser):
    """Somebody at the site of the small project."""
    with served(published.html_dir) as address, visiting(browser, address) as visitor:
        yield visitor


def test_publish_counts_what_has_results(published):
    assert (published.n_benchmarks, published.n_commits) == (2, len(COSTS))


def test_pages_load_libraries_that_are_proven_by_their_hashes(published):
    pages = [path.read_text() for path in published.html_dir.glob("*.html")]
    assert [tag for page in pages for tag in offline.Loads(page).tags] == []
    copied = sorted(published.html_dir.glob("libraries/*"))
    expected = sorted(Path(name).name for name in offline.LIBRARIES.values())
    assert [path.name for path in copied] == expected
    for path in copied:
        tag = next(part for page in pages for part in page.split("<") if path.name in part)
        assert offline.digest(path, tag.partition('integrity="')[2].partition('"')[0]) in tag


def test_only_substitutes_are_other_files_than_asv_names(libraries):
    asv = pytest.importorskip("asv", reason="asv is not installed")
    page = (Path(asv.__file__).parent / "www" / "index.html").read_text()
    others = {
        found.relative_to(libraries).parts[0]
        for _, url, integrity in offline.Loads(page).tags
        if offline.digest(found := offline.find(url, integrity), integrity) != integrity
    }
    assert others == set(offline.SUBSTITUTES)


def test_every_part_opens_and_shows_what_was_measured(visitor):
    visitor.open()
    assert visitor.benchmarks() == [BENCHMARK, "cost.track_nothing"]
    visitor.open("/summarylist")
    assert visitor.page.locator("#summarylist-body tbody tr").count() == 5
    visitor.open("/regressions")
    regressions = visitor.page.locator("#regressions-body tbody tr:visible").all_inner_texts()
    assert len(regressions) == 4 and all("3.00x" in text for text in regressions)


def test_graph_draws_what_was_measured(visitor):
    visitor.open(BENCHMARK)
    actual = {
        series["label"]: [(point["y"], point["drawn"]) for point in series["points"]]
        for series in visitor.series()
    }
    assert actual == {
        f"kind-{kind}; size-{size}": [(cost * size * factor, True) for cost in COSTS]
        for kind, factor in (("small", 1), ("large", 10))
        for size in (1, 2)
    }


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("x-axis-scale=date", [1717243200000 + 86_400_000 * day for day in range(len(COSTS))]),
        ("x-axis=size", [1, 2]),
        ("x-axis=kind", ["small", "large"]),
    ],
)
def test_graph_draws_over_other_axes(visitor, view, expected):
    visitor.open(f"{BENCHMARK}?{view}")
    for series in visitor.series():
        assert [point["x"] for point in series["points"]] == expected
        assert all(point["drawn"] for point in series["points"])
    assert len(visitor.series()) in (2, 4)


def test_overview_selects_commits_and_list_sorts(visitor):
    visitor.open(BENCHMARK)
    box = visitor.page.locator("#overview canvas.flot-overlay").bounding_box()
    visitor.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 20)
    visitor.page.mouse.up()
    axis = visitor.page.evaluate("$('#main-graph').data('plot').getAxes().xaxis.min")
    assert axis > 1
    visitor.open("/summarylist")
    names = visitor.page.locator("#summarylist-body tbody tr td:first-child")
    before = names.all_inner_texts()
    visitor.page.locator("#summarylist-body th").first.click()
    visitor.page.wait_for_url("**dir=desc")
    assert names.all_inner_texts() == before[::-1] != before
    assert visitor.problems == []


@pytest.mark.parametrize(
    ("pattern", "view", "message"),
    [
        ("libraries/jquery.flot.time.js", "", r"/jquery\.flot\.time\.js: 404"),
        ("libraries/bootstrap.min.css", "", r"/bootstrap\.min\.css: 404"),
        ("graphs/branch-*/**/*.json", BENCHMARK, "No data for this combination"),
    ],
)
def test_missing_file_is_noticed(published, browser, tmp_path, pattern, view, message):
    html_dir = shutil.copytree(published.html_dir, tmp_path / "html")
    for path in list(html_dir.glob(pattern)):
        path.unlink()
    with (
        served(html_dir) as address,
        visiting(browser, address) as visitor,
        pytest.raises(SiteError, match=message),
    ):
        visitor.open(view)


def test_changed_library_is_noticed(published, browser, tmp_path):
    html_dir = shutil.copytree(published.html_dir, tmp_path / "html")
    with (html_dir / "libraries" / "jquery.flot.js").open("a") as file:
        file.write("// one comment more\n")
    with (
        served(html_dir) as address,
        visiting(browser, address) as visitor,
        pytest.raises(SiteError, match="integrity"),
    ):
        visitor.open()


def test_request_to_another_host_is_refused_and_noticed(published, browser, tmp_path):
    html_dir = shutil.copytree(published.html_dir, tmp_path / "html")
    index = html_dir / "index.html"
    script = '<script src="https://cdn.example/chart.js"></script></head>'
    index.write_text(index.read_text().replace("</head>", script))
    with (
        served(html_dir) as address,
        visiting(browser, address) as visitor,
        pytest.raises(SiteError, match=r"https://cdn\.example/chart\.js: not of the site"),
    ):
        visitor.open()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "index.html",
            '<a href="https://asv.example">asv</a><script src="https://cdn.example/a.js"></script>',
            r"asv's page asks for https://cdn\.example/a\.js, of which no package is known",
        ),
        ("index.html", '<link rel="stylesheet" href="//cdn.example/a.css">', "cdn.example/a.css"),
        ("asv.css", "body { background: url(https://cdn.example/a.png) }", "asv.css names https"),
        ("asv.js", '$.getScript("https://cdn.example/a.js");', "asv.js names https"),
    ],
)
def test_unknown_library_is_an_error(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(SiteError, match=message):
        offline.make_local(tmp_path)


def test_links_may_lead_elsewhere(tmp_path):
    page = '<a href="https://asv.example">asv</a>'
    (tmp_path / "index.html").write_text(page)
    offline.make_local(tmp_path)
    assert (tmp_path / "index.html").read_text() == page


@pytest.fixture
def nothing_cached(tmp_path, monkeypatch):
    """An empty cache folder, and an npm that is not patient."""
    monkeypatch.setenv("FASTMLP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_fetch_retry_mintimeout", "1")
    return tmp_path / "cache"


def test_packages_are_installed_once(libraries, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert packages.installed() == libraries
    versions = json.loads(packages.LISTS[0].read_text())["dependencies"]
    assert versions == {
        name: json.loads((libraries / name / "package.json").read_text())["version"]
        for name in versions
    }


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PATH", "", "npm must be installed"),
        ("npm_config_registry", "http://127.0.0.1:9", "it says: code ECONNREFUSED"),
    ],
)
def test_no_registry_is_told_from_other_faults(
    nothing_cached, monkeypatch, variable, value, message
):
    if variable != "PATH" and shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    monkeypatch.setenv(variable, value)
    with pytest.raises(packages.RegistryError, match=message):
        packages.installed()
    assert list(nothing_cached.rglob("*")) == [nothing_cached / "site"]


def test_another_package_than_that_of_the_hash_is_an_error(
    libraries, nothing_cached, tmp_path, monkeypatch
):
    lists = [Path(shutil.copy(path, tmp_path)) for path in packages.LISTS]
    lists[1].write_text(lists[1].read_text().replace("sha512-xg2otc", "sha512-xg3otc"))
    monkeypatch.setattr(packages, "LISTS", lists)
    with pytest.raises(SiteError, match="EINTEGRITY") as caught:
        packages.installed()
    assert not isinstance(caught.value, packages.RegistryError)


def test_a_changed_library_is_not_published(libraries, tmp_path, monkeypatch):
    jquery = "jquery/dist/jquery.min.js"
    (tmp_path / jquery).parent.mkdir(parents=True)
    (tmp_path / jquery).write_bytes((libraries / jquery).read_bytes() + b"// one comment more")
    integrity = offline.digest(libraries / jquery, "sha256-")
    monkeypatch.setattr(offline, "installed", lambda: tmp_path)
    with pytest.raises(SiteError, match=r"jquery\.min\.js must be what asv's page names"):
        offline.find("https://code.example/jquery-3.3.1.min.js", integrity)


def test_errors_say_what_to_do(tmp_path, monkeypatch):
    pytest.importorskip("asv", reason="asv is not installed")
    root = tmp_path / "project"
    write_project(root)
    config = root / "asv.conf.json"
    commit(root, 1)
    with pytest.raises(SiteError, match=r"results of 0 commits, none .* of HEAD.*asv run$"):
        publish.publish(config)
    shutil.rmtree(root / ".git")
    with pytest.raises(SiteError, match=r"must have a git history.*Work in a clone"):
        publish.publish(config)
    with pytest.raises(SiteError, match="not found"):
        publish.publish(root / "asv.json")
    monkeypatch.setattr(publish, "find_spec", lambda name: None)
    with pytest.raises(SiteError, match="asv must be installed"):
        publish.publish(config)


def test_a_port_in_use_is_an_error(tmp_path):
    with served(tmp_path) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        with pytest.raises(SiteError, match=rf"--port must be free; got {port}"):
            served(tmp_path, port).__enter__()


def test_command_takes_a_screenshot(project, browser, libraries, tmp_path):
    picture = tmp_path / "graph.png"
    html_dir = tmp_path / "html"
    said = run(CONFIG.parent, sys.executable, "-m", "benchmarks.site", "--config",
               str(project / "asv.conf.json"), "--html-dir", str(html_dir),
               "--screenshot", str(picture), "--view", BENCHMARK,
               HOME=str(tmp_path), FASTMLP_CACHE_DIR=str(cache_dir()))  # fmt: skip
    assert said.startswith(f"Published 2 benchmarks at {len(COSTS)} commits in {html_dir}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_command_names_what_it_cannot_show_or_overwrite(project, libraries, tmp_path):
    arguments = ["--config", str(project / "asv.conf.json"), "--html-dir"]
    view = ["--screenshot", str(tmp_path / "graph.png"), "--view", "nothing"]
    done = CliRunner().invoke(main, [*arguments, str(tmp_path / "html"), *view])
    assert done.exit_code == 1 and "or a benchmark; got 'nothing'" in done.output
    done = CliRunner().invoke(main, [*arguments, str(project)])
    assert done.exit_code == 1 and "holds something else" in done.output
    assert (project / "asv.conf.json").exists()


def test_the_results_of_this_project_draw(browser, libraries, tmp_path):
    pytest.importorskip("asv", reason="asv is not installed")
    try:
        published = publish.publish(CONFIG, tmp_path / "html")
    except SiteError as error:
        if "none of them among" in str(error) or "must have a git history" in str(error):
            pytest.skip(str(error))
        raise
    with served(published.html_dir) as address, visiting(browser, address) as visitor:
        visitor.open()
        measured = [path.stem for path in (published.html_dir / "graphs/summary").glob("*.json")]
        assert set(measured) <= set(visitor.benchmarks())
        visitor.open(min(measured))
        assert any(point["drawn"] for series in visitor.series() for point in series["points"])
        visitor.open("/summarylist")
        visitor.open("/regressions")
