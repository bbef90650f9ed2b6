"""The page in a real browser: it shows what it should, asks nobody for anything, and runs nothing that it was told."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

import headstart as hs
from headstart.base.errors import BadOption, ModelFolderError
from headstart.base.manifest import REPORT
from headstart.base.progress import Silent
from headstart.base.run import Run
from headstart.ship.panels import cost
from headstart.ship.report import page as pages
from headstart.ship.report.gather import gather
from headstart.ship.sealed import load
from headstart.tasks import classification
from tests import browser
from tests.ship.report.conftest import HOSTILE, Opened
from tests.ship.report.made import facts_of, row

pytestmark = pytest.mark.slow

CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const read = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const bright = ([r, g, b]) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [x, y, z] = [r, g, b].map((v) => linear(v / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const found = read(getComputedStyle(at).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(node.tagName) || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    const ink = read(node instanceof SVGElement ? style.fill : style.color);
    if (ink[3] === 0) continue;
    const [a, b] = [bright(ink), bright(ground(node))].sort((x, y) => y - x);
    const said = node.textContent.slice(0, 30);
    found.push([(a + 0.05) / (b + 0.05), `${node.tagName}.${node.getAttribute("class")} ${said}`]);
  }
  return found.sort((x, y) => x[0] - y[0]);
}"""
"""Every element with text of its own: the contrast of its ink to its ground, as WCAG 2 computes it."""


class Told(Silent):
    """A reporter that remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def test_fit_writes_the_page_beside_the_model_and_the_model_still_loads(fitted: Path) -> None:
    assert (fitted / REPORT).is_file()
    assert REPORT not in load(fitted).manifest.files


def test_a_fit_without_its_page_writes_it_when_it_is_resumed(model_folder: Path, call: dict[str, Any]) -> None:
    (model_folder / REPORT).unlink()
    hs.fit(output=model_folder, resume=True, **call)
    assert (model_folder / REPORT).is_file()


def test_a_page_that_cannot_be_written_is_said_and_costs_no_model(
    model_folder: Path, call: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (model_folder / REPORT).unlink()
    monkeypatch.setattr(pages, "render", lambda facts: 1 / 0)
    told = Told()
    model = hs.fit(output=model_folder, resume=True, report=told, **call)
    assert model.verdict["sentence"]
    assert not (model_folder / REPORT).exists()
    (said,) = [text for text in told.said if "report" in text]
    assert "ZeroDivisionError" in said and f"headstart report {model_folder}" in said


def test_a_model_writes_its_own_report(fitted: Path, tmp_path: Path) -> None:
    model = load(fitted)
    assert model.report(tmp_path / "own.html") == tmp_path / "own.html"
    assert hs.report(model, tmp_path / "api.html") == tmp_path / "api.html"
    assert (tmp_path / "own.html").read_bytes() == (tmp_path / "api.html").read_bytes(), "the same facts, the same page"


def test_the_page_is_small_and_whole(fitted: Path) -> None:
    text = (fitted / REPORT).read_text(encoding="utf-8")
    without_pictures = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)
    assert len(without_pictures) < 1_200_000
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)


def test_it_opens_without_complaint_and_asks_nobody_for_anything(opened: Opened, fitted: Path) -> None:
    page = opened.go(fitted / REPORT)
    page.wait_for_timeout(200)
    assert opened.errors == []
    assert opened.requests == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than its window"


def test_names_of_classes_and_files_are_text_and_never_run(wide: Opened, fitted: Path) -> None:
    page = wide.go(fitted / REPORT)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.wait_for_timeout(200)
    assert "pwned" not in page.title()
    assert page.locator("img[onerror], svg[onload], section script").count() == 0
    assert page.locator("text=7 * 7").count() > 0
    shown = page.inner_text("main")
    assert HOSTILE[0] in shown and HOSTILE[1] in shown
    assert "\u202e" not in shown and "\u2028" not in shown
    assert wide.errors == []


def test_a_script_that_is_not_the_pages_own_is_refused_by_its_policy(wide: Opened, fitted: Path) -> None:
    page = wide.go(fitted / REPORT)
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'pwned'";
      document.body.append(script);
      const image = document.createElement("img");
      image.src = "https://example.com/x.png";
      document.body.append(image);
    }""")
    page.wait_for_timeout(200)
    assert page.title() != "pwned"
    assert len([each for each in wide.errors if "Content Security Policy" in each]) == 2


