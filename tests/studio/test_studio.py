"""The whole job in a real browser, as somebody without a terminal does it."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest

from headstart.studio import models
from tests.studio.conftest import PATIENCE

pytestmark = pytest.mark.slow

TABS = ("", "/report", "/try", "/labels", "/export")
UNREADABLE = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
    if (!own || node.closest(':disabled, .unseen, svg, .out') || !node.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(`${node.className}: ${node.textContent.slice(0, 30)}`);
  }
  return faint;
}"""
"""Texts whose contrast is under 4.5 : 1 (WCAG 2.2, 1.4.3)."""
UNNAMED = """() => [...document.querySelectorAll('button, a[href], input, select, textarea, progress')]
  .filter((node) => node.getClientRects().length && !node.closest('[aria-hidden=true]'))
  .filter((node) => !(node.textContent.trim() || node.getAttribute('aria-label') || node.labels?.length))
  .map((node) => node.outerHTML.slice(0, 80))"""
"""Controls that a screen reader has no name for."""


def text(page, selector="main"):
    return page.locator(selector).first.inner_text()


def test_from_a_folder_to_a_prediction(studio, look):
    page = look()
    assert "token" not in page.url, "the token must not stay in the history"
    page.get_by_role("button", name="Folder photos").click()
    page.get_by_text("3 folders in this folder").wait_for()
    page.get_by_role("button", name="Use this folder").click()
    page.get_by_text("How it was understood").wait_for()
    assert "60 images in 3 classes" in text(page)
    page.wait_for_function("() => document.querySelectorAll('.samples img').length == 12")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.samples img')].every((i) => i.naturalWidth || !i.complete)"
    )

    page.get_by_label("Time").select_option("30s")
    page.get_by_label("Model goes to").fill(str(studio.root / "by-hand"))
    page.get_by_text("More choices").click()
    page.get_by_label("Strategy").select_option("probe")
    # Half a minute is the shortest time that the page offers, and longer than a test should take.
    page.route("**/api/fits", lambda route: route.continue_(post_data=route.request.post_data.replace("30s", "6s")))
    page.get_by_role("button", name="Fit", exact=True).click()
    page.get_by_role("heading", name="Fit by-hand").wait_for()
    page.locator(".evidence tbody tr").first.wait_for()
    assert page.locator(".state").first.inner_text() == "Running"

    address = page.url
    page.reload()
    page.locator(".evidence tbody tr").first.wait_for()
    second = page.context.new_page()
    second.goto(address)
    for each in (page, second):
        each.get_by_text("The model is ready").wait_for(timeout=PATIENCE)
        assert "probe" in text(each, ".evidence .best") or "pixels" in text(each, ".evidence .best")
    second.get_by_text("The same from a terminal").click()
    assert text(second, ".command pre").startswith(f"headstart fit {studio.root / 'photos'} -o")
    second.close()

    page.get_by_role("link", name="Try it").click()
    page.set_input_files("input[type=file]", studio.root / "photos" / "stripes" / "stripes-003.png")
    page.locator(".said").wait_for()
    assert text(page, ".said") == "stripes"
    assert page.locator(".answer .bars li").count() == 3
    assert page.evaluate("document.querySelector('img.tried').naturalWidth") == 24


def test_a_fit_survives_the_studio_a_kill_and_a_stop(studio, look):
    job = studio.fit(studio.root / "photos", "hard-life", strategy="full", budget="8s")
    waiting = studio.fit(studio.root / "photos", "second", strategy="probe", budget="5s")
    studio.wait(job, "running")
    assert studio.ask(f"/api/jobs/{waiting}")["ahead"] == ["hard-life"]

    assert studio.end(signal.SIGKILL) != 0
    studio.start()
    page = look(f"fit/{job}")
    page.locator(".evidence tbody tr").first.wait_for()
    os.kill(studio.command_of(job), signal.SIGKILL)
    page.get_by_text("Ended by the system").wait_for()
    assert "memory ran out" in text(page, ".problem")

    studio.ask(f"/api/jobs/{waiting}/stop", {})
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("Stopped", exact=True).wait_for()
    assert "Continuing goes on from what was computed" in text(page, ".problem")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("The model is ready").wait_for()
    assert (studio.root / "hard-life" / "manifest.json").is_file()
    assert not (studio.root / "second").exists(), "a fit that was stopped in the queue has begun nothing"


