"""N-LEEP: LEEP on a Gaussian mixture of the features, for sources without a head.

Li et al., 2021, https://arxiv.org/abs/2011.11200: principal components with 80 % of the energy, a mixture of 5
Gaussians a class, and LEEP on the responsibilities. Counted in sample, as published, it overfits small targets (a
published weighted tau on Aircraft is -0.76), so by default P(y | component) leaves out the item it is asked about.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from headstart.base import seeds
from headstart.measure.rotation import rotate
from headstart.rank import inputs, leep

READS = "features"
TARGETS = ("classes",)


def score(
    features: Any,
    labels: Any,
    *,
    energy: float = 0.8,
    components: int = 5,
    leave_one_out: bool = True,
    seed: int = 0,
) -> float:
    """N-LEEP of features (n, d) and classes (n,), nats an item, at most 0.

    Args:
        features: (n, d).
        labels: (n,) classes.
        energy: share of the variance that the principal components keep, in (0, 1].
        components: Gaussians for each class; at most one for three items in all.
        leave_one_out: see ``leep``; False is the published score.
        seed: of the mixture's start.

    Raises:
        DataError: arrays that do not fit each other.
    """
    x, y, count = inputs.classes(features, labels)
    rotation = rotate(x)
    kept = 1 + int(np.searchsorted(np.cumsum(rotation.spectrum) / rotation.spectrum.sum(), energy - 1e-12))
    points = rotation.coordinates[:, :kept].astype(np.float64)
    # The mixture's regularisation is absolute: in units of the spread it does not depend on the features' scale.
    points /= np.sqrt(rotation.spectrum[0] / len(x))
    mixture = GaussianMixture(
        n_components=max(1, min(components * count, len(x) // 3)),
        covariance_type="full" if kept * 3 < len(x) / (components * count) else "diag",
        reg_covar=1e-4,
        random_state=seeds.derive(seed, "nleep") % 2**32,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        responsibilities = mixture.fit(points).predict_proba(points)
    return leep.score(responsibilities, y, leave_one_out=leave_one_out)
