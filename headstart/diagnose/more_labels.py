"""More labels: what twice as many of them are expected to bring, by the learning curve of a probe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.data.printable import count

THRESHOLD = 0.1
"""Share of the error that twice the labels are expected to take away, from which on it is worth saying."""
HARDLY = 0.1
"""Share below which, with certainty, labels are no longer what is missing."""


def examine(evidence: Run) -> Finding | None:
    """The expected share, and what it is in the score's own unit; nothing where the curve does not tell."""
    found = evidence.learning
    if not found.get("told") or not isinstance(found.get("share"), Mapping):
        return None
    share, labels = found["share"], int(found["labels"])
    if share["value"] < THRESHOLD and share["high"] >= HARDLY:
        return None
    worth = share["value"] >= THRESHOLD
    sealed = found.get("sealed")
    return Finding(
        name="more_labels",
        severity="info",
        sentence=_worth(found, labels, sealed) if worth else _hardly(found, labels),
        number=round(float(share["value"]), 4),
        threshold=THRESHOLD if worth else HARDLY,
        next_move=(
            f"label about {count(labels, 'more item', 'more items')} of the same kind, if that is worth their price"
            if worth
            else "rather another backbone or deeper fine-tuning than more labels"
        ),
        evidence={
            "sizes": found.get("sizes"),
            "gain": found.get("gain"),
            "by": found.get("by"),
            **({"sealed": sealed} if sealed else {}),
        },
    )


def _worth(found: Mapping[str, Any], labels: int, sealed: Mapping[str, Any] | None) -> str:
    start = f"Twice the {labels:,} labels are expected to {amount(found, found['gain'])} for a probe"
    if not sealed:
        return start
    return f"{start}; for {sealed['candidate']} to {amount(found, sealed['gain'])}, if its errors shrink alike"


def _hardly(found: Mapping[str, Any], labels: int) -> str:
    return f"More labels would hardly help a probe: twice the {labels:,} are expected to {amount(found, found['gain'])}"


def amount(found: Mapping[str, Any], gain: Mapping[str, float]) -> str:
    """A gain in words: ``gain 1.8 points of accuracy (0.9 to 2.6)``, ``lower the RMSE by 0.21 (0.1 to 0.3)``."""
    title = str(found["title"])
    name = title[:1].lower() + title[1:] if title[1:2].islower() else title
    if found.get("percent"):
        value, low, high = (f"{100 * gain[end]:.1f}" for end in ("value", "low", "high"))
        return f"gain {value} points of {name} ({low} to {high})"
    value, low, high = (f"{gain[end]:.3g}" for end in ("value", "low", "high"))
    return f"improve the {name} by {value} ({low} to {high})"
