"""Ridge regression on TF-IDF of words and letters, no network: what the words of a text alone achieve.

The penalty and the calibration come from exact leave-one-out predictions (``measure/ridge.py``) of at most 2,000
items, drawn by class where there are more. For numbers all items are fitted at that penalty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from headstart.baselines import flat, terms
from headstart.baselines.terms import TermLinear
from headstart.measure import ridge
from headstart.measure.linear import Linear
from headstart.tasks.task import Task

MODALITIES = ("texts",)
"""What it reads."""
_UNSCALED = 1e6
"""Floor at which a standardisation scales all features alike: how rare a term is has been weighed already."""


def fit(items: Sequence[Any], targets: Any, task: Task, seed: int, *, modality: str = "texts") -> TermLinear:
    """Fit a ridge regression to the terms.

    Args:
        items: training items, as the modality takes them.
        targets: n targets of the task.
        task: what is predicted.
        seed: draws the items that are solved exactly, if there are more than 2,000.
        modality: plug-in of the data room.

    Raises:
        Undecodable: when an item cannot be read.
        DataError: texts without words, or some pairs and some single texts.
    """
    y = np.asarray(targets)
    known, features = terms.learn(terms.read(items, modality))
    chosen = flat.at_most(terms.EXACT, task.strata(y), seed)
    few, wanted = features[chosen], y[chosen]
    turned = terms.turned(few)
    if len(chosen) < len(y) and not task.words.counted:
        linear = _whole(features, task.ideal(y), turned.coordinates, task.ideal(wanted))
    else:
        linear = turned.unturned(task.simple(turned.coordinates, wanted, floor=_UNSCALED), few)
    return terms.fitted(known, linear, modality, task, "tfidf_ridge")


def _whole(features: sparse.csr_matrix, targets: Any, coordinates: Any, wanted: Any) -> Linear:
    """The regression on all items, at the penalty that was best for some of them."""
    from sklearn.linear_model import Ridge

    found = ridge.fit(coordinates, wanted)
    solved = Ridge(alpha=found.penalty, solver="sparse_cg", tol=1e-4).fit(features, targets)
    return Linear(np.atleast_2d(solved.coef_), np.atleast_1d(solved.intercept_))


def restore(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], task: Task) -> TermLinear:
    """Inverse of ``state``.

    Raises:
        ModelFolderError: the state is incomplete or not that of this baseline.
    """
    return terms.restored(arrays, meta, task, "tfidf_ridge")
