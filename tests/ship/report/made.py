"""Facts made by hand, for what a small real fit does not have: hundreds of classes, odd scores, other tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from headstart.base.vocabulary import Evidence, Finding, Interval
from headstart.ship.report.facts import Facts, Finalist, Held
from headstart.tasks.task import Task


def row(name: str, kind: str, value: float, **detail: Any) -> Evidence:
    """A candidate with an accuracy and a log loss."""
    scores = {
        "log_loss": Interval(2 - 2 * value, 1.9 - 2 * value, 2.1 - 2 * value),
        "accuracy": Interval(value, value - 0.05, min(1.0, value + 0.05)),
    }
    return Evidence(name, kind, scores, seconds=1.5, trainable=1234, detail=detail)  # type: ignore[arg-type]


def facts_of(task: Task, predictions: Any, targets: Any, **changes: Any) -> Facts:
    """Facts of a run whose sealed model said this of its test items."""
    n = len(targets)
    wheres = [f"{number}.png" for number in range(n)]
    part = Held("tested", "test images", np.asarray(predictions, float), np.asarray(targets), wheres)
    tests = task.intervals(part.predictions, part.targets, seed=0)
    given: dict[str, Any] = {
        "path": Path("made"),
        "manifest": None,
        "task": task,
        "metrics": task.metrics,
        "config": {"seed": 0, "budget": 60.0},
        "data": {"understood": "made", "counts": dict.fromkeys(task.names, 3), "parts": {"train": 3, "test": n}},
        "verdict": {
            "sentence": "Transfer helped: it is so.",
            "outcome": "positive",
            "metric": task.stated(task.shown[0]),
            "tested": True,
            "items": n,
        },
        "evidence": [],
        "sealed": "probe",
        "finalists": [Finalist("transfer", "probe", tests, sealed=True)],
        "curves": [],
        "held": {"tested": part},
        "findings": [Finding("odd", "warning", "Something is odd", 1.0, 0.5, "do something", {"items": ["a"] * 30})],
        "exhibits": {},
        "command": "headstart fit made",
        "missing": (),
    }
    return Facts(**{**given, **changes})
