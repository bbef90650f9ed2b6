"""Collapse: a candidate gives every item the same answer, or its loss left the finite numbers; a rate was too high."""

from __future__ import annotations

import math
from collections.abc import Sequence

from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Finding
from headstart.diagnose.finished import Finished, finished, listed, strategy

THRESHOLD = 0.0
"""Candidates from which on it is worth a word: each is one that the choice had to do without."""


def examine(evidence: Run) -> Finding | None:
    """The candidates that collapsed or diverged at the rate that was best for them."""
    found = finished(evidence)
    if found is None:
        return None
    gone = [row for row in found.rows.values() if row.status in (found.task.words.collapsed, "diverged")]
    if not gone:
        return None
    asked = any(row.kind == "scratch" or row.name in _asked(found, gone) for row in gone)
    said = [f"{row.name}{_at(row)} {row.status}" for row in gone]
    return Finding(
        name="one_class_collapse",
        severity="warning" if asked else "info",
        sentence=f"{listed(said)}: the rate was too high for it"
        if len(gone) == 1
        else f"{listed(said)}: too high rates",
        number=float(len(gone)),
        threshold=THRESHOLD,
        next_move=_move(found, gone[0]),
        evidence={"rates": {row.name: _tried(row) for row in gone}},
    )


def _asked(found: Finished, gone: Sequence[Evidence]) -> list[str]:
    """Those of the strategy that the user named."""
    wanted = found.run.config.get("strategy", "auto")
    return [row.name for row in gone if row.detail.get("strategy") == wanted]


def _rate(row: Evidence) -> float | None:
    rate = (row.detail.get("options") or {}).get("rate")
    return float(rate) if isinstance(rate, int | float) and math.isfinite(rate) and rate > 0 else None


def _at(row: Evidence) -> str:
    rate = _rate(row)
    return "" if rate is None else f" at rate {rate:.2g}"


def _tried(row: Evidence) -> str:
    tried = row.detail.get("tried") or ()
    words = {(True, False): "collapsed", (True, True): "diverged", (False, True): "diverged"}
    said = [(one.get("rate"), words.get((bool(one.get("collapsed")), bool(one.get("diverged"))))) for one in tried]
    return ", ".join(f"{rate:.2g} {word or 'held'}" for rate, word in said if isinstance(rate, int | float)) or "none"


def _move(found: Finished, row: Evidence) -> str:
    rate = _rate(row)
    if rate is None:
        return f"a lower rate: {found.fit(*strategy(row), '--set', 'strategy.rate=RATE')}"
    return f"a tenth of it: {found.fit(*strategy(row), '--set', f'strategy.rate={rate / 10:.1g}')}"
