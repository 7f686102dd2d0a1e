"""Finds the browser for the tests of pages."""

import os
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = (
    "The tests of the page need Chromium: `apt-get install chromium`, or "
    "`python -m playwright install chromium`."
)


def require_chromium(playwright) -> str:
    """Returns the path of Chromium or Chrome: one on PATH, else the one that Playwright installed.

    Without one, the test fails in CI and is skipped elsewhere, with the advice what to install.

    Args:
        playwright: what `playwright.sync_api.sync_playwright` starts.
    """
    for name in NAMES:
        if path := shutil.which(name):
            return path
    own = playwright.chromium.executable_path
    if Path(own).is_file():
        return own
    if os.environ.get("CI"):
        pytest.fail(ADVICE)
    pytest.skip(ADVICE)
