"""Classification: one of C classes for each item.

The loss is the cross-entropy of the softmax; a label is the most probable class, its confidence the probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from headstart.base.errors import BadOption, DataError
from headstart.measure import balance, scores

class_weights = balance.class_weights
imbalance = balance.imbalance

_SMALL = 0.01


def head(width: int, classes: int) -> nn.Linear:
    """A linear head from features (n, width) to logits (n, classes), small at random with zero bias.

    Small weights start training near even probabilities, whatever the scale of the features.

    Raises:
        BadOption: no features, or fewer than two classes.
    """
    if width < 1 or classes < 2:
        raise BadOption(f"A head cannot go from {width} features to {classes} classes", expected="1 and 2 at least")
    layer = nn.Linear(width, classes)
    nn.init.trunc_normal_(layer.weight, std=_SMALL)
    nn.init.zeros_(layer.bias)
    return layer


def loss(outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean cross-entropy of a batch, nats.

    Class weights multiply each item's loss before the mean over the items. (PyTorch divides by the batch's own sum of
    weights instead, which gives an item a weight that depends on its neighbours.)

    Args:
        outputs: (b, C) logits.
        targets: (b,) class indices, or (b, C) probabilities.
        weights: (C,) of the classes; all 1 by default.
    """
    if targets.ndim == outputs.ndim:
        terms = -targets * functional.log_softmax(outputs, dim=1)
        return (terms if weights is None else terms * weights).sum(dim=1).mean()
    each = functional.cross_entropy(outputs, targets, reduction="none")
    return (each if weights is None else each * weights[targets]).mean()


def metrics(probabilities: Any, targets: Any) -> dict[str, float]:
    """Every score of probabilities (n, C) against class indices (n,), by name."""
    return {name: scores.score(name, probabilities, targets) for name in scores.NAMES}


def decode(probabilities: Any, classes: Sequence[str]) -> list[tuple[str, float]]:
    """The label of each row of probabilities (n, C), with its confidence in [0, 1].

    Raises:
        DataError: not one name a column.
    """
    p = np.asarray(probabilities)
    if p.ndim != 2 or p.shape[1] != len(classes):
        raise DataError("Probabilities do not fit the classes", where=f"{p.shape}", expected=f"(n, {len(classes)})")
    best = p.argmax(axis=1)
    return [(classes[c], float(row[c])) for c, row in zip(best.tolist(), p, strict=True)]


def collapsed(outputs: NDArray[Any], targets: Any) -> bool:
    """True if outputs (n, C) name one class while the targets have several: the mark of a rate that was too high."""
    return len(np.unique(outputs.argmax(axis=1))) == 1 and len(np.unique(targets)) > 1


def choose_metric(targets: Any, classes: int) -> str:
    """The score that decides unless the user names one.

    ``log_loss``, which sees confidence as well as labels and so tells close candidates apart; ``balanced_accuracy``
    once the largest class has three times the smallest.
    """
    return "balanced_accuracy" if imbalance(targets, classes) >= balance.IMBALANCED else "log_loss"
