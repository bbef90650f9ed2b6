"""SQuAD files: what is understood, what is mended and said, and what is refused, with the question's id."""

import json

import pytest

from headstart.base.errors import BadOption, BadSource, HeadstartError
from headstart.data import dataset
from headstart.data.opening import open_source
from headstart.data.sources import answers
from tests import asked

CONTEXT = "It was built in the 1970s, near Rome, and again near Rome."


def one(question="Where?", context=CONTEXT, qid="56be", **given):
    return {
        "data": [
            {"title": "t", "paragraphs": [{"context": context, "qas": [{"id": qid, "question": question, **given}]}]}
        ]
    }


def said(text, start):
    return {"text": text, "answer_start": start}


def written(tmp_path, content, name="squad.json"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def test_places_have_bounds_and_what_spans_are_worth(tmp_path):
    table = open_source(
        written(tmp_path, one(answers=[said("near Rome", 27), said("Rome", 32), said("near Rome", 27)]))
    )
    assert (table.task, table.modality, table.notes) == ("answering", "places", ())
    assert "1 question on 1 text; texts stay" in table.understood
    by_word = {item.name.rpartition(" ")[2]: label for item, label in zip(table.items, table.labels, strict=True)}
    assert table.labels[0] == (0.0, 0.0, 0.0, 0.0)
    first = next(label for label in table.labels if label[0] == pytest.approx(2 / 3))
    assert first[1] == 0 and first[4:6] == (pytest.approx(2 / 3), 2.0)
    assert by_word["(It)"][:4] == (0.0, 0.0, 0.0, 1.0)
    ends = [label for label in table.labels if label[1]]
    assert len(ends) == 1 and ends[0][1] == pytest.approx(1.0) and ends[0][4] == 2.0
    # The same words further behind are as good an answer, as the published script has it.
    assert sum(label[4:6] == (pytest.approx(2 / 3), 2.0) for label in table.labels) == 2


@pytest.mark.parametrize("given", [{"answers": [], "is_impossible": True}, {"answers": []}, {"is_impossible": True}])
def test_no_answer_is_the_answer_of_some_questions(tmp_path, given):
    both = one(answers=[said("Rome", 32)])
    both["data"].append(one(qid="x", **given)["data"][0])
    table = open_source(written(tmp_path, both))
    assert "1 without an answer" in table.understood
    assert (1.0, 1.0, 1.0, 0.0, 2.0) in table.labels


def test_an_answer_that_stands_elsewhere_is_found_and_it_is_said(tmp_path):
    table = open_source(written(tmp_path, one(answers=[said("Rome", 45)])))
    (note,) = table.notes
    assert "1 answer does not stand where the file says" in note and "question 56be" in note
    place = next(label for label in table.labels if label[0])[3]
    assert table.items[int(place)].asked.places[int(place) - 1][0] == CONTEXT.rindex("Rome")


def test_an_answer_inside_a_word_is_learnt_as_the_word_and_scored_as_it_is(tmp_path):
    table = open_source(written(tmp_path, one(answers=[said("1970", 20)])))
    assert "1 answer begins or ends inside a word" in table.notes[0]
    (label,) = [label for label in table.labels if label[0]]
    assert label[:2] == (1.0, 1.0) and not any(label[4:])


def test_an_answer_that_is_too_long_is_said(tmp_path):
    context = " ".join(["word"] * 30)
    table = open_source(written(tmp_path, one(context=context, answers=[said(context, 0)])))
    assert "more than 20 words" in table.notes[0]


def test_files_of_a_folder_are_parts_and_articles_stay_together(tmp_path):
    for name, count in (("train-v2.0", 12), ("dev-v2.0", 5)):
        asked.written(tmp_path / f"{name}.json", asked.questions(count))
    table = open_source(str(tmp_path))
    assert set(table.parts) == {"train", "val"} and "articles stay" in table.understood
    assert any("12 questions train, 5 questions val" in note for note in table.notes)
    assert len(set(table.groups)) == 17


def test_questions_of_one_text_never_lie_on_two_sides(tmp_path):
    rows = asked.as_squad(asked.questions(40))
    for article in rows["data"]:
        article["paragraphs"][0]["qas"].append({**article["paragraphs"][0]["qas"][0], "question": "and what was it"})
    data = dataset.build(open_source(written(tmp_path, rows)))
    sides = {}
    for item, part in zip(data.items, data.parts, strict=True):
        sides.setdefault(item.asked.context, set()).add(part)
    assert all(len(found) == 1 for found in sides.values()) and len({*data.parts}) > 1


def test_questions_without_answers_are_left_out_and_can_be_asked(tmp_path):
    both = one(answers=[said("Rome", 32)])
    both["data"].append(one(qid="x")["data"][0])
    path = written(tmp_path, both)
    assert None in open_source(path).labels
    assert [str(each).rpartition(" ")[2] for each in answers.questions_of(path)] == ["56be", "x"]
    with pytest.raises(BadSource, match="No question has an answer"):
        open_source(written(tmp_path, one()))


def test_texts_in_other_forms_of_unicode_are_found(tmp_path):
    context = "Cafe\u0301 owners,\r\nlived in Zu\u0308rich."
    table = open_source(written(tmp_path, one(context=context, answers=[said("Zu\u0308rich", context.index("Zu"))])))
    (label,) = [label for label in table.labels if label[0]]
    assert label[4] == 2.0 and table.items[int(label[3])].name.endswith("(Zürich)")


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"answers": [said("Paris", 3)]}, "'Paris' is not in its text"),
        ({"answers": [said("Rome", "32")]}, "An answer is"),
        ({"answers": [said("Rome", True)]}, "An answer is"),
        ({"answers": [said(" ", 2)]}, "An answer is"),
        ({"answers": ["Rome"]}, "An answer is"),
        ({"answers": "Rome"}, "no list"),
        ({"answers": [said("Rome", 32)], "is_impossible": True}, "said to have none"),
        ({"answers": [], "is_impossible": False}, "said to have one"),
        ({"question": 5, "answers": []}, 'no text "question"'),
        ({"question": " ", "answers": []}, "A text cannot be used"),
    ],
)
def test_what_is_wrong_with_a_question_is_said_with_its_id(tmp_path, given, what):
    with pytest.raises(BadSource) as caught:
        open_source(written(tmp_path, one(**given)))
    assert what in caught.value.what and "question 56be" in str(caught.value.where) and caught.value.expected


