"""Whether one model beats another on the same items: positive, tie or negative.

The negative transfer gap is error(with source) - error(same network, same method, random initialisation) on the same
test items (Wang et al. 2019, https://arxiv.org/abs/1811.09751); a verdict is read off its paired interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from headstart.base.vocabulary import Interval
from headstart.measure import intervals

Word = Literal["positive", "tie", "negative"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict with the measurement behind it.

    Attributes:
        word: "positive" if the whole interval is above 0, "negative" if below, else "tie".
        gain: loss without minus loss with, in the loss's own unit: above 0, it helped.
        items: number of paired items.
    """

    word: Word
    gain: Interval
    items: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"verdict": self.word, "gain": self.gain.as_dict(), "items": self.items}


def word(gain: Interval) -> Word:
    """The verdict that an interval of the gain supports; touching 0 is a tie."""
    if gain.low > 0:
        return "positive"
    return "negative" if gain.high < 0 else "tie"


def decide(
    losses_with: Any,
    losses_without: Any,
    *,
    bounded: bool = True,
    seed: int = 0,
    replicates: int = intervals.REPLICATES,
) -> Verdict:
    """The verdict from the losses of both models on the same items (``scores.losses``).

    Args:
        losses_with, losses_without: (n,), or (k, n) for k repeats or initialisations, averaged per item.
        bounded: the losses lie in [0, 1], as mistakes do; False for the log loss.

    Raises:
        DataError: the losses are not of the same items.
    """
    found = intervals.mean_difference(losses_without, losses_with, bounded=bounded, seed=seed, replicates=replicates)
    return Verdict(word(found), found, int(np.shape(losses_with)[-1]))
