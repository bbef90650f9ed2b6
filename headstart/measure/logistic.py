"""Multinomial logistic regression, many penalties for little more than the price of one.

Minimises C * sum_i w_i loss_i + ||W||^2 / 2 with an unpenalised intercept, which is scikit-learn's
``LogisticRegression``; for two classes that is its binary form. The features are rotated to their principal axes
(k = min(n - 1, d) coordinates), where the curvature is nearly diagonal and can be scaled away, then solved by L-BFGS
(Liu and Nocedal 1989, https://doi.org/10.1007/BF01589116).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import logsumexp

from headstart.base import scratch
from headstart.base.errors import DataError
from headstart.measure import arrays, calibration, scores, threads
from headstart.measure.arrays import Floats, Ints
from headstart.measure.folds import stratified
from headstart.measure.linear import Linear, Scaling, standardisation
from headstart.measure.rotation import Rotation, rotate

GRID: Floats = np.logspace(2, -4, 13)
"""1 / C tried by default, in units of the mean eigenvalue, strongest penalty first."""

Folds = Sequence[tuple[Any, Any]]

# Largest gradient of a solution, in coordinates where the curvature is about 1; the loss is a sum over items, in nats.
_EXACT, _ROUGH = 1e-6, 1e-2
_ITERATIONS = 5000


@dataclass(frozen=True, slots=True)
class Search:
    """Penalties compared on held-out items.

    Attributes:
        penalty: the ``C`` with the lowest held-out log loss.
        penalties: (L,) every ``C``, smallest (the strongest penalty) first.
        log_losses: (L,) mean held-out log loss of each, nats; infinite where the path had already ended.
        index: (m,) the items that were held out at least once.
        outputs: (m, classes) their held-out logits at ``penalty``, averaged over the times they were held out.
        linear: the classifier fitted to every item at ``penalty``.
    """

    penalty: float
    penalties: Floats
    log_losses: Floats
    index: Ints
    outputs: Floats
    linear: Linear


def fit(
    X: Any,
    y: Any,
    *,
    classes: int,
    penalty: float,
    class_weight: Any = None,
    weights: Any = None,
    standardise: bool = False,
) -> Linear:
    """Logistic regression at one penalty; equals scikit-learn's to 1e-3 in probability.

    A class without items gets weight 0 and a bias below every other class's by log(n + 1).

    Args:
        X: (n, d) features.
        y: (n,) class indices.
        penalty: scikit-learn's ``C``; the smaller, the stronger.
        class_weight: (classes,) factor on the loss of each class's items.
        weights: (n,) factor on the loss of each item; an item of weight 2 counts as two equal ones.
        standardise: scale features to unit variance first; folded into the result.

    Raises:
        DataError: arrays that do not fit each other, or a penalty not above 0.
    """
    if not (np.isfinite(penalty) and penalty > 0):
        raise DataError(f"C cannot be {penalty}", expected="a number above 0")
    frame = _Frame.of(X, weights, standardise=standardise)
    targets = arrays.labels(y, classes=classes, n=len(frame.coordinates))
    problem = _Problem.of(frame, targets, _importance(targets, classes, class_weight, weights))
    with frame.threads(classes):
        return frame.linear(problem, problem.solve(penalty, problem.nothing()), classes)


def choose(
    X: Any,
    y: Any,
    folds: Folds | None = None,
    *,
    classes: int,
    penalties: Any = None,
    class_weight: Any = None,
    standardise: bool = True,
    seed: int = 0,
) -> float:
    """The penalty (``C``) with the lowest held-out log loss: ``search`` without its details."""
    given = {"penalties": penalties, "class_weight": class_weight, "standardise": standardise, "seed": seed}
    return search(X, y, folds, classes=classes, **given).penalty


def search(
    X: Any,
    y: Any,
    folds: Folds | None = None,
    *,
    classes: int,
    penalties: Any = None,
    class_weight: Any = None,
    weights: Any = None,
    standardise: bool = True,
    seed: int = 0,
    patience: int = 2,
) -> Search:
    """Compare penalties by the log loss on items that were held out.

    All items are standardised and rotated once: a ridge penalty does not see a rotation, and the standardisation sees
    no labels. Then every fold is solved from the strongest penalty on, each from the solution before, as exactly as a
    comparison needs. The path ends after ``patience`` penalties without a lower loss.

    Args:
        X: (n, d) features.
        y: (n,) class indices.
        folds: pairs (training positions, held-out positions); five stratified ones, drawn by ``seed``, by default.
        penalties: values of ``C`` to try; by default 1 / (``GRID`` times the mean eigenvalue).
        class_weight: (classes,) factor on the loss of each class's items, fitted and held out.
        weights: (n,) factor on the loss of each item, fitted and held out; above 0.
        standardise: scale features to unit variance first.

    Raises:
        DataError: arrays that do not fit each other, no folds, or a penalty not above 0.
    """
    frame = _Frame.of(X, weights, standardise=standardise)
    targets = arrays.labels(y, classes=classes, n=len(frame.coordinates))
    importance = _importance(targets, classes, class_weight, weights)
    if not importance.all():
        raise DataError("A weight is 0", expected="weights above 0", next_move="leave these items out")
    folds = stratified(targets, seed=seed) if folds is None else folds
    if not folds:
        raise DataError("No folds to choose a penalty on", expected="at least one pair (training, held out)")
    problems = [_Problem.of(frame, targets, importance, np.asarray(train)) for train, _ in folds]
    held = np.concatenate([np.asarray(out, dtype=np.int64) for _, out in folds])
    share = float(np.mean([problem.mass for problem in problems])) / frame.mass
    grid = _inverse_penalties(penalties, frame.rotation.typical * share)
    losses, best = np.full(len(grid), np.inf), np.zeros((len(held), classes))
    with frame.threads(classes):
        inputs = [scratch.take(frame.coordinates, out) for _, out in folds]
        for step, outputs in enumerate(_path(problems, inputs, grid, classes)):
            each = scores.losses("log_loss", calibration.softmax(outputs), targets[held])
            losses[step] = np.average(each, weights=importance[held])
            if losses[step] == losses.min():
                best = outputs
            elif step - int(losses.argmin()) >= patience:
                break
        chosen, whole = float(grid[int(losses.argmin())]), _Problem.of(frame, targets, importance)
        linear = frame.linear(whole, whole.solve(chosen, whole.nothing()), classes)
    return Search(chosen, grid, losses, *_averaged(held, best), linear)


def separate(
    X: Any, Y: Any, folds: Folds | None = None, *, penalty: float | None = None, seed: int = 0, patience: int = 2
) -> tuple[Linear, float]:
    """One-vs-rest logistic regressions of truths (n, L): one for each label, all of one penalty.

    The features are standardised and rotated once for all labels. Each label's regression is scikit-learn's binary
    ``LogisticRegression`` of the standardised features; a label that all items have, or none, is its intercept alone.

    Args:
        X: (n, d) features.
        Y: (n, L) truths.
        folds: pairs (training positions, held-out positions) to choose the penalty on; five by default.
        penalty: scikit-learn's ``C``; None takes the one with the lowest mean held-out log loss.
        seed: of the default folds.
        patience: the path of penalties ends after so many without a lower loss.

    Returns:
        The linear function, whose outputs (n, L) are the logits of sigmoids, and its penalty.

    Raises:
        DataError: arrays that do not fit each other, or a penalty not above 0.
    """
    frame = _Frame.of(X, None, standardise=True)
    truths = arrays.truths(Y)
    if len(truths) != len(frame.coordinates):
        raise DataError("Features and targets differ in number", where=f"{len(frame.coordinates)} and {len(truths)}")
    labels = [truths[:, label].astype(np.int64) for label in range(truths.shape[1])]
    even = np.ones(len(truths))
    with frame.threads(2):
        if penalty is None:
            folds = stratified(truths, seed=seed) if folds is None else folds
            penalty = _shared_penalty(frame, labels, folds, patience)
        grid = _inverse_penalties(penalty, 1.0)
        wholes = [_Problem.of(frame, y, even) for y in labels]
        found = [frame.linear(whole, whole.solve(float(grid[0]), whole.nothing()), 2) for whole in wholes]
    weight = np.stack([linear.weight[1] - linear.weight[0] for linear in found])
    bias = np.array([linear.bias[1] - linear.bias[0] for linear in found])
    return Linear(weight, bias), float(penalty)


def _shared_penalty(frame: _Frame, labels: Sequence[Ints], folds: Folds, patience: int) -> float:
    """The penalty with the lowest held-out log loss, averaged over the labels."""
    even = np.ones(len(frame.coordinates))
    held = np.concatenate([np.asarray(out, dtype=np.int64) for _, out in folds])
    inputs = [scratch.take(frame.coordinates, out) for _, out in folds]
    share = float(np.mean([len(train) for train, _ in folds])) / len(even)
    grid = _inverse_penalties(None, frame.rotation.typical * share)
    paths = [
        _path([_Problem.of(frame, y, even, np.asarray(train)) for train, _ in folds], inputs, grid, 2) for y in labels
    ]
    losses: list[float] = []
    for outputs in zip(*paths, strict=True):
        each = [
            scores.score("log_loss", calibration.softmax(logits), y[held])
            for logits, y in zip(outputs, labels, strict=True)
        ]
        losses.append(float(np.mean(each)))
        if len(losses) - 1 - int(np.argmin(losses)) >= patience:
            break
    return float(grid[int(np.argmin(losses))])


def _path(problems: Sequence[_Problem], inputs: Sequence[NDArray[Any]], grid: Floats, classes: int) -> Iterator[Floats]:
    """Held-out logits of all folds, end to end, for one penalty after the other."""
    solutions = [problem.nothing() for problem in problems]
    for penalty in grid:
        solutions = [p.solve(float(penalty), start, _ROUGH) for p, start in zip(problems, solutions, strict=True)]
        parts = zip(problems, solutions, inputs, strict=True)
        yield np.concatenate([problem.outputs(solution, x, classes) for problem, solution, x in parts])


def _importance(targets: Ints, classes: int, class_weight: Any, weights: Any) -> Floats:
    """(n,) factor on the loss of each item."""
    share = arrays.item_weights(weights, len(targets))
    return share if class_weight is None else share * arrays.item_weights(class_weight, classes)[targets]


def _inverse_penalties(penalties: Any, typical: float) -> Floats:
    if penalties is None:
        return 1 / (GRID * typical)
    found = np.sort(np.atleast_1d(np.asarray(penalties, dtype=np.float64)))
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all() or found[0] <= 0:
        raise DataError("Inverse penalties must be positive", where=str(penalties), expected="numbers above 0")
    return found


def _averaged(held: Ints, outputs: Floats) -> tuple[Ints, Floats]:
    """One row an item, where an item was held out more than once."""
    index, place, times = np.unique(held, return_inverse=True, return_counts=True)
    total = np.zeros((len(index), outputs.shape[1]))
    np.add.at(total, place, outputs)
    return index, total / times[:, None]


@dataclass(frozen=True, slots=True)
class _Frame:
    """All items in rotated coordinates, a constant 1 added: (n, k + 1); ``share`` (n,) is each item's weight."""

    scaling: Scaling | None
    rotation: Rotation
    coordinates: NDArray[Any]
    share: Floats

    @classmethod
    def of(cls, X: Any, weights: Any, *, standardise: bool) -> _Frame:
        features = arrays.matrix(X)
        share = arrays.item_weights(weights, len(features))
        scaling = standardisation(features, weights=weights) if standardise else None
        rotation = rotate(scaling.apply(features) if scaling else features, weights)
        turned = rotation.coordinates

        def constant_added(rows: slice) -> NDArray[Any]:
            return np.hstack([turned[rows], np.ones((len(turned[rows]), 1))])

        return cls(scaling, rotation, scratch.by_rows(len(turned), constant_added), share)

    @property
    def mass(self) -> float:
        """The items' weights together: their number, where all are 1."""
        return float(self.share.sum())

    def threads(self, classes: int) -> AbstractContextManager[Any]:
        """As many threads as one step's products deserve."""
        return threads.suited(2.0 * self.coordinates.size * classes)

    def linear(self, problem: _Problem, solution: Floats, classes: int) -> Linear:
        """A solution as a function of raw features, for every class."""
        full = problem.all_classes(solution, classes)
        weight = full[:, :-1] @ self.rotation.axes.T
        linear = Linear(weight, full[:, -1] - weight @ self.rotation.mean)
        return linear.folded(self.scaling) if self.scaling else linear