@pytest.mark.parametrize("start", [-1, -400, 10**30, 1000])
def test_odd_beginnings_are_mended(tmp_path, start):
    assert "does not stand where" in open_source(written(tmp_path, one(answers=[said("Rome", start)]))).notes[0]


@pytest.mark.parametrize(
    "content",
    [
        {"data": [{"paragraphs": [5]}]},
        {"data": [5, {"paragraphs": []}]},
        {"data": {"paragraphs": []}},
        {"data": [{"paragraphs": []}]},
        {"data": [{"paragraphs": [{"context": "a b"}]}]},
        {"data": [{"paragraphs": [{"context": "\x00 ", "qas": [{"question": "a"}]}]}]},
        {"data": [{"paragraphs": [{"context": ["a"], "qas": []}]}]},
        {"data": [{"paragraphs": [{"context": "a b", "qas": ["x"]}]}]},
        b'{"data": [{"paragraphs": [{"context": "a',
        b'{"data": [{"paragraphs": ["\xff\xfe"]}]}',
        b'{"data": [{"paragraphs": [' + b"[" * 200_000,
        b'{"data": [{"paragraphs": [' + b"9" * 10_000 + b"]}]}",
        b'{"data": [{"paragraphs": [{"context": "\\ud800", "qas": [{"question": "\\udfff x", "id": [1]}]}]}]}',
    ],
)
def test_damaged_files_are_refused_in_words(tmp_path, content):
    with pytest.raises(HeadstartError) as caught:
        open_source(written(tmp_path, content))
    assert caught.value.where and caught.value.expected


def test_other_json_is_somebody_elses(tmp_path):
    assert not answers.claims(written(tmp_path, [{"text": "a", "label": "b"}]))
    assert not answers.claims(str(tmp_path / "missing.json")) and not answers.claims(5)
    assert answers.claims(written(tmp_path, one(answers=[])))
    with pytest.raises(BadOption):
        open_source(written(tmp_path, one(answers=[said("Rome", 32)])), text="context")
