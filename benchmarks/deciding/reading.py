"""From the folder of finished units to what benchmarks/results/decision.json says."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.deciding import arms, cells, coverage, sources, summary, targets
from benchmarks.deciding.arms import Bench
from benchmarks.deciding.cells import Cell, Unit
from headstart.base.machine import here

QUESTION = "does the evidence ladder choose well, in how much time, and does its verdict hold?"


def everything(bench: Bench, quick: bool) -> dict[str, Any]:
    """All that is known: cells as far as they are done, and what they add up to."""
    chosen, count = (cells.QUICK, cells.SEEDS_QUICK) if quick else (cells.CELLS, cells.SEEDS)
    planned = cells.planned(chosen, count)
    done = {unit: found for unit in planned if (found := bench.results.get(unit)) is not None}
    rows = [_cell(cell, count, done, bench) for cell in chosen]
    whole = [row for row in rows if row["finished"]]
    return {
        "question": QUESTION,
        "command": "python benchmarks/decision.py" + (" --quick" if quick else ""),
        "machine": {**here("float32", "cpu").as_dict(), "torch": torch.__version__},
        "settings": settings(bench, count),
        "done": {
            "units": len(done),
            "units_planned": len(planned),
            "cells": len(whole),
            "cells_planned": len(chosen),
            "seconds": round(sum(found["seconds"] for found in done.values())),
            "seconds_of_all": expected(planned, done),
            "seconds_of_suite": expected(cells.planned(cells.CELLS, cells.SEEDS), done),
        },
        "commits": _commits(done),
        "cells": rows,
        "fixed": summary.standing([row for row in rows if row["fixed_finished"]]),
        "overall": summary.overall(whole) if whole else None,
        "verdicts": summary.verdicts(whole) if whole else None,
        "coverage": {
            "test part": summary.coverage([each for row in rows for each in row["coverage"]["test part"]]),
            "cross-validated": summary.coverage([each for row in rows for each in row["coverage"]["cross-validated"]]),
        },
    }


def expected(planned: Sequence[Unit], done: Mapping[Unit, Mapping[str, Any]]) -> int | None:
    """Processor seconds of some units: what they took, or what one of the kind at so many labels took on average.

    None while a kind of them has not been measured at all.
    """
    seen: dict[tuple[str, int | None], list[float]] = {}
    for unit, found in done.items():
        for shots in (unit.shots, None):
            seen.setdefault((unit.kind, shots), []).append(found["seconds"])
    total = 0.0
    for unit in planned:
        alike = seen.get((unit.kind, unit.shots)) or seen.get((unit.kind, None))
        if alike is None:
            return None
        total += done[unit]["seconds"] if unit in done else statistics.fmean(alike)
    return round(total)


def settings(bench: Bench, count: int) -> dict[str, Any]:
    """What was decided beforehand."""
    return {
        "seeds": count,
        "most_a_class": cells.MOST,
        "population": bench.size,
        "side": targets.SIDE,
        "architecture": sources.ARCHITECTURE,
        "budget_share": cells.BUDGET_SHARE,
        "replicates": coverage.REPLICATES,
        "tested": coverage.TESTED,
        "fixed": list(cells.FIXED),
        "targets": {name: targets.TARGETS[name].what for name in cells.TARGETS},
    }


def _commits(done: dict[Unit, dict[str, Any]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for unit, result in done.items():
        role = "fixed" if unit.kind in cells.FIXED else unit.kind
        counts = found.setdefault(role, {})
        counts[result["commit"]] = counts.get(result["commit"], 0) + 1
    return found


def _cell(cell: Cell, count: int, done: dict[Unit, dict[str, Any]], bench: Bench) -> dict[str, Any]:
    def of(kind: str) -> list[dict[str, Any]]:
        source = cells.NONE if kind in cells.SOURCELESS else cell.source
        wanted = [Unit(kind, cell.target, cell.shots, source, seed) for seed in range(count)]
        return [done[unit] for unit in wanted if unit in done]

    ran = {kind: of(kind) for kind in (*cells.FIXED, cells.AUTO)}
    fixed_done = all(len(ran[kind]) == count for kind in cells.FIXED)
    row: dict[str, Any] = {
        "cell": str(cell),
        "target": cell.target,
        "shots": cell.shots,
        "relation": cell.relation,
        "source": cell.source,
        "arms": {kind: [round(one["accuracy"], 3) for one in ran[kind]] for kind in cells.FIXED},
        "auto": [round(one["accuracy"], 3) for one in ran[cells.AUTO]],
        "chosen": [one["chosen"] for one in ran[cells.AUTO]],
        "outcomes": [one["verdict"]["outcome"] if "verdict" in one else "failed" for one in ran[cells.AUTO]],
        "verdict_items": next((one["verdict"]["items"] for one in ran[cells.AUTO] if "verdict" in one), None),
        "units": [sum(len(found) for found in ran.values()), len(ran) * count],
        "fixed_finished": fixed_done,
        "finished": fixed_done and len(ran[cells.AUTO]) == count,
        "seconds": {
            "fixed": round(sum(one["seconds"] for kind in cells.FIXED for one in ran[kind]) / count, 1),
            "auto": round(sum(one["seconds"] for one in ran[cells.AUTO]) / count, 1),
        },
        "coverage": {"test part": _kept(of(cells.COVERAGE)), "cross-validated": _kept(of(cells.CROSSED))},
        "gap": None,
    }
    if fixed_done:
        row |= _gap(cell, ran, row["verdict_items"], bench)
    return row


def _kept(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("replicates", "items", "held", "below", "above", "gap", "half", "verdicts")
    return [{name: one[name] for name in names} for one in found]


def _gap(cell: Cell, ran: dict[str, list[dict[str, Any]]], items: int | None, bench: Bench) -> dict[str, Any]:
    """What the source is worth at best: the best strategy with it against the best without it, by their means.

    Averaged over classes, for the labelled pictures that a run is judged on come in equal numbers.
    """
    mean = {kind: float(np.mean([one["balanced"] for one in ran[kind]])) for kind in cells.FIXED}
    pair = [max(kinds, key=lambda kind: mean[kind]) for kinds in (cells.TRANSFERRED, cells.NETWORKS)]
    labels = len(targets.population_labels(cell.target, bench.size))
    right = [[arms.right_of(one, labels) for one in ran[kind]] for kind in pair]
    apart = float(np.mean([np.mean(a != b) for a, b in zip(*right, strict=True)]))
    return {
        "gap": round(mean[pair[0]] - mean[pair[1]], 3),
        "gap_of": pair,
        "detectable": None if items is None else round(summary.detectable(apart, items), 3),
    }
