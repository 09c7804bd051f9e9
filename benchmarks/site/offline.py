"""Replaces what asv's page loads from other hosts by files of the site, which npm packages have."""

import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

from .errors import SiteError
from .packages import installed

LIBRARIES = {
    "/jquery-3.3.1.min.js": "jquery/dist/jquery.min.js",
    "/flot/0.8.3/jquery.flot.min.js": "flot/jquery.flot.js",
    "/flot/0.8.3/jquery.flot.time.min.js": "flot/jquery.flot.time.js",
    "/flot/0.8.3/jquery.flot.selection.min.js": "flot/jquery.flot.selection.js",
    "/flot/0.8.3/jquery.flot.categories.min.js": "flot/jquery.flot.categories.js",
    "/flot-orderbars@1.0.0/js/jquery.flot.orderBars.js":
        "flot-orderbars/js/jquery.flot.orderBars.js",
    "/stupidtable/1.0.1/stupidtable.min.js": "stupid-table-plugin/stupidtable.min.js",
    "/blueimp-md5/2.19.0/js/md5.min.js": "blueimp-md5/js/md5.min.js",
    "/bootstrap@3.1.1/dist/js/bootstrap.min.js": "bootstrap/dist/js/bootstrap.min.js",
    "/bootstrap@3.1.1/dist/css/bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
}  # fmt: skip
"""How an address ends on asv's page, and the file of a package to take for it."""

SUBSTITUTES = ("flot", "stupid-table-plugin")
"""Packages whose files are not byte for byte what asv's page names: flot 0.8.3 is packaged as its
source alone, of which asv loads a minified copy, and stupidtable was first packaged as 1.1.3, which
takes the same calls."""

BARS = "jquery.flot.orderBars.js"
"""It places bars by the distance of the first and last values on the x-axis. Between names, as of
backends, there is none: no bar is drawn where a graph has two series or more."""
DISTANCE = "pixelInXWidthEquivalent = AxeSize"
"""What it does with the distance."""
MENDED = f"if (isNaN(AxeSize)) AxeSize = plot.getData()[0].data.length - 1; {DISTANCE}"
"""The same, of the number of names."""

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
            local = Path(shutil.copy(find(url, integrity), html_dir / "libraries"))
            if local.name == BARS:
                _mend_bars(local)
            ours = tag.replace(url, f"libraries/{local.name}")
            if integrity:
                ours = ours.replace(integrity, digest(local, integrity))
            page = page.replace(tag, ours)
        path.write_text(page, encoding="utf-8")
    _check_files(html_dir)


def find(url, integrity):
    """Find the library that asv's page asks for in a package.

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
    name = next((name for ending, name in LIBRARIES.items() if url.endswith(ending)), None)
    if name is None:
        raise SiteError(
            f"asv's page asks for {url}, of which no package is known. Add the package to "
            f"package.json (npm install --omit-lockfile-registry-resolved), and its file to "
            f"LIBRARIES in {Path(__file__).name}."
        )
    path = installed() / name
    if integrity and name.partition("/")[0] not in SUBSTITUTES:
        actual = digest(path, integrity)
        if actual != integrity:
            raise SiteError(
                f"{path} must be what asv's page names, of hash {integrity}; got {actual}. "
                "Remove the folder, and publish again."
            )
    return path


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


def _mend_bars(path):
    """Let bars stand at names, too; see `BARS`."""
    script = path.read_text(encoding="utf-8")
    if DISTANCE not in script:
        raise SiteError(f"{path.name} must have {DISTANCE!r}; it has not. Mend it otherwise.")
    path.write_text(script.replace(DISTANCE, MENDED), encoding="utf-8")


def _check_files(html_dir):
    """Raise if a style or a script of asv's own would load from another host."""
    for pattern, regex in NAMED_IN.items():
        for path in sorted(html_dir.glob(pattern)):
            if found := regex.search(path.read_text(encoding="utf-8")):
                raise SiteError(
                    f"asv's {path.name} names {found[1]}, which the page might load; "
                    f"{Path(__file__).name} must learn to replace it, or to let it pass."
                )
