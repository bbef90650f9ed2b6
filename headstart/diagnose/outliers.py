"""A few items of quite another size than the rest: thumbnails, scans or screenshots that got in among them."""

from __future__ import annotations

import numpy as np

from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import Inspection

THRESHOLD = 8.0
"""Times as large, or as small, as the median."""
FEW = 0.05
"""Share of the items above which they are a group of their own, and no outliers."""
_SPREADS = 6.0


def examine(evidence: Inspection) -> Finding | None:
    """The size that has most outliers."""
    best, found = "", np.zeros(0, dtype=np.int64)
    for name, fact in evidence.words.items():
        if fact.unit and name in evidence.facts:
            outside = far(evidence.facts[name])
            if len(outside) > len(found) and len(outside) <= FEW * len(evidence):
                best, found = name, outside
    if not best:
        return None
    values, fact = evidence.facts[best], evidence.words[best]
    middle = float(np.nanmedian(values))
    worst = found[np.argsort(-np.abs(np.log(values[found] / middle)))]
    ratio = float(np.exp(np.abs(np.log(values[worst[0]] / middle))))
    example = f"{evidence.items[worst[0]]} ({values[worst[0]]:,.0f} {fact.unit}, half of all are below {middle:,.0f})"
    return Finding(
        name="outliers",
        severity="info",
        sentence=(
            f"{evidence.count(len(found))} of {len(evidence):,} with a {fact.words} over {THRESHOLD:g} times above or "
            f"below the others', such as {example}"
        ),
        number=round(ratio, 1),
        threshold=THRESHOLD,
        next_move="look at them: they may not belong here",
        evidence={"fact": fact.words, "median": middle, "items": evidence.named(worst)},
    )


def far(values: np.ndarray) -> np.ndarray:
    """Positions of the values far from the median, on a logarithmic scale: a factor, and many times the usual one."""
    known = np.isfinite(values) & (values > 0)
    if known.sum() < 20:
        return np.zeros(0, dtype=np.int64)
    logs = np.where(known, np.log(np.where(known, values, 1.0)), np.nan)
    away = np.abs(logs - np.nanmedian(logs))
    usual = float(np.nanmedian(away))
    return np.flatnonzero(np.nan_to_num(away) > max(np.log(THRESHOLD), _SPREADS * usual))
