"""What the report knows of a run, gathered before anything is drawn: plain values in the words of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headstart.base.manifest import Manifest, plain
from headstart.base.vocabulary import Evidence, Finding, Interval
from headstart.measure.metric import Metric
from headstart.tasks.task import Task

PartName = Literal["tested", "validation"]


@dataclass(frozen=True, slots=True)
class Item:
    """A held-out item with what the sealed model said of it.

    Attributes:
        row: its place in its part.
        where: its file, as people see it.
        truth: what it is.
        said: what the model said, in words.
        picture: file of a small picture below the run directory; "" if none was kept.
    """

    row: int
    where: str
    truth: str
    said: str
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A part of the data that the sealed model had not seen when it predicted it.

    Attributes:
        name: "tested" or "validation".
        words: what the items are, in a sentence.
        predictions: (m, K).
        targets: of the m items.
        wheres: their files; empty if the run kept no list of them.
        pictures: row -> file of a small picture below the run directory.
    """

    name: PartName
    words: str
    predictions: np.ndarray
    targets: np.ndarray
    wheres: Sequence[str] = ()
    pictures: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.targets)

    def where(self, row: int) -> str:
        """How an item is called."""
        return self.wheres[row] if row < len(self.wheres) else f"item {row + 1}"


@dataclass(frozen=True, slots=True)
class Finalist:
    """One of the models that met the test items.

    Attributes:
        role: "transfer", "scratch" or "baseline".
        name: the candidate's.
        scores: metric -> score with interval.
        sealed: True for the one in the folder.
    """

    role: str
    name: str
    scores: Mapping[str, Interval]
    sealed: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """A fit that ran to the end of its schedule, epoch by epoch.

    Attributes:
        candidate: whose it is.
        fold: "fold 1" and so on, or "refit" for the one on all development items.
        losses: training loss of each epoch; None where it was not finite.
        held: metric -> (epoch, score) on the held-out items, for the epochs that were judged.
        kept: the epoch whose weights were kept, from 1.
        seconds: of the whole fit.
    """

    candidate: str
    fold: str
    losses: Sequence[float | None]
    held: Mapping[str, Sequence[tuple[int, float]]]
    kept: int
    seconds: float


@dataclass(frozen=True)
class Facts:
    """Everything the page is made of.

    Attributes:
        path: the model's folder.
        manifest: of the sealed model; None if the run has not finished.
        task: what is predicted; None where an unfinished run does not say.
        metrics: every score of that task, by name.
        config: what the user asked for; empty if the folder has no run.
        data: how the source was understood.
        verdict: as the run concluded.
        evidence: every candidate.
        sealed: name of the sealed candidate.
        finalists: the models that met the test items.
        curves: of the trained candidates.
        held: the parts whose predictions were kept.
        findings: what was diagnosed, the most serious first.
        exhibits: what was kept to be looked at: suspects, map, attention.
        command: how the run was called; "" if its log does not say.
        missing: what this page would have shown, and why it does not.
        ladder: what was decided at every rung and why; empty for a run that kept no account.
        ranking: how the backbones compared that one was chosen from; empty where none were.
        learning: the learning curve over labels; empty before it was measured.
        similarity: how near source and target are; empty before it was measured.
    """

    path: Path
    manifest: Manifest | None
    task: Task | None
    metrics: Mapping[str, Metric]
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    verdict: Mapping[str, Any]
    evidence: Sequence[Evidence]
    sealed: str
    finalists: Sequence[Finalist]
    curves: Sequence[Curve]
    held: Mapping[str, Held]
    findings: Sequence[Finding]
    exhibits: Mapping[str, Any]
    command: str
    missing: Sequence[str]
    ranking: Mapping[str, Any] = field(default_factory=dict)
    learning: Mapping[str, Any] = field(default_factory=dict)
    similarity: Mapping[str, Any] = field(default_factory=dict)
    ladder: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name or str(self.path)

    @property
    def modality(self) -> str:
        """What the items are, in the plural."""
        return self.manifest.modality if self.manifest is not None else "items"

    @property
    def stages(self) -> int:
        """Stages of the backbone; 0 if there is none, or none known."""
        if self.manifest is not None and self.manifest.backbone is not None:
            return len(self.manifest.backbone.stages)
        return 0

    @property
    def stated(self) -> Metric | None:
        """The score that the verdict is stated in, or else the first that every candidate has."""
        names = [str(self.verdict.get("metric") or ""), *next((list(row.scores)[1:] for row in self.measured), ())]
        return next((self.metrics[name] for name in names if name in self.metrics), None)

    @property
    def decided(self) -> Metric | None:
        """The score that chose between the candidates."""
        training = self.manifest.training if self.manifest is not None else {}
        names = [str(training.get("metric") or ""), *next((row.scores for row in self.measured), ())]
        return next((self.metrics[name] for name in names if name in self.metrics), None)

    @property
    def measured(self) -> list[Evidence]:
        """The candidates that have scores."""
        return [row for row in self.evidence if row.scores]

    def item(self, part: Held, row: int) -> Item:
        """A held-out item in words."""
        task = self.task
        if task is None:
            return Item(row, part.where(row), "", "", part.pictures.get(row, ""))
        return Item(
            row=row,
            where=part.where(row),
            truth=task.meant(part.targets[row]),
            said=task.said(part.predictions[row]),
            picture=part.pictures.get(row, ""),
        )

    @cached_property
    def details(self) -> Mapping[str, Any]:
        """What the task says of the judged part besides scores: confusions, each name by itself."""
        part = self.judged
        if part is None or self.task is None:
            return {}
        return self.task.details(part.predictions, part.targets)

    @cached_property
    def trust(self) -> Mapping[str, Any]:
        """What the task says of the confidences of the judged part."""
        part = self.judged
        if part is None or self.task is None:
            return {}
        return self.task.trust(part.predictions, part.targets)

    def picture(self, part: str, row: Any) -> str:
        """File of an item's small picture; "" if none was kept."""
        by_part = self.exhibits.get("pictures")
        rows = by_part.get(part) if isinstance(by_part, Mapping) else None
        return str(rows.get(str(row), "")) if isinstance(rows, Mapping) else ""

    @property
    def judged(self) -> Held | None:
        """The part that scores are stated on: the tested one, or else the validation items."""
        return self.held.get("tested") or self.held.get("validation")

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``: what was gathered, without what the manifest holds, and without predictions."""
        left_out = ("manifest", "task", "metrics", "held", "evidence", "path")
        rest = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in left_out}
        parts = {
            name: {"items": len(part), "words": part.words, "pictures": len(part.pictures)}
            for name, part in self.held.items()
        }
        return {
            "model": str(self.path),
            "task": None if self.task is None else self.task.kind,
            "names": [] if self.task is None else list(self.task.names),
            **{name: _listed(value) for name, value in rest.items()},
            "evidence": [_listed(row) for row in self.evidence],
            "held_out": parts,
            "details": plain(self.details),
            "trust": plain(self.trust),
        }


def _listed(value: Any) -> Any:
    """Dataclasses as plain data, all the way down."""
    if hasattr(value, "as_dict"):
        return plain(value)
    if hasattr(value, "__dataclass_fields__"):
        return {each.name: _listed(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _listed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(each) for each in value]
    return plain(value)