def test_the_first_screen_has_verdict_evidence_and_depth(wide: Opened, tmp_path: Path) -> None:
    probe = {"strategy": "probe"}
    rows = [
        row("majority", "baseline", 0.3),
        row("probe", "transfer", 0.8, **probe, options={"stages": "last"}),
        *(row(f"probe stage {k}", "transfer", 0.5 + k / 20, **probe, options={"stages": str(k)}) for k in (3, 2, 1)),
        row("partial@2", "transfer", 0.85, strategy="partial", options={"depth": 2}),
        row("scratch", "scratch", 0.4, strategy="scratch", options={}),
    ]
    task = classification.learn(("a", "b"))
    facts = facts_of(task, [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], [0, 1, 1], evidence=rows)
    (tmp_path / "page.html").write_text(pages.render(facts), encoding="utf-8")
    page = wide.go(tmp_path / "page.html")
    word, said = page.inner_text(".outcome .word"), page.inner_text(".outcome .sentence")
    assert word.endswith("Transfer helped") and said == "it is so.", "the outcome is a word, and not only a colour"
    places = {name: page.locator(name).bounding_box() for name in ("#verdict", "#evidence", "#depth")}
    assert all(each["y"] < 500 for each in places.values())
    assert places["#evidence"]["y"] == places["#depth"]["y"], "side by side"
    assert page.locator("#depth .drawing svg").bounding_box()["y"] < 700


def test_the_evidence_table_is_the_runs(wide: Opened, fitted: Path) -> None:
    page, run = wide.go(fitted / REPORT), Run(fitted / "run")
    assert run.verdict["sentence"].endswith(page.inner_text(".outcome .sentence"))
    rows = page.locator("#evidence tbody tr")
    assert [text.split("\n")[0].split(" ")[0] for text in rows.all_inner_texts()] == [
        each["name"].split(" ")[0] for each in run.evidence
    ]
    assert page.locator("#evidence tr.strong").count() == 1
    assert "sealed" in page.inner_text("#evidence tr.strong")
    measured = [each for each in run.evidence if each["scores"]]
    assert page.locator("#evidence .interval").count() == len(measured)


def test_clicking_a_cell_of_the_confusion_matrix_shows_its_items(opened: Opened, fitted: Path) -> None:
    page = opened.go(fitted / REPORT)
    facts = gather(fitted)
    counts = facts.task.details(facts.judged.predictions, facts.judged.targets)["confusion"]
    row, column = next((r, c) for r in range(3) for c in range(3) if r != c and counts[r][c])
    page.locator(f"#confusion tbody tr:nth-child({row + 1}) td:nth-of-type({column + 1}) button").click()
    heading = page.inner_text("#confusion .shown h3")
    assert f"{counts[row][column]} item" in heading
    assert page.locator("#confusion .shown .card").count() == min(12, counts[row][column])
    assert opened.errors == []


def test_the_matrix_is_walked_with_the_keyboard(wide: Opened, fitted: Path) -> None:
    page = wide.go(fitted / REPORT)
    stops = page.locator("#confusion td button[tabindex='0']")
    assert stops.count() == 1, "one stop for Tab, arrows for the rest"
    stops.focus()
    before = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("End")
    after = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert after.startswith("true ") and after != before
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert after.rsplit(": ", 1)[1] in page.inner_text("#confusion .shown h3")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus is seen"


def test_every_text_has_contrast(opened: Opened, fitted: Path) -> None:
    page = opened.go(fitted / REPORT)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.wait_for_timeout(200)
    found = page.evaluate(CONTRAST)
    assert len(found) > 100
    assert [each for each in found if each[0] < 4.5] == []


def test_the_scheme_can_be_changed_and_keeps_its_contrast(wide: Opened, fitted: Path) -> None:
    page = wide.go(fitted / REPORT)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#report-scheme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert page.inner_text("#report-scheme") == "Light"
    assert page.evaluate(CONTRAST)[0][0] >= 4.5


