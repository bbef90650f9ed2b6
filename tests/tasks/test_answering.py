"""Answers in texts: what labels become, the loss over a question's places, which scores there are, and what is said."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from headstart.base.errors import DataError, ModelFolderError, TooFewExamples
from headstart.measure import intervals
from headstart.tasks import answering

# Question 0: "in old Rome" with the answer "old Rome"; question 1 has none.
LABELS = [
    (0.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 1.0, 0.0, 0.5, 0.8),
    (1.0, 0.0, 0.0, 2.0, 2 / 3, 2.0),
    (0.0, 1.0, 0.0, 3.0, 2 / 3),
    (1.0, 1.0, 1.0, 0.0, 2.0),
    (0.0, 0.0, 1.0, 1.0),
    (0.0, 0.0, 1.0, 2.0),
]


def learnt():
    values = answering.parse(LABELS)
    task = answering.learn(values)
    return task, task.encode(values)


def sure(*bounds, confidence=5.0):
    """Outputs in which answers begin and end at these rows."""
    found = np.zeros((len(LABELS), 2))
    for begin, end in bounds:
        found[begin, 0] += confidence
        found[end, 1] += confidence
    return found


def test_targets_know_bounds_question_and_place():
    task, targets = learnt()
    assert targets.shape == (7, answering.WIDTH)
    assert targets[:, 2].tolist() == [0, 0, 0, 0, 1, 1, 1] and targets[:, 3].tolist() == [0, 1, 2, 3, 0, 1, 2]
    assert task.strata(targets).tolist() == [0, 0, 1, 0, 2, 0, 0]
    assert task.bare(targets).tolist() == [[0, 0], [0, 0], [1, 0], [0, 1], [1, 1], [0, 0], [0, 0]]
    assert task.about(targets) == "in the texts of 2 questions, 1 without an answer"
    said = [task.meant(row) for row in targets]
    assert said[0] == "there is an answer" and said[4] == "there is no answer"
    assert said[2] == "the answer begins here" and said[3] == "the answer ends here"


def test_the_scores_are_of_whole_answers():
    task, targets = learnt()
    right = task.score(task.predictions(sure((2, 3), (4, 4))), targets)
    assert right["answer_f1"] == right["exact_match"] == 1.0
    partly = task.score(task.predictions(sure((1, 3), (5, 6))), targets)
    assert partly["answer_f1"] == pytest.approx(0.4) and partly["exact_match"] == 0.0
    details = task.details(sure((2, 2), (4, 4)), targets)
    assert details["with_answer"] == {"questions": 1, "exact_match": 0.0, "answer_f1": pytest.approx(2 / 3)}
    assert details["without_answer"] == {"questions": 1, "exact_match": 1.0, "answer_f1": 1.0}


def test_the_loss_is_a_softmax_over_the_places_of_each_question():
    task, targets = learnt()
    outputs = np.random.default_rng(0).normal(size=(7, 2))
    turn = np.array([3, 6, 0, 5, 1, 4, 2])
    given = torch.tensor(outputs[turn], requires_grad=True)
    found = task.loss(given, torch.from_numpy(targets[turn]))
    logs = np.concatenate([log_softmax(outputs[:4], axis=0), log_softmax(outputs[4:], axis=0)])
    stated = -(logs[2, 0] + logs[3, 1] + logs[4, 0] + logs[4, 1]) / 4
    assert found.item() == pytest.approx(stated)
    assert task.score(outputs, targets)["log_loss"] == pytest.approx(stated)
    found.backward()
    # Of all places of a question together nothing is gained.
    for rows in (turn < 4, turn >= 4):
        assert np.allclose(given.grad[torch.from_numpy(rows)].sum(dim=0), 0, atol=1e-9)


def test_settling_gives_log_probabilities_and_changes_no_score():
    task, targets = learnt()
    outputs = np.random.default_rng(1).normal(size=(7, 2))
    settled = task.settled(outputs, targets)
    assert np.allclose(np.exp(settled[:4]).sum(axis=0), 1) and np.allclose(task.settled(settled, targets), settled)
    assert task.score(settled, targets) == pytest.approx(task.score(outputs, targets))


def test_intervals_resample_questions():
    task, targets = learnt()
    many = np.concatenate([_shifted(targets, 2 * k) for k in range(20)])
    outputs = np.tile(sure((2, 3), (5, 6)), (20, 1))
    found = intervals.bootstrap(task.metrics["exact_match"], outputs, many, seed=0)
    # Forty questions, half of them right: a standard error of 0.079.
    assert found.value == 0.5 and 0.3 <= found.low <= 0.4 and 0.6 <= found.high <= 0.7


def _shifted(targets, by):
    moved = targets.copy()
    moved[:, answering.QUESTION] += by
    return moved


def test_what_is_said_of_a_question():
    task, _ = learnt()
    parts, places = ["(no answer)", "in", "old", "Rome"], [(0, 0), (0, 2), (3, 6), (8, 12)]
    answer = task.together(parts, places, sure((2, 3))[:4])
    assert (answer["answer"], answer["start"], answer["end"]) == ("old Rome", 3, 12)
    assert 0.9 < answer["confidence"] < 1 and answer["no_answer"] < 0.01
    assert task.told(answer).startswith("old Rome 9") and task.listed(answer)[0][:3] == ["old Rome", "3", "12"]
    assert task.certainty(sure((2, 3))[:4]) == pytest.approx(answer["confidence"], abs=1e-6)
    nothing = task.together(parts, places, sure((0, 0))[:4])
    assert (nothing["answer"], nothing["start"]) == ("", None) and nothing["confidence"] == nothing["no_answer"]
    assert task.told(nothing) == "no answer 100.0 %" and task.listed(nothing)[0][:3] == ["", "", ""]
    assert len(task.header()) == len(task.listed(nothing)[0])


def test_mistakes_stand_where_the_wrong_answer_begins():
    task, targets = learnt()
    outputs = sure((1, 1), (4, 4))
    assert np.flatnonzero(task.mistaken(outputs, targets)).tolist() == [1]
    assert task.kinds(outputs, targets).tolist() == [0, 2, 0, 0, 3, 0, 0]


def test_an_answer_that_a_sure_model_contradicts_is_doubted():
    task, targets = learnt()
    (found,) = task.suspects(sure((2, 3), (5, 6), confidence=9.0), targets)
    assert (found["row"], found["said"], found["likely"]) == (4, "no answer", "words 1 to 2")
    assert found["said_probability"] < 0.05 < found["likely_probability"]


def test_confidences_are_of_questions():
    task, targets = learnt()
    confidence, right = task.confidences(sure((2, 3), (5, 6)), targets)
    assert confidence.shape == right.shape == (2, 1) and right[:, 0].tolist() == [True, False]
    assert "reliability" in task.trust(sure((2, 3), (5, 6)), targets)


def test_a_probe_learns_which_place_of_a_question_it_is():
    task, targets = learnt()
    many = np.concatenate([_shifted(targets, 2 * k) for k in range(30)])
    draw = np.random.default_rng(0)
    features = np.column_stack([many[:, :2] + draw.normal(0, 0.2, (len(many), 2)), draw.normal(size=len(many))])
    linear, _ = task.solve(features, many, penalty=None, weights=None, seed=0)
    assert task.score(task.predictions(linear.outputs(features)), many)["exact_match"] > 0.95
    left = task.each_left_out(features, many)
    assert task.score(left, many)["exact_match"] > 0.9


@pytest.mark.parametrize("label", ["x", (1.0,), ("B-PER", 0, 0), (1.0, 0.0, 0.0, 0.0) + (0.0,) * 40])
def test_what_is_no_place_of_an_answer_is_refused(label):
    with pytest.raises(DataError, match="no place of an answer"):
        answering.parse([None, label])


def test_questions_without_any_answer_and_other_outputs_are_refused():
    task, targets = learnt()
    with pytest.raises(TooFewExamples, match="No question has an answer"):
        task.check(targets[4:], "x")
    with pytest.raises(ModelFolderError):
        answering.restore(("a", "b"), {})
    with pytest.raises(DataError):
        task.corrected(LABELS[0], "no answer", "word 1")
    assert answering.restore(answering.NAMES, task.record()) == task
