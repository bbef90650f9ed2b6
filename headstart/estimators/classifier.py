"""A classifier for scikit-learn, of pictures, texts or vectors: one of several classes, or any of several labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from headstart.base import seeds
from headstart.base.errors import BadOption, DataError, TooFewExamples
from headstart.data import labels
from headstart.estimators import pictures
from headstart.estimators.transfer import Transfer
from headstart.measure import balance, calibration, copies, folds, logistic
from headstart.measure.arrays import Floats
from headstart.measure.linear import Linear


class TransferClassifier(ClassifierMixin, Transfer):
    """A classifier for scikit-learn: of pictures or texts by a pretrained network, or of vectors by its probe alone.

    Pictures are a list or array of paths, PIL images or arrays, or one array (n, h, w) or (n, h, w, channels); texts a
    list or array of strings, of pairs of strings, or of paths of text files, and what is said of pictures holds for
    them. They go
    through ``headstart.fit``: checked, split, measured and sealed. What the frozen part computes stays in the store, so
    that the folds of a cross-validation and the candidates of a search share it. As every fit, one with 200 pictures or
    more sets a fifth of them apart as the test part of ``verdict_``, which never trains; ``TransferFeatures`` before a
    classifier of vectors trains on all of them.

    Vectors are numbers (n, d): features that were extracted elsewhere, or any table. They get the head of
    ``strategy="probe"``: standardised, then logistic regression whose penalty has the lowest held-out log loss in five
    stratified folds (one, from 5,000 vectors on). Equal rows stay on one side of a fold. Classes count equally once the
    largest has three times the smallest, unless ``metric`` says otherwise.

    Targets are one label an item, or zeros and ones (n, L) that say which of L labels it has: then ``predict`` gives
    zeros and ones too, and probabilities are one for each label.

    Args:
        backbone: "provider/name", "local:PATH", or "auto".
        architecture: what a bare state_dict is the weights of.
        strategy: "probe", another strategy's name, or "auto" for the whole ladder; vectors take the first or the last.
        depth: number or name of the last frozen stage, for a strategy that has a cut.
        budget: wall time of one fit to pictures, such as "90s", "10m" or seconds.
        metric: decides between candidates, and whether classes are weighted; by default as in ``headstart.fit``.
        max_latency, max_size: the most that predicting one picture may take ("5ms" or seconds), and that the model's
            weights may ("20MB" or bytes); candidates beyond are not chosen.
        baselines: True measures baselines and scratch too, which a verdict needs.
        precision: "auto", "float32" or "bf16", for pictures.
        settings: options by dotted name, such as {"strategy.penalty": 0.1}; the only one for vectors.
        random_state: an int is the seed of everything random; None or a RandomState draws one.

    Attributes:
        classes_: (C,) the labels, sorted and of the type they were given in; of several labels the columns.
        multilabel_: True if an item can have several labels.
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
        if y.ndim == 2:
            self.sealed_ = self._seal(items, y.astype(int).tolist(), "multilabel")
            self.classes_, self.multilabel_ = np.arange(y.shape[1]), True
            return
        classes = self._classes(y)[0]
        names = labels.names(classes.tolist())
        if None in names or len(set(names)) < len(names):
            raise DataError(
                "Labels that are empty, or the same but for spaces, cannot be told apart",
                where=", ".join(map(repr, classes.tolist()[:10])),
                expected="different names",
            )
        self.sealed_ = self._seal(items, y.tolist(), "classification")
        self.classes_, self.multilabel_ = classes, False

    def _fit_vectors(self, X: NDArray[Any], y: NDArray[Any], weights: Floats | None) -> None:
        seed, self.multilabel_ = seeds.derive(self._seed(), "inner folds"), y.ndim == 2
        linear = self._separate(X, y, weights, seed) if self.multilabel_ else self._together(X, y, weights, seed)
        self.coef_, self.intercept_ = linear.weight, linear.bias

    def _together(self, X: NDArray[Any], y: NDArray[Any], weights: Floats | None, seed: int) -> Linear:
        """One regression for all classes; of two, only the difference is kept."""
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
            found = logistic.search(X, targets, folds.inner(targets, seed=seed), **given)
            linear, penalty = found.linear, found.penalty
        else:
            linear = logistic.fit(X, targets, penalty=penalty, **given)
        self.penalty_ = penalty
        if count > 2:
            return linear
        return Linear(linear.weight[1:] - linear.weight[:1], linear.bias[1:] - linear.bias[:1])

    def _separate(self, X: NDArray[Any], y: NDArray[Any], weights: Floats | None, seed: int) -> Linear:
        """One regression a label, all at one penalty."""
        if weights is not None:
            raise BadOption("Several labels an item take no sample_weight", expected="one label an item, or no weights")
        self.classes_ = np.arange(y.shape[1])
        linear, self.penalty_ = logistic.separate(X, y, folds.inner(y, seed=seed), penalty=self._penalty())
        return linear

    def _targets(self, y: Any) -> NDArray[Any]:
        """Targets (n,), or truths (n, L)."""
        found = np.asarray(y)
        if found.ndim != 2 or found.shape[1] < 2:
            return super()._targets(y)
        kind = type_of_target(found, input_name="y")
        if kind != "multilabel-indicator":
            raise DataError(
                f"y has {found.shape[1]} columns that are no labels ({kind})",
                expected="(n,) labels, or (n, L) zeros and ones that say which of L labels are there",
            )
        return found

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
        """Labels (n,) of pictures or vectors; zeros and ones (n, L) where an item can have several.

        Raises:
            NotFittedError: not fitted yet.
            ValueError: X is not what was fitted, or a picture cannot be read.
        """
        found = self._outputs(X)
        return (found >= 0).astype(int) if self.multilabel_ else self.classes_[found.argmax(axis=1)]

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities (n, C), columns in the order of ``classes_``.

        Raises:
            NotFittedError: not fitted yet.
            ValueError: X is not what was fitted, or a picture cannot be read.
        """
        found = self._outputs(X)
        return calibration.sigmoid(found) if self.multilabel_ else calibration.softmax(found)

    def decision_function(self, X: Any) -> Floats:
        """Logits (n, C), or (n,) for two classes: above 0 is the second one.

        A sealed model's logits are those of its probabilities.

        Raises:
            NotFittedError: not fitted yet.
            ValueError: X is not what was fitted, or a picture cannot be read.
        """
        found = self._outputs(X)
        return found[:, 1] - found[:, 0] if found.shape[1] == 2 and not self.multilabel_ else found

    def _outputs(self, X: Any) -> Floats:
        """Logits (n, C)."""
        items = self._pictures(X)
        if items is not None:
            return self._logits(self.sealed_.model.predict_proba(items))
        found = self._vectors(X) @ self.coef_.T + self.intercept_
        two = len(self.classes_) == 2 and not self.multilabel_
        return np.hstack([np.zeros_like(found), found]) if two else found

    def _logits(self, found: Floats) -> Floats:
        """Of a sealed model's probabilities (n, K), in the order of ``classes_``."""
        least = np.finfo(np.float64).tiny
        names = [str(column) for column in self.classes_] if self.multilabel_ else labels.names(self.classes_.tolist())
        # A label that no picture had is unknown to the model, and as good as impossible.
        padded = np.hstack([found, np.full((len(found), 1), least)])
        chosen = np.clip(padded[:, pictures.in_order(self.sealed_.model.classes, names)], least, None)
        return np.log(chosen) - np.log(np.maximum(1 - chosen, least)) if self.multilabel_ else np.log(chosen)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
