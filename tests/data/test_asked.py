"""Questions and their texts: which places there are, and which words some characters touch."""

import pytest

from headstart.data import asked
from headstart.data.asked import Asked, Chosen

ONE = Asked("Where's the (old) owl?", "It sat\nin  the 1970s, near-by: (Rome).", "q")


def test_words_stand_where_they_are_and_the_question_stands_for_no_answer():
    words = [ONE.context[start:end] for start, end in ONE.places]
    assert words == ["It", "sat", "in", "the", "1970s", ",", "near-by", ":", "(", "Rome", ")", "."]
    assert ONE.units[0] == (0, 0, 7) and ONE.units[1] == (1, 0, 2) and len(ONE.units) == 13
    assert [ONE.word(number) for number in (0, 1, 10)] == [asked.NOTHING, "It", "Rome"]
    assert ONE.vocabulary >= {"it", "sat", "rome"}


@pytest.mark.parametrize(
    ("text", "words"), [("1970", (4, 4)), ("Rome", (9, 9)), ("the 1970s", (3, 4)), ("\n", None), ("ear-by: (R", (6, 9))]
)
def test_an_answer_covers_the_words_that_it_touches(text, words):
    start = ONE.context.index(text)
    assert asked.covering(ONE.places, start, start + len(text)) == words


def test_bytes_become_the_same_places_again():
    for chosen in (asked.each(ONE)[10], Chosen(ONE, (0, 3))):
        found = asked.unpacked(asked.packed(chosen))
        assert (found.asked.question, found.asked.context) == (ONE.question, ONE.context)
        assert found.chosen == chosen.chosen


@pytest.mark.parametrize("data", [b"", b"5", b"\x1f\x1f", b"99 x\x1fq\x1fa b", b"\xff"])
def test_bytes_that_nobody_packed_are_still_a_place(data):
    found = asked.unpacked(data)
    assert found.chosen and max(found.chosen) < len(found.asked.units)


def test_places_are_named():
    assert [item.name for item in asked.each(ONE)[:2]] == ["q, (no answer)", "q, word 1 (It)"]
    assert Chosen(ONE, (0, 1)).name == str(ONE) == "q"
