"""Rows of numbers: the probe's own arithmetic behind scikit-learn's face, and what its users do with estimators."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from headstart.base import seeds
from headstart.base.errors import BadOption, HeadstartError, UnknownName
from headstart.estimators.classifier import TransferClassifier
from headstart.estimators.regressor import TransferRegressor
from headstart.estimators.transfer import PENALTY
from headstart.measure import folds, logistic
from tests.measure.drawing import clouds

DIGITS, NUMBERS = load_digits(return_X_y=True)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_head_is_scikit_learns_logistic_regression_at_the_chosen_penalty(classes: int) -> None:
    x, y = clouds(120, 8, classes, apart=0.4)
    found = TransferClassifier().fit(x, y)
    known = make_pipeline(StandardScaler(), LogisticRegression(C=found.penalty_, tol=1e-8, max_iter=100_000)).fit(x, y)
    assert found.predict_proba(x) == pytest.approx(known.predict_proba(x), abs=1e-4)
    assert found.decision_function(x) == pytest.approx(known.decision_function(x), abs=1e-2)
    assert found.coef_.shape == known[-1].coef_.shape and found.intercept_.shape == known[-1].intercept_.shape


def test_the_penalty_is_the_probes_own_choice() -> None:
    x, y = clouds(90, 12, 3, apart=0.3)
    order = np.lexsort(x.T)
    found = TransferClassifier(random_state=5).fit(x, y)
    grid = logistic.search(x[order], y[order], classes=3).penalties
    assert found.penalty_ == pytest.approx(grid[np.abs(np.log(grid / found.penalty_)).argmin()])
    losses = [
        -cross_val_score(TransferClassifier(settings={PENALTY: c}), x, y, cv=8, scoring="neg_log_loss").mean()
        for c in (found.penalty_, found.penalty_ * 1000, found.penalty_ / 1000)
    ]
    assert losses[0] < min(losses[1:])


def test_unequal_classes_count_equally_unless_the_metric_says_otherwise() -> None:
    x, y = clouds(200, 5, 2, apart=0.3)
    kept = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:20]])
    x, y = x[kept], y[kept]
    for metric, weight in ((None, "balanced"), ("log_loss", None), ("balanced_accuracy", "balanced")):
        found = TransferClassifier(metric=metric, settings={PENALTY: 0.2}).fit(x, y)
        known = LogisticRegression(C=0.2, class_weight=weight, tol=1e-8, max_iter=100_000)
        known = make_pipeline(StandardScaler(), known).fit(x, y)
        assert found.predict_proba(x) == pytest.approx(known.predict_proba(x), abs=1e-4), metric


@pytest.mark.parametrize("settings", [None, {PENALTY: "0.5"}])
def test_a_weight_is_so_many_copies(settings: dict[str, Any] | None) -> None:
    x, y = clouds(60, 6, 3, apart=0.4)
    times = np.random.default_rng(0).integers(0, 4, 60)
    weighted = TransferClassifier(settings=settings).fit(x, y, sample_weight=times)
    repeated = TransferClassifier(settings=settings).fit(x.repeat(times, axis=0), y.repeat(times))
    assert weighted.coef_.tolist() == repeated.coef_.tolist()
    target = x[:, 0] + x[:, 1] ** 2
    one = TransferRegressor().fit(x, target, sample_weight=times)
    assert one.coef_.tolist() == TransferRegressor().fit(x.repeat(times, axis=0), target.repeat(times)).coef_.tolist()


def test_the_regressor_is_scikit_learns_ridge_with_its_leave_one_out() -> None:
    x, y = make_regression(70, 30, n_informative=5, noise=20, random_state=0)
    found = TransferRegressor().fit(x, y)
    near = np.logspace(-1, 1, 5) / found.penalty_
    known = make_pipeline(StandardScaler(), RidgeCV(alphas=near)).fit(x, y)
    assert known[-1].alpha_ == pytest.approx(1 / found.penalty_)
    assert found.predict(x) == pytest.approx(known.predict(x))
    assert TransferRegressor(settings={PENALTY: 3.0}).fit(x, y).penalty_ == 3.0


def test_real_tables_are_learnt() -> None:
    x, y = load_diabetes(return_X_y=True)
    assert cross_val_score(TransferRegressor(), x, y).mean() > 0.45
    assert cross_val_score(TransferClassifier(), DIGITS[:600], NUMBERS[:600], cv=3).mean() > 0.85


@pytest.mark.parametrize("kind", [str, int, bool, object, np.int8, "category"])
def test_labels_come_back_as_they_were_given(kind: Any) -> None:
    x, index = clouds(40, 4, 2, apart=3)
    words = np.array(["no", "yes"], dtype=object)[index]
    y = {str: words.astype(str), int: index * 7 - 3, bool: index > 0, object: words, np.int8: index.astype(np.int8)}
    given = pd.Series(words).astype("category") if kind == "category" else y[kind]
    found = TransferClassifier().fit(x, given)
    assert found.classes_.tolist() == sorted(set(np.asarray(given).tolist()))
    assert found.predict(x).dtype == np.asarray(given).dtype
    assert found.score(x, given) > 0.9


def test_the_order_of_the_rows_changes_nothing_and_the_seed_decides() -> None:
    x, y = clouds(80, 10, 3, apart=0.2)
    order = np.random.default_rng(1).permutation(80)
    one, other = TransferClassifier().fit(x, y), TransferClassifier().fit(x[order], y[order])
    assert one.coef_.tolist() == other.coef_.tolist()
    drawn = TransferClassifier(random_state=np.random.RandomState(3)).fit(x, y)
    again = TransferClassifier(random_state=np.random.RandomState(3)).fit(x, y)
    assert drawn.penalty_ == again.penalty_
    assert TransferClassifier(random_state=None).fit(x, y).penalty_ > 0


def test_folds_are_those_of_a_probe() -> None:
    x, y = clouds(80, 10, 3, apart=0.2)
    found = TransferClassifier(random_state=4).fit(x, y)
    names = [row.tobytes() + target.tobytes() for row, target in zip(x, y, strict=True)]
    from headstart.base import hashes

    order = np.argsort([hashes.of_bytes(name) for name in names])
    inner = folds.inner(y[order], seed=seeds.derive(4, "inner folds"))
    assert logistic.search(x[order], y[order], inner, classes=3).penalty == pytest.approx(found.penalty_)


def test_single_precision_says_nearly_the_same() -> None:
    x, y = DIGITS[:300], NUMBERS[:300]
    one, other = (TransferClassifier(settings={PENALTY: 0.1}).fit(x.astype(kind), y) for kind in ("f4", "f8"))
    assert one.predict_proba(x.astype("f4")) == pytest.approx(other.predict_proba(x), abs=1e-3)


def test_a_data_frame_keeps_its_names() -> None:
    x, y = clouds(40, 3, 2)
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    found = TransferClassifier().fit(frame, y)
    assert found.feature_names_in_.tolist() == ["a", "b", "c"] and found.n_features_in_ == 3
    assert found.predict(frame).tolist() == TransferClassifier().fit(x, y).predict(x).tolist()
    with pytest.raises(ValueError, match="feature names"):
        found.predict(frame[["c", "b", "a"]])


def test_several_labels_are_a_regression_each() -> None:
    x, y = make_multilabel_classification(120, 10, n_classes=4, random_state=0)
    found = TransferClassifier().fit(x, y)
    known = OneVsRestClassifier(LogisticRegression(C=found.penalty_, tol=1e-8, max_iter=100_000))
    known = make_pipeline(StandardScaler(), known).fit(x, y)
    assert found.predict_proba(x) == pytest.approx(known.predict_proba(x), abs=1e-3)
    assert (found.predict(x) == known.predict(x)).mean() > 0.99 and found.predict(x).dtype == int
    assert found.multilabel_ and found.classes_.tolist() == [0, 1, 2, 3] and found.score(x, y) > 0.4
    assert cross_val_score(found, x, y, cv=3, scoring="f1_micro").mean() > 0.6
    assert TransferClassifier(settings={PENALTY: 0.3}).fit(x, y).penalty_ == 0.3
    with pytest.raises(ValueError, match="take no sample_weight"):
        TransferClassifier().fit(x, y, sample_weight=np.ones(120))


def test_pipelines_and_searches_work() -> None:
    x, y = DIGITS[:250], NUMBERS[:250]
    pipeline = make_pipeline(StandardScaler(), PCA(20, random_state=0), TransferClassifier())
    grid = {f"transferclassifier__{name}": values for name, values in GRID.items()}
    search = GridSearchCV(pipeline, grid, cv=3).fit(x, y)
    assert search.best_score_ > 0.85 and len(search.cv_results_["params"]) == 4
    assert cross_val_predict(clone(search.best_estimator_), x, y, cv=3, method="predict_proba").shape == (250, 10)


GRID = {"settings": [None, {PENALTY: 1e-6}], "strategy": ["probe", "auto"]}


@pytest.mark.slow
def test_two_processes_search_alike() -> None:
    x, y = DIGITS[:150], NUMBERS[:150]
    one, two = (GridSearchCV(TransferClassifier(), GRID, cv=3, n_jobs=jobs).fit(x, y) for jobs in (1, 2))
    assert one.cv_results_["mean_test_score"].tolist() == two.cv_results_["mean_test_score"].tolist()
    assert one.best_estimator_.coef_.tolist() == two.best_estimator_.coef_.tolist()


def test_parameters_are_set_and_cloned() -> None:
    one = TransferClassifier(backbone="timm/resnet18", settings={PENALTY: 2})
    other = clone(one).set_params(depth=3, random_state=7)
    assert other.get_params() == {**one.get_params(), "depth": 3, "random_state": 7}
    assert "backbone='timm/resnet18'" in repr(one)
    assert "TransferClassifier" in one._repr_html_()
    fitted = TransferClassifier().fit(*clouds(30, 3, 2))
    assert not hasattr(clone(fitted), "coef_") and "TransferClassifier" in fitted._repr_html_()


def test_another_process_predicts_the_same_without_torch(tmp_path: Path) -> None:
    x, y = clouds(60, 6, 3)
    both = [TransferClassifier().fit(x, y), TransferRegressor().fit(x, y.astype(float))]
    (tmp_path / "both.pickle").write_bytes(pickle.dumps((both, x, y)))
    code = """
