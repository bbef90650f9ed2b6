"""A regressor for scikit-learn, of vectors."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from headstart.base.errors import BadSource
from headstart.estimators.transfer import Transfer
from headstart.measure import copies, ridge
from headstart.measure.arrays import Floats
from headstart.measure.linear import Linear, standardisation


class TransferRegressor(RegressorMixin, Transfer):
    """A regressor for scikit-learn: of vectors, by ridge regression.

    Vectors are numbers (n, d): features that were extracted elsewhere, or any table. They are standardised; the penalty
    has the lowest squared error in exact leave-one-out, in which equal rows are left out together.

    Args:
        backbone, architecture, strategy, depth, budget, metric, baselines, precision: as ``TransferClassifier``.
        settings: options by dotted name, such as {"strategy.penalty": 10.0}, which is 1 / alpha; the only one for
            vectors.
        random_state: an int is the seed of everything random; None or a RandomState draws one. Vectors need none.

    Attributes:
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
        raise BadSource("X holds pictures", expected="vectors (n, d)", next_move="TransferFeatures makes them")

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
        """Values (n,) of vectors.

        Raises:
            NotFittedError: not fitted yet.
            ValueError: X is not what was fitted.
        """
        self._pictures(X)
        return self._vectors(X) @ self.coef_ + self.intercept_
