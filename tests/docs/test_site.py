"""The built site in a real browser that reaches nothing else; `FASTMLP_SITE` names its folder."""

import os
import re
from pathlib import Path

import pytest

from benchmarks.site.browser import chromium, visiting
from benchmarks.site.serve import served

SITE = Path(os.environ.get("FASTMLP_SITE", ""))
PAGES = (
    "index.html",
    "ten_minutes.html",
    "reference/generated/fastmlp.MLPClassifier.html",
    "auto/article/index.html",
    "auto/article/article_2_gradient.html",
    "auto/gallery/index.html",
    "inside/benchmarks.html",
)
NARROW = {"width": 390, "height": 844}
"""A telephone's screen."""

CONTRAST = 4.5
"""Of text and its background, as WCAG 2 asks for at level AA."""

COLOURS = """() => ["p", "h1", "li a", "code"].flatMap((selector) => {
    const element = document.querySelector(`article ${selector}`);
    if (!element) return [];
    let behind = element;
    const clear = (node) => getComputedStyle(node).backgroundColor.endsWith(", 0)");
    while (behind.parentElement && clear(behind)) behind = behind.parentElement;
    return [[getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]];
})"""

pytestmark = pytest.mark.skipif(
    "FASTMLP_SITE" not in os.environ, reason="FASTMLP_SITE does not name a built site"
)


@pytest.fixture(scope="module")
def browser():
    """Start a browser, which must be there: who names a site wants it looked at."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(browser):
    """Somebody at the site."""
    with served(SITE) as address, visiting(browser, address) as visitor:
        yield visitor


def go(visitor, page):
    """Open a page."""
    visitor.page.goto(visitor.address + page, wait_until="load")


def all_pages():
    """List the pages of the site."""
    pages = (str(path.relative_to(SITE)) for path in SITE.rglob("*.html"))
    return [page for page in pages if not page.startswith(("_", "genindex", "search"))]


def test_every_page_draws_and_asks_nobody_else(visitor):
    pages = all_pages()
    assert len(pages) > 20
    for page in pages:
        visitor.page.goto(visitor.address + page)
        assert visitor.page.locator("h1").first.is_visible(), page
    # Who turns a page does not wait for the favicon of the one before.
    assert [problem for problem in visitor.problems if "ERR_ABORTED" not in problem] == []


def test_no_picture_is_broken(visitor):
    for page in PAGES:
        go(visitor, page)
        widths = visitor.page.eval_on_selector_all("img", "all => all.map(i => i.naturalWidth)")
        assert all(width > 0 for width in widths), page


@pytest.mark.parametrize("word", ["partial_fit", "hidden_layer_sizes", "MLPClassifier"])
def test_search_finds(visitor, word):
    go(visitor, f"search.html?q={word}")
    visitor.page.wait_for_selector("#search-results ul.search li a")
    links = visitor.page.locator("#search-results ul.search li a").all()
    assert any("MLPClassifier" in link.get_attribute("href") for link in links)


@pytest.mark.parametrize("page", PAGES)
def test_narrow_screens_need_no_scrolling_sideways(visitor, page):
    visitor.page.set_viewport_size(NARROW)
    go(visitor, page)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_text_stands_out(visitor, page, mode):
    visitor.page.add_init_script(f"localStorage.setItem('mode', '{mode}')")
    go(visitor, page)
    assert visitor.page.evaluate("document.documentElement.dataset.theme") == mode
    for colours in visitor.page.evaluate(COLOURS):
        light, dark = sorted(map(luminance, colours), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= CONTRAST, colours


def luminance(colour):
    """Compute the relative luminance of a colour such as "rgb(1, 2, 3)"; see WCAG 2."""
    shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
