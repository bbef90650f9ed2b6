"""Findings on texts: planted faults are found, clean texts raise none of them, shuffled labels raise no alarm."""

import numpy as np
import pytest

from headstart.base.vocabulary import BackboneInfo, Table
from headstart.data import dataset, languages, looking
from headstart.data.opening import open_source
from headstart.diagnose import examining, telling_mark
from headstart.diagnose.evidence import inspection
from tests.data.test_languages import SENTENCES, reading_of
from tests.small_texts import written

ENGLISH = SENTENCES["English"].lower().rstrip(".").split()
OF_TEXTS = ("foreign_language", "unknown_words", "cut_short", "too_long", "markup", "damaged", "telling_mark")


def info():
    return BackboneInfo("test/english", "test/english", 0, (), 0, reading_of("English"), modality="texts")


def looked(texts, labels):
    return looking.look(open_source(texts, labels))


def found(texts, labels, backbone=None):
    return {each.name: each for each in examining.examined(inspection(looked(texts, labels), backbone=backbone))}


def clean(number=60):
    """Sentences of English words that the small tokenizer knows."""
    draw = np.random.default_rng(0)
    known = sorted(word for word in languages.SMALL["English"] if len(word) > 2)
    return [" ".join(draw.choice(known, 14)) for _ in range(number)], ["x" if i % 2 else "y" for i in range(number)]


def test_clean_english_raises_nothing():
    assert not set(found(*clean(), info())) & set(OF_TEXTS)


@pytest.mark.parametrize("name", ["German", "Russian", "Chinese"])
def test_another_language_is_found(name):
    texts, labels = clean()
    texts[:20] = [f"{SENTENCES[name]} {i}" for i in range(20)]
    one = found(texts, labels, info())["foreign_language"]
    assert one.number == pytest.approx(20 / 60, abs=0.01)
    assert "item 1" in one.evidence["items"]
    assert "not made for" in one.sentence
    assert "foreign_language" not in found(texts, labels)


def test_long_texts_and_those_of_which_a_part_is_not_read():
    texts, labels = clean()
    texts[:10] = [f"{text} " * 4 for text in texts[:10]]
    texts[10:12] = [f"{text} " * 40 for text in texts[10:12]]
    shown = found(texts, labels, info())
    assert shown["too_long"].number == pytest.approx(10 / 60, abs=0.01)
    assert shown["cut_short"].number == pytest.approx(2 / 60, abs=0.01)
    assert "3 evenly spread windows" in shown["cut_short"].sentence


def test_unknown_signs_tags_and_wrong_encodings():
    texts, labels = clean()
    texts[:5] = [f"{text} \u10d0 \u10d1 \u10d2 \u10d3 \u10d4" for text in texts[:5]]
    texts[5:10] = [f"<p>{text}</p>" for text in texts[5:10]]
    texts[10:13] = [f"{text} CafÃ©" for text in texts[10:13]]
    shown = found(texts, labels, info())
    assert "5 texts" in shown["unknown_words"].sentence or shown["unknown_words"].number >= 5 / 60 - 0.01
    assert "5 texts of 60 hold HTML" in shown["markup"].sentence
    assert "3 texts of 60 hold letters" in shown["damaged"].sentence


def test_a_word_that_gives_the_label_is_found():
    texts, classes = written(120, telling=0.2)
    labels = [("kitchen", "sea", "wood")[each] for each in classes]
    assert "telling_mark" not in found(texts, labels)
    named = [f"{text} ({label})" for text, label in zip(texts, labels, strict=True)]
    one = found(named, labels)["telling_mark"]
    assert one.severity == "serious"
    assert "name of the class" in one.sentence
    traced = [text + (" ref7" if label == "sea" else "") for text, label in zip(texts, labels, strict=True)]
    one = found(traced, labels)["telling_mark"]
    assert one.severity == "warning"
    assert "'ref7' alone tells sea" in one.sentence
    assert one.number == 1


def test_shuffled_labels_raise_hardly_any_alarm():
    draw = np.random.default_rng(0)
    alarms = 0
    for _ in range(200):
        shown = draw.random((60, 300)) < draw.uniform(0.05, 0.9, 300)
        labels = draw.permutation(np.arange(60) % 4)
        counts = np.stack([shown[labels == label].sum(axis=0) for label in range(4)])
        alarms += bool(telling_mark.telling(counts, np.bincount(labels)))
    assert alarms <= 10


def test_the_chance_of_a_mark_is_fishers():
    from scipy.stats import fisher_exact

    counts, sizes = np.array([9, 3, 1]), np.array([12, 20, 18])
    table = [[9, 4], [3, 34]]
    assert telling_mark.chance(counts, sizes, 0) == pytest.approx(fisher_exact(table, "greater")[1])


def test_how_texts_were_recorded_must_not_tell_the_class():
    texts, classes = written(90)
    labels = [str(each) for each in classes]
    texts = [f"<p>{text}</p>" if label == "1" else text for text, label in zip(texts, labels, strict=True)]
    assert "HTML tags" in found(texts, labels)["giveaway"].sentence


def test_near_copies_lie_on_one_side_and_are_told_across_given_parts():
    draw = np.random.default_rng(0)
    words = [f"w{i}" for i in range(2000)]
    texts = [" ".join(draw.choice(words, 40)) for _ in range(120)]
    copies = [text.replace(text.split()[20], "changed") for text in texts[:40]]
    labels = ["x" if i % 2 else "y" for i in range(160)]
    data = dataset.build(looked(texts + copies, labels), seed=3)
    side = dict(zip(data.wheres, data.parts.tolist(), strict=True))
    assert all(side[f"item {i + 1}"] == side[f"item {i + 121}"] for i in range(40))
    assert len(data.near.clusters) == 40
    parts = tuple("train" if i < 120 else "test" for i in range(160))
    table = Table(tuple(texts + copies), tuple(labels), parts, "memory", "", modality="texts")
    seen = looking.look(table)
    shown = {
        each.name: each for each in examining.examined(inspection(seen, data=dataset.build(seen), backbone=info()))
    }
    assert shown["leaking_near_copies"].number == 40
    assert shown["leaking_near_copies"].severity == "serious"
