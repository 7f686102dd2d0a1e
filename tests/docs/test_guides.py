"""Tables of the guides say what the package says."""

import re
import tomllib

from docs_pages import PAGES, ROOT

ROW = re.compile(r"^\| `([\w.]+)` \| (.+?) \|", re.MULTILINE)


def rows(page, heading):
    """The table of a section: `{name in the first column: the second column}`."""
    text = (PAGES / page).read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return dict(ROW.findall(section))


def test_every_extra_is_explained_with_its_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = rows("install.md", "Extras")
    extras = project["optional-dependencies"]
    assert set(table) == set(extras)
    for name, requirements in extras.items():
        packages = [re.match(r"[\w-]+(\[.*?\])?", requirement)[0] for requirement in requirements]
        assert table[name] == ", ".join(f"`{package}`" for package in packages), name


def test_the_python_that_is_needed_is_the_package_s():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["requires-python"].removeprefix(">=")
    for page in ("install.md", "own_dataset.md"):
        assert f"Python {version} or later" in (PAGES / page).read_text(encoding="utf-8")
