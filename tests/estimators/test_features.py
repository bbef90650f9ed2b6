"""Pooled features as a transformer: the store's own numbers, in the order and with the widths of the stages."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from headstart.backbones import catalogue, folder
from headstart.base import discovery
from headstart.base.errors import BadOption, BadSource, UnknownName, WeightsError
from headstart.estimators.features import TransferFeatures
from headstart.estimators.regressor import TransferRegressor
from tests.estimators.conftest import BACKBONE

Digits = tuple[np.ndarray, np.ndarray]


def test_features_are_the_backbones_pooled_output(digits: Digits) -> None:
    pictures = digits[0][:6]
    found = TransferFeatures(precision="float32").fit_transform(pictures)
    backbone = catalogue.load(BACKBONE).eval()
    load = discovery.load("data", "images").load
    inputs = torch.from_numpy(np.stack([load(one, backbone.info.preprocessing) for one in pictures]))
    with torch.inference_mode():
        known = backbone.pooled(inputs)[-1].numpy()
    assert found.dtype == np.float32
    assert found == pytest.approx(known, abs=1e-4 * float(np.abs(known).max()))


def test_stages_are_chosen_by_name_number_or_all(digits: Digits) -> None:
    pictures = digits[0][:4]
    depth = len(TransferFeatures().fit(pictures).backbone_.stages)
    every = TransferFeatures(stages="all").fit(pictures)
    parts = [TransferFeatures(stages=stage).fit_transform(pictures) for stage in range(1, depth + 1)]
    assert every.transform(pictures).tolist() == np.concatenate(parts, axis=1).tolist()
    assert len(every.get_feature_names_out()) == sum(part.shape[1] for part in parts)
    with pytest.raises(ValueError, match="stage"):
        TransferFeatures(stages="nowhere").fit(pictures)


def test_a_pickle_carries_no_weights_and_gives_the_same(digits: Digits) -> None:
    fitted = TransferFeatures().fit(digits[0][:4])
    data = pickle.dumps(fitted)
    assert len(data) < 20_000
    assert pickle.loads(data).transform(digits[0][:4]).tolist() == fitted.transform(digits[0][:4]).tolist()


def test_other_weights_under_the_same_name_are_noticed(digits: Digits, tmp_path: Path) -> None:
    for seed in (0, 1):
        small = catalogue.load("embedded/resnet10-8-16-24-32", weights=False, seed=seed)
        folder.write_folder(small, tmp_path / "own", {"made": "by a test"})
        if not seed:
            data = pickle.dumps(TransferFeatures(f"local:{tmp_path / 'own'}").fit(digits[0][:4]))
    with pytest.raises(WeightsError, match="other weights"):
        pickle.loads(data).transform(digits[0][:4])


@pytest.mark.slow
def test_any_estimator_learns_from_them(digits: Digits) -> None:
    pictures, targets = digits
    forest = make_pipeline(TransferFeatures(), RandomForestClassifier(60, random_state=0))
    assert cross_val_score(forest, pictures, targets, cv=3).mean() > 0.9
    slope = make_pipeline(TransferFeatures(), TransferRegressor())
    brightness = pictures.mean(axis=(1, 2))
    assert cross_val_score(slope, pictures, brightness, cv=3).mean() > 0.3


def test_wrong_calls_are_explained(digits: Digits) -> None:
    pictures = digits[0][:4]
    with pytest.raises(BadSource, match="no pictures"):
        TransferFeatures().fit(np.zeros((4, 64)))
    with pytest.raises(BadOption, match="no automatic backbone"):
        TransferFeatures("auto").fit(pictures)
    with pytest.raises(UnknownName, match="resnet10-procedural"):
        TransferFeatures("embedded/resnet10-procedual").fit(pictures)
    with pytest.raises(NotFittedError):
        clone(TransferFeatures().fit(pictures)).transform(pictures)
