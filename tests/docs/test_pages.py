"""Every block of code in the documentation runs, and every link leads somewhere."""

import os
import re
import subprocess
import sys

import pytest
from docs_pages import PAGES, ROOT, blocks_of, run_page

ALL = sorted(PAGES.rglob("*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
IN_REPOSITORY = re.compile(r"https://github\.com/keras-video/keras-video/\w+/main/([^#]+)")

# Warnings of the Hub client and of Keras about the libraries that they use.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


# The commands of one page run in test_own_dataset.py, on an empty machine.
WITH_CODE = [
    path
    for path in ALL
    if path.name != "own_dataset.md" and any(blocks_of(path.read_text(encoding="utf-8")))
]


@pytest.mark.slow
@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: str(path.relative_to(PAGES)))
def test_the_page_runs(path, world):
    assert run_page(path, world) > 0


def test_there_are_pages():
    assert len(ALL) >= 20


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(PAGES)))
def test_links_into_the_repository_lead_to_files(path):
    """Links between pages are checked when the site is built."""
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        inside = IN_REPOSITORY.match(target)
        if inside:
            assert (ROOT / inside[1]).exists(), target


@pytest.mark.slow
def test_the_site_builds_without_warnings(tmp_path):
    """Links and anchors between pages and into the API reference lead somewhere."""
    # Not `--quiet`: what is not said is not counted either.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(
        [*command, "--config-file", ROOT / "docs" / "mkdocs.yml", "--site-dir", tmp_path],
        capture_output=True,
        text=True,
        env={**os.environ, "DISABLE_MKDOCS_2_WARNING": "true", "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "reference" / "models" / "index.html").is_file()
