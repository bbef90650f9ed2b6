"""The machines restored from arrays decide as scikit-learn's do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

from headstart.base.errors import BadOption, ModelFolderError
from headstart.baselines import flat, pixels, pixels_svm
from tests.baselines.pictures import coloured, kinds, ringed, through_a_file


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_margins_equal_scikit_learn(classes: int) -> None:
    items, y = coloured(60, classes, noise=90)
    x = flat.rows(flat.read(items, modality="images", size=8), grey=False).astype(np.float64)
    values = pixels_svm.kernel(x, x, 0.05)
    duels = pixels_svm.solve(values, y, 1.0)
    margins = duels.margins(values[:, duels.support])
    known = SVC(C=1.0, kernel="rbf", gamma=0.05, decision_function_shape="ovo").fit(x, y)
    decided = known.decision_function(x).reshape(60, -1)
    decided = -decided if classes == 2 else decided
    pairs = np.triu_indices(classes, 1)
    assert margins[:, pairs[0], pairs[1]] == pytest.approx(decided, abs=1e-6)
    assert margins == pytest.approx(-margins.transpose(0, 2, 1))


def test_labels_are_those_of_scikit_learn() -> None:
    items, y = coloured(120, 5, noise=90)
    new, _ = coloured(100, 5, seed=1, noise=90)
    x, z = (
        flat.rows(flat.read(each, modality="images", size=8), grey=False).astype(np.float64) for each in (items, new)
    )
    duels = pixels_svm.solve(pixels_svm.kernel(x, x, 0.05), y, 1.0)
    outputs = duels.outputs(pixels_svm.kernel(z, x[duels.support], 0.05), 5)
    known = SVC(C=1.0, gamma=0.05).fit(x, y).predict(z)
    # Votes can tie and margins be near 0, where clipped margins may choose another of the tied classes.
    assert (outputs.argmax(axis=1) == known).mean() >= 0.95


def test_the_kernel_of_an_item_with_itself_is_one() -> None:
    x = np.random.default_rng(0).normal(size=(5, 3))
    values = pixels_svm.kernel(x, x, 0.7)
    assert np.diag(values) == pytest.approx(np.ones(5))
    assert values[0, 1] == pytest.approx(np.exp(-0.7 * np.square(x[0] - x[1]).sum()))


def test_restored_outputs_are_equal_to_1e_6() -> None:
    items, y = coloured(60, 4, noise=90)
    fitted = pixels_svm.fit(items, y, kinds(4), 0)
    again = through_a_file(fitted, 4)
    assert again.predict(items) == pytest.approx(fitted.predict(items), abs=1e-6)


def test_it_tells_apart_what_no_linear_model_can() -> None:
    (items, y), (new, truth) = ringed(60), ringed(60, seed=1)
    bent, straight = (room.fit(items, y, kinds(2), 0).predict(new) for room in (pixels_svm, pixels))
    assert (bent.argmax(axis=1) == truth).mean() > 0.95
    assert (straight.argmax(axis=1) == truth).mean() < 0.75


def test_confidence_is_that_of_held_out_items() -> None:
    items, y = coloured(90, noise=250)
    new, truth = coloured(300, seed=1, noise=250)
    p = pixels_svm.fit(items, y, kinds(3), 0).predict(new)
    accuracy = (p.argmax(axis=1) == truth).mean()
    assert 0.4 < accuracy < 0.99
    assert p.max(axis=1).mean() == pytest.approx(accuracy, abs=0.12)


def test_only_support_vectors_are_kept() -> None:
    items, y = ringed(90)
    arrays, _ = pixels_svm.fit(items, y, kinds(2), 0).state()
    assert len(arrays["vectors"]) < 60
    assert arrays["vectors"].dtype == np.uint8


def test_more_items_than_the_limit_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    items, y = coloured(60)
    monkeypatch.setattr(pixels_svm, "MOST_ITEMS", 30)
    assert len(pixels_svm.fit(items, y, kinds(3), 5).vectors) <= 30


def test_counts_that_do_not_fit_the_vectors_are_refused() -> None:
    arrays, meta = pixels_svm.fit(*coloured(30), kinds(3), 0).state()
    with pytest.raises(ModelFolderError, match="do not fit each other"):
        pixels_svm.restore({**arrays, "count": arrays["count"] + 1}, meta, kinds(3))


def test_one_class_alone_is_no_error() -> None:
    items, _ = coloured(6)
    p = pixels_svm.fit(items, np.zeros(6, dtype=int), kinds(2), 0).predict(items)
    assert (p[:, 0] > p[:, 1]).all()


@pytest.mark.parametrize("size", [3, 65])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(BadOption, match="4 to 64"):
        pixels_svm.fit(*coloured(9), kinds(3), 0, size=size)
