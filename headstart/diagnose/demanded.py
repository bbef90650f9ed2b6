"""What a modality demands of its items, held against them; the modality knows the words, this file the arithmetic."""

from __future__ import annotations

import numpy as np

from headstart.base.vocabulary import Demand, Finding
from headstart.diagnose.evidence import Inspection

MOSTLY = 0.5
"""Share of items from which on a mismatch concerns the data set, and no longer some of its items."""


_SINGULAR = {"are": "is", "have": "has"}


def missed(evidence: Inspection, demand: Demand) -> np.ndarray:
    """(n,) True for the items that miss a demand; what is not known of an item is not held against it."""
    values = evidence.facts[demand.fact]
    outside = (values < demand.low) | (values > demand.high)
    other = evidence.demands.get(demand.unless)
    return outside if other is None else outside & ~missed(evidence, other)


def examined(evidence: Inspection, name: str, *, serious: bool = True) -> Finding | None:
    """The finding on the demand of this name.

    Args:
        evidence: a data set; None comes back if its modality makes no such demand.
        name: of the demand and of the finding.
        serious: False if it is worth knowing, and no more.
    """
    demand = evidence.demands.get(name)
    if demand is None or demand.fact not in evidence.facts or not len(evidence):
        return None
    outside = np.flatnonzero(missed(evidence, demand))
    share = len(outside) / len(evidence)
    if not len(outside) or share < demand.share:
        return None
    values = evidence.facts[demand.fact]
    number = evidence.count(len(outside))
    start = f"All {number}" if len(outside) == len(evidence) > 1 else f"{number} of {len(evidence):,}"
    return Finding(
        name=name,
        severity=("warning" if share > MOSTLY else "info") if serious else "info",
        sentence=f"{start} {demand.words if len(outside) > 1 else _of_one(demand.words)}",
        number=round(share, 4),
        threshold=demand.share,
        next_move=demand.next_move,
        evidence={
            "fact": evidence.words[demand.fact].words if demand.fact in evidence.words else demand.fact,
            "median": float(np.nanmedian(values)),
            "items": evidence.named(outside),
        },
    )


def _of_one(words: str) -> str:
    """The words of a demand, which begin with a verb, said of a single item."""
    verb, _, rest = words.partition(" ")
    return f"{_SINGULAR.get(verb, verb + 's')} {rest}"