def test_a_slow_answer_does_not_overwrite_what_was_typed_meanwhile(studio, look):
    (studio.root / "typed").mkdir()
    page = look("fits")
    held = []

    def hold(route):
        held.append(route)

    page.route("**/api/browse", hold)
    page.get_by_role("link", name="New fit").click()
    path = page.get_by_label("Path", exact=True)
    path.fill(str(studio.root / "typed"))
    page.wait_for_timeout(100)
    held.pop().continue_()
    page.get_by_role("button", name="Folder photos").wait_for()
    assert path.input_value() == str(studio.root / "typed")

    page.get_by_role("button", name="Folder photos").click()
    path.fill(str(studio.root / "typed"))
    page.get_by_role("button", name="Open").click()
    while len(held) < 2:
        page.wait_for_timeout(20)
    first, second = held
    second.continue_()
    page.get_by_text("No folders and no tables in here.").wait_for()
    first.continue_()
    page.wait_for_timeout(500)
    assert path.input_value() == str(studio.root / "typed")
    page.get_by_text("No folders and no tables in here.").wait_for()


def test_a_fit_that_fails_says_why_as_the_command_line_does(studio, look):
    (studio.root / "lonely" / "cat").mkdir(parents=True)
    (studio.root / "lonely" / "cat" / "1.jpg").write_bytes(b"no picture")
    page = look()
    page.get_by_label("Path", exact=True).fill(str(studio.root / "lonely"))
    page.get_by_role("button", name="Open").click()
    page.get_by_text("1 folder in this folder").wait_for()
    page.get_by_role("button", name="Use this folder").click()
    page.locator(".findings .serious").first.wait_for()
    page.get_by_text("fit would refuse these data").wait_for()
    assert page.get_by_role("button", name="Fit", exact=True).is_disabled()

    job = studio.fit(studio.root / "lonely", "never", budget="5s")
    studio.wait(job, "failed")
    page.goto(f"{studio.base}#/fit/{job}")
    page.get_by_text("Failed", exact=True).wait_for()
    assert "Expected" in text(page, ".problem") or "Next" in text(page, ".problem")


def test_a_frame_of_the_camera_is_an_item(studio, model, look):
    page = look(f"model/{model}/try")
    page.get_by_role("button", name="Open the camera").click()
    page.wait_for_function("() => document.querySelector('video')?.videoWidth > 0")
    page.get_by_role("button", name="Try this frame").click()
    page.locator(".said").wait_for()
    assert text(page, ".said") in ("checks", "disc", "stripes")
    before = page.evaluate("document.querySelector('img.tried').src")
    page.get_by_label("again and again").check()
    page.wait_for_function("(before) => document.querySelector('img.tried').src !== before", arg=before)
    page.get_by_role("button", name="Close the camera").click()
    assert page.locator("video").count() == 0


def test_what_is_no_picture_is_refused_in_words(studio, model, look, tmp_path):
    (tmp_path / "words.jpg").write_text("<script>alert(1)</script>")
    page = look(f"model/{model}/try")
    page.set_input_files("input[type=file]", tmp_path / "words.jpg")
    page.locator(".answer .problem").wait_for()
    assert "cannot be read" in text(page, ".answer .problem")


def test_corrected_labels_become_a_new_table_and_a_new_check(studio, model, look):
    before = sorted(path.relative_to(studio.root) for path in (studio.root / "photos").rglob("*"))
    page = look(f"model/{model}/labels")
    odd = page.locator(".suspect", has_text="odd-disc")
    odd.wait_for()
    page.wait_for_function("() => document.querySelector('.suspect img').naturalWidth > 0")
    button = page.get_by_role("button", name="Fit again with these labels")
    assert button.is_disabled()
    odd.get_by_label("Change to", exact=True).check()
    odd.get_by_label("New label of").select_option("disc")
    page.reload()
    page.get_by_text("1 label changed, 0 items left out").wait_for()
    button.click()
    page.get_by_text("How it was understood").wait_for()
    shown = text(page)
    assert "column 'label' the label" in shown and "60 rows" in shown
    table = Path(page.locator(".lead").inner_text())
    rows = [line.split(",") for line in table.read_text().splitlines()]
    assert rows[0] == ["path", "label"]
    labels = {Path(path).name: label for path, label in rows[1:]}
    assert labels["odd-disc-000.png"] == "disc" and list(labels.values()).count("disc") == 20
    assert sorted(path.relative_to(studio.root) for path in (studio.root / "photos").rglob("*")) == before
    page.get_by_role("button", name="Fit", exact=True).wait_for()


def test_the_report_is_shown_in_a_frame_that_reaches_nothing(studio, model, look):
    page = look(f"model/{model}/report")
    frame = page.frame_locator("iframe.report")
    frame.locator("h1, h2").first.wait_for()
    inside = next(each for each in page.frames if "/report/" in each.url)
    assert inside.evaluate("() => self.origin") == "null"
    # Scripts of the frame are not asked what they see: what the browser lets them do is.
    policy = page.request.get(f"{studio.base}report/{model}").headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts") and "allow-same-origin" not in policy
    assert "default-src 'none'" in policy and "connect-src" not in policy


