"""TF-IDF baselines: what scikit-learn would do, kept as plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

from headstart.base import discovery
from headstart.base.errors import DataError, HeadstartError, ModelFolderError, Undecodable
from headstart.baselines import terms
from headstart.measure import folds, logistic
from headstart.measure.linear import Linear
from headstart.tasks import multilabel, regression
from tests.baselines.pictures import kinds, through_a_file
from tests.small_texts import written

NAMES = ("tfidf_logistic", "tfidf_ridge")


def room(name):
    return discovery.load("baselines", name)


@pytest.fixture(scope="module")
def fitted():
    texts, y = written(90)
    return {name: room(name).fit(texts, y, kinds(3), 0) for name in NAMES}


def vectorised():
    given = {"sublinear_tf": True, "min_df": 1, "max_features": terms.MOST_TERMS}
    return make_union(
        TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", **given),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **given),
    )


ODD = ["", "Größe CAFÉ naïve", "שלום עולם", "👍👍 emoji", "一二三四五 六七", "a\nb\tc  d", "x" * 300, "1,000.5 %"]


def test_rows_are_scikit_learns_also_after_a_file():
    texts, _ = written(60)
    known, features = terms.learn(texts + ODD)
    again = terms.restore(known.state())
    new = [*written(20, seed=5)[0], *ODD, "never seen before"]
    expected = vectorised().fit(texts + ODD).transform(new)
    for each in (known, again):
        assert (abs(each.rows(new) - expected) > 0).nnz == 0
        assert (abs(each.rows(texts + ODD) - features) > 1e-12).nnz == 0
    assert known.width == again.width == expected.shape[1]


def test_a_pair_is_both_texts_where_they_agree_and_how_much():
    pairs = [("the old oak", "an old oak"), ("salt and soup", "the storm"), ("one two", "one two")]
    known, features = terms.learn(pairs)
    assert (abs(known.rows(pairs) - features) > 1e-12).nnz == 0
    found = known.rows(pairs).toarray()
    one = vectorised().fit([side for pair in pairs for side in pair])
    first, second = (one.transform(list(side)).toarray() for side in zip(*pairs, strict=True))
    words = len(known.counters["words"].vocabulary_)
    product = first * second
    cosines = np.stack([product[:, :words].sum(1), product[:, words:].sum(1)], 1)
    assert found == pytest.approx(np.hstack([first, second, product, cosines]))
    assert found[2, -2:] == pytest.approx([1, 1])
    assert known.width == found.shape[1]


def test_turning_changes_no_product_and_back_no_answer():
    features = sparse.random(30, 400, density=0.05, random_state=0, format="csr")
    turned = terms.turned(features)
    assert turned.coordinates @ turned.coordinates.T == pytest.approx((features @ features.T).toarray(), abs=1e-9)
    linear = Linear(np.random.default_rng(0).normal(size=(3, turned.coordinates.shape[1])), np.arange(3.0))
    assert features @ turned.unturned(linear, features).weight.T + linear.bias == pytest.approx(
        linear.outputs(turned.coordinates), abs=1e-8
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_and_comes_back_from_a_file(fitted, name):
    texts, y = written(150, seed=1)
    p = fitted[name].predict(texts)
    assert p.sum(axis=1) == pytest.approx(np.ones(150))
    assert (p.argmax(axis=1) == y).mean() > 0.9
    assert -np.log(p[np.arange(150), y]).mean() < 0.5 * np.log(3)
    again = through_a_file(fitted[name])
    assert again.name == name
    assert np.array_equal(again.predict(texts), p)
    assert np.concatenate([again.predict([text]) for text in texts[:9]]) == pytest.approx(p[:9], abs=1e-9)
    assert again.predict([]).shape == (0, 3)


@pytest.mark.parametrize("name", NAMES)
def test_on_noise_it_knows_that_it_knows_nothing(name):
    texts, y = written(90, telling=0.0, seed=3)
    texts = [text.split(" ", 1)[1] for text in texts]
    new = room(name).fit(texts, y, kinds(3), 0).predict([text.split(" ", 1)[1] for text in written(90, telling=0.0)[0]])
    assert -np.log(new[np.arange(90), y]).mean() < np.log(3) + 0.1


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_predictor(fitted, name):
    texts, y = written(90)
    arrays, meta = room(name).fit(texts, y, kinds(3), 0).state()
    known, known_meta = fitted[name].state()
    assert meta == known_meta
    assert all(np.array_equal(arrays[key], known[key]) for key in known)


@pytest.mark.parametrize("name", NAMES)
def test_labels_and_classes_without_items(name):
    texts, y = written(90)
    task = multilabel.learn([("even", "high")])
    truths = np.stack([y % 2 == 0, y > 1, np.zeros(90), np.ones(90)], 1).astype("f4")
    task = multilabel.learn([("always", "even", "high", "never")])
    p = room(name).fit(texts, truths[:, [3, 0, 1, 2]], task, 0).predict(written(60, seed=2)[0])
    new = np.arange(60) % 3
    assert ((p[:, 1] > 0.5) == (new % 2 == 0)).mean() > 0.9
    assert ((p[:, 2] > 0.5) == (new > 1)).mean() > 0.9
    assert p[:, 0].min() > 0.9 > 0.1 > p[:, 3].max()
    few = room(name).fit(texts, y, kinds(5), 0).predict(texts)
    assert few.shape == (90, 5)
    assert few[:, 3:].mean() < 0.1


def test_numbers():
    texts, y = written(120)
    task = regression.learn(y.astype(float))
    found = room("tfidf_ridge").fit(texts, y.astype(float), task, 0)
    new, wanted = written(60, seed=4)
    assert np.corrcoef(found.predict(new)[:, 0], wanted)[0, 1] > 0.8


@pytest.mark.parametrize("labels", ["classes", "two", "labels", "numbers"])
def test_more_items_than_are_solved_exactly(monkeypatch, labels):
    texts, y = written(160)
    new, wanted = written(60, seed=4)
    made = {
        "classes": (y, kinds(3)),
        "two": (y // 2, kinds(3)),
        "labels": (np.stack([y == 0, y == 1, y == 2], 1).astype("f4"), multilabel.learn([("a", "b", "c")])),
        "numbers": (y.astype(float), regression.learn(y.astype(float))),
    }
    targets, task = made[labels]
    name = "tfidf_ridge" if labels == "numbers" else "tfidf_logistic"
    exact = room(name).fit(texts, targets, task, 0).predict(new)
    monkeypatch.setattr(terms, "EXACT", 80)
    found = room(name).fit(texts, targets, task, 0).predict(new)
    assert np.abs(found - exact).mean() < 0.15
    right = found.argmax(1) == (wanted // 2 if labels == "two" else wanted)
    assert (np.corrcoef(found[:, 0], wanted)[0, 1] > 0.8) if labels == "numbers" else right.mean() > 0.9


def test_logistic_regression_is_scikit_learns():
    texts, y = written(90)
    found = room("tfidf_logistic").fit(texts, y, kinds(3), 0)
    features, new = found.terms.rows(texts), written(30, seed=8)[0]
    turned = terms.turned(features).coordinates
    penalty = logistic.choose(turned, y, folds.stratified(y, seed=0), classes=3, standardise=False)
    theirs = LogisticRegression(C=penalty, max_iter=2000, tol=1e-8).fit(features, y)
    assert found.predict(new) == pytest.approx(theirs.predict_proba(found.terms.rows(new)), abs=2e-3)


def test_pairs_are_learnt_and_single_texts_refused():
    draw = np.random.default_rng(0)
    words = [" ".join(draw.choice(["oak", "soup", "tide", "gull", "pan", "moss"], 4)) for _ in range(120)]
    y = np.arange(120) % 2
    pairs = [(words[i], words[i] if y[i] else words[(i + 7) % 120]) for i in range(120)]
    found = room("tfidf_logistic").fit(pairs[:80], y[:80], kinds(2), 0)
    assert (found.predict(pairs[80:]).argmax(1) == y[80:]).mean() > 0.9
    with pytest.raises(Undecodable, match="pairs of texts"):
        found.predict(["one text"])
    with pytest.raises(DataError, match="some are single"):
        room("tfidf_ridge").fit([*pairs[:5], "one"], np.arange(6) % 2, kinds(2), 0)


@pytest.mark.parametrize("name", NAMES)
def test_an_edited_state_is_refused(fitted, name):
    arrays, meta = fitted[name].state()
    for edited, value in arrays.items():
        wrong = [value.astype(np.float16), value[None]]
        if value.dtype.kind == "f":
            wrong += [np.full_like(value, np.nan), value[:-1]]
        for each in wrong:
            with pytest.raises(HeadstartError):
                room(name).restore({**arrays, edited: each}, meta, kinds(3))
        rest = {key: value for key, value in arrays.items() if key != edited}
        with pytest.raises(ModelFolderError, match=edited):
            room(name).restore(rest, meta, kinds(3))
    twice = np.frombuffer(b"oak\noak", dtype=np.uint8)
    with pytest.raises(ModelFolderError, match="twice"):
        room(name).restore({**arrays, "words": twice}, meta, kinds(3))
    with pytest.raises(ModelFolderError, match="UTF-8"):
        room(name).restore({**arrays, "words": np.array([255, 255], np.uint8)}, meta, kinds(3))


def test_texts_without_a_common_word_are_no_error():
    texts = ["👍", "!!!", "42", "???", "a", "b"]
    p = room("tfidf_ridge").fit(texts, [0, 1] * 3, kinds(2), 0).predict(["👍", "new"])
    assert np.isfinite(p).all()
