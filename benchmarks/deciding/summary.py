"""What the units add up to: regret, wins, ties and losses, verdicts, coverage. Arithmetic on plain numbers, no files.

Accuracies are percent of the population. The oracle of a cell is the fixed strategy with the best mean over its seeds;
the regret of a choice is the oracle's mean less its own, in points. It can be negative: ``auto`` may choose by seed,
and what it seals need not be a fixed strategy.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from scipy.stats import beta, norm
from scipy.stats import t as student

POWER = float(norm.ppf(0.975) + norm.ppf(0.9))
"""A gap of so many standard errors is found by a 95 % interval nine times out of ten."""
BARS = {
    "mean regret": 0.5,
    "worst regret": {5: 4.0, 20: 2.0, 0: 2.0},
    "share of time": 0.5,
    "negative found": 0.9,
    "positive denied": 0.05,
    "coverage": (0.92, 0.98),
}
Arms = Mapping[str, Sequence[float]]
"""Strategy -> accuracy in percent, one a seed."""


def oracle(arms: Arms) -> str:
    """The strategy with the best mean; of equal ones the first."""
    return max(arms, key=lambda name: statistics.fmean(arms[name]))


def regrets(arms: Arms, auto: Sequence[float] | None = None) -> dict[str, float]:
    """Points that each strategy, and ``auto`` if it is given, lies below the oracle, which is never ``auto``."""
    best = statistics.fmean(arms[oracle(arms)])
    every = arms if auto is None else {**arms, "auto": auto}
    return {name: best - statistics.fmean(values) for name, values in every.items()}


def standing(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Mean and worst regret of every fixed strategy, and how often it was the oracle; None without cells."""
    if not cells:
        return None
    best = [oracle(cell["arms"]) for cell in cells]
    found = [regrets(cell["arms"]) for cell in cells]
    return {
        "cells": len(cells),
        "strategies": {
            name: {
                "mean": statistics.fmean(row[name] for row in found),
                "worst": max(row[name] for row in found),
                "best_in": best.count(name),
            }
            for name in cells[0]["arms"]
        },
    }


def against(auto: Sequence[float], other: Sequence[float]) -> str:
    """ "win", "tie" or "loss" of ``auto``, read off the 95 % interval (Student's t) of the paired difference."""
    mean, half = interval([a - b for a, b in zip(auto, other, strict=True)])
    if mean - half > 0:
        return "win"
    return "loss" if mean + half < 0 else "tie"


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of its 95 % interval; endless for a single value."""
    if len(values) < 2:
        return statistics.fmean(values), math.inf
    half = student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return statistics.fmean(values), float(half)


def detectable(disagreement: float, items: int) -> float:
    """Smallest gap in points that a verdict on so many items can be expected to find.

    Args:
        disagreement: share of items that exactly one of the two models gets right.
        items: that the verdict is about.
    """
    return 100 * POWER * math.sqrt(disagreement / items)


def overall(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Regret, time and standing of ``auto`` over finished cells (``shots``, ``arms``, ``auto``, ``seconds``)."""
    found = [regrets(cell["arms"], cell["auto"]) for cell in cells]
    names = list(cells[0]["arms"])
    means = {name: statistics.fmean(row[name] for row in found) for name in (*names, "auto")}
    worst = {name: max(row[name] for row in found) for name in (*names, "auto")}
    shots = sorted({cell["shots"] for cell in cells}, key=lambda few: few or math.inf)
    by_shots = {
        few: max(row["auto"] for row, cell in zip(found, cells, strict=True) if cell["shots"] == few) for few in shots
    }
    shares = [cell["seconds"]["auto"] / cell["seconds"]["fixed"] for cell in cells]
    record = {name: [against(cell["auto"], cell["arms"][name]) for cell in cells] for name in names}
    record["the oracle"] = [against(cell["auto"], cell["arms"][oracle(cell["arms"])]) for cell in cells]
    return {
        "cells": len(cells),
        "mean_regret": means,
        "worst_regret": worst,
        "worst_by_shots": by_shots,
        "share_of_time": {"mean": statistics.fmean(shares), "worst": max(shares)},
        "record": {
            name: {word: words.count(word) for word in ("win", "tie", "loss")} for name, words in record.items()
        },
        "bars": {
            "mean regret": means["auto"] <= BARS["mean regret"],
            "worst regret": all(value <= BARS["worst regret"][few] for few, value in by_shots.items()),  # type: ignore[index]
            "time": max(shares) <= BARS["share of time"],
            "better than every fixed strategy": all(
                means["auto"] < means[name] and worst["auto"] < worst[name] for name in names
            ),
        },
    }


def verdicts(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Whether runs say "negative" where it is, over cells whose gap is beyond what they can detect.

    Args:
        cells: ``gap`` and ``detectable`` in points, and ``outcomes``, one a seed.
    """
    cells = [cell for cell in cells if cell["detectable"] is not None]
    negative = [word for cell in cells if cell["gap"] < -cell["detectable"] for word in cell["outcomes"]]
    positive = [word for cell in cells if cell["gap"] > cell["detectable"] for word in cell["outcomes"]]
    found, denied = negative.count("negative"), positive.count("negative")
    return {
        "negative": {"runs": len(negative), "called": {word: negative.count(word) for word in sorted(set(negative))}},
        "positive": {"runs": len(positive), "called": {word: positive.count(word) for word in sorted(set(positive))}},
        "too_small_to_tell": sum(abs(cell["gap"]) <= cell["detectable"] for cell in cells),
        "bars": {
            "negative found": found / len(negative) >= BARS["negative found"] if negative else None,
            "positive denied": denied / len(positive) <= BARS["positive denied"] if positive else None,
        },
    }


def coverage(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Share of intervals that held the truth (``held`` of ``replicates``), over all rows, and the least of one row."""
    if not rows:
        return None
    held, tried = sum(row["held"] for row in rows), sum(row["replicates"] for row in rows)
    low, high = beta.ppf([0.025, 0.975], [held, held + 1], [tried - held + 1, tried - held])
    least, most = BARS["coverage"]  # type: ignore[misc]
    return {
        "rows": len(rows),
        "replicates": tried,
        "share": held / tried,
        "by_chance": [float(low) if held else 0.0, float(high) if held < tried else 1.0],
        "least": min(row["held"] / row["replicates"] for row in rows),
        "bar": least <= held / tried <= most,
    }
