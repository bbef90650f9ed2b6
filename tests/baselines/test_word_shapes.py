"""Words by how they and their neighbours are written: what is learnt without a network, and how it is kept."""

import numpy as np
import pytest

from headstart.base.errors import DataError, ModelFolderError
from headstart.baselines import word_shapes
from headstart.data import sentences
from headstart.tasks import tagging

SAID = [
    [("Ann", "B-PER"), ("met", "O"), ("Bob", "B-PER"), (".", "O")],
    [("we", "O"), ("live", "O"), ("in", "O"), ("Rome", "B-LOC"), (".", "O")],
    [("Eve", "B-PER"), ("lives", "O"), ("in", "O"), ("Oslo", "B-LOC"), (".", "O")],
]


def given(count=30, names=("Ann", "Bob", "Eve", "Tom"), places=("Rome", "Oslo", "Bonn")):
    draw = np.random.default_rng(0)
    rows = []
    for _ in range(count):
        row = SAID[int(draw.integers(len(SAID)))]
        rows.append(
            [(str(draw.choice(names if "PER" in tag else places)) if tag != "O" else word, tag) for word, tag in row]
        )
    items = [word for row in rows for word in sentences.each(sentences.of_words([word for word, _ in row], "s"))]
    labels = [(tag, number, place) for number, row in enumerate(rows) for place, (_, tag) in enumerate(row)]
    values = tagging.parse(labels)
    task = tagging.learn(values)
    return items, task.encode(values), task


def test_names_that_were_never_seen_are_told_by_their_shape_and_their_neighbours():
    items, targets, task = given()
    model = word_shapes.fit(items, targets, task, 0)
    new, truth, _ = given(names=("Zoe", "Kim"), places=("Bern", "Pisa"))
    assert task.score(model.predict(new), truth)["entity_f1"] > 0.9
    assert np.allclose(model.predict(new).sum(axis=1), 1)


def test_the_same_seed_gives_the_same_model_and_its_state_is_all_there_is():
    items, targets, task = given()
    model, again = (word_shapes.fit(items, targets, task, 0) for _ in range(2))
    assert np.array_equal(model.weight, again.weight)
    arrays, meta = model.state()
    assert np.array_equal(word_shapes.restore(arrays, meta, task).predict(items[:9]), model.predict(items[:9]))


def test_a_tag_that_no_training_word_has_is_improbable():
    items, targets, task = given()
    there = targets[:, 0] != task.names.index("B-LOC")
    chosen = [item for item, keep in zip(items, there, strict=True) if keep]
    model = word_shapes.fit(chosen, targets[there], task, 0)
    assert model.predict(items)[:, task.names.index("B-LOC")].max() < 0.05


@pytest.mark.parametrize(
    ("word", "shape"), [("McDonald's", "XxXx'x"), ("1998", "0"), ("USA", "X"), ("e-mail", "x-x"), ("--", "-")]
)
def test_the_shape_of_a_word(word, shape):
    assert word_shapes.shape(word) == shape


def test_what_does_not_fit_is_refused():
    items, targets, task = given()
    with pytest.raises(DataError, match="do not fit"):
        word_shapes.fit(items[1:], targets, task, 0)
    arrays, meta = word_shapes.fit(items, targets, task, 0).state()
    with pytest.raises(ModelFolderError, match="modality"):
        word_shapes.restore(arrays, {**meta, "modality": "texts"}, task)
    with pytest.raises(ModelFolderError, match="weight"):
        word_shapes.restore({**arrays, "weight": arrays["weight"][:, :9]}, meta, task)
