"""Replaces what asv's page loads from other hosts by files of the site."""

import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

from .errors import SiteError

FOLDER = Path(__file__).parent / "libraries"

SUBSTITUTES = {
    "/flot/0.8.3/jquery.flot.min.js": "jquery.flot.js",
    "/flot/0.8.3/jquery.flot.time.min.js": "jquery.flot.time.js",
    "/flot/0.8.3/jquery.flot.selection.min.js": "jquery.flot.selection.js",
    "/flot/0.8.3/jquery.flot.categories.min.js": "jquery.flot.categories.js",
    "/flot-orderbars@1.0.0/js/jquery.flot.orderBars.js": "jquery.flot.orderBars.js",
    "/stupidtable/1.0.1/stupidtable.min.js": "stupidtable.min.js",
}
"""How an address ends, and the file to take for it; libraries/README.md says why."""

ELSEWHERE = r"(?:https?:)?//[\w-]+(?:\.[\w-]+|:\d)[^\s\"'`);]*"

NAMED_IN = {
    "*.css": re.compile(rf"(?:url\(|@import)\s*[\"']?({ELSEWHERE})", re.IGNORECASE),
    "*.js": re.compile(rf"[\"'`]({ELSEWHERE})", re.IGNORECASE),
}
"""By file name: what loads from another host. In a script every address in quotes is suspect."""


class Loads(HTMLParser):
    """The tags of a page by which it loads something from another host; links are none.

    Attributes
    ----------
    tags : list of (str, str, str)
        The tag as it stands there, the address, and the hash it must have, or an empty string.
    """

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note a tag that loads from another host."""
        attributes = dict(attrs)
        url = attributes.get("src") or (attributes.get("href") if tag != "a" else None)
        if url and re.match(ELSEWHERE, url, re.IGNORECASE):
            self.tags.append((self.get_starttag_text(), url, attributes.get("integrity") or ""))


def make_local(html_dir):
    """Copy the libraries that the pages of a site ask for, and let the pages load the copies.

    Parameters
    ----------
    html_dir : Path
        What ``asv publish`` wrote; its pages are overwritten.

    Raises
    ------
    SiteError
        If something would still be loaded from another host.
    """
    (html_dir / "libraries").mkdir(exist_ok=True)
    for path in sorted(html_dir.glob("*.html")):
        page = path.read_text(encoding="utf-8")
        for tag, url, integrity in Loads(page).tags:
            local = find(url, integrity)
            shutil.copy(local, html_dir / "libraries")
            ours = tag.replace(url, f"libraries/{local.name}")
            if integrity:
                ours = ours.replace(integrity, digest(local, integrity))
            page = page.replace(tag, ours)
        path.write_text(page, encoding="utf-8")
    _check_files(html_dir)


def find(url, integrity):
    """Find the local copy of a library.

    Parameters
    ----------
    url : str
        Where asv's page loads it from.
    integrity : str
        The hash that the page names, such as ``sha256-...``, or an empty string.

    Returns
    -------
    Path
    """
    for path in sorted(FOLDER.glob("*.*")):
        if integrity and digest(path, integrity) == integrity:
            return path
    for ending, name in SUBSTITUTES.items():
        if url.endswith(ending):
            return FOLDER / name
    raise SiteError(
        f"asv's page asks for {url}, for which there is no local copy. Add it to {FOLDER}, "
        f"whose README.md says how."
    )


def digest(path, integrity):
    """Hash a file as the attribute ``integrity`` of a page does.

    Parameters
    ----------
    path : Path
    integrity : str
        Any hash by the same algorithm: sha256, sha384 or sha512.

    Returns
    -------
    str
    """
    algorithm = integrity.partition("-")[0]
    value = hashlib.new(algorithm, path.read_bytes()).digest()
    return f"{algorithm}-{base64.b64encode(value).decode()}"


def _check_files(html_dir):
    """Raise if a style or a script of asv's own would load from another host."""
    for pattern, regex in NAMED_IN.items():
        for path in sorted(html_dir.glob(pattern)):
            if found := regex.search(path.read_text(encoding="utf-8")):
                raise SiteError(
                    f"asv's {path.name} names {found[1]}, which the page might load; "
                    f"{Path(__file__).name} must learn to replace it, or to let it pass."
                )
