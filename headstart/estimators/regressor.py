"""A regressor for scikit-learn, of pictures, texts or vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import check_array

from headstart.estimators.transfer import Transfer
from headstart.measure import copies, ridge
from headstart.measure.arrays import Floats
from headstart.measure.linear import Linear, standardisation


class TransferRegressor(RegressorMixin, Transfer):
    """A regressor for scikit-learn: of pictures or texts by a pretrained network, or of vectors by its probe alone.

    What pictures and vectors are, and what becomes of pictures, is as with ``TransferClassifier``. Vectors get a ridge
    regression: they are standardised, and the penalty has the lowest squared error in exact leave-one-out, in which
    equal rows are left out together.

    Args:
        backbone, architecture, strategy, depth, budget, max_latency, max_size, baselines, precision: as
            ``TransferClassifier``.
        metric: decides between candidates, such as "rmse" or "r2"; for pictures.
        settings: options by dotted name, such as {"strategy.penalty": 10.0}, which is 1 / alpha; the only one for
            vectors.
        random_state: an int is the seed of everything random; None or a RandomState draws one. Vectors need none.

    Attributes:
        model_: the sealed model, after a fit to pictures.
        evidence_: its evidence table: every candidate with its validation scores.
        verdict_: whether transfer helped, as plain data.
        coef_, intercept_: (d,) and a number, after a fit to vectors.
        penalty_: 1 / scikit-learn's ``alpha``, for the standardised vectors.
        n_features_in_, feature_names_in_: of the vectors.

    Example:
        >>> import headstart as hs
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> bool(hs.TransferRegressor().fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.4)
        True
    """

    def _fit_pictures(self, items: list[Any], y: NDArray[Any]) -> None:
        values = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        self.sealed_ = self._seal(items, values.tolist(), "regression")

    def _fit_vectors(self, X: NDArray[Any], y: NDArray[Any], weights: Floats | None) -> None:
        kept = copies.merged(X, y, weights)
        X, y, share = X[kept.rows], y[kept.rows], kept.weights
        scaling, penalty = standardisation(X, weights=share), self._penalty()
        tried = None if penalty is None else [1 / penalty]
        found = ridge.fit(scaling.apply(X), y[:, None], tried, weights=share)
        linear: Linear = found.linear.folded(scaling)
        self.penalty_ = 1 / found.penalty
        self.coef_, self.intercept_ = linear.weight[0], float(linear.bias[0])

    def predict(self, X: Any) -> Floats:
        """Values (n,) of pictures or vectors.

        Raises:
            NotFittedError: not fitted yet.
            ValueError: X is not what was fitted, or a picture cannot be read.
        """
        items = self._pictures(X)
        if items is not None:
            return self.sealed_.model.predict_proba(items)[:, 0]
        return self._vectors(X) @ self.coef_ + self.intercept_
