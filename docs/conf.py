"""How the site is built: ``sphinx-build -W docs docs/_build``. It needs no network."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "extensions")]

import fastmlp  # noqa: E402  (found by the line above)

project = "fastmlp"
author = "the fastmlp developers"
copyright = author  # noqa: A001  (Sphinx's name)
version = release = fastmlp.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "argument_table",
    "mathml",
    "published",
]
exclude_patterns = ["_build", "extensions", "**/GALLERY_HEADER.rst"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": ["article", "gallery"],
    "gallery_dirs": ["auto/article", "auto/gallery"],
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "image_srcset": ["2x"],
    "min_reported_time": 1,
    "default_thumb_file": str(ROOT / "docs" / "_static" / "fastmlp.svg"),
}

html_theme = "pydata_sphinx_theme"
html_title = "fastmlp"
html_static_path = ["_static"]
html_css_files = ["fastmlp.css"]
html_favicon = html_logo = "_static/fastmlp.svg"
html_show_sourcelink = False
html_theme_options = {
    "github_url": "https://github.com/fastmlp/fastmlp",
    "logo": {"text": "fastmlp"},
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
html_context = {"default_mode": "auto"}
html_sidebars = {"ten_minutes": [], "coming_from/*": []}


def skip_routing(app, what, name, value, skip, options):
    """Leave out what scikit-learn adds to every estimator for its routing of metadata."""
    return True if name.endswith(("_request", "_metadata_routing")) else None


def setup(app):
    """Choose what the reference shows."""
    app.connect("autodoc-skip-member", skip_routing)
