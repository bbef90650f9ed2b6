"""Texts in the studio: a table is checked, a model is tried on what is typed, suspected labels are corrected."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import pytest

from headstart.base.errors import BadOption, BadSource, Undecodable
from headstart.data.opening import open_source
from headstart.studio import relabelling, trying
from headstart.studio.relabelling import Change
from headstart.tasks import classification
from tests import topics
from tests.studio.conftest import PATIENCE, Studio

HOSTILE = "</script><img src=x onerror=\"document.title='pwned'\"> salt, \u202eoven"
WRONG = 7
"""Row of the table, from 0, whose label is wrong."""


def table(folder, name="reviews.csv", heads=("review", "label")):
    texts, labels = topics.sentences(30)
    texts[3] = HOSTILE
    labels[WRONG] = next(each for each in topics.TOPICS if each != labels[WRONG])
    with open(folder / name, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([heads, *zip(texts, labels, strict=True)])
    return folder / name, texts, labels


@pytest.fixture
def corrected(tmp_path, monkeypatch):
    def write(source, changes, columns=None):
        task = classification.learn(["cooking", "sailing", "trains"])
        monkeypatch.setattr(relabelling, "task_of", lambda *_: task)
        monkeypatch.setattr(relabelling.manifest, "read", lambda _: SimpleNamespace(modality="texts"))
        made = relabelling.write(tmp_path / "tables", source, columns or {}, changes, model=tmp_path / "m")
        return made[0], made[2]

    return write


def test_a_corrected_table_of_texts_has_every_text_as_it_was(tmp_path, corrected):
    source, texts, labels = table(tmp_path)
    changes = [Change("row 8", labels[WRONG], "trains"), Change("row 1", labels[0], None)]
    made, columns = corrected(source, changes)
    assert columns == {"label": "label", "text": "text"}
    found = open_source(str(made), **columns)
    assert [item.texts[0] for item in found.items] == texts[1:]
    assert list(found.labels) == [*labels[1:WRONG], "trains", *labels[WRONG + 1 :]]


def test_a_corrected_table_of_pairs_has_both_texts(tmp_path, corrected):
    rows = [(f"the {word} of today", f"is it {word}", "cooking") for word in ("salt", "oven", "pan", "soup")]
    with open(tmp_path / "pairs.csv", "w", newline="") as stream:
        csv.writer(stream).writerows([("premise", "hypothesis", "label"), *rows])
    made, columns = corrected(tmp_path / "pairs.csv", [Change("row 2", "cooking", "trains")])
    found = open_source(str(made), label=columns["label"], text=columns["text"].split(","))
    assert [item.texts for item in found.items] == [row[:2] for row in rows]
    assert list(found.labels) == ["cooking", "trains", "cooking", "cooking"]


def test_a_text_that_is_not_in_the_source_is_told(tmp_path, corrected):
    source, _, _ = table(tmp_path)
    with pytest.raises(BadSource, match="1 item of this list is not in"):
        corrected(source, [Change("row 9999", "cooking", "trains")])


def test_a_pair_is_read_as_two_texts_and_nothing_else_is():
    assert trying._item("texts", "pair", b'["one", "two"]') == ("one", "two")
    assert trying._item("texts", "text", b"[]") == "[]"
    for body in (b"", b"7", b'["one"]', b'["one", 2]', b"{}", b"[" * 100_000):
        with pytest.raises(BadOption, match="no pair"):
            trying._item("texts", "pair", body)
    with pytest.raises(Undecodable, match="empty"):
        trying._item("texts", "pair", b'["one", " "]')
    with pytest.raises(BadOption, match="takes no pair"):
        trying._item("images", "pair", b'["one", "two"]')


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    place = tmp_path_factory.mktemp("studio").resolve()
    (place / "root" / "encoder").mkdir(parents=True)
    topics.saved(place / "root" / "encoder")
    table(place / "root")
    running = Studio(place / "root", place / "cache")
    running.start()
    yield running
    if running.process.poll() is None:
        assert running.end() == 0, running.process.stderr.read()


@pytest.mark.slow
def test_from_a_table_of_texts_to_a_typed_text(studio, look):
    page = look()
    page.get_by_role("button", name="Table reviews.csv").click()
    page.get_by_text("How it was understood").wait_for(timeout=PATIENCE)
    assert "90 rows" in page.locator("main").inner_text()
    page.locator(".samples .words").first.wait_for()
    assert page.locator(".samples .words").count() == 12
    assert page.locator(".samples .words p").first.get_attribute("dir") == "auto"

    backbone = f"local:{studio.root / 'encoder'}"
    job = studio.fit(studio.root / "reviews.csv", "topics", strategy="probe", budget="6s", backbone=backbone)
    model = studio.wait(job, "done")["model"]
    page.goto(f"{studio.base}#/model/{model}/try")
    page.get_by_label("A text", exact=True).last.fill("salt and butter in the oven, soup in a pan")
    page.get_by_role("button", name="Try this text").click()
    page.locator(".said").wait_for(timeout=PATIENCE)
    assert page.locator(".said").inner_text() in topics.TOPICS
    page.get_by_text("It belongs together with another text").click()
    page.get_by_label("The second text of the pair").fill("\u05e9\u05dc\u05d5\u05dd the anchor and the deck")
    page.get_by_role("button", name="Try this text").click()
    # A network answers; a simple baseline that learnt from single texts, should it have won, takes no pair.
    page.locator(".said, .answer .problem").wait_for(timeout=PATIENCE)
    if not page.locator(".said").count():
        assert "no item of the kind that was learnt from" in page.locator(".answer").inner_text()

    page.goto(f"{studio.base}#/model/{model}/labels")
    page.locator(".suspect .words").first.wait_for(timeout=PATIENCE)
    assert page.title() != "pwned"
    first = page.locator(".suspect").first
    first.get_by_label("Leave out").check()
    page.get_by_role("button", name="Fit again with these labels").click()
    page.get_by_text("How it was understood").wait_for(timeout=PATIENCE)
    assert "89 rows" in page.locator("main").inner_text()
