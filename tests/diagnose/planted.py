"""Run directories with a planted defect, written through the journal that a real run writes, from simulated answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Finding, Kind
from headstart.choose.trial import Trial
from headstart.choose.verdict import Comparison, conclude
from headstart.diagnose import examining
from headstart.engine.journal import Journal
from headstart.measure import intervals

CLASSES = ("ash", "beech", "elm", "oak")


def answers(targets: np.ndarray, right: Any, *, stated: float | None = None, seed: int = 0) -> np.ndarray:
    """Probabilities (n, 4) that are right for a share of the items, exactly, and as sure as that unless stated.

    Args:
        targets: (n,) classes.
        right: the share of right answers, or (n,) which are right.
        stated: the confidence of every answer.
        seed: of which items are right.
    """
    draw, n = np.random.default_rng(seed), len(targets)
    if np.ndim(right) == 0:
        so = np.zeros(n, dtype=bool)
        so[draw.permutation(n)[: round(float(right) * n)]] = True
    else:
        so = np.asarray(right)
    sure = float(so.mean()) if stated is None else stated
    sure = min(max(sure, 0.3), 0.999)
    given = np.full((n, len(CLASSES)), (1 - sure) / (len(CLASSES) - 1))
    given[np.arange(n), np.where(so, targets, (targets + draw.integers(1, 4, n)) % 4)] = sure
    return given


@dataclass
class Candidate:
    """A candidate of the simulated ladder.

    Attributes:
        held: (n, K) its predictions of the held-out items.
        tested: (m, K) those of the test items, where it is one of the three that meet them.
        kind, strategy, status, seconds, serving, trainable: as in the evidence table.
        options, tried: its details.
    """

    held: np.ndarray | None = None
    tested: np.ndarray | None = None
    kind: Kind = "transfer"
    strategy: str = "probe"
    status: str = "measured"
    seconds: float = 1.0
    serving: float = 1.0
    trainable: int = 1000
    options: Mapping[str, Any] = field(default_factory=dict)
    tried: Sequence[Mapping[str, Any]] = ()

    def row(self, name: str, task: Any, targets: np.ndarray) -> Evidence:
        """Its row in the evidence table."""
        scores = {}
        if self.held is not None:
            scores = {each: intervals.bootstrap(task.metric(each), self.held, targets) for each in task.shown}
        detail = {"strategy": self.strategy, "options": dict(self.options), "tried": list(self.tried), "epochs": 0}
        detail = {} if self.kind == "baseline" else detail
        return Evidence(name, self.kind, scores, self.seconds, self.trainable, self.serving, self.status, detail)


def kept(predictions: np.ndarray | None) -> np.ndarray:
    """As a run keeps them."""
    return np.asarray(predictions, dtype=np.float32)


def write(
    folder: Path,
    candidates: Mapping[str, Candidate],
    held: np.ndarray,
    tested: np.ndarray,
    *,
    winner: str,
    models: Mapping[str, str] | None = None,
    kind: str = "classification",
    names: Sequence[str] = CLASSES,
    learnt: tuple[np.ndarray, np.ndarray] | None = None,
    fair: bool = True,
    has_test: bool = True,
    origin: str = "",
    plan: Mapping[str, Any] | None = None,
    listed: Sequence[Mapping[str, Any]] = (),
    **config: Any,
) -> Run:
    """A finished run.

    Args:
        folder: where.
        candidates: by name.
        held, tested: targets of the held-out development items and of the test items.
        winner: the role that is sealed.
        models: role -> candidate; by default each role's only one, and the sealed one's first.
        kind, names: of the task.
        learnt: predictions and targets of the sealed network on items that it was fitted to.
        fair, has_test, origin, plan, listed, config: as a run records them.
    """
    journal = Journal(folder)
    task = discovery.load("tasks", kind).restore(tuple(names), {"mean": 0.0, "scale": 1.0})
    journal.begin({"strategy": "auto", "budget": 60.0, "baselines": True, "task": kind, **config})
    counts = dict.fromkeys(task.names, 10)
    journal.write("data", {"task": kind, "origin": origin, "counts": counts, "parts": {}})
    journal.write("plan", plan or {})
    rows = {name: one.row(name, task, held) for name, one in candidates.items()}
    journal.write("evidence", [row.as_dict() for row in rows.values()])
    if models is None:
        models = {one.kind: name for name, one in reversed(list(candidates.items())) if one.status == "measured"}
    predictions = {role: kept(candidates[name].tested) for role, name in models.items()}
    trials = {role: Trial(rows[name], np.zeros((0, 0)), candidates[name].strategy) for role, name in models.items()}
    metric = task.metric(task.stated(task.choose_metric(held)))
    comparison = Comparison(metric, winner, trials, predictions, tested, has_test, fair, "images", 0)
    journal.write("verdict", {**conclude(comparison), "items": len(tested)})
    journal.keep("predictions", {**predictions, "targets": tested})
    sealed = models[winner]
    journal.keep("validation", {"winner": kept(candidates[sealed].held), "targets": held})
    points = metric if metric.percent else task.metric(task.points)
    there = {name: one for name, one in candidates.items() if one.held is not None and one.status == "measured"}
    pairs = [
        {"of": of, "over": over, "gain": intervals.gain(points, there[of].held, one.held, held).as_dict()}
        for of in dict.fromkeys([sealed, models.get("transfer", sealed)])
        for over, one in there.items()
        if over != of
    ]
    journal.write("comparisons", {"metric": points.name, "items": len(held), "pairs": pairs})
    if learnt is not None:
        scores = {name: asdict(each) for name, each in task.intervals(*learnt, seed=0).items()}
        journal.write("fitted", {"candidate": sealed, "items": len(learnt[1]), "of": 500, "scores": scores})
    journal.write("held_out", {"tested": list(listed), "validation": []})
    return Run(folder)


def found(run: Run) -> dict[str, Finding]:
    """What all diagnoses find in it, by name."""
    return {one.name: one for one in examining.examined(run)}