def test_headings_are_in_order_and_every_picture_and_chart_has_words(wide: Opened, fitted: Path) -> None:
    page = wide.go(fitted / REPORT)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => Number(each.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.locator("img:not([alt]), img[alt='']").count() == 0
    charts = page.locator(".drawing svg")
    assert charts.count() >= 1
    for place in range(charts.count()):
        assert len(charts.nth(place).get_attribute("aria-label")) > 20
    assert page.locator("figure.chart").count() == page.locator("figure.chart details table").count()


def test_a_paper_copy_has_everything_open(wide: Opened, fitted: Path, tmp_path: Path) -> None:
    page = wide.go(fitted / REPORT)
    page.evaluate("""addEventListener("beforeprint", () => {
      const every = [...document.querySelectorAll("main details")];
      window.opened = every.filter((each) => each.open).length === every.length;
    })""")
    page.pdf(path=tmp_path / "paper.pdf")
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert page.evaluate("window.opened") is True
    page.emulate_media(media="print")
    assert page.locator(".tools").is_hidden()


def test_without_scripts_the_numbers_are_still_there(fitted: Path) -> None:
    text = (fitted / REPORT).read_text(encoding="utf-8")
    body = text[text.index("<body>") : text.index('<script type="application/json"')]
    assert "<noscript>" in body
    for each in Run(fitted / "run").evidence:
        assert f">{each['name']} " in body


def test_the_data_of_the_script_cannot_end_it(fitted: Path) -> None:
    text = (fitted / REPORT).read_text(encoding="utf-8")
    data = text[text.index('id="report-data">') + 17 :]
    data = data[: data.index("</script>")]
    assert json.loads(data)["draw"]
    assert not re.search("[<>&\u2028\u2029]", data)


def test_it_is_written_where_it_is_asked_for(fitted: Path, tmp_path: Path) -> None:
    assert pages.write(fitted, tmp_path / "one.html") == tmp_path / "one.html"
    assert pages.write(fitted, tmp_path) == tmp_path / REPORT
    with pytest.raises(BadOption, match=r"ends in \.html"):
        pages.write(fitted, tmp_path / "one.png")
    with pytest.raises(ModelFolderError, match="no such folder"):
        pages.write(tmp_path / "none")


def test_a_panel_that_fails_costs_itself_alone(fitted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "show", lambda facts: 1 / 0)
    names = dict(pages.panels_of(gather(fitted)))
    assert "ZeroDivisionError" in names["cost"].blocks[0].text
    assert {"verdict", "evidence", "confusion"} <= set(names)


def test_the_map_shows_an_item_under_the_pointer_and_by_the_arrow_keys(wide: Opened, fitted: Path) -> None:
    page = wide.go(fitted / REPORT)
    drawing = page.locator("#atlas .drawing").first
    drawing.scroll_into_view_if_needed()
    dot = page.locator("#atlas .drawing svg circle, #atlas .drawing svg path").first.bounding_box()
    page.mouse.move(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    first = page.inner_text("#atlas .shown")
    assert (
        "predicted" in first
        and page.locator("#atlas .drawing .ring").count() == page.locator("#atlas .drawing").count()
    )
    seen = {first}
    drawing.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
        seen.add(page.inner_text("#atlas .shown"))
    assert len(seen) > 2
    page.locator("#atlas .groups button").first.click()
    assert page.locator("#atlas .groups button[aria-pressed='true']").count() == 1
    assert wide.errors == []


def test_pictures_are_the_users_own_and_each_is_in_the_page_once_for_the_script(wide: Opened, fitted: Path) -> None:
    page = wide.go(fitted / REPORT)
    assert page.locator("#mistakes img").count() > 0
    broken = "[...document.images].filter((each) => each.complete && !each.naturalWidth).length"
    assert page.evaluate(broken) == 0


def test_paper_is_as_wide_as_paper(fitted: Path) -> None:
    errors: list[str] = []
    with browser.page(errors=errors, viewport={"width": 700, "height": 1000}) as page:
        page.goto((fitted / REPORT).absolute().as_uri())
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_no_two_pictures_of_a_gallery_overlap(opened: Opened, fitted: Path) -> None:
    page = opened.go(fitted / REPORT)
    overlapping = """() => [...document.querySelectorAll(".gallery")].flatMap((gallery) => {
      const boxes = [...gallery.querySelectorAll("img")].map((each) => each.getBoundingClientRect());
      const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
      return boxes.filter((a, i) => boxes.some((b, j) => j > i && !apart(a, b)));
    }).length"""
    assert page.locator("#attention img").count() > 1
    assert page.evaluate(overlapping) == 0
