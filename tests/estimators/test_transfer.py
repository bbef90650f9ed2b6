"""Pictures through the house behind scikit-learn's face: real digits, the embedded backbone, real processes."""

from __future__ import annotations

import doctest
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from headstart.api.models import load
from headstart.backbones import catalogue, folder
from headstart.base.errors import BadOption, BadSource, OutputExists, TooFewExamples, Undecodable
from headstart.base.machine import cache_folder
from headstart.estimators import classifier, features, regressor
from headstart.estimators.classifier import TransferClassifier
from headstart.estimators.regressor import TransferRegressor
from tests.estimators.conftest import BACKBONE

Digits = tuple[np.ndarray, np.ndarray]


def stored() -> set[str]:
    """Every shard of the feature store."""
    return {str(path) for path in (cache_folder() / "store").rglob("*.safetensors")}


@pytest.mark.slow
def test_pictures_are_learnt_and_labels_keep_their_type(fitted: TransferClassifier, digits: Digits) -> None:
    pictures, targets = digits
    assert fitted.score(pictures[250:], targets[250:]) > 0.9
    assert fitted.classes_.tolist() == [0, 1, 2, 3, 4] and fitted.predict(pictures[:3]).dtype == targets.dtype
    found = fitted.predict_proba(pictures[250:])
    assert found.sum(axis=1) == pytest.approx(np.ones(150))
    assert fitted.decision_function(pictures[250:]).argmax(axis=1).tolist() == found.argmax(axis=1).tolist()
    assert [row.name for row in fitted.evidence_] == ["probe"] and "accuracy" in fitted.verdict_["sentence"]
    assert not hasattr(fitted, "n_features_in_") and "TransferClassifier" in fitted._repr_html_()


def test_what_does_not_fit_is_not_fitted(digits: Digits) -> None:
    pictures, targets = digits
    with pytest.raises(BadOption, match="Nothing fits --max-size 10 B"):
        TransferClassifier(BACKBONE, max_size=10).fit(pictures[:40], targets[:40])


