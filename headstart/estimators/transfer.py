"""A classifier and a regressor for scikit-learn: pictures go through the house, rows of numbers to its probe.

The estimators keep scikit-learn's contract (``fit`` leaves the parameters alone, what is fitted ends in an underscore),
so cloning, pipelines, cross-validation and searches work as with any other. For rows of numbers torch is not loaded.
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_regressor
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from headstart.base import files, seeds
from headstart.base.errors import BadOption, BadSource, DataError, OutputExists, TooFewExamples, UnknownName
from headstart.data import labels
from headstart.estimators import pictures
from headstart.estimators.pictures import Sealed
from headstart.measure import balance, calibration, copies, folds, logistic, ridge
from headstart.measure.arrays import Floats
from headstart.measure.linear import Linear, standardisation
from headstart.tune import limits

if TYPE_CHECKING:
    from headstart.ship.sealed import Model

PENALTY = "strategy.penalty"
"""The one setting that vectors have."""


class _Transfer(BaseEstimator, ABC):
    """What the two have in common: parameters, the two kinds of X, the sealed model."""

    def __init__(
        self,
        backbone: str = "auto",
        *,
        architecture: str | None = None,
        strategy: str = "probe",
        depth: int | str | None = None,
        budget: str | float = "10m",
        metric: str | None = None,
        baselines: bool = False,
        precision: str = "auto",
        settings: Mapping[str, Any] | None = None,
        random_state: Any = 0,
    ) -> None:
        self.backbone = backbone
        self.architecture = architecture
        self.strategy = strategy
        self.depth = depth
        self.budget = budget
        self.metric = metric
        self.baselines = baselines
        self.precision = precision
        self.settings = settings
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to pictures or to vectors.

        Args:
            X: n pictures (paths, PIL images, or arrays (h, w) or (h, w, channels); also one array of them all), or
                vectors (n, d).
            y: (n,) targets.
            sample_weight: (n,) weights of vectors, not negative; an item of weight 2 counts as two equal ones. Not
                for pictures.

        Returns:
            The estimator.

        Raises:
            ValueError: for an X, a y or a parameter that cannot be used; headstart's own errors for wrong values
                (DataError, BadOption, UnknownName) are ValueErrors.
            HeadstartError: when a fit to pictures fails.
        """
        for name in [name for name in vars(self) if name.endswith("_") and not name.startswith("__")]:
            delattr(self, name)
        if y is None:
            raise DataError(f"{type(self).__name__} requires y to be passed, but the target y is None", expected="(n,)")
        if pictures.holds(X):
            if sample_weight is not None:
                raise BadOption("Pictures take no sample_weight", expected="vectors (n, d) with it, or None")
            self._fit_pictures(pictures.items(X), column_or_1d(y, warn=True))
            return self
        self._refuse_what_vectors_lack()
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], ensure_min_samples=2, y_numeric=is_regressor(self)
        )
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        self._fit_vectors(X, y, sample_weight)
        return self

    @abstractmethod
    def _fit_pictures(self, items: list[Any], y: NDArray[Any]) -> None:
        """Fit to n pictures with n targets."""

    @abstractmethod
    def _fit_vectors(self, X: NDArray[Any], y: NDArray[Any], weights: Floats | None) -> None:
        """Fit to checked vectors (n, d) with n targets."""

    def _seal(self, items: list[Any], y: list[Any]) -> Sealed:
        """Fit and seal a model in a folder of the estimator's own."""
        from headstart.api import fit

        check_consistent_length(items, y)
        folder = pictures.new_folder()
        try:
            model = fit(
                items,
                y,
                output=folder,
                backbone=self.backbone,
                architecture=self.architecture,
                strategy=self.strategy,
                depth=self.depth,
                budget=self.budget,
                metric=self.metric,
                seed=self._seed(),
                baselines=self.baselines,
                precision=self.precision,
                settings=self.settings,
            )
        except BaseException:
            pictures.remove(folder)
            raise
        self.evidence_, self.verdict_ = model.evidence, model.verdict
        return Sealed(folder, model)

    def _seed(self) -> int:
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    @property
    def model_(self) -> Model:
        """The sealed model, after a fit to pictures."""
        if "sealed_" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has a model_ after it was fitted to pictures")
        return self.sealed_.model

    def save(self, to: str | Path) -> Path:
        """Copy the sealed model to a folder, for ``headstart.load`` and ``headstart predict``.

        Args:
            to: a new or empty folder.

        Raises:
            NotFittedError: not fitted yet.
            BadOption: fitted to vectors, which have no backbone to seal.
            OutputExists: when something is there.
        """
        check_is_fitted(self)
        if "sealed_" not in vars(self):
            raise BadOption(
                "A head for vectors is not a sealed model",
                expected="an estimator that was fitted to pictures",
                next_move="coef_ and intercept_ hold everything it knows",
            )
        folder = Path(to).expanduser()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputExists(f"{folder} exists already", expected="a new or empty folder")
        # The manifest last: until it is there, the folder is no model.
        for name, data in sorted(self.sealed_.files().items(), key=lambda one: one[0] == "manifest.json"):
            files.write_with(folder / name, partial(Path.write_bytes, data=data))
        return folder

    def _pictures(self, X: Any) -> list[Any] | None:
        """The pictures to predict, or None for vectors; X has to be what was fitted."""
        check_is_fitted(self)
        given, fitted = pictures.holds(X), "sealed_" in vars(self)
        if given != fitted:
            words = {True: "pictures", False: "vectors"}
            raise BadSource(
                f"X holds {words[given]}, but this {type(self).__name__} was fitted to {words[fitted]}",
                expected="a list of paths, PIL images or arrays" if fitted else f"(n, {self.n_features_in_}) numbers",
                next_move="[X] for a single picture" if getattr(X, "ndim", 0) == 2 and fitted else "",
            )
        return pictures.items(X) if given else None

    def _vectors(self, X: Any) -> NDArray[Any]:
        return validate_data(self, X, dtype=[np.float64, np.float32], reset=False)

    def _refuse_what_vectors_lack(self) -> None:
        vectors = "; X is vectors (n, d), which have no backbone"
        if self.strategy not in ("auto", "probe"):
            raise BadOption(f"Strategy {self.strategy!r} trains a backbone{vectors}", expected="probe")
        if self.depth is not None:
            raise BadOption(f"depth {self.depth!r} is of a backbone{vectors}", expected="None")
        self._penalty()

    def _penalty(self) -> float | None:
        """The penalty that ``settings`` fix for vectors."""
        for name in self.settings or {}:
            if name != PENALTY:
                raise UnknownName("setting for vectors", name, [PENALTY])
        value = (self.settings or {}).get(PENALTY)
        if value is None or str(value).lower() in ("none", "null"):
            return None
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise BadOption(
                f"Option penalty cannot be {value!r}", where=PENALTY, expected="a number above 0"
            ) from error
        limits.check({"penalty": number})
        return number

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class TransferClassifier(ClassifierMixin, _Transfer):
    """A classifier for scikit-learn: of pictures by a pretrained network, or of vectors by its probe alone.

    Pictures are a list or array of paths, PIL images or arrays, or one array (n, h, w) or (n, h, w, channels). They go
    through ``headstart.fit``: checked, split, measured and sealed. What the frozen part computes stays in the store, so
    that the folds of a cross-validation and the candidates of a search share it. As every fit, one with 200 pictures or
    more sets a fifth of them apart as the test part of ``verdict_``, which never trains; ``TransferFeatures`` before a
    classifier of vectors trains on all of them.

    Vectors are numbers (n, d): features that were extracted elsewhere, or any table. They get the head of
    ``strategy="probe"``: standardised, then logistic regression whose penalty has the lowest held-out log loss in five
    stratified folds (one, from 5,000 vectors on). Equal rows stay on one side of a fold. Classes count equally once the
    largest has three times the smallest, unless ``metric`` says otherwise.

    Args:
        backbone: "provider/name", "local:PATH", or "auto".
        architecture: what a bare state_dict is the weights of.
        strategy: "probe", another strategy's name, or "auto" for the whole ladder; vectors take the first or the last.
        depth: number or name of the last frozen stage, for a strategy that has a cut.
        budget: wall time of one fit to pictures, such as "90s", "10m" or seconds.
        metric: decides between candidates, and whether classes are weighted; by default as in ``headstart.fit``.
        baselines: True measures baselines and scratch too, which a verdict needs.
        precision: "auto", "float32" or "bf16", for pictures.
        settings: options by dotted name, such as {"strategy.penalty": 0.1}; the only one for vectors.
        random_state: an int is the seed of everything random; None or a RandomState draws one.

    Attributes:
        classes_: (C,) the labels, sorted and of the type they were given in.
        model_: the sealed model, after a fit to pictures.
        evidence_: its evidence table: every candidate with its validation scores.
        verdict_: whether transfer helped, as plain data.
        coef_, intercept_: (C, d) and (C,) of the logits, after a fit to vectors; (1, d) and (1,) for two classes.
        penalty_: scikit-learn's ``C``, for the standardised vectors.
        n_features_in_, feature_names_in_: of the vectors.

    Example:
        >>> import headstart as hs
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.model_selection import cross_val_score
        >>> digits = load_digits()
        >>> scores = cross_val_score(hs.TransferClassifier(), digits.data[:300], digits.target[:300], cv=3)
        >>> bool(scores.mean() > 0.85)
        True
        >>> pictures = (digits.images[:120] * 15.9).astype("uint8")
        >>> one = hs.TransferClassifier(backbone="embedded/resnet10-procedural").fit(pictures, digits.target[:120])
        >>> one.predict(pictures[:2]).shape, one.predict_proba(pictures[:2]).shape
        ((2,), (2, 10))
    """

    def _fit_pictures(self, items: list[Any], y: NDArray[Any]) -> None:
        classes = self._classes(y)[0]
        names = labels.names(classes.tolist())
        if None in names or len(set(names)) < len(names):
            raise DataError(
                "Labels that are empty, or the same but for spaces, cannot be told apart",
                where=", ".join(map(repr, classes.tolist()[:10])),
                expected="different names",
            )
        self.sealed_ = self._seal(items, y.tolist())
        self.classes_ = classes

    def _fit_vectors(self, X: NDArray[Any], y: NDArray[Any], weights: Floats | None) -> None:
        self.classes_, targets = self._classes(y)
        kept = copies.merged(X, targets, weights)
        X, targets, share, count = X[kept.rows], targets[kept.rows], kept.weights, len(self.classes_)
        if len(np.unique(targets)) < 2:
            raise TooFewExamples(
                f"Only one class is there: {self.classes_[targets[0]]!r}",
                where="y" if weights is None else "y, where sample_weight is above 0",
                expected="at least two classes",
            )
        by_class = balance.class_weights(targets, count, self.metric, share)
        given: dict[str, Any] = {"classes": count, "class_weight": by_class, "weights": share, "standardise": True}
        penalty = self._penalty()
        if penalty is None:
            inner = folds.inner(targets, seed=seeds.derive(self._seed(), "inner folds"))
            found = logistic.search(X, targets, inner, **given)
            linear, penalty = found.linear, found.penalty
        else:
            linear = logistic.fit(X, targets, penalty=penalty, **given)
        self.penalty_ = penalty
        two = count == 2
        self.coef_ = linear.weight[1:] - linear.weight[:1] if two else linear.weight
        self.intercept_ = linear.bias[1:] - linear.bias[:1] if two else linear.bias

    @staticmethod
    def _classes(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        lost = [position for position, label in enumerate(y.tolist()) if labels.is_missing(label)]
        if lost:
            raise DataError(
                f"{len(lost)} of {len(y)} labels are missing", where=f"y[{lost[0]}]", expected="one an item"
            )
        try:
            check_classification_targets(y)
            classes, targets = np.unique(y, return_inverse=True)
        except TypeError as error:
            kinds = ", ".join(sorted({type(label).__name__ for label in y.tolist()}))
            raise DataError(
                f"Labels of several kinds: {kinds}", where="y", expected="all of them text, or all of them numbers"
            ) from error
        return classes, targets.astype(np.int64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels (n,) of pictures or vectors.

        Raises:
            NotFittedError: not fitted yet.
            ValueError: X is not what was fitted, or a picture cannot be read.
        """
        scores = self._outputs(X)
        return self.classes_[scores.argmax(axis=1)]

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities (n, C), columns in the order of ``classes_``.

        Raises:
            NotFittedError: not fitted yet.
            ValueError: X is not what was fitted, or a picture cannot be read.
        """
        return calibration.softmax(self._outputs(X))

    def decision_function(self, X: Any) -> Floats:
        """Logits (n, C), or (n,) for two classes: above 0 is the second one.

        A sealed model's logits are the logarithms of its probabilities.

        Raises:
            NotFittedError: not fitted yet.
            ValueError: X is not what was fitted, or a picture cannot be read.
        """
        found = self._outputs(X)
        return found[:, 1] - found[:, 0] if found.shape[1] == 2 else found

    def _outputs(self, X: Any) -> Floats:
        """Logits (n, C)."""
        items = self._pictures(X)
        if items is not None:
            model = self.sealed_.model
            wanted = pictures.in_order(model.classes, labels.names(self.classes_.tolist()))
            return np.log(np.maximum(model.predict_proba(items)[:, wanted], np.finfo(np.float64).tiny))
        found = self._vectors(X) @ self.coef_.T + self.intercept_
        return np.hstack([np.zeros_like(found), found]) if len(self.classes_) == 2 else found


class TransferRegressor(RegressorMixin, _Transfer):
    """A regressor for scikit-learn: of vectors, by ridge regression.

    Vectors are numbers (n, d): features that were extracted elsewhere, or any table. They are standardised; the penalty
    has the lowest squared error in exact leave-one-out. Equal rows are left out together.

    Args:
        backbone, architecture, strategy, depth, budget, metric, baselines, precision: as ``TransferClassifier``.
        settings: options by dotted name, such as {"strategy.penalty": 10.0}, which is 1 / alpha; the only one for
            vectors.
        random_state: an int is the seed of everything random; None or a RandomState draws one. Vectors need none.

    Attributes:
        coef_, intercept_: (d,) and a number.
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
