"""Multinomial logistic regression, many penalties for little more than the price of one.

Minimises C * sum_i w_i loss_i + ||W||^2 / 2 with an unpenalised intercept, which is scikit-learn's
``LogisticRegression``; for two classes that is its binary form. The features are rotated to their principal axes
(k = min(n - 1, d) coordinates), where the curvature is nearly diagonal and can be scaled away, then solved by L-BFGS
(Liu and Nocedal 1989, https://doi.org/10.1007/BF01589116).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import logsumexp

from headstart.base.errors import DataError
from headstart.measure import arrays, calibration, scores
from headstart.measure.arrays import Floats, Ints
from headstart.measure.linear import Linear, Scaling, standardisation
from headstart.measure.rotation import Rotation, rotate

GRID: Floats = np.logspace(2, -4, 13)
"""1 / C tried by default, in units of the mean eigenvalue, strongest penalty first."""

_GRADIENT = 1e-6
_ITERATIONS = 5000


@dataclass(frozen=True, slots=True)
class Choice:
    """A penalty chosen on held-out items.

    Attributes:
        C: the inverse penalty with the lowest held-out log loss.
        Cs: (L,) inverse penalties that were tried, strongest penalty first.
        log_losses: (L,) mean held-out log loss of each; infinite where the path had already ended.
        index: (m,) the items that were held out at least once.
        outputs: (m, classes) their held-out logits at ``C``, averaged over the times they were held out.
    """

    C: float
    Cs: Floats
    log_losses: Floats
    index: Ints
    outputs: Floats


def fit(
    X: Any,
    y: Any,
    *,
    classes: int,
    C: float,
    class_weight: Any = None,
    weights: Any = None,
    standardise: bool = False,
) -> Linear:
    """Logistic regression at one penalty; equals scikit-learn's to 1e-3 in probability.

    A class without items gets weight 0 and a bias below every other class's by log(n + 1).

    Args:
        X: (n, d) features.
        y: (n,) class indices.
        C: inverse penalty.
        class_weight: (classes,) factor on the loss of each class's items.
        weights: (n,) factor on the loss of each item.
        standardise: scale features to unit variance first; folded into the result.

    Raises:
        DataError: arrays that do not fit each other, or C not above 0.
    """
    if not (np.isfinite(C) and C > 0):
        raise DataError(f"C cannot be {C}", expected="a number above 0")
    problem = _Problem.of(X, y, classes, class_weight=class_weight, weights=weights, standardise=standardise)
    return problem.linear(problem.solve(C, problem.nothing()))


def choose(
    X: Any,
    y: Any,
    folds: Sequence[tuple[Any, Any]],
    *,
    classes: int,
    Cs: Any = None,
    class_weight: Any = None,
    standardise: bool = True,
    patience: int = 2,
) -> Choice:
    """The inverse penalty with the lowest log loss on items that were held out.

    Every fold is standardised and rotated once, on its own training items, then solved from the strongest penalty on,
    each from the solution before. The path ends after ``patience`` penalties without a lower loss.

    Args:
        X: (n, d) features.
        y: (n,) class indices.
        folds: pairs (training indices, held-out indices).
        Cs: inverse penalties to try; by default 1 / (``GRID`` times the mean eigenvalue).
        class_weight: (classes,) factor on the loss of each class's items, fitted and held out.
        standardise: scale features to unit variance first.

    Raises:
        DataError: arrays that do not fit each other, no folds, or a C not above 0.
    """
    features = arrays.matrix(X, dtype=None)
    targets = arrays.labels(y, classes=classes, n=len(features))
    if not folds:
        raise DataError("No folds to choose a penalty on", expected="at least one pair (training, held out)")
    given = {"class_weight": class_weight, "weights": None, "standardise": standardise}
    problems = [_Problem.of(features[t], targets[t], classes, **given) for t, _ in folds]
    grid = _inverse_penalties(Cs, problems)
    held = np.concatenate([np.asarray(h, dtype=np.int64) for _, h in folds])
    importance = np.ones(len(held)) if class_weight is None else np.asarray(class_weight, np.float64)[targets[held]]
    losses, best = np.full(len(grid), np.inf), np.zeros((len(held), classes))
    starts = [problem.nothing() for problem in problems]
    for step, C in enumerate(grid):
        starts = [problem.solve(C, start) for problem, start in zip(problems, starts, strict=True)]
        outputs = np.concatenate(
            [
                problem.linear(start).outputs(features[h])
                for problem, start, (_, h) in zip(problems, starts, folds, strict=True)
            ]
        )
        each = scores.losses("log_loss", calibration.softmax(outputs), targets[held])
        losses[step] = np.average(each, weights=importance)
        if losses[step] == losses.min():
            best = outputs
        elif step - int(losses.argmin()) >= patience:
            break
    index, averaged = _averaged(held, best)
    return Choice(float(grid[int(losses.argmin())]), grid, losses, index, averaged)


def _inverse_penalties(Cs: Any, problems: Sequence[_Problem]) -> Floats:
    if Cs is None:
        return 1 / (GRID * float(np.mean([problem.rotation.typical for problem in problems])))
    found = np.sort(np.atleast_1d(np.asarray(Cs, dtype=np.float64)))
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all() or found[0] <= 0:
        raise DataError("Inverse penalties must be positive", where=str(Cs), expected="numbers above 0")
    return found


def _averaged(held: Ints, outputs: Floats) -> tuple[Ints, Floats]:
    """One row an item, where an item was held out more than once."""
    index, place, times = np.unique(held, return_inverse=True, return_counts=True)
    total = np.zeros((len(index), outputs.shape[1]))
    np.add.at(total, place, outputs)
    return index, total / times[:, None]


@dataclass(frozen=True, slots=True)
class _Problem:
    """A rotated problem over the classes that occur; solutions are (present, k + 1) flat, in scaled coordinates."""

    rotation: Rotation
    coordinates: NDArray[Any]
    y: Ints
    weights: Floats
    present: Ints
    classes: int
    scaling: Scaling | None

    @classmethod
    def of(cls, X: Any, y: Any, classes: int, *, class_weight: Any, weights: Any, standardise: bool) -> _Problem:
        features = arrays.matrix(X)
        targets = arrays.labels(y, classes=classes, n=len(features))
        share = arrays.item_weights(weights, len(features))
        if class_weight is not None:
            share = share * arrays.item_weights(class_weight, classes)[targets]
        scaling = standardisation(features) if standardise else None
        rotation = rotate(scaling.apply(features) if scaling else features)
        present, short = np.unique(targets, return_inverse=True)
        coordinates = np.hstack([rotation.coordinates, np.ones((len(targets), 1))])
        return cls(rotation, coordinates, short.astype(np.int64), share, present, classes, scaling)

    def units(self, penalty: float) -> Floats:
        """(k + 1,) scales of the coordinates in which the curvature at the start is about 1."""
        shares = 1 / len(self.present)
        curvature = shares * (1 - shares) * self.weights.mean()
        diagonal = curvature * np.append(self.rotation.spectrum, len(self.y)) + np.append(
            np.full(len(self.rotation.spectrum), penalty), 0.0
        )
        return 1 / np.sqrt(diagonal)

    def nothing(self) -> Floats:
        """The solution before any step."""
        return np.zeros((len(self.present), self.coordinates.shape[1]))

    def solve(self, C: float, start: Floats) -> Floats:
        """Weights and intercept of the present classes, (present, k + 1), starting from an earlier solution."""
        count, width = len(self.present), self.coordinates.shape[1]
        if count < 2:
            return start
        # The softmax of two classes splits one binary weight vector in halves, whose penalty is half of the binary one.
        penalty = 1 / C if count > 2 else 2 / C
        units = self.units(penalty)
        ridge = np.append(np.full(width - 1, penalty), 0.0) * units**2
        inputs = self.coordinates * units
        rows = np.arange(len(self.y))

        def objective(flat: Floats) -> tuple[float, Floats]:
            a = flat.reshape(count, width)
            logits = inputs @ a.T
            level = logsumexp(logits, axis=1)
            loss = self.weights @ (level - logits[rows, self.y]) + 0.5 * float((ridge * a**2).sum())
            error = np.exp(logits - level[:, None])
            error[rows, self.y] -= 1
            gradient = (error * self.weights[:, None]).T @ inputs + ridge * a
            return float(loss), gradient.ravel()

        options = {"maxiter": _ITERATIONS, "maxfun": 2 * _ITERATIONS, "maxcor": 20, "gtol": _GRADIENT, "ftol": 0.0}
        found = optimize.minimize(objective, (start / units).ravel(), jac=True, method="L-BFGS-B", options=options)
        return found.x.reshape(count, width) * units

    def linear(self, solution: Floats) -> Linear:
        """The solution as a function of raw features, every class included."""
        inner, intercept = solution[:, :-1], solution[:, -1] - solution[:, -1].mean()
        weight = np.zeros((self.classes, len(self.rotation.mean)))
        bias = np.full(self.classes, intercept.min() - np.log(len(self.y) + 1))
        weight[self.present] = inner @ self.rotation.axes.T
        bias[self.present] = intercept - weight[self.present] @ self.rotation.mean
        linear = Linear(weight, bias)
        return linear.folded(self.scaling) if self.scaling else linear
