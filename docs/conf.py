"""The docs site: `make docs` builds it into build/docs."""

project = "Highstreet"
author = "Highstreet"
copyright = "The Highstreet contributors, Apache-2.0"  # noqa: A001 - Sphinx calls it so
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["mappings"]
html_theme = "furo"
html_title = "Highstreet"
html_copy_source = False
html_show_sphinx = False
myst_heading_anchors = 3
# Files are linked to as they lie in the repository; what is code stays there.
suppress_warnings = ["myst.xref_missing"]
