"""One pretrained network in a comparison: loaded when it is needed, measured on more and more of the same items."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from headstart.base.errors import WeightsError
from headstart.base.machine import Machine
from headstart.base.progress import Reporter
from headstart.base.ranked import Rank
from headstart.base.vocabulary import BackboneInfo
from headstart.choose import reading, scoring
from headstart.choose.candidates import Candidate
from headstart.choose.scoring import Probe, Scores, Stages
from headstart.data.dataset import Dataset
from headstart.features import units
from headstart.features.frozen import Frozen
from headstart.features.store import Store

TIMED = 8
"""Items in the batch that latency is measured on."""


@dataclass(frozen=True)
class Arena:
    """What all that are compared have in common.

    Attributes:
        dataset: whose items.
        rows: the items, in the order in which they are taken.
        machine: where networks run.
        store: what it holds already is not computed again.
        report: told of progress.
        bundle: where packed networks come from.
    """

    dataset: Dataset
    rows: np.ndarray
    machine: Machine
    store: Store
    report: Reporter
    bundle: Path | None = None


class Contender:
    """A candidate that takes part.

    Args:
        candidate: which network.
        arena: where.
        backbone: the network, where it is in memory already.

    Attributes:
        probes: number of items -> the probe on that many.
        votes: number of items -> score -> value.
        mean_rank: of the votes, among those it was last compared with.
        latency_ms: milliseconds for one item in a batch of ``TIMED``, decoding left out; the faster of two batches.
        seconds: that measuring it took.
    """

    def __init__(self, candidate: Candidate, arena: Arena, backbone: Backbone | None = None) -> None:
        self.candidate, self.arena = candidate, arena
        self.probes: dict[int, Probe] = {}
        self.votes: dict[int, Mapping[str, float]] = {}
        self.mean_rank = self.latency_ms = self.seconds = 0.0
        self._missing: dict[str, str] = {}
        self._scores = Scores()
        self._stages: Stages | None = None
        self._head: tuple[np.ndarray, np.ndarray] | None = None
        self._given = backbone
        self._backbone: Backbone | None = None
        self._info = candidate.info
        self._scoring = 0.0

    @property
    def name(self) -> str:
        """As the user or the catalogue calls it."""
        return self.candidate.name

    @property
    def info(self) -> BackboneInfo:
        """What is known of it.

        Raises:
            WeightsError: nothing is.
        """
        if self._info is None:
            raise WeightsError(self.candidate.why_not or f"{self.name} cannot be had")
        return self._info

    @property
    def parameters(self) -> int:
        """Of the network, its source head left out."""
        return self.info.parameters

    @property
    def loaded(self) -> bool:
        """True while the network is in memory."""
        return self._backbone is not None

    def load(self) -> Backbone:
        """The network; the first time also how fast it is here.

        Raises:
            HeadstartError: when it cannot be had, or reads something else than these items.
        """
        if self._backbone is not None:
            return self._backbone
        modality = self.arena.dataset.modality
        if self.info.modality != reading.backbones(modality):
            raise WeightsError(f"It reads {self.info.modality}, not {modality}", where=self.name)
        found = self._given or reading.fit(catalogue.load(self.name, bundle=self.arena.bundle), modality)
        self._info, self._head = found.info, found.source_head
        self._backbone = found
        if not self.latency_ms:
            frozen = self._frozen(TIMED)
            inputs = frozen.pixels[np.arange(len(frozen.pixels))]
            times = []
            for _ in range(2):
                started = time.perf_counter()
                frozen.run(found, inputs).cpu()
                times.append(time.perf_counter() - started)
            self.latency_ms = 1000 * min(times) / len(inputs)
        return found

    def release(self) -> None:
        """Let go of the network; it is loaded again when it is needed."""
        self._backbone = None

    def estimate(self, size: int) -> float:
        """Seconds that measuring it on ``size`` items will take."""
        last = max(self.probes, default=0)
        grown = self._scoring * (size / last) ** 2 if last else 0.0
        return (size - last) * self.latency_ms / 1000 + grown

    def measure(self, size: int) -> None:
        """Probe and votes on the first ``size`` items."""
        started = time.perf_counter()
        features, targets = self._frozen(size).pooled(self.load().depth), self._targets(size)
        extracted = time.perf_counter()
        self.probes[size] = scoring.probe(self.arena.dataset.task, features, targets)
        bare = self.arena.dataset.task.bare(targets)
        found = scoring.score(scoring.VOTES, features, bare, head=None)
        self.votes[size], self._missing = found.values, dict(found.missing)
        self._scoring = time.perf_counter() - extracted
        self.seconds += time.perf_counter() - started

    def detail(self, names: Sequence[str]) -> None:
        """The other scores and the curve over the stages, on the items it got to."""
        started = time.perf_counter()
        size, backbone = max(self.probes), self.load()
        targets, frozen = self._targets(size), self._frozen(size)
        features = [frozen.pooled(stage) for stage in range(1, backbone.depth + 1)]
        others = [name for name in names if name not in scoring.VOTES]
        self._scores = scoring.score(others, features[-1], self.arena.dataset.task.bare(targets), head=self._head)
        self._stages = scoring.stages(self.arena.dataset.task, features, targets)
        self.seconds += time.perf_counter() - started

    def row(
        self, *, place: int = 0, beats_next: float | None = None, tied: bool = False, status: str = "measured"
    ) -> Rank:
        """Its line in the table."""
        size = max(self.probes, default=0)
        probe = self.probes.get(size)
        info = self.info
        return Rank(
            name=self.name,
            status=status,
            place=place,
            tied=tied,
            beats_next=beats_next,
            items=size,
            prior=info.prior,
            parameters=info.parameters,
            latency_ms=self.latency_ms,
            loss=None if probe is None else probe.loss,
            score=None if probe is None else probe.score,
            scores={**self.votes.get(size, {}), **self._scores.values},
            missing={**self._missing, **self._scores.missing},
            mean_rank=self.mean_rank,
            stages=info.stages,
            stage_losses=tuple(self._stages.losses) if self._stages else (),
            best_stage=self._stages.best if self._stages else 0,
            seconds=self.seconds,
        )

    def _targets(self, size: int) -> np.ndarray:
        return self.arena.dataset.targets[self.arena.rows[:size]]

    def _frozen(self, size: int) -> Frozen:
        # In the order of the data set: where a batch begins then depends on the items and not on the draw.
        rows = self.arena.rows[:size]
        items = [self.arena.dataset.items[int(i)] for i in rows]
        digests = [self.arena.dataset.digests[int(i)] for i in rows]
        backbone = self.load() if self._backbone is None else self._backbone
        pixels = units.of(
            items,
            digests,
            backbone.info.preprocessing,
            self.arena.store,
            modality=self.arena.dataset.modality,
            report=self.arena.report,
        )
        return Frozen(backbone, pixels, self.arena.store, self.arena.machine, report=self.arena.report)
