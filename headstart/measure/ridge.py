"""Ridge regression with exact leave-one-out predictions, and as a calibrated classifier.

With an unpenalised intercept, leaving item i out of a ridge fit changes its residual to e_i / (1 - h_i), where h_i is
the item's leverage: PRESS (Allen 1974, https://doi.org/10.1080/00401706.1974.10489157). One eigendecomposition serves
every penalty; after it, a penalty costs O(n k C).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base import scratch
from headstart.base.errors import DataError
from headstart.measure import arrays, calibration, scores, threads
from headstart.measure.arrays import Floats, Ints
from headstart.measure.linear import FLOOR, Linear, Scaling, standardisation
from headstart.measure.rotation import Rotation, rotate

GRID: Floats = np.logspace(-5, 3, 17)
"""Penalties tried by default, in units of the mean eigenvalue: invariant to the scale of the features and to n."""

_LEAST_FREEDOM = 1e-12


@dataclass(frozen=True, slots=True)
class Ridge:
    """A ridge regression at the penalty with the lowest leave-one-out squared error.

    Attributes:
        weight: (c, d).
        bias: (c,).
        penalty: lambda of sum w ||y - Wx - b||^2 + lambda ||W||^2.
        loo: (n, c) prediction for each item by the fit without it.
        penalties: (L,) penalties that were tried.
        errors: (L,) mean squared leave-one-out error of each.
    """

    weight: Floats
    bias: Floats
    penalty: float
    loo: Floats
    penalties: Floats
    errors: Floats

    @property
    def linear(self) -> Linear:
        """The regression as a linear function."""
        return Linear(self.weight, self.bias)


@dataclass(frozen=True, slots=True)
class RidgeClassifier:
    """A ridge fit to one-hot targets, turned into probabilities.

    Attributes:
        linear: calibrated logits of the raw features; its softmax is the probability.
        penalty: the lambda with the lowest leave-one-out log loss, on the standardised features.
        temperature: of the centred outputs, fitted to leave-one-out outputs.
        probabilities: (n, C) leave-one-out.
        penalties: (L,) penalties that were tried.
        log_losses: (L,) leave-one-out log loss of each, weighted by class weight where given.
    """

    linear: Linear
    penalty: float
    temperature: float
    probabilities: Floats
    penalties: Floats
    log_losses: Floats


def fit(X: Any, Y: Any, lambdas: Any = None, *, weights: Any = None) -> Ridge:
    """Ridge regression of targets (n, c) on features (n, d), the penalty chosen by leave-one-out.

    O(n d k) once, with k = min(n, d), and O(n k c) a penalty. Nothing is standardised here.

    Args:
        lambdas: penalties to try, absolute; by default ``GRID`` times the mean eigenvalue.
        weights: (n,) of the items; all 1 by default.

    Raises:
        DataError: arrays that do not fit each other, or a penalty that is not positive.
    """
    solution = _Solution.of(X, Y, weights)
    penalties = solution.penalties(lambdas)
    with solution.threads():
        errors = np.array([solution.error(penalty) for penalty in penalties])
    best = float(penalties[int(errors.argmin())])
    weight, bias = solution.coefficients(best)
    return Ridge(weight, bias, best, solution.left_out(best), penalties, errors)


def regress(X: Any, Y: Any, *, penalty: float | None = None, floor: float = FLOOR) -> Ridge:
    """Ridge regression of targets (n, c) on standardised features (n, d), folded into weights of the raw ones.

    Args:
        penalty: lambda for the standardised features; None chooses it by leave-one-out.
        floor: see ``linear.standardisation``.

    Raises:
        DataError: arrays that do not fit each other, or a penalty that is not positive.
    """
    features = arrays.matrix(X, dtype=None)
    scaling = standardisation(features, floor=floor)
    found = fit(scaling.apply(features), Y, None if penalty is None else [penalty])
    folded = found.linear.folded(scaling)
    return replace(found, weight=folded.weight, bias=folded.bias)


def classify(
    X: Any,
    y: Any,
    *,
    classes: int,
    lambdas: Any = None,
    weights: Any = None,
    standardise: bool = True,
    floor: float = FLOOR,
) -> RidgeClassifier:
    """A ridge classifier with calibrated probabilities.

    The outputs c(x) of the ridge are centred on the class shares and become softmax(log prior + outputs / T): as the
    features stop saying anything, the probabilities turn into the class shares. Penalty and T have the lowest
    leave-one-out log loss, in which each item is left out of the shares as well; the standardisation alone has seen it.

    Args:
        X: (n, d) features.
        y: (n,) class indices.
        lambdas: penalties to try, for the standardised features; by default ``GRID`` times the mean eigenvalue.
        weights: (n,) of the items, such as class weights.
        standardise: scale features to unit variance first; folded into the result.
        floor: see ``linear.standardisation``.

    Raises:
        DataError: arrays that do not fit each other.
    """
    features = arrays.matrix(X, dtype=None)
    targets = arrays.labels(y, classes=classes, n=len(features))
    scaling = standardisation(features, floor=floor) if standardise else None
    solution = _Solution.of(scaling.apply(features) if scaling else features, np.eye(classes)[targets], weights)
    prior, prior_without = _priors(solution)
    penalties = solution.penalties(lambdas)
    with solution.threads():
        found = [_calibrate(solution, targets, prior_without, penalty) for penalty in penalties]
    best = int(np.argmin([loss for loss, _, _ in found]))
    _, heat, probabilities = found[best]
    linear = _as_logits(solution, float(penalties[best]), heat, prior, scaling)
    log_losses = np.array([loss for loss, _, _ in found])
    return RidgeClassifier(linear, float(penalties[best]), heat, probabilities, penalties, log_losses)


def separate(X: Any, Y: Any, *, floor: float = FLOOR) -> tuple[Linear, Floats]:
    """A ridge regression on truths (n, L), as calibrated logits of one sigmoid a label.

    As in ``classify``: the outputs are centred on each label's share and become sigmoid(logit share + outputs / T). T
    has the lowest leave-one-out log loss over all labels, the penalty the lowest leave-one-out squared error.

    Returns:
        Logits of raw features as a linear function, and the leave-one-out probabilities (n, L).

    Raises:
        DataError: arrays that do not fit each other.
    """
    truths = arrays.truths(Y).astype(np.float64)
    found = regress(X, truths, floor=floor)
    n, share = len(truths), truths.mean(axis=0)
    prior = np.log((truths.sum(axis=0) + 0.5) / (n - truths.sum(axis=0) + 0.5))
    away = (found.loo - share).ravel()
    # A sigmoid is a softmax over (0, logit).
    offset = np.stack([np.zeros(len(away)), np.tile(prior, n)], axis=1)
    heat = calibration.temperature(
        np.stack([np.zeros(len(away)), away], axis=1), truths.ravel().astype(np.int64), offset=offset
    )
    linear = Linear(found.weight, found.bias - share).scaled(1 / heat, prior)
    return linear, calibration.sigmoid(prior + (found.loo - share) / heat)


def loo_log_loss(X: Any, y: Any, *, classes: int, weights: Any = None) -> float:
    """The lowest leave-one-out log loss of a ridge classifier, nats: how well features (n, d) tell classes apart."""
    return float(classify(X, y, classes=classes, weights=weights).log_losses.min())


def _calibrate(solution: _Solution, y: Ints, prior_without: Floats, penalty: float) -> tuple[float, float, Floats]:
    """Leave-one-out log loss, temperature and probabilities at one penalty."""
    outputs = solution.left_out(penalty) - solution.means_without()
    heat = calibration.temperature(outputs, y, weights=solution.weights, offset=prior_without)
    probabilities = calibration.softmax(prior_without + outputs / heat)
    loss = float(np.average(scores.losses("log_loss", probabilities, y), weights=solution.weights))
    return loss, heat, probabilities


def _priors(solution: _Solution) -> tuple[Floats, Floats]:
    """Log class shares with one item spread evenly over the classes: (C,) of all items, (n, C) without each item."""
    share = solution.weights / solution.weights.mean()
    held = share[:, None] * solution.targets
    spread, total = 1 / held.shape[1], held.sum(axis=0)
    without = (total - held + spread) / (len(share) - share[:, None] + 1)
    return np.log((total + spread) / (len(share) + 1)), np.log(without)


def _as_logits(solution: _Solution, penalty: float, heat: float, prior: Floats, scaling: Scaling | None) -> Linear:
    weight, bias = solution.coefficients(penalty)
    linear = Linear(weight, bias - solution.mean).scaled(1 / heat, prior)
    return linear.folded(scaling) if scaling else linear


@dataclass(frozen=True, slots=True)
class _Solution:
    """Everything about a weighted ridge problem that does not depend on the penalty."""

    rotation: Rotation
    weights: Floats
    targets: Floats
    mean: Floats
    projected: Floats
    squares: NDArray[Any]

    @classmethod
    def of(cls, X: Any, Y: Any, weights: Any) -> _Solution:
        targets = arrays.matrix(Y, name="targets")
        rotation = rotate(X, weights)
        n = len(rotation.coordinates)
        if len(targets) != n:
            raise DataError("Features and targets differ in number", where=f"{n} and {len(targets)}")
        share = arrays.item_weights(weights, n)
        mean = np.average(targets, axis=0, weights=share)
        projected = np.asarray(rotation.coordinates.T @ (share[:, None] * (targets - mean)), dtype=np.float64)
        return cls(
            rotation,
            share,
            targets,
            mean,
            projected,
            scratch.by_rows(n, lambda rows: np.square(rotation.coordinates[rows])),
        )

    def threads(self) -> AbstractContextManager[Any]:
        """As many threads as one penalty's products deserve."""
        return threads.suited(2.0 * self.squares.size * self.targets.shape[1])

    def penalties(self, lambdas: Any) -> Floats:
        """The penalties to try."""
        found = GRID * self.rotation.typical if lambdas is None else np.atleast_1d(np.asarray(lambdas, np.float64))
        if found.ndim != 1 or not len(found) or not np.isfinite(found).all() or (found <= 0).any():
            raise DataError("Ridge penalties must be positive", where=str(lambdas), expected="numbers above 0")
        return found

    def residuals(self, penalty: float) -> Floats:
        """(n, c) residual of every item under the fit without it."""
        shrink = 1 / (self.rotation.spectrum + penalty)
        fitted = self.rotation.coordinates @ (shrink[:, None] * self.projected).astype(self.squares.dtype)
        leverage = self.weights * (1 / self.weights.sum() + self.squares @ shrink.astype(self.squares.dtype))
        freedom = np.maximum(1 - leverage, _LEAST_FREEDOM)
        return (self.targets - self.mean - fitted) / freedom[:, None]

    def left_out(self, penalty: float) -> Floats:
        """(n, c) prediction for every item by the fit without it."""
        return self.targets - self.residuals(penalty)

    def error(self, penalty: float) -> float:
        """Weighted mean squared leave-one-out error."""
        return float(np.average(np.square(self.residuals(penalty)).mean(axis=1), weights=self.weights))

    def means_without(self) -> Floats:
        """(n, c) mean target of the other items."""
        share = (self.weights / self.weights.sum())[:, None]
        return (self.mean - share * self.targets) / np.maximum(1 - share, _LEAST_FREEDOM)

    def coefficients(self, penalty: float) -> tuple[Floats, Floats]:
        """Weight (c, d) and bias (c,)."""
        scaled = self.projected / (self.rotation.spectrum + penalty)[:, None]
        weight = np.asarray(self.rotation.axes @ scaled, dtype=np.float64).T
        return weight, self.mean - weight @ self.rotation.mean
