"""Answers by what question and text share: what is learnt without a network, and how it is kept."""

import numpy as np
import pytest

from headstart.base.errors import DataError, ModelFolderError
from headstart.baselines import answer_overlap
from headstart.data import asked
from headstart.data.asked import Asked
from headstart.data.opening import open_source
from headstart.tasks import answering
from tests import asked as made


def given(tmp_path, count=150, seed=0):
    table = open_source(str(made.written(tmp_path / f"{seed}.json", made.questions(count, seed))))
    values = answering.parse(table.labels)
    task = answering.learn(values)
    return list(table.items), task.encode(values), task


def test_what_stands_beside_the_words_of_a_question_is_found(tmp_path):
    items, targets, task = given(tmp_path)
    model = answer_overlap.fit(items, targets, task, 0)
    new, truth, _ = given(tmp_path, seed=1)
    found = task.score(model.predict(new), truth)
    nothing = task.score(np.zeros((len(new), 2)), truth)
    assert found["answer_f1"] > 0.7 > nothing["answer_f1"] + 0.2
    assert found["log_loss"] < 0.5 * nothing["log_loss"]


def test_the_state_is_all_there_is(tmp_path):
    items, targets, task = given(tmp_path, count=20)
    model = answer_overlap.fit(items, targets, task, 0)
    again = answer_overlap.restore(*model.state(), task)
    assert np.array_equal(again.predict(items), model.predict(items))
    arrays, meta = model.state()
    with pytest.raises(ModelFolderError):
        answer_overlap.restore({"weight": arrays["weight"][:, 1:]}, meta, task)
    with pytest.raises(ModelFolderError):
        answer_overlap.restore(arrays, {"modality": "words"}, task)


def test_a_target_an_item(tmp_path):
    items, targets, task = given(tmp_path, count=5)
    with pytest.raises(DataError):
        answer_overlap.fit(items, targets[1:], task, 0)


@pytest.mark.parametrize("context", ["a", ".", "? ! ;", "1999", "ß ẞ İ", "字 字"])
@pytest.mark.parametrize("question", ["a", "?!", "who was 字 in 1999"])
def test_odd_texts_have_features_too(question, context):
    one = Asked(question, context, "q")
    found = answer_overlap.features(asked.each(one), "places")
    assert found.shape == (len(one.units), answer_overlap.COLUMNS) and np.isfinite(found).all()


def test_a_place_has_the_same_features_wherever_it_is_asked_about():
    one, other = Asked("who was it", "it was the owl.", "q"), Asked("when", "in 1999", "r")
    both = [*asked.each(one), *asked.each(other)]
    turn = [3, 6, 0, 5, 1]
    assert np.array_equal(
        answer_overlap.features([both[i] for i in turn], "places"), answer_overlap.features(both, "places")[turn]
    )