import pickle, sys
with open(sys.argv[1], "rb") as stream:
    both, x, y = pickle.load(stream)
found = [one.predict(x).tolist() for one in both]
fresh = [type(one)().fit(x, y).predict(x) for one in both]
assert "torch" not in sys.modules and "timm" not in sys.modules
print(found)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "both.pickle")], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == str([one.predict(x).tolist() for one in both])


def bad_fits() -> dict[str, tuple[dict[str, Any], Any, Any, str]]:
    x, y = clouds(30, 3, 2)
    holed = x.copy()
    holed[3, 1] = np.nan
    two = np.stack([y, y + 2], axis=1)
    return {
        "no y": ({}, x, None, "requires y to be passed"),
        "y of two columns": ({}, x, two, "2 columns that are no labels"),
        "y too short": ({}, x, y[:-1], "inconsistent numbers of samples"),
        "y continuous": ({}, x, x[:, 0], "Unknown label type: continuous"),
        "y with gaps": ({}, x, np.where(y == 1, None, "a"), "15 of 30 labels are missing"),
        "y of words and numbers": ({}, x, np.array(["a", 1] * 15, dtype=object), "several kinds: int, str"),
        "one class": ({}, x, np.zeros(30), "Only one class"),
        "a hole": ({}, holed, y, "NaN"),
        "one row": ({}, x[:1], y[:1], "1 sample"),
        "one list": ({}, x[:, 0], y, "Expected 2D array"),
        "words": ({}, np.array([["a", "b"]] * 30), y, "could not convert string"),
        "a strategy that trains": ({"strategy": "full"}, x, y, "Strategy 'full' trains a backbone"),
        "a bound": ({"max_size": "1MB"}, x, y, "max_size '1MB' is of a model with a backbone"),
        "a depth": ({"depth": 2}, x, y, "depth 2 is of a backbone"),
        "a setting of pictures": ({"settings": {"strategy.rate": 0.1}}, x, y, "Unknown setting for vectors"),
        "a negative penalty": ({"settings": {PENALTY: -1}}, x, y, "penalty cannot be -1"),
        "a penalty in words": ({"settings": {PENALTY: "much"}}, x, y, "penalty cannot be 'much'"),
        "an unknown metric": ({"metric": "acuracy"}, x, y, "did you mean accuracy"),
    }