@pytest.mark.slow
def test_another_process_predicts_the_same_from_a_pickle(
    fitted: TransferClassifier, digits: Digits, tmp_path: Path
) -> None:
    pictures = digits[0][250:270]
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((fitted, pictures)))
    code = """
import pickle, sys
with open(sys.argv[1], "rb") as stream:
    fitted, pictures = pickle.load(stream)
print(repr(fitted.predict_proba(pictures).tolist()), fitted.predict(pictures).tolist())
print(fitted.model_.path.exists(), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.pickle")], capture_output=True, text=True, check=True
    )
    assert done.stderr.split()[-1] == "True"
    assert done.stdout.strip() == f"{fitted.predict_proba(pictures).tolist()!r} {fitted.predict(pictures).tolist()}"


@pytest.mark.slow
def test_the_sealed_model_is_saved_for_other_doors(fitted: TransferClassifier, digits: Digits, tmp_path: Path) -> None:
    saved = fitted.save(tmp_path / "digits")
    assert load(saved).predict_proba(digits[0][:5]) == pytest.approx(fitted.predict_proba(digits[0][:5]), abs=1e-6)
    with pytest.raises(OutputExists, match="exists already"):
        fitted.save(saved)


@pytest.mark.slow
def test_it_is_the_command_lines_probe(write_shapes: Callable[..., Path], tmp_path: Path) -> None:
    photos = write_shapes(tmp_path / "photos", per_class=68)
    paths = sorted(photos.rglob("*.png"))
    command = [sys.executable, "-m", "headstart", "fit", str(photos), "-o", str(tmp_path / "model")]
    command += ["--backbone", BACKBONE, "--strategy", "probe", "--no-baselines", "--seed", "3"]
    subprocess.run(command, check=True, capture_output=True, env=dict(os.environ))
    known = load(tmp_path / "model")
    names = np.array([path.parent.name for path in paths])
    found = TransferClassifier(backbone=BACKBONE, random_state=3).fit(paths, names)
    assert found.classes_.tolist() == list(known.classes)
    assert found.predict_proba(paths[::7]) == pytest.approx(known.predict_proba(paths[::7]), abs=1e-6)
    assert found.evidence_[0].scores == known.evidence[0].scores
    assert found.verdict_["tests"] == known.verdict["tests"]


@pytest.mark.slow
def test_the_vectors_head_is_the_sealed_head(write_shapes: Callable[..., Path], tmp_path: Path) -> None:
    # Under 200 pictures nothing is set apart: both heads see every picture, at the penalty the sealed one chose.
    paths = sorted(write_shapes(tmp_path, per_class=20).rglob("*.png"))
    names = [path.parent.name for path in paths]
    sealed = TransferClassifier(backbone=BACKBONE, precision="float32").fit(paths, names)
    options = sealed.evidence_[0].detail["options"]
    vectors = features.TransferFeatures(BACKBONE, precision="float32").fit_transform(paths)
    head = TransferClassifier(settings={"strategy.penalty": options["penalty"]}).fit(vectors, names)
    heat = sealed.model_.manifest.temperature
    one, other = heat * sealed.decision_function(paths), head.decision_function(vectors)
    assert one - one.mean(axis=1, keepdims=True) == pytest.approx(other - other.mean(axis=1, keepdims=True), abs=2e-3)


@pytest.mark.slow
def test_a_second_fit_reads_the_store(fitted: TransferClassifier, digits: Digits) -> None:
    pictures, targets = digits
    before = stored()
    other = clone(fitted).set_params(settings={"strategy.stages": "all"}).fit(pictures[:250], targets[:250])
    same = clone(fitted).fit(list(pictures[:250]), targets[:250].astype(str))
    assert stored() == before and before
    assert other.predict_proba(pictures[:5]).tolist() != fitted.predict_proba(pictures[:5]).tolist()
    assert same.predict_proba(pictures[:5]).tolist() == fitted.predict_proba(pictures[:5]).tolist()
    assert same.classes_.tolist() == ["0", "1", "2", "3", "4"]


@pytest.mark.slow
def test_a_search_finds_the_same_in_one_process_and_in_two(digits: Digits, tmp_path: Path) -> None:
    pictures, targets = digits[0][:60], digits[1][:60]
    small = catalogue.load("embedded/resnet10-8-16-24-32", weights=False, seed=0)
    folder.write_folder(small, tmp_path / "small", {"made": "by a test"})
    estimator = TransferClassifier(backbone=BACKBONE)
    grid = [
        {"backbone": [BACKBONE, f"local:{tmp_path / 'small'}"]},
        {"strategy": ["partial"], "depth": [4], "settings": [{"strategy.epochs": 2, "strategy.rate": 0.003}]},
    ]
    search = GridSearchCV(estimator, grid, cv=2, n_jobs=2, error_score="raise").fit(pictures, targets)
    found = search.cv_results_["mean_test_score"]
    assert len(found) == 3 and found.max() > 0.7
    assert search.best_estimator_.predict(pictures[:2]).shape == (2,)
    assert found[0] == cross_val_score(estimator, pictures, targets, cv=2).mean()


@pytest.mark.slow
def test_folds_of_paths_in_a_table_and_a_refit_to_vectors(write_shapes: Callable[..., Path], tmp_path: Path) -> None:
    paths = sorted(write_shapes(tmp_path, per_class=12).rglob("*.png"))
    frame = pd.DataFrame({"path": [str(path) for path in paths], "label": [path.parent.name for path in paths]})
    estimator = TransferClassifier(backbone=BACKBONE)
    assert cross_val_score(estimator, frame["path"], frame["label"], cv=2).mean() > 0.6
    assert estimator.fit([Image.open(path) for path in paths], frame["label"] == "disc").classes_.tolist() == [0, 1]
    assert estimator.predict(frame[["path"]]).dtype == bool
    assert estimator.decision_function(frame["path"]).shape == (36,)
    kept = estimator.model_.path
    estimator.fit(np.eye(6), [0, 1] * 3)
    assert not kept.exists() and not hasattr(estimator, "verdict_") and not hasattr(estimator, "model_")


def test_wrong_pictures_and_labels_are_explained(digits: Digits, tmp_path: Path) -> None:
    pictures, targets = digits[0][:20], digits[1][:20]
    estimator = TransferClassifier(backbone=BACKBONE)
    with pytest.raises(BadOption, match="no sample_weight"):
        estimator.fit(pictures, targets, sample_weight=np.ones(20))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        estimator.fit(pictures, targets[:-1])
    with pytest.raises(ValueError, match="the same but for spaces"):
        estimator.fit(pictures, ["a", "a "] * 10)
    with pytest.raises(ValueError, match="10 of 20 labels are missing"):
        estimator.fit(pictures, ["a", None] * 10)
    with pytest.raises(ValueError, match="2 columns that are no labels"):
        estimator.fit(pictures, np.arange(40).reshape(20, 2))
    with pytest.raises(TooFewExamples, match="Only one class"):
        estimator.fit(pictures, np.zeros(20))
    with pytest.raises(BadSource, match="a single str"):
        estimator.fit(str(tmp_path), targets)
    with pytest.raises(ValueError, match="Unknown strategy"):
        clone(estimator).set_params(strategy="prob").fit(pictures, targets)
    with pytest.raises(ValueError, match="cannot be used"):
        estimator.fit([str(tmp_path / f"{number}.jpg") for number in range(20)], targets)
    assert not hasattr(estimator, "classes_")


@pytest.mark.slow
def test_what_is_predicted_has_to_be_pictures(fitted: TransferClassifier, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="X holds vectors, but this TransferClassifier was fitted to pictures"):
        fitted.predict(np.zeros((2, 64)))
    with pytest.raises(ValueError, match=r"\[X\] for a single picture"):
        fitted.predict(np.zeros((8, 8)))
    with pytest.raises(Undecodable, match="no such file"):
        fitted.predict([str(tmp_path / "lost.jpg")])


@pytest.mark.slow
def test_numbers_are_estimated_from_pictures(digits: Digits) -> None:
    pictures = digits[0][:150]
    ink = pictures[:, :, :4].sum(axis=(1, 2)) / 1000
    regressor = TransferRegressor(BACKBONE).fit(pictures[:110], ink[:110])
    assert regressor.score(pictures[110:], ink[110:]) > 0.5
    assert regressor.model_.manifest.task == "regression" and "rmse" in regressor.evidence_[0].scores
    again = pickle.loads(pickle.dumps(regressor))
    assert again.predict(pictures[110:]).tolist() == regressor.predict(pictures[110:]).tolist()
    # Whole numbers, few of them different, are numbers here all the same, and names for the classifier.
    assert clone(regressor).fit(pictures[:60], digits[1][:60]).predict(pictures[:5]).dtype == np.float64
    assert cross_val_score(clone(regressor), list(pictures[:60]), ink[:60], cv=2).shape == (2,)


def test_a_regressor_wants_numbers(digits: Digits) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        TransferRegressor(BACKBONE).fit(digits[0][:20], ["many"] * 20)
    with pytest.raises(ValueError, match="contains NaN"):
        TransferRegressor(BACKBONE).fit(digits[0][:20], [np.nan] * 20)
    with pytest.raises(ValueError, match="1d array"):
        TransferRegressor(BACKBONE).fit(digits[0][:20], np.zeros((20, 2)))
    with pytest.raises(ValueError, match="Unknown metric"):
        TransferRegressor(BACKBONE, metric="accuracy").fit(digits[0][:20], np.arange(20.0))


@pytest.mark.slow
def test_several_labels_are_found_in_pictures(digits: Digits) -> None:
    pictures, number = digits[0][:120], digits[1][:120]
    truths = np.stack([number % 2, number > 2, number > 9, number == 0], axis=1).astype(int)
    found = TransferClassifier(BACKBONE).fit(pictures[:80], truths[:80])
    assert found.multilabel_ and found.model_.manifest.task == "multilabel"
    probabilities = found.predict_proba(pictures[80:])
    assert probabilities.shape == (40, 4) and probabilities[:, 2].max() < 1e-6
    assert ((probabilities >= 0.5) == found.predict(pictures[80:])).all()
    assert found.score(pictures[80:], truths[80:]) > 0.7
    named = {each for one in found.model_.predict(pictures[80:]) for each in one.labels}
    assert named <= {"0", "1", "3"}


@pytest.mark.slow
def test_names_that_look_like_something_else_are_classes(digits: Digits) -> None:
    pictures = digits[0][:40]
    both = np.array(["cat|dog", "dog"])[np.arange(40) % 2]
    found = TransferClassifier(BACKBONE).fit(pictures, both)
    assert found.classes_.tolist() == ["cat|dog", "dog"] and found.model_.manifest.task == "classification"
    tenths = np.array([0.5, 1.5])[np.arange(40) % 2]
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        TransferClassifier(BACKBONE).fit(pictures, tenths)


@pytest.mark.slow
@pytest.mark.parametrize("module", [classifier, features, regressor])
def test_the_examples_in_the_help_run(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted >= 4 and found.failed == 0


@pytest.mark.slow
def test_the_page_runs(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "scikit-learn.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert load(tmp_path / "digits-model").classes == ("0", "1", "2", "3")