def test_runs_are_compared_in_words(studio, model, look):
    shutil.copytree(studio.root / "shapes", studio.root / "twin")
    other = models.identity(studio.root / "twin")
    page = look(f"compare?model={model}&model={other}")
    page.locator(".side-by-side").wait_for()
    assert "twin is not clearly different: +0.0 points of accuracy from shapes" in text(page, ".card")
    page.get_by_label("Compared by").select_option("log_loss")
    page.get_by_text("0.000 of Log loss from shapes").wait_for()
    page.goto(f"{studio.base}#/models")
    page.get_by_label("Compare shapes", exact=True).check()
    assert page.get_by_role("button", name="Compare").is_disabled()


HOSTILE = ["<img src=x onerror=alert(1)>", '"><svg onload=alert(2)>', "'; alert(3); '", "{{7*7}}${7*7}", "a&amp;b"]


def test_hostile_names_are_only_text(studio, look, write_shapes, tmp_path):
    shapes = write_shapes(tmp_path / "shapes", per_class=6)
    for name, shape in zip(HOSTILE, ("checks", "disc", "stripes", "checks", "disc"), strict=True):
        folder = studio.root / "hostile" / name.replace("/", "")
        folder.mkdir(parents=True)
        for file in sorted((shapes / shape).iterdir()):
            (folder / f"{name}{file.name}").write_bytes(file.read_bytes())
    page = look()
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Folder hostile").click()
    page.get_by_text("5 folders in this folder").wait_for()
    assert HOSTILE[0] in text(page, ".files")
    page.get_by_role("button", name="Use this folder").click()
    page.get_by_text("How it was understood").wait_for()
    page.locator(".samples img").first.wait_for()
    assert all(name in text(page) for name in HOSTILE)
    assert page.locator("main img[src='x'], main svg[onload]").count() == 0
    assert dialogs == []


def test_a_small_set_is_copied_and_a_large_one_is_sent_to_its_path(studio, look, write_shapes, tmp_path):
    small, large = write_shapes(tmp_path / "dropped", per_class=4), tmp_path / "large"
    (large / "a").mkdir(parents=True)
    (large / "a" / "0.png").write_bytes(b"x")
    for number in range(1, 5_001):
        os.link(large / "a" / "0.png", large / "a" / f"{number}.png")
    page = look()
    page.set_input_files("input[webkitdirectory]", large)
    page.get_by_text("too much to be copied").wait_for()
    assert "type its path" in text(page, ".drop") and "5,000 files" in text(page, ".drop")
    page.set_input_files("input[webkitdirectory]", small)
    page.get_by_text("How it was understood").wait_for()
    assert "12 images in 3 classes" in text(page)
    assert (studio.cache / "studio" / "uploads").is_dir()


def test_a_large_folder_by_path_answers_at_once_and_in_little_memory(studio, look, write_shapes, tmp_path):
    picture = next((studio.root / "photos" / "disc").iterdir())
    for label in ("one", "two"):
        folder = studio.root / "large" / label
        folder.mkdir(parents=True)
        for number in range(15_000):
            os.link(picture, folder / f"{number}.png")
        # Nothing may read a file in order to list it: these promise 5 GB and hold none.
        with open(folder / "0.raw", "wb") as stream:
            stream.truncate(5 * 2**30)
    before = psutil.Process(studio.process.pid).memory_info().rss
    started = time.perf_counter()
    found = studio.ask("/api/browse", {"path": str(studio.root / "large" / "one")})
    assert found["files"] == 15_001 and time.perf_counter() - started < 2
    started = time.perf_counter()
    job = studio.ask("/api/checks", {"source": str(studio.root / "large")})["id"]
    assert time.perf_counter() - started < 2
    page = look(f"check/{job}")
    page.get_by_text("of 30,000").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("heading", name="Choose your data").wait_for()
    assert studio.wait(job, "stopped")
    assert psutil.Process(studio.process.pid).memory_info().rss - before < 150e6


@pytest.mark.parametrize("context", [{"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}], ids=str)
def test_every_screen_fits_its_window_and_can_be_read(studio, model, look, context):
    job = studio.ask("/api/jobs")[-1]["id"]
    check = studio.ask("/api/checks", {"source": str(studio.root / "photos")})["id"]
    studio.wait(check, "done")
    page = look(**context)
    for path in ("", f"check/{check}", f"fit/{job}", "fits", "models", *(f"model/{model}{tab}" for tab in TABS)):
        page.goto(f"{studio.base}#/{path}")
        page.locator("main h1").wait_for()
        page.wait_for_timeout(400)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert page.evaluate(UNREADABLE) == [], path
        unnamed = page.evaluate(UNNAMED)
        assert unnamed == [], path