@dataclass(frozen=True, slots=True)
class _Problem:
    """Some items' regression on the classes that occur among them; a solution is (present, k + 1)."""

    coordinates: NDArray[Any]
    spectrum: Floats
    y: Ints
    weights: Floats
    present: Ints
    mass: float

    @classmethod
    def of(cls, frame: _Frame, targets: Ints, weights: Floats, rows: Ints | None = None) -> _Problem:
        chosen = np.arange(len(targets)) if rows is None else rows
        present, short = np.unique(targets[chosen], return_inverse=True)
        mass = float(frame.share[chosen].sum())
        spectrum = frame.rotation.spectrum * mass / frame.mass
        coordinates = frame.coordinates if rows is None else scratch.take(frame.coordinates, rows)
        return cls(coordinates, spectrum, short.astype(np.int64), weights[chosen], present, mass)

    def nothing(self) -> Floats:
        """The solution before any step."""
        return np.zeros((len(self.present), self.coordinates.shape[1]))

    def outputs(self, solution: Floats, coordinates: NDArray[Any], classes: int) -> Floats:
        """Logits (m, classes) of items in the same coordinates."""
        return coordinates @ self.all_classes(solution, classes).T

    def all_classes(self, solution: Floats, classes: int) -> Floats:
        """The solution with a row for every class, (classes, k + 1)."""
        full = np.zeros((classes, solution.shape[1]))
        intercept = solution[:, -1] - solution[:, -1].mean()
        full[:, -1] = intercept.min() - np.log(len(self.y) + 1)
        full[self.present, :-1] = solution[:, :-1]
        full[self.present, -1] = intercept
        return full

    def solve(self, C: float, start: Floats, gradient_at_end: float = _EXACT) -> Floats:
        """Weights and intercept of the present classes, starting from an earlier solution."""
        count, width = start.shape
        if count < 2:
            return start
        # The softmax of two classes splits one binary weight vector in halves, whose penalty is half of the binary one.
        penalty = np.append(np.full(width - 1, (1 if count > 2 else 2) / C), 0.0)
        units = self._units(penalty)
        inputs = scratch.by_rows(len(self.y), lambda rows: self.coordinates[rows] * units)
        ridge, rows = penalty * units**2, np.arange(len(self.y))

        def objective(flat: Floats) -> tuple[float, Floats]:
            a = flat.reshape(count, width)
            logits = inputs @ a.T
            level = logsumexp(logits, axis=1)
            loss = self.weights @ (level - logits[rows, self.y]) + 0.5 * float((ridge * a**2).sum())
            error = np.exp(logits - level[:, None])
            error[rows, self.y] -= 1
            gradient = (error * self.weights[:, None]).T @ inputs + ridge * a
            return float(loss), gradient.ravel()

        options = {
            "maxiter": _ITERATIONS,
            "maxfun": 2 * _ITERATIONS,
            "maxcor": 20,
            "gtol": gradient_at_end,
            "ftol": 0.0,
        }
        found = optimize.minimize(objective, (start / units).ravel(), jac=True, method="L-BFGS-B", options=options)
        return found.x.reshape(count, width) * units

    def _units(self, penalty: Floats) -> Floats:
        """(k + 1,) scales of the coordinates in which the curvature at the start is about 1."""
        share = 1 / len(self.present)
        curvature = share * (1 - share) * float(self.weights.sum()) / self.mass
        return 1 / np.sqrt(curvature * np.append(self.spectrum, self.mass) + penalty)
