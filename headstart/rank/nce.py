"""NCE: the negative conditional entropy of the labels given the source head's most probable class.

Tran, Nguyen and Hassner, 2019, https://arxiv.org/abs/1908.08142: -H(Y | Z). Needs many more items than source times
target classes; with few, every source class has seen one label only and any head looks perfect.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy

from headstart.rank import inputs

READS = "outputs"
TARGETS = ("classes",)


def score(probabilities: Any, labels: Any) -> float:
    """-H(Y | Z) in nats, between -log C and 0.

    Args:
        probabilities: (n, Z) of the source's head; the source class Z of an item is the most probable one.
        labels: (n,) classes of the target.

    Raises:
        DataError: arrays that do not fit each other, or rows that are no probabilities.
    """
    theta, y, count = inputs.outputs(probabilities, labels)
    joint = np.zeros((theta.shape[1], count))
    np.add.at(joint, (theta.argmax(axis=1), y), 1 / len(y))
    return float(xlogy(joint, joint).sum() - xlogy(joint.sum(axis=1), joint.sum(axis=1)).sum())
