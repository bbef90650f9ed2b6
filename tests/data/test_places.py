"""Places of answers: what is an item, how question and text are read in one pass, what is asked about, and how."""

import json

import numpy as np
import pytest
import torch

from headstart.base.errors import BadSource, ExportError, Undecodable
from headstart.data import places
from headstart.data.asked import Asked
from tests import asked as made
from tests import small_texts

ONE = Asked("was the owl near", "the old owl was near the harbour", "q")


def test_items_and_wholes_find_each_other():
    items = places.parts(ONE)
    assert [item.chosen for item in items] == [(n,) for n in range(8)]
    whole = places.whole(items[2])
    assert whole.chosen == tuple(range(8)) and places.part(items[2]) == (id(ONE), 2)
    assert len({places.digest(item) for item in (*items, whole)}) == 9
    again = Asked(ONE.question, ONE.context, "elsewhere")
    assert places.digest(whole) == places.digest(again)
    words, where = places.names(ONE)
    assert [ONE.context[a:b] for a, b in where[1:]] == words[1:] and words[0] == "(no answer)"


def test_one_place_is_marked_beside_the_question():
    reading = small_texts.reading()
    one, everything = places.load(places.parts(ONE)[2], reading), places.load(ONE, reading)
    assert np.array_equal(one[..., :2], everything[..., :2])
    assert one[..., 2].sum() == 1 and everything[..., 2].sum() == 8
    # The first of them stands in the question, all others in the text.
    windows, tokens = np.nonzero(everything[..., 2])
    assert everything[windows, tokens, 1].tolist() == [0] + [1] * 7


def test_every_window_of_a_long_text_has_the_question_beside_it():
    reading = small_texts.reading()
    long = Asked("was the owl near", " ".join(["kitchen", "harbour"] * 60), "q")
    found = places.load(long, reading)
    assert len(found) > 2 and found[..., 2].sum() == 121 and found[..., 2].max() == 1
    first = found[0, : int((found[0, :, 1] == 1).argmax()), 0]
    assert all(np.array_equal(window[: len(first), 0], first) for window in found)
    assert places.remark(long, reading) == f"read in {len(found)} windows" and not places.remark(ONE, reading)
    extents = np.array([found.shape[:2], (1, 9)])
    assert places.overview([long, ONE], extents, reading).startswith("1 of 2 questions have longer texts")


def test_a_question_that_leaves_no_room_for_its_text_is_refused():
    reading = small_texts.reading()
    question = " ".join(["owl"] * reading.length)
    with pytest.raises(Undecodable, match="too long to stand beside each window") as caught:
        places.load(Asked(question, "the owl was near", "q"), reading)
    assert caught.value.where == "q"
    for words in range(1, reading.length // 2 - 1):
        one = Asked(" ".join(["owl"] * words), " ".join(["owl", "old"] * 30), "q")
        assert places.load(one, reading)[..., 2].max() == 1


def test_generated_inputs_ask_about_one_place_each():
    reading = small_texts.reading()
    found = places.generated(reading, seed=0, count=8)
    assert (found[..., 2].sum(axis=(1, 2)) == 1).all()
    assert np.array_equal(found, places.generated(reading, seed=0, count=8))
    plain = places.handed(places.generated(None, seed=0, count=8))
    assert [len(item.chosen) for item in plain] == [1] * 8


def test_a_varied_copy_keeps_what_is_asked_about():
    batch = torch.from_numpy(places.load(ONE, small_texts.reading()))[None]
    varied = places.augment(batch, 3, strength=9.0)
    assert torch.equal(varied[..., 2], batch[..., 2]) and (varied[..., 0][varied[..., 2] > 0] > 0).all()


def test_a_place_is_shown_marked_in_its_text():
    shown = places.render(places.parts(ONE)[3])
    assert [run for run in shown.texts[1] if run[1] > 0] == [("owl", 1.0)]
    assert all(mark == 0 for text in places.render(ONE).texts for _, mark in text)


@pytest.mark.parametrize(
    "item", ["a text", ("q", ""), ("q", " \n"), None, ("a", "b", "c"), ("q", 1), {"question": "q"}]
)
def test_what_is_no_question_with_a_text_is_refused(item):
    with pytest.raises(Undecodable):
        places.decode(item)


def test_facts_are_of_question_and_text():
    assert places.facts(ONE) == {"words": 7.0, "asked": 4.0, "shared": 1.0}


def test_no_graph_takes_questions_and_it_is_said_why():
    with pytest.raises(ExportError, match="which tokens of a text"):
        places.export_inputs(small_texts.reading())


def test_a_command_asks_of_files_rows_and_a_question_with_its_text(tmp_path):
    squad = made.written(tmp_path / "s.json", made.questions(2))
    (tmp_path / "t.csv").write_text("question,context\nwho is it,the old owl\n")
    (tmp_path / "text.txt").write_text("the owl was here")
    args = [
        str(squad),
        "who was it",
        "it was the owl",
        str(tmp_path / "t.csv"),
        "was it near",
        str(tmp_path / "text.txt"),
    ]
    found = places.asked(args, text="question,context")
    pairs = [(one.asked.question, one.asked.context) for one in map(places.decode, found)]
    assert pairs[:2] == [(q, c) for q, c, _ in made.questions(2)]
    assert pairs[2:] == [
        ("who was it", "it was the owl"),
        ("who is it", "the old owl"),
        ("was it near", "the owl was here"),
    ]
    assert str(found[2]) == "who was it"
    with pytest.raises(BadSource, match="no text that this question is asked of"):
        places.asked(["who was it"])


def test_a_program_asks_of_pairs_lists_and_files(tmp_path):
    squad = made.written(tmp_path / "s.json", made.questions(3))
    assert len(places.listed(squad)) == 3
    assert places.listed(("who", "the owl")) == places.listed(["who", "the owl"]) == [("who", "the owl")]
    assert len(places.listed([("who", "the owl"), {"question": "who", "context": "he"}])) == 2
    given = places.decode(json.loads('{"question": "who", "context": "the owl"}'))
    assert (given.asked.question, given.asked.context) == ("who", "the owl")
    for wrong in ("a text", [], 5):
        with pytest.raises(BadSource):
            places.listed(wrong)
