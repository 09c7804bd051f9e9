"""Looks at the site in a real browser that reaches nothing but the site."""

import shutil
from contextlib import contextmanager

from .errors import SiteError

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""Programs that will do, the first that is there."""

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

SHOWS = {
    "": "#summarygrid-display .benchmark-plot canvas",
    "/summarylist": "#summarylist-body tbody tr",
    "/regressions": "#regressions-body table",
}
"""By what follows # in the address: what is there when the page is; else it is a graph."""

GRAPH = "#main-graph canvas.flot-base"

NOT_MEASURED = "graphs/"
"""asv's page asks for the results of every benchmark, also where there are none."""

PATIENCE = 10_000
"""Milliseconds in which a page must show what it has."""

SERIES = """() => {
    const plot = $("#main-graph").data("plot");
    const canvas = $("#main-graph canvas.flot-base")[0];
    const context = canvas.getContext("2d");
    const scale = canvas.width / canvas.clientWidth;
    const reach = Math.ceil(5 * scale);  // flot draws a point as a ring of radius 3
    const isDrawn = (offset, color) => {
        const left = Math.round(offset.left * scale) - reach;
        const top = Math.round(offset.top * scale) - reach;
        if (isNaN(left + top)) return false;
        const bytes = context.getImageData(left, top, 2 * reach, 2 * reach).data;
        for (let i = 0; i < bytes.length; i += 4) {
            const distance = Math.abs(bytes[i] - color.r) + Math.abs(bytes[i + 1] - color.g)
                + Math.abs(bytes[i + 2] - color.b);
            if (bytes[i + 3] > 200 && distance < 30) return true;
        }
        return false;
    };
    // `data` has the names of categories, `datapoints` their places on the axis
    return plot.getData().map((series) => {
        const { points: places, pointsize: size } = series.datapoints;
        const color = $.color.parse(series.color);
        const points = series.data.map(([x, y], i) => ({
            x, y, drawn: y !== null && isDrawn(
                plot.pointOffset({ x: places[i * size], y: places[i * size + 1] }), color)
        })).filter((point) => point.y !== null);
        return { label: series.label, points };
    });
}"""


class Visitor:
    """A person at the site, who notices whatever fails.

    Attributes
    ----------
    page : playwright.sync_api.Page
    problems : list of str
        Failed or refused requests, errors of scripts, requests to other hosts.
    """

    def __init__(self, page, address):
        self.page, self.address, self.problems = page, address, []
        note = self._note
        page.route(lambda url: not url.startswith(address), self._refuse)
        page.on("requestfailed", lambda request: note(request.url, request.failure))
        page.on("response", lambda got: got.status >= 400 and note(got.url, got.status))
        page.on("console", lambda said: said.type == "error" and note(_place(said), said.text))
        page.on("pageerror", lambda error: note("a script", error))

    def _refuse(self, route):
        """Refuse a request to another host."""
        self._note(route.request.url, "not of the site")
        route.abort()

    def _note(self, place, problem):
        """Note a problem, unless it is that a benchmark was not measured."""
        if not place.startswith(self.address + NOT_MEASURED):
            self.problems.append(f"{place}: {problem}")

    def open(self, view=""):
        """Open a part of the site and wait until it shows what it has.

        Parameters
        ----------
        view : str
            What follows # in the address: nothing for the grid of all benchmarks, a key of
            `SHOWS`, or a benchmark's name, after which ``?x-axis=batch_size`` and the like may
            follow.

        Raises
        ------
        SiteError
            If anything failed or the page stays empty.
        """
        from playwright.sync_api import TimeoutError as NothingThere

        selector = SHOWS.get(view.partition("?")[0], GRAPH)
        self.page.goto(f"{self.address}#{view}")
        self._complain()
        try:
            self.page.wait_for_selector(selector, timeout=PATIENCE)
            self.page.wait_for_load_state("networkidle", timeout=PATIENCE)
        except NothingThere:
            self._note(f"#{view}", f"{selector} does not appear")
        if self.page.locator("#error").is_visible():
            self._note(f"#{view}", self.page.locator("#error-message").inner_text().strip())
        self._complain()

    def _complain(self):
        """Raise if anything failed until now."""
        if self.problems:
            raise SiteError("The site must load without a fault; " + "; ".join(self.problems))

    def benchmarks(self):
        """List the benchmarks of the grid that is open.

        Returns
        -------
        list of str
        """
        return self.page.eval_on_selector_all(
            "#summarygrid-display a.benchmark-container",
            "links => links.map(link => link.getAttribute('href').slice(1))",
        )

    def series(self):
        """Read the graph that is open.

        Returns
        -------
        list of dict
            ``label``, and ``points``: each a dict of ``x``, ``y`` and ``drawn``, whether the
            picture has the colour of the series there.
        """
        return self.page.evaluate(SERIES)


def _place(said):
    """Tell what a message on the console is about."""
    return said.location["url"] or "the console"


@contextmanager
def chromium():
    """Start a browser without a window.

    Yields
    ------
    playwright.sync_api.Browser
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise SiteError("playwright must be installed. Run: pip install playwright") from None
    program = find_chromium()
    if program is None:
        raise SiteError(
            f"A browser must be installed: one of {', '.join(CHROMIUMS)}. "
            "On Debian: apt-get install chromium"
        )
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        except Error as error:
            raise SiteError(f"{program} must start; {str(error).splitlines()[0]}") from error
        with browser:
            yield browser


@contextmanager
def visiting(browser, address):
    """Open a page that reaches nothing but one address, and knows nothing of earlier ones.

    Parameters
    ----------
    browser : playwright.sync_api.Browser
    address : str
        As `served` yields it.

    Yields
    ------
    Visitor
    """
    with browser.new_page(viewport={"width": 1400, "height": 800}) as page:
        yield Visitor(page, address)


def find_chromium():
    """Find a Chromium.

    Returns
    -------
    str or None
        Its path.
    """
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)
