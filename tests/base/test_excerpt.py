"""Words of an item as plain data: read back as they were, or refused."""

import json

import pytest

from headstart.base.excerpt import LONGEST, Excerpt

PAIR = Excerpt(((("The ", 0.0), ("cat", 0.7)), (("sat\non  it", 1.0),)), (0, 12))


def test_an_excerpt_is_read_back_as_it_was():
    assert Excerpt.from_dict(json.loads(json.dumps(PAIR.as_dict()))) == PAIR


def test_its_words_on_a_line():
    assert PAIR.plain() == "The cat / sat on it"
    assert PAIR.brief(8) == "The cat…"
    assert Excerpt(((("short", 0.0),),), (0,)).brief(8) == "short"
    # What is not shown of a text is not passed over in silence.
    assert Excerpt(((("short", 0.0),),), (5,)).brief(80) == "short…"


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        [],
        {},
        {"texts": []},
        {"texts": [{}] * 3},
        {"texts": [{"runs": "words"}]},
        {"texts": [{"runs": [["words"]]}]},
        {"texts": [{"runs": [[1, 1]]}]},
        {"texts": [{"runs": [["words", "much"]]}]},
        {"texts": [{"runs": [["words", True]]}]},
        {"texts": [{"runs": [["words", 0]], "left": "all"}]},
        {"texts": [{"runs": [["w" * (LONGEST + 1), 0]]}]},
    ],
)
def test_what_is_no_excerpt_is_refused(damaged):
    with pytest.raises(ValueError, match="no excerpt"):
        Excerpt.from_dict(damaged)


def test_marks_are_kept_between_nothing_and_all():
    read = Excerpt.from_dict({"texts": [{"runs": [["a", 7], ["b", -1], ["c", float("nan")]], "left": -3}]})
    assert [mark for _, mark in read.texts[0]] == [1.0, 0.0, 0.0]
    assert read.left == (0,)
