"""How tags mark beginnings and ends, and that all ways become one."""

import pytest

from headstart.data import schemes

SAID = {
    schemes.IOB1: ["I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-PER", "O"],
    schemes.IOB2: ["B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-PER", "O"],
    schemes.BIOES: ["B-PER", "E-PER", "S-PER", "O", "S-LOC", "S-PER", "O"],
}
BILOU = ["B-PER", "L-PER", "U-PER", "O", "U-LOC", "U-PER", "O"]


@pytest.mark.parametrize("name", SAID)
def test_a_scheme_is_recognised_and_brought_to_iob2(name):
    assert schemes.recognised([SAID[name]]).name == name
    assert schemes.as_iob2(SAID[name]) == SAID[schemes.IOB2]


def test_bilou_is_bioes_with_other_letters():
    assert schemes.recognised([BILOU]).name == schemes.BIOES
    assert schemes.as_iob2(BILOU) == SAID[schemes.IOB2]


def test_a_sentence_begins_anew():
    assert [schemes.as_iob2(row) for row in (["I-PER"], ["I-PER", None, "I-PER"])] == [
        ["B-PER"],
        ["B-PER", None, "B-PER"],
    ]


def test_continuations_of_nothing_are_counted():
    found = schemes.recognised([["B-PER", "O", "I-PER"], ["B-LOC", "I-PER"]])
    assert (found.name, found.mended) == (schemes.IOB2, 2)


@pytest.mark.parametrize("tags", [["NOUN", "VERB"], ["O", "PER"], ["O", "O"], ["I", "B"]])
def test_tags_without_prefixes_stay_as_they_are(tags):
    assert schemes.recognised([tags]) == schemes.Scheme(schemes.PLAIN)


def test_a_tag_that_does_not_fit_the_others_is_named():
    assert schemes.recognised([["B-PER", "O"], ["I-PER", "BPER"]]).odd == (1, 1)
