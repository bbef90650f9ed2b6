"""A tag for each word: what labels become, which scores there are, and what is said of a sentence."""

import numpy as np
import pytest
import torch

from headstart.base.errors import BadOption, DataError, TooFewExamples
from headstart.measure import intervals
from headstart.tasks import tagging
from headstart.tasks.tagging import Entities, Tag, Tagging

ROWS = [("B-PER", 0, 0), ("I-PER", 0, 1), ("O", 0, 2), ("O", 1, 0), ("B-LOC", 1, 1), ("B-PER", 2, 0)]


def learnt():
    values = tagging.parse(ROWS)
    task = tagging.learn(values)
    return task, task.encode(values)


def sure(task, tags, confidence=0.9):
    share = (1 - confidence) / (len(task.names) - 1)
    return np.array([[confidence if name == tag else share for name in task.names] for tag in tags])


def test_tags_with_prefixes_are_entities_and_others_are_not():
    assert isinstance(learnt()[0], Entities)
    plain = tagging.learn(tagging.parse([("NOUN", 0, 0), ("VERB", 0, 1)]))
    assert type(plain) is Tagging and plain.choose_metric(np.zeros((0, 3))) == "f1_macro"
    assert "entity_f1" not in plain.metrics and "entity_f1" in learnt()[0].metrics


def test_targets_know_their_sentence_and_their_place():
    task, targets = learnt()
    assert [task.meant(row) for row in targets] == [tag for tag, _, _ in ROWS]
    assert targets[:, 1:].tolist() == [[sentence, place] for _, sentence, place in ROWS]
    assert task.about(targets) == "of 3 sentences, in 4 tags"


def test_the_score_is_of_whole_entities():
    task, targets = learnt()
    said = sure(task, ["B-PER", "O", "O", "O", "B-LOC", "B-PER"])
    found = task.score(said, targets)
    # Of three that are there and three that were said two are right; five of six words are.
    assert found["entity_f1"] == pytest.approx(2 / 3)
    assert found["entity_precision"] == pytest.approx(2 / 3) and found["entity_recall"] == pytest.approx(2 / 3)
    assert found["accuracy"] == pytest.approx(5 / 6)
    details = task.details(said, targets)["per_kind"]
    assert details["PER"] == {"there": 2, "said": 2, "right": 1, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert details["LOC"]["f1"] == 1.0


def test_a_continuation_of_nothing_is_never_answered():
    task, _ = learnt()
    answer = task.together(["Paris", "is"], [(0, 5), (6, 8)], sure(task, ["I-PER", "O"], 0.5))
    assert answer["tags"][0] in ("B-PER", "B-LOC", "O")


def test_what_is_said_of_a_sentence():
    task, _ = learnt()
    words, places = ["Ann", "Lee", "saw", "Rome"], [(0, 3), (4, 7), (8, 11), (12, 16)]
    answer = task.together(words, places, sure(task, ["B-PER", "I-PER", "O", "B-LOC"]))
    assert [(one["kind"], one["words"], one["start"], one["end"]) for one in answer["entities"]] == [
        ("PER", ["Ann", "Lee"], 0, 7),
        ("LOC", ["Rome"], 12, 16),
    ]
    assert task.told(answer) == "PER Ann Lee 90.0 %, LOC Rome 90.0 %"
    assert task.listed(answer)[0] == ["Ann", "B-PER", "0.900000"] and len(task.header()) == 3
    assert task.told(task.together(["a"], [(0, 1)], sure(task, ["O"]))) == "nothing found"
    plain = tagging.learn(tagging.parse([("NOUN", 0, 0), ("VERB", 0, 1)]))
    assert plain.told(plain.together(["dogs", "bark"], [(0, 4), (5, 9)], np.eye(2))) == "dogs/NOUN bark/VERB"


def test_intervals_draw_sentences_and_not_words():
    draw = np.random.default_rng(0)
    # Words of one sentence are all right or all wrong: a sentence says as much as one word would.
    right = draw.random(60) < 0.7
    values = [Tag("O" if place else "B-PER", sentence, place) for sentence in range(60) for place in range(10)]
    task = Entities(("B-PER", "O"))
    targets = task.encode(values)
    answers = np.where(right[targets[:, 1]], targets[:, 0], 1 - targets[:, 0])
    given = np.eye(2)[answers] * 0.8 + 0.1
    found = task.intervals(given, targets, seed=0)["accuracy"]
    alone = intervals.wilson(right.sum(), 60)
    assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.15)
    naive = intervals.wilson(int((answers == targets[:, 0]).sum()), 600)
    assert found.high - found.low > 2 * (naive.high - naive.low)
    other = np.eye(2)[targets[:, 0]] * 0.8 + 0.1
    gain = intervals.gain(task.metric("accuracy"), other, given, targets, seed=0)
    assert gain.value == pytest.approx(1 - found.value) and gain.high - gain.low > 2 * (naive.high - naive.low)