@pytest.mark.parametrize("case", bad_fits())
def test_a_wrong_call_says_what_is_wrong(case: str) -> None:
    options, x, y, message = bad_fits()[case]
    with pytest.raises(ValueError, match=message):
        TransferClassifier(**options).fit(x, y)


def test_wrong_parameters_are_headstarts_own_errors_too() -> None:
    x, y = clouds(30, 3, 2)
    for options, error in (({"strategy": "full"}, BadOption), ({"settings": {"a.b": 1}}, UnknownName)):
        with pytest.raises(error) as caught:
            TransferRegressor(**options).fit(x, y)
        assert isinstance(caught.value, HeadstartError) and isinstance(caught.value, ValueError)


def test_weights_have_to_fit() -> None:
    x, y = clouds(30, 3, 2)
    with pytest.raises(ValueError, match="Negative values"):
        TransferClassifier().fit(x, y, sample_weight=-np.ones(30))
    with pytest.raises(ValueError, match="where sample_weight is above 0"):
        TransferClassifier().fit(x, y, sample_weight=(y == 1).astype(float))
    with pytest.raises(ValueError, match=r"(?i)weights"):
        TransferRegressor().fit(x, y, sample_weight=np.zeros(30))


def test_nothing_is_predicted_before_it_is_fitted_nor_from_other_rows() -> None:
    x, y = clouds(30, 3, 2)
    for estimator in (TransferClassifier(), TransferRegressor()):
        with pytest.raises(NotFittedError):
            estimator.predict(x)
        estimator.fit(x, y)
        with pytest.raises(ValueError, match="expecting 3 features"):
            estimator.predict(x[:, :2])
        with pytest.raises(ValueError, match=r"X holds pictures, but this Transfer\w+ was fitted to vectors"):
            estimator.predict(["a.jpg"])
        with pytest.raises(BadOption, match="not a sealed model"):
            estimator.save("anywhere")
        assert not hasattr(estimator, "model_")
