"""H-score: how much of the features' variance lies between the classes.

Bao et al., 2019, https://doi.org/10.1109/ICIP.2019.8803726: tr(cov(F)^-1 cov(E[F | y])). Invariant under every
invertible linear map of the features, between 0 and min(C - 1, d). It reaches C - 1 for *any* features once n <= d, so
its value there says nothing; ``shrinkage_h`` does not have this fault.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.measure.rotation import rotate
from headstart.rank import inputs

READS = "features"
TARGETS = ("classes",)


def score(features: Any, labels: Any) -> float:
    """The H-score of features (n, d) and classes (n,), in [0, min(C - 1, d)].

    Raises:
        DataError: arrays that do not fit each other.
    """
    x, y, count = inputs.classes(features, labels)
    rotation = rotate(x)
    whitened = rotation.coordinates.astype(np.float64) * np.sqrt(len(x) / rotation.spectrum)
    means, size = inputs.class_means(whitened, y, count)
    return float((size / len(x) * (means**2).sum(axis=1)).sum())
