"""One real fit whose class and file names would run as code if a page let them, and its report in a real browser."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import headstart as hs
from headstart.backbones import catalogue
from headstart.backbones import folder as backbones
from tests import browser

HOSTILE = (
    "</script><script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\"><!--",
    "{{ 7 * 7 }} \u2028 \u202e &amp; 'quoted'",
)
"""Class names: the end of a script, an element with a handler, a template, line and direction marks."""


@pytest.fixture(scope="session")
def call(tmp_path_factory: pytest.TempPathFactory, write_shapes: Callable[..., Path]) -> dict[str, Any]:
    """What fit is called with: pictures of three classes with hostile names."""
    folder = write_shapes(tmp_path_factory.mktemp("report") / "shapes", per_class=24)
    table = folder / "labels.csv"
    with open(table, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "label", "split"])
        for name, label in zip(("checks", "disc", "stripes"), HOSTILE, strict=True):
            for number, path in enumerate(sorted((folder / name).iterdir())):
                odd = path.rename(path.with_name(f"<svg onload=alert(1)> {number}.png")) if number % 5 == 0 else path
                # Some labels are wrong, so that there are mistakes to look at.
                wrong = HOSTILE[0] if number in (3, 20) else label
                writer.writerow([odd.relative_to(folder), wrong, "test" if number >= 14 else "train"])
    backbone = tmp_path_factory.mktemp("backbone") / "small"
    small = catalogue.load("embedded/resnet10-8-12-16-24", weights=False)
    backbones.write_folder(small, backbone, {"source": "random"})
    # With rate and epochs given, and time in plenty, nothing is left to the clock: a busy machine makes the same model.
    settings = {"strategy.rate": 0.001, "strategy.epochs": 2}
    rest = {"strategy": "partial", "settings": settings, "budget": "10m", "seed": 1}
    return {"source": table, "backbone": f"local:{backbone}", **rest}


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory, call: dict[str, Any]) -> Path:
    """The folder of a sealed model with its run."""
    to = tmp_path_factory.mktemp("fitted") / "shapes <b>model"
    hs.fit(output=to, **call)
    return to


@pytest.fixture
def model_folder(fitted: Path, tmp_path: Path) -> Path:
    """A copy of it for a test to spoil."""
    return shutil.copytree(fitted, tmp_path / "model")


class Opened:
    """A report in a browser.

    Attributes:
        page: the browser's.
        errors: what its scripts and its console complained of.
        requests: addresses it asked for, those inside the page left out.
    """

    def __init__(self, page: Any, errors: list[str]) -> None:
        self.page, self.errors = page, errors
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))

    def go(self, path: Path) -> Any:
        """Open a file, and wait until it is drawn."""
        self.page.goto(path.absolute().as_uri())
        self.page.wait_for_selector(".drawing svg")
        self.requests = [url for url in self.requests if not url.startswith(("data:", path.absolute().as_uri()))]
        return self.page


@pytest.fixture(params=["light", "dark", "phone"])
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    """An empty page on a wide screen, on a dark one, and on a phone."""
    context: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
    if request.param == "phone":
        context = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    context["color_scheme"] = "dark" if request.param == "dark" else "light"
    errors: list[str] = []
    with browser.page(errors=errors, **context) as page:
        yield Opened(page, errors)


@pytest.fixture
def wide() -> Iterator[Opened]:
    """An empty page on a wide screen."""
    errors: list[str] = []
    with browser.page(errors=errors, viewport={"width": 1280, "height": 860}) as page:
        yield Opened(page, errors)
