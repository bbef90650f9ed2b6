"""The page about the interface: it is shown without a network, tries the model, and is what its publisher built."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import httpx
import pytest

from headstart.ship.server import pages
from tests.browser import page
from tests.ship.server.conftest import Process


@pytest.mark.parametrize("name", pages.ASSETS)
def test_a_vendored_file_is_what_it_is_said_to_be(client: httpx.Client, name: str) -> None:
    kind, digest = pages.ASSETS[name]
    answer = client.get(f"/docs/{name}")
    assert hashlib.sha256(answer.content).hexdigest() == digest
    assert answer.headers["content-type"] == kind


def test_its_licence_lies_beside_it() -> None:
    folder = resources.files("headstart.ship.server") / "assets"
    assert "Apache License" in (folder / "LICENSE").read_text("utf-8")
    assert "SmartBear" in (folder / "NOTICE").read_text("utf-8")
    assert {entry.name for entry in folder.iterdir()} == {
        *pages.ASSETS,
        *("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"),
    }


@pytest.mark.slow
def test_the_page_asks_nobody_else_and_tries_the_model(shared: Process, pictures: Path, tmp_path: Path) -> None:
    errors: list[str] = []
    asked: set[str] = set()
    with page(errors=errors, viewport={"width": 1200, "height": 900}) as seen:
        seen.on("request", lambda request: asked.add(request.url.split("/", 3)[2]))
        seen.goto(f"{shared.url}/docs")
        seen.get_by_text("/predict", exact=True).click()
        seen.get_by_label("Request content type").select_option("image/png")
        seen.locator("input[type=file]").set_input_files(sorted(pictures.rglob("*.png"))[0])
        seen.get_by_role("button", name="Execute").click()
        seen.get_by_text('"confidence"').first.wait_for()
        assert '"label"' in seen.locator(".live-responses-table").inner_text()
    assert errors == []
    assert asked == {shared.url.removeprefix("http://")}
