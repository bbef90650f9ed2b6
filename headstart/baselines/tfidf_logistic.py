"""Logistic regression on TF-IDF of words and letters, no network: what most people would try first.

The penalty is cross-validated on at most 2,000 items, drawn by class where there are more; all items are fitted at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from headstart.baselines import flat, terms
from headstart.baselines.terms import TermLinear, Turned
from headstart.measure import folds, logistic
from headstart.measure.linear import Linear
from headstart.tasks.task import Task

TASKS = ("classification", "multilabel")
"""What it can be asked for."""
MODALITIES = ("texts",)
"""What it reads."""
_STEPS = 200


def fit(items: Sequence[Any], targets: Any, task: Task, seed: int, *, modality: str = "texts") -> TermLinear:
    """Fit a logistic regression to the terms; one a label where an item may have several.

    Args:
        items: training items, as the modality takes them.
        targets: (n,) class indices, or (n, L) truths.
        task: what is predicted.
        seed: draws the folds, and the items that the penalty is chosen on if there are more than 2,000.
        modality: plug-in of the data room.

    Raises:
        Undecodable: when an item cannot be read.
        DataError: texts without words, or some pairs and some single texts.
    """
    y = np.asarray(targets)
    known, features = terms.learn(terms.read(items, modality))
    chosen = flat.at_most(terms.EXACT, task.strata(y), seed)
    turned = terms.turned(features[chosen])
    if y.ndim == 1:
        linear = _classes(features, y, chosen, turned, classes=len(task.names), seed=seed)
    else:
        linear = _labels(features, y, chosen, turned, seed)
    return terms.fitted(known, linear, modality, task, "tfidf_logistic")


def _classes(
    features: sparse.csr_matrix, y: NDArray[Any], chosen: NDArray[Any], turned: Turned, *, classes: int, seed: int
) -> Linear:
    inner = folds.stratified(y[chosen], seed=seed)
    inner = inner if len(chosen) < folds.ENOUGH else inner[:1]
    found = logistic.search(turned.coordinates, y[chosen], inner, classes=classes, standardise=False)
    if len(chosen) == len(y):
        return turned.unturned(found.linear, features)
    present, short = np.unique(y, return_inverse=True)
    if len(present) < 2:
        return turned.unturned(found.linear, features[chosen])
    solved = _solved(features, short, found.penalty)
    if len(present) == 2:
        solved = Linear(*(np.concatenate([-each / 2, each / 2]) for each in (solved.weight, solved.bias)))
    # A class that no item has is as improbable as where all is solved exactly.
    weight, bias = np.zeros((classes, features.shape[1])), np.full(classes, solved.bias.min() - np.log(len(y) + 1))
    weight[present], bias[present] = solved.weight, solved.bias
    return Linear(weight, bias)


def _labels(features: sparse.csr_matrix, y: NDArray[Any], chosen: NDArray[Any], turned: Turned, seed: int) -> Linear:
    """One regression a label, all at the penalty that is best for the label most nearly half of the items have."""
    even = int(np.abs(y[chosen].mean(axis=0) - 0.5).argmin())
    truth = y[chosen][:, even].astype(np.int64)
    least = min(truth.sum(), len(truth) - truth.sum())
    penalty = 1.0
    if least >= 2:
        inner = folds.stratified(truth, seed=seed)
        inner = inner if len(chosen) < folds.ENOUGH else inner[:1]
        penalty = logistic.search(turned.coordinates, truth, inner, classes=2, standardise=False).penalty
    rows = [_label(features, y[:, place].astype(np.int64), penalty, turned, len(chosen)) for place in range(y.shape[1])]
    return Linear(np.concatenate([row.weight for row in rows]), np.concatenate([row.bias for row in rows]))


def _label(features: sparse.csr_matrix, truth: NDArray[Any], penalty: float, turned: Turned, exact: int) -> Linear:
    number = int(truth.sum())
    if number in (0, len(truth)):
        # The same shares that the task's constant prediction has.
        odds = np.log((number + 0.5) / (len(truth) - number + 0.5))
        return Linear(np.zeros((1, features.shape[1])), np.array([odds]))
    if exact == len(truth):
        both = turned.unturned(logistic.fit(turned.coordinates, truth, classes=2, penalty=penalty), features)
        return Linear(both.weight[1:] - both.weight[:1], both.bias[1:] - both.bias[:1])
    return _solved(features, truth, penalty)


def _solved(features: sparse.csr_matrix, y: NDArray[Any], penalty: float) -> Linear:
    """On all items, by scikit-learn, which keeps sparse features sparse; a single row of weights for two classes."""
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=penalty, max_iter=_STEPS, tol=1e-3).fit(features, y)
    return Linear(found.coef_, found.intercept_)


def restore(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], task: Task) -> TermLinear:
    """Inverse of ``state``.

    Raises:
        ModelFolderError: the state is incomplete or not that of this baseline.
    """
    return terms.restored(arrays, meta, task, "tfidf_logistic")