def test_the_loss_is_that_of_the_words():
    task, targets = learnt()
    outputs = torch.randn(len(targets), len(task.names), generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.cross_entropy(outputs, torch.from_numpy(targets[:, 0]))
    assert torch.allclose(task.loss(outputs, torch.from_numpy(targets)), expected)


def test_a_penalty_is_chosen_on_whole_sentences():
    sentence = np.repeat(np.arange(12), 5)
    for train, held in tagging._by_sentence(sentence, 0):
        assert not set(sentence[train]) & set(sentence[held])
    assert tagging._by_sentence(sentence[:20], 0) == ()
    draw = np.random.default_rng(0)
    values = [Tag("B-PER" if place == 0 else "O", s, place) for s in range(12) for place in range(5)]
    task = Entities(("B-PER", "O"))
    targets = task.encode(values)
    features = np.eye(2)[targets[:, 0]] @ draw.normal(size=(2, 4)) + 0.1 * draw.normal(size=(60, 4))
    linear, penalty = task.solve(features, targets, penalty=None, weights=None, seed=0)
    assert (linear.outputs(features).argmax(axis=1) == targets[:, 0]).all() and penalty > 0


def test_a_rare_tag_is_outside_of_everything_where_there_is_an_outside():
    task, _ = learnt()
    left = task.without(tagging.parse(ROWS), {"B-LOC"})
    assert [str(value) for value in left] == ["B-PER", "I-PER", "O", "O", "O", "B-PER"]
    plain = tagging.learn(tagging.parse([("NOUN", 0, 0), ("VERB", 0, 1)]))
    assert plain.without(tagging.parse([("NOUN", 0, 0), ("VERB", 0, 1)]), {"VERB"})[1] is None


def test_what_cannot_be_learnt_or_read_is_refused_in_words():
    with pytest.raises(DataError, match="no tag of a word"):
        tagging.parse(["cat"])
    one = tagging.learn(tagging.parse([("O", 0, 0)]))
    with pytest.raises(TooFewExamples, match="same tag"):
        one.check(one.encode(tagging.parse([("O", 0, 0)])), "x")
    with pytest.raises(DataError, match="B-ORG"):
        learnt()[0].encode([Tag("B-ORG")])


def test_a_task_of_whole_items_says_nothing_of_parts():
    from headstart.tasks import classification

    with pytest.raises(BadOption, match="parts"):
        classification.learn(["a", "b"]).together([], [], np.zeros((0, 2)))


def test_a_record_restores_the_task():
    task, _ = learnt()
    assert tagging.restore(task.names, task.record()) == task


def test_a_word_that_would_go_on_with_nothing_gets_another_tag_everywhere():
    task, targets = learnt()
    given = sure(task, ["I-PER", "I-PER", "O", "O", "B-LOC", "B-PER"], 0.7)
    found = task.settled(given, targets)
    said = [task.names[tag] for tag in found.argmax(axis=1)]
    assert said[0] != "I-PER" and said[2:] == ["O", "O", "B-LOC", "B-PER"]
    assert np.allclose(np.sort(found, axis=1), np.sort(given, axis=1))
    assert np.array_equal(task.settled(found, targets), found)
    assert task.score(found, targets)["entity_f1"] == task.score(given, targets)["entity_f1"]


def test_an_answer_is_as_certain_as_its_least_sure_word():
    task, _ = learnt()
    rows = np.concatenate([sure(task, ["O"], 0.9), sure(task, ["B-PER"], 0.6)])
    assert task.certainty(rows) == pytest.approx(0.6)
