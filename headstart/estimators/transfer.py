"""What the estimators have in common: pictures go through the house, rows of numbers to its probe.

They keep scikit-learn's contract (``fit`` leaves the parameters alone, what is fitted ends in an underscore), so
cloning, pipelines, cross-validation and searches work as with any other. For rows of numbers torch is not loaded.
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
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from headstart.base import files
from headstart.base.errors import BadOption, BadSource, DataError, OutputExists, UnknownName
from headstart.estimators import pictures
from headstart.estimators.pictures import Sealed
from headstart.measure.arrays import Floats
from headstart.tune import limits

if TYPE_CHECKING:
    from headstart.ship.sealed import Model

PENALTY = "strategy.penalty"
"""The one setting that vectors have."""


class Transfer(BaseEstimator, ABC):
    """An estimator of pictures or vectors: its parameters, the two kinds of X, the sealed model."""

    def __init__(
        self,
        backbone: str = "auto",
        *,
        architecture: str | None = None,
        strategy: str = "probe",
        depth: int | str | None = None,
        budget: str | float = "10m",
        metric: str | None = None,
        max_latency: str | float | None = None,
        max_size: str | float | None = None,
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
        self.max_latency = max_latency
        self.max_size = max_size
        self.baselines = baselines
        self.precision = precision
        self.settings = settings
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to pictures or to vectors.

        Args:
            X: n pictures (paths, PIL images, or arrays (h, w) or (h, w, channels); also one array of them all), n
                texts (strings, or pairs of them), or vectors (n, d).
            y: (n,) targets; of a classifier also (n, L) zeros and ones, which of L labels are there.
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
            self._fit_pictures(pictures.items(X), self._targets(y))
            return self
        self._refuse_what_vectors_lack()
        given = {"dtype": [np.float64, np.float32], "ensure_min_samples": 2, "multi_output": True}
        X, y = validate_data(self, X, y, y_numeric=is_regressor(self), **given)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        self._fit_vectors(X, self._targets(y), sample_weight)
        return self

    def _targets(self, y: Any) -> NDArray[Any]:
        """The targets as an array (n,)."""
        return column_or_1d(y, warn=True)

    @abstractmethod
    def _fit_pictures(self, items: list[Any], y: NDArray[Any]) -> None:
        """Fit to n pictures with n targets."""

    @abstractmethod
    def _fit_vectors(self, X: NDArray[Any], y: NDArray[Any], weights: Floats | None) -> None:
        """Fit to checked vectors (n, d) with n targets."""

    def _seal(self, items: list[Any], y: list[Any], task: str) -> Sealed:
        """Fit and seal a model in a folder of the estimator's own."""
        from headstart.api.fitting import fit

        check_consistent_length(items, y)
        folder = pictures.new_folder()
        try:
            model = fit(
                items,
                y,
                task=task,
                output=folder,
                backbone=self.backbone,
                architecture=self.architecture,
                strategy=self.strategy,
                depth=self.depth,
                budget=self.budget,
                metric=self.metric,
                max_latency=self.max_latency,
                max_size=self.max_size,
                seed=self._seed(),
                baselines=self.baselines,
                precision=self.precision,
                settings=self.settings,
                pictures=False,
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

    def unfamiliar(self, X: Any) -> NDArray[np.bool_]:
        """Whether each picture is unlike anything in the training data, (n,) True or False.

        Args:
            X: n pictures.

        Raises:
            NotFittedError: not fitted yet.
            BadOption: fitted to vectors, or the sealed model does not measure it.
            ValueError: a picture cannot be read.
        """
        items = self._pictures(X)
        if items is None:
            raise BadOption(
                "A head for vectors does not tell unfamiliar ones", expected="an estimator that was fitted to pictures"
            )
        return self.sealed_.model.unfamiliar(items)

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
        for bound in ("max_latency", "max_size"):
            if getattr(self, bound) is not None:
                raise BadOption(
                    f"{bound} {getattr(self, bound)!r} is of a model with a backbone{vectors}", expected="None"
                )
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
