"""A real Chromium, the machine's own, without a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.progress import Progress
from playwright.sync_api import Browser, sync_playwright
from scripts import deploy

from devcluster import packages

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; Debian's package is installed first where it is missing."""
    log = deploy.DEV / "apt-chromium.log"
    packages.ensure(packages.BROWSER_PROGRAMS, log=log, progress=Progress())
    program = shutil.which("chromium")
    assert program is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=Path(program), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
