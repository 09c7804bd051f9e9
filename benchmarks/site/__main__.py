"""The command: ``python -m benchmarks.site``."""

import json
from pathlib import Path
from threading import Event

import click

from .browser import SHOWS, chromium, visiting
from .errors import SiteError
from .publish import publish
from .serve import served

CONFIG = Path(__file__).parents[2] / "asv.conf.json"


@click.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path, dir_okay=False),
              default=CONFIG, help="The file asv.conf.json, by default this project's")  # fmt: skip
@click.option("--html-dir", type=click.Path(path_type=Path, file_okay=False),
              help="Write the site here, in place of an earlier one; by default where "
              "asv.conf.json says")  # fmt: skip
@click.option("--serve", is_flag=True, help="Serve it on 127.0.0.1 until interrupted")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True,
              help="Of --serve; 0 takes any that is free")  # fmt: skip
@click.option("--screenshot", type=click.Path(path_type=Path, dir_okay=False),
              help="Draw the site into this .png; needs playwright and Chromium")  # fmt: skip
@click.option("--view", default="", help="What --screenshot shows: /summarylist, /regressions, or "
              "a benchmark's name, to which ?x-axis=batch_size and the like may be added, as after "
              "the # of the page's address; by default all benchmarks")  # fmt: skip
def main(config_path, html_dir, serve, port, screenshot, view):
    """Publish asv's results as a site that works offline."""
    site = publish(config_path, html_dir)
    click.echo(
        f"Published {site.n_benchmarks} benchmarks at {site.n_commits} commits in {site.html_dir}"
    )
    if screenshot is not None:
        draw(site, view, screenshot)
        click.echo(f"Drew {screenshot}")
    if serve:
        with served(site.html_dir, port) as address:
            click.echo(f"Serving {address} until interrupted")
            try:
                Event().wait()
            except KeyboardInterrupt:
                click.echo("Ended")


def draw(site, view, path):
    """Draw a part of a published site into a .png.

    Parameters
    ----------
    site : Site
    view : str
        As `Visitor.open` takes it.
    path : Path
    """
    benchmarks = json.loads((site.html_dir / "index.json").read_text())["benchmarks"]
    if view.partition("?")[0] not in {*SHOWS, *benchmarks}:
        raise SiteError(
            f"--view must be /summarylist, /regressions or a benchmark; got {view!r}. "
            "The page of all benchmarks, which is drawn without it, has their names."
        )
    with (
        served(site.html_dir) as address,
        chromium() as browser,
        visiting(browser, address) as visitor,
    ):
        visitor.open(view)
        visitor.page.screenshot(path=path, type="png", full_page=True)


if __name__ == "__main__":
    main()
