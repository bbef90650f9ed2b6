"""The verdict in one sentence: did the transfer help, by how much, and was a network needed at all.

Negative transfer is a measured gap (Wang et al., 2019, arXiv 1811.09751): the same network, the same items, with and
without the source; its sign is read off a paired 95 % interval. The task says which score is shown, whatever decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.vocabulary import Interval
from headstart.choose.trial import Trial
from headstart.measure import intervals
from headstart.measure import verdict as measured
from headstart.measure.metric import Metric


@dataclass(frozen=True)
class Comparison:
    """What a verdict is concluded from.

    Attributes:
        metric: the score the gap is stated in.
        winner: role of the model that is sealed: "transfer", "scratch" or "baseline".
        trials: role -> candidate; a role may be missing.
        predictions: role -> (n, K) on the same items.
        targets: of the n items.
        tested: True for a test part, False for cross-validated predictions.
        scratch_is_fair: whether training from scratch was long enough to be compared with.
        without_network: no pretrained network was at hand, so that none was tried.
        noun: what the items are, in the plural.
        seed: of the bootstrap.
    """

    metric: Metric
    winner: str
    trials: Mapping[str, Trial]
    predictions: Mapping[str, np.ndarray]
    targets: np.ndarray
    tested: bool
    scratch_is_fair: bool
    noun: str
    seed: int
    without_network: bool = False

    def gap(self, role: str, other: str) -> Interval | None:
        """How much better one model is than another; above 0 is better."""
        if role not in self.predictions or other not in self.predictions:
            return None
        pair = self.predictions[role], self.predictions[other]
        return intervals.gain(self.metric, *pair, self.targets, seed=self.seed)


def conclude(comparison: Comparison) -> dict[str, Any]:
    """The verdict as plain data: outcome, sentence, gap to scratch, gap to the best simple baseline."""
    gap = comparison.gap("transfer", "scratch")
    outcome = "not measured"
    if gap is not None and comparison.scratch_is_fair:
        outcome = measured.word(gap)
    simple = comparison.gap("transfer", "baseline")
    return {
        "outcome": outcome,
        "metric": comparison.metric.name,
        "gap": None if gap is None else gap.as_dict(),
        "gap_to_baseline": None if simple is None else simple.as_dict(),
        "winner": comparison.winner,
        "models": {role: one.row.name for role, one in comparison.trials.items()},
        "tested": comparison.tested,
        "sentence": _sentence(comparison, outcome, gap, simple),
    }


def _sentence(comparison: Comparison, outcome: str, gap: Interval | None, simple: Interval | None) -> str:
    where = f"{'test' if comparison.tested else 'cross-validated'} {comparison.noun}"
    words = {
        "positive": "Transfer helped",
        "negative": "Negative transfer",
        "tie": "Transfer made no measurable difference",
        "not measured": "Whether transfer helped was not measured",
    }
    because = _unmeasured(comparison) if outcome == "not measured" else ""
    parts = [f"{words[outcome]}{because}: {_own(comparison)} on {len(comparison.targets):,} {where}"]
    if gap is not None and comparison.scratch_is_fair:
        parts.append(f"{comparison.metric.lead(gap)} the same network {_without(comparison)}")
    if simple is not None:
        name = comparison.trials["baseline"].row.name
        parts.append(f"{comparison.metric.lead(simple)} the best model without a network ({name})")
    sentence = ", ".join(parts) + "."
    if not comparison.tested:
        sentence += " The folds also chose the candidates, each by the other folds; there was no test part."
    if comparison.winner == "baseline" and not comparison.without_network:
        sentence += " On validation the model without a network was the best, so it is the one that was sealed."
    elif comparison.winner == "scratch":
        sentence += " On validation the network from scratch was the best, so it is the one that was sealed."
    return sentence


def _unmeasured(comparison: Comparison) -> str:
    """Why transfer was not compared with the same network without it; empty where no network was."""
    if comparison.without_network:
        return ", for no pretrained network was at hand and so none was tried"
    if "scratch" not in comparison.trials and "baseline" not in comparison.trials:
        return ", for nothing was measured beside it (--no-baselines)"
    if "transfer" not in comparison.trials:
        return ""
    probed = comparison.trials["transfer"].strategy == "probe"
    why = "too few random copies of the network" if probed else "no long enough training from scratch"
    return f", for the budget had room for {why}"


def _without(comparison: Comparison) -> str:
    """What the scratch arm is, by its real name: a probe on random features is no training."""
    trained = comparison.trials["scratch"].strategy == "scratch"
    return "trained from scratch" if trained else f"with random weights ({comparison.trials['scratch'].row.name})"


def _own(comparison: Comparison) -> str:
    role = "transfer" if "transfer" in comparison.trials else comparison.winner
    predictions, targets = comparison.predictions[role], comparison.targets
    found = intervals.bootstrap(comparison.metric, predictions, targets, seed=comparison.seed)
    return f"{comparison.trials[role].row.name} reaches {comparison.metric.stated(found)}"
