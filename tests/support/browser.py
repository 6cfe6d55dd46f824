"""Debian's chromium for tests of pages, and what axe-core finds on a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = (360, 1280)
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
_RUN_AXE = "axe.run(document, {resultTypes: ['violations']})"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser, closed at the end of the block; the test is skipped where none is."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        yield browser
        browser.close()


def violations(page: Page, name: str) -> list[str]:
    """What axe-core finds, light and dark, on a phone and on a desk; and what does not fit."""
    found = []
    page.evaluate(Axe().axe_script)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{name}: wider than {width} px")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += [
                f"{name}, {width} px, {scheme}: {violation['id']} {node['html'][:200]}"
                for violation in page.evaluate(_RUN_AXE)["violations"]
                for node in violation["nodes"]
            ]
    return found
