"""A hook of mkdocs: pages show README's table of exports, which `tools/export_matrix.py` writes.

It stands in the place of `<!-- exports -->`.
"""

import pathlib

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"
MARKER = "<!-- exports -->"
BEGIN, END = "<!-- exports: written by tools/export_matrix.py -->", "<!-- end of exports -->"


def on_page_markdown(markdown: str, **_) -> str:
    """Called by mkdocs for every page."""
    if MARKER not in markdown:
        return markdown
    table = README.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip()
    return markdown.replace(MARKER, table)
