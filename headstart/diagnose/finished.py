"""What a diagnosis may read of a finished run, put together once: its candidates, its answers, how they compare.

A run directory may be older, damaged or of another making, so everything may be missing, and then it is None or empty.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Interval
from headstart.measure import intervals
from headstart.measure.arrays import Floats
from headstart.measure.metric import Metric
from headstart.tasks.task import Task

NEW = "NEW"
"""Where a command that is to be typed puts the model that it makes."""


@dataclass(frozen=True)
class Finished:
    """A run that has come to a verdict.

    Attributes:
        run: its directory.
        verdict: as it was reached.
        task: what was predicted; of a regression, without its scale.
    """

    run: Run
    verdict: Mapping[str, Any]
    task: Task

    @cached_property
    def metric(self) -> Metric:
        """The score that the verdict is stated in."""
        return self.task.metric(str(self.verdict["metric"]))

    @cached_property
    def in_points(self) -> Metric:
        """The score that candidates are compared in: its hundredth is a point."""
        stated = self.metric if self.metric.percent else self.task.metric(self.task.points)
        return self.task.metric(str(self.run.comparisons.get("metric") or stated.name))

    def name_of(self, role: str) -> str:
        """The candidate that stood for "transfer", "scratch" or "baseline" in the verdict; "" if none did."""
        return str((self.verdict.get("models") or {}).get(role, ""))

    @property
    def sealed(self) -> str:
        """The candidate that is sealed."""
        return self.name_of(str(self.verdict.get("winner", "")))

    @cached_property
    def rows(self) -> Mapping[str, Evidence]:
        """The evidence table by candidate."""
        found = {}
        for row in self.run.evidence:
            scores = {name: Interval(**score) for name, score in row["scores"].items()}
            found[str(row["name"])] = Evidence(**{**row, "scores": scores})
        return found

    def measured(self, *kinds: str) -> list[Evidence]:
        """The candidates of some kinds that have a score."""
        return [row for row in self.rows.values() if row.kind in kinds and row.status == "measured"]

    @cached_property
    def tested(self) -> tuple[Floats, np.ndarray] | None:
        """Predictions (m, K) of the sealed model on the items of the verdict, and their targets."""
        return self._answers("predictions", str(self.verdict.get("winner")))

    @cached_property
    def validation(self) -> tuple[Floats, np.ndarray] | None:
        """Predictions (m, K) of the sealed candidate on the held-out development items, and their targets."""
        return self._answers("validation", "winner")

    def _answers(self, name: str, key: str) -> tuple[Floats, np.ndarray] | None:
        kept = self.run.arrays(name)
        if key not in kept or "targets" not in kept or not len(kept["targets"]):
            return None
        return np.asarray(kept[key], dtype=np.float64), kept["targets"]

    def score(self, answers: tuple[Floats, np.ndarray], metric: Metric) -> Interval:
        """A score of answers with its 95 % interval."""
        return intervals.bootstrap(metric, *answers)

    def gain(self, of: str, over: str) -> Interval | None:
        """How much better one candidate is than another on the held-out items, ``in_points``; None if not measured."""
        for pair in self.run.comparisons.get("pairs") or ():
            if (pair["of"], pair["over"]) == (of, over):
                return Interval(**pair["gain"])
            if (pair["of"], pair["over"]) == (over, of):
                return turned(Interval(**pair["gain"]))
        return None

    @cached_property
    def over_guessing(self) -> Interval | None:
        """How much better the sealed model is than one answer for all items, the best by the held-out targets."""
        tested, validation = self.tested, self.validation
        if tested is None or validation is None:
            return None
        predictions, targets = tested
        guess = np.broadcast_to(self.task.constant(validation[1]), predictions.shape)
        return intervals.gain(self.metric, predictions, guess, targets)

    @property
    def learnt(self) -> bool:
        """True unless the sealed model cannot be told from one answer for all items."""
        return self.over_guessing is None or self.over_guessing.low > 0

    def rank(self) -> str:
        """The command that ranks backbones on the same data; in words where there is none to type."""
        origin = str(self.run.data.get("origin") or "")
        return f"headstart rank {shlex.quote(origin)}" if origin and Path(origin).exists() else "headstart rank"

    def fit(self, *options: str) -> str:
        """The command that fits the same data with other options; in words where there is none to type."""
        origin = str(self.run.data.get("origin") or "")
        if origin and Path(origin).exists():
            return f"headstart fit {shlex.quote(origin)} -o {NEW} {' '.join(options)}".rstrip()
        return f"fit again with {' '.join(options)}" if options else "fit again"


def finished(run: Run) -> Finished | None:
    """A run with a verdict, ready to be read; None for one that has none yet."""
    verdict, data = run.verdict, run.data
    if not verdict.get("metric") or not verdict.get("models"):
        return None
    room = discovery.load("tasks", str(data.get("task") or run.config.get("task")))
    task = room.restore(tuple(map(str, data.get("counts") or ())), {"mean": 0.0, "scale": 1.0})
    return Finished(run, verdict, task)


def turned(gain: Interval) -> Interval:
    """The gain the other way round: of the one over the other."""
    return Interval(-gain.value, -gain.high, -gain.low)


def said(metric: Metric, score: Interval) -> str:
    """A score without its interval: ``92.1 %``, ``0.83``."""
    return metric.numbers(score)[0] + metric.unit


def strategy(row: Evidence) -> list[str]:
    """The options of ``headstart fit`` that fit a candidate alone."""
    chosen, options = str(row.detail.get("strategy", row.name)), row.detail.get("options") or {}
    words = ["--strategy", chosen]
    if isinstance(options.get("depth"), int) and chosen != "full":
        words += ["--depth", str(options["depth"])]
    stages = str(options.get("stages", "last"))
    if chosen == "probe" and stages != "last":
        words += ["--set", f"strategy.stages={shlex.quote(stages)}"]
    return words


def weights(row: Evidence) -> str:
    """How much of the network moved, in words."""
    if row.detail.get("strategy") == "probe":
        return "which moves nothing but the head"
    return f"which moves {short(row.trainable)} weights"


def short(number: float) -> str:
    """A large number with its unit: 3.9k, 2.1M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    """Seconds as ``--budget`` takes them, rounded up: 40s, 12m, 1.5h."""
    if seconds <= 90:
        return f"{int(-(-seconds // 10) * 10)}s"
    if seconds <= 90 * 60:
        return f"{int(-(-seconds // 60))}m"
    return f"{-(-seconds // 360) / 10:g}h"


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first names in a sentence, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
