"""A real browser for the tests of pages: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def found() -> str | None:
    """Path of the system's Chromium; None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextlib.contextmanager
def page(*, errors: list[str], flags: Sequence[str] = (), **context: Any) -> Iterator[Any]:
    """An empty page; what its scripts and its console complain of is added to ``errors``.

    The test skips itself where there is no browser, except in continuous integration, where it fails.

    Args:
        errors: filled with messages.
        flags: of Chromium's command line.
        context: of the browser's context, such as ``viewport={"width": 390, "height": 844}`` or
            ``color_scheme="dark"``.
    """
    path = found()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium on this machine; make browser installs it")
        pytest.skip("no Chromium on this machine (make browser installs it)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, which is who runs tests in a container.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *flags])
        opened = browser.new_context(**context).new_page()
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        yield opened
        browser.close()
