"""Pieces of HTML for notebooks: escaped, without scripts, readable on light and on dark."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from headstart.base import display
from headstart.base.run import Run
from headstart.base.vocabulary import Finding, Inspected
from headstart.engine.journal import Journal

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"


class Reading(HTMLParser):
    """The tags, attributes and text of a page; tags must be balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text, self._open = "", list[str]()
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "img":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def is_harmless(page: str) -> Reading:
    found = Reading(page)
    assert found.tags <= {"div", "span", "table", "thead", "tbody", "tr", "th", "td", "img"}
    assert found.attributes <= {"style", "src", "alt"}
    assert "url(" not in page and "http" not in page
    return found


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    finding = Finding(HOSTILE, "serious", HOSTILE, 1, 0, HOSTILE)
    shown = Inspected(
        HOSTILE, "images", 3, HOSTILE, HOSTILE, HOSTILE, {HOSTILE: 3}, {"train": 3}, True, (finding,), (HOSTILE,)
    )
    assert is_harmless(shown._repr_html_()).text.count(HOSTILE) >= 8
    journal = Journal(tmp_path)
    journal.begin({"id": HOSTILE})
    row = {"name": HOSTILE, "kind": "transfer", "status": HOSTILE, "seconds": 1.0}
    journal.write("evidence", [row | {"scores": {HOSTILE: {"value": 1, "low": 0, "high": 2}}}])
    journal.write("verdict", {"sentence": HOSTILE, "winner": "transfer", "models": {"transfer": HOSTILE}})
    journal.write("findings", [{"severity": HOSTILE, "name": HOSTILE, "sentence": HOSTILE, "next_move": HOSTILE}])
    assert is_harmless(Run(tmp_path)._repr_html_()).text.count(HOSTILE) >= 7
    assert is_harmless(display.picture(b"PNG", HOSTILE)).tags == {"img"}


def test_a_run_without_anything_yet_shows_itself(tmp_path: Path) -> None:
    Journal(tmp_path).begin({"id": "one"})
    assert "not come to a verdict" in is_harmless(Run(tmp_path)._repr_html_()).text


def test_what_is_inspected_says_the_task_and_the_counts() -> None:
    shown = Inspected(
        "photos: 3 rows", "images", 1200, "multilabel", "asked", "with 1 label", {"rain": 1000}, {}, False, ()
    )
    text = is_harmless(shown._repr_html_()).text
    assert "1,200 images with 1 label" in text and "Task: multilabel (asked)" in text and "1,000" in text


def test_a_bar_is_as_long_as_its_share() -> None:
    assert "width:25.0%" in display.bar(0.25) and "25.0 %" in display.bar(0.25)
    assert "width:100.0%" in display.bar(1.2) and "width:0.0%" in display.bar(-0.1)


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_colours_of_words_are_readable_on_light_and_on_dark(page: str) -> None:
    colours = re.findall(
        r"#[0-9a-f]{6}", display.finding("serious", "a", "b", "c") + display.finding("warning", "", "", "")
    )
    colours += re.findall(r"#[0-9a-f]{6}", display.finding("info", "a", "b", "c"))
    for colour in colours:
        low, high = sorted((luminance(colour), luminance(page)))
        assert (high + 0.05) / (low + 0.05) >= 3, f"{colour} on {page}"
