"""LEEP: the log likelihood of the labels under the source head's own classes.

Nguyen et al., 2020, https://arxiv.org/abs/2002.12462: every item is given softly to the source classes z, P(y | z) is
counted, and the score is the mean of log sum_z P(y_i | z) theta_z(x_i). It judges the head, not the features, and needs
many more items than source times target classes: counted in sample it flatters a large source head.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.measure.arrays import Floats, Ints
from headstart.rank import inputs

READS = "outputs"
TARGETS = ("classes",)


def score(probabilities: Any, labels: Any, *, leave_one_out: bool = False) -> float:
    """LEEP of source probabilities (n, Z) and classes (n,), nats an item, at most 0.

    Args:
        probabilities: (n, Z) of the source's head, rows summing to 1.
        labels: (n,) classes of the target.
        leave_one_out: count P(y | z) without the item it is asked about, smoothed by the class shares; False is the
            published score.

    Raises:
        DataError: arrays that do not fit each other, or rows that are no probabilities.
    """
    theta, y, count = inputs.outputs(probabilities, labels)
    likelihood = _without_itself(theta, y, count) if leave_one_out else _with_itself(theta, y, count)
    return float(np.log(likelihood).mean())


def _with_itself(theta: Floats, y: Ints, count: int) -> Floats:
    joint = inputs.one_hot(y, count).T @ theta
    given = joint / np.maximum(joint.sum(axis=0), np.finfo(np.float64).tiny)
    return np.asarray((given[y] * theta).sum(axis=1))


def _without_itself(theta: Floats, y: Ints, count: int) -> Floats:
    """Each item's likelihood under counts of the others, to which every source class adds one item of class shares."""
    hot = inputs.one_hot(y, count)
    joint, size = hot.T @ theta, hot.sum(axis=0)
    share = (size[y] - 1 + 1 / count) / len(y)
    counted = joint[y] - theta + share[:, None]
    return np.asarray((counted / (joint.sum(axis=0) - theta + 1) * theta).sum(axis=1))
