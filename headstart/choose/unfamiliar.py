"""When an item is unlike anything in the training data: the line, drawn on items that no fold's network was fitted to.

Each fold's own network compares its held-out items with its training items; how far they lie apart is what a fresh
item of the same kind would show. The sealed network then compares with as many of its own training items. Its features
are another network's, unless everything is frozen, so the rate of false alarms is only about what is said; where there
are test items, it is counted on them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from headstart.backbones.chain import Backbone
from headstart.base import discovery, seeds
from headstart.base.errors import HeadstartError
from headstart.choose import trial
from headstart.choose.ground import Ground
from headstart.choose.trial import Trial
from headstart.engine.drive import drive
from headstart.features import familiarity
from headstart.features.familiarity import Known
from headstart.features.frozen import BATCH, Augmentation, Frozen
from headstart.features.network import Network, pooled
from headstart.measure import alarm, intervals
from headstart.measure.alarm import Line
from headstart.ship.doubt import Doubt
from headstart.tune import wise

RATE = 0.01
"""Share of familiar items that may be called unfamiliar."""
LOOSEST = 0.1
"""The same where there are too few held-out items for that; with fewer still nothing is called so."""
ASKED = 2000
"""Held-out items that are compared, at most."""
KEPT = 10_000
"""Held-out answers whose confidence is kept in a sealed model, at most."""
MOST_SHOWN = 12
"""Of the strangest held-out items."""
BINS = 24
_FURTHEST = 4.0
"""Strangeness that a histogram ends with at most; what is further lies in its last bin."""
_LEAST_LINE = 1e-6
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Watch:
    """What tells familiar items from others, or why nothing does.

    Attributes:
        known: features of training items, by the network that is sealed.
        line: the distance above which an item is unfamiliar.
        distances: (m,) of the held-out items in the ground's order, in lines; NaN where one was not compared.
        missing: why there is nothing of it; "" if there is.
    """

    known: Known | None = None
    line: Line | None = None
    distances: np.ndarray | None = None
    missing: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the run directory."""
        if self.known is None or self.line is None:
            return {"missing": self.missing}
        return {
            "line": self.line.at,
            "rate": self.line.rate.as_dict(),
            "held_out": self.line.items,
            "compared_with": len(self.known.reference),
            "stages": list(self.known.stages),
        }


def watch(ground: Ground, one: Trial, model: Any) -> Watch:
    """What tells whether an item is unfamiliar to the model that a candidate was refitted to.

    It is made for people who look at answers; whatever fails here is said, and never costs the model.
    """
    if not isinstance(model, Network):
        return Watch(missing=f"{one.row.name} has no network whose features could be compared")
    ground.report.begin("what is familiar", len(ground.folds) + 1)
    try:
        found = _watch(ground, one, model)
    except Exception as error:  # a full disk, an odd network, features that are no numbers
        why = error.what if isinstance(error, HeadstartError) else f"{type(error).__name__}: {error}"
        _LOG.exception("what is familiar could not be measured")
        found = Watch(missing=f"it could not be measured: {why}")
        ground.report.say(f"Whether an item is unfamiliar will not be said: {why}. The model is not affected.")
    ground.report.end()
    return found


def doubt(ground: Ground, one: Trial, found: Watch) -> Doubt:
    """What is sealed of how far answers can be believed: at most ``KEPT`` of the held-out items, as numbers."""
    task, targets = ground.task, ground.targets[ground.held]
    sure, wrong = task.sureness(one.predictions), task.wrong(one.predictions, targets)
    rows = _drawn(ground, np.arange(len(targets)), KEPT, "doubt")
    both = sure is not None and wrong is not None
    strangeness = found.distances[np.isfinite(found.distances)] if found.distances is not None else np.zeros(0)
    return Doubt(
        known=found.known,
        line=found.line,
        missing=found.missing,
        strangeness=strangeness.astype(np.float32),
        confidence=np.asarray(sure, np.float32)[rows] if both else np.zeros(0, np.float32),
        loss=np.asarray(wrong, np.float32)[rows] if both else np.zeros(0, np.float32),
    )


def shown(ground: Ground, one: Trial, found: Watch, tested: tuple[Any, Any, np.ndarray | None]) -> dict[str, Any]:
    """What people may look at: how strange held-out and tested items are, and which of the held-out ones the most.

    Args:
        ground: data and backbone.
        one: the candidate that is sealed.
        found: what tells unfamiliar items.
        tested: predictions (t, K) and targets of the test items, and their strangeness (t,), None without them.
    """
    if found.line is None or found.distances is None:
        return {"missing": found.missing}
    held = found.distances
    order = np.argsort(-np.nan_to_num(held, nan=-1.0), kind="stable")[:MOST_SHOWN]
    predictions, targets, strangeness = tested
    seen = held[np.isfinite(held)]
    values = seen if strangeness is None else np.concatenate([seen, strangeness])
    edges = np.linspace(0, max(1.2, min(float(values.max()), _FURTHEST)), BINS + 1)
    result = {
        **found.as_dict(),
        "edges": edges.tolist(),
        "held": _counts(seen, edges),
        "most": [{"row": int(row), "strangeness": float(held[row])} for row in order if np.isfinite(held[row])],
    }
    if strangeness is not None:
        flagged = strangeness > 1.0
        result["tested"] = {
            "counts": _counts(strangeness, edges),
            "items": len(flagged),
            "flagged": int(flagged.sum()),
            "share": intervals.wilson(int(flagged.sum()), len(flagged)).as_dict(),
            **_answered(ground, predictions, targets, ~flagged),
        }
    return result


def _answered(ground: Ground, predictions: Any, targets: Any, kept: np.ndarray) -> dict[str, Any]:
    """Coverage and risk of answering familiar items only, where an answer can be wrong."""
    wrong = ground.task.wrong(predictions, targets)
    if wrong is None or not kept.any():
        return {}
    return {"coverage": float(kept.mean()), "risk": float(wrong[kept].mean())}


def _counts(values: np.ndarray, edges: np.ndarray) -> list[int]:
    # An item on the line is not above it, and so belongs to the bin that ends there.
    below = np.nextafter(np.clip(values, edges[0], edges[-1]), -np.inf)
    return np.histogram(np.maximum(below, edges[0]), bins=edges)[0].tolist()


def _watch(ground: Ground, one: Trial, network: Network) -> Watch:
    stages = familiarity.stages_of(network)
    widths = sum(network.backbone.pooled_width(stage) for stage in stages)
    # As many in every fold as in the sealed model: among more items the nearest is nearer.
    count = min(familiarity.room(widths), *(len(train) for train, _ in ground.folds))
    distances = np.full(len(ground.held), np.nan)
    asked = _drawn(ground, np.arange(len(ground.held)), ASKED, "asked")
    start = 0
    for fold, (train, held) in enumerate(ground.folds):
        own = asked[(asked >= start) & (asked < start + len(held))]
        if len(own):
            seen = _features(ground, one, network, stages, fold=fold)
            known = Known.of(stages, seen(_drawn(ground, train, count, "known", fold)))
            distances[own] = known.distances(seen(held[own - start]))
        start += len(held)
        ground.report.advance()
    line = alarm.line(distances[asked], RATE, loosest=LOOSEST)
    if line is None:
        return Watch(missing=f"{len(asked)} held-out {ground.dataset.modality} are too few to say what is familiar")
    if line.at < _LEAST_LINE:
        return Watch(missing=f"its features are the same for all {ground.dataset.modality}")
    everything = np.arange(len(ground.items))
    rows = _drawn(ground, everything, count, "known", "refit")
    known = Known.of(stages, _features(ground, one, network, stages)(rows))
    ground.report.advance()
    return Watch(known, line, distances / line.at)


def _drawn(ground: Ground, rows: np.ndarray, most: int, *name: str | int) -> np.ndarray:
    if len(rows) <= most:
        return np.sort(rows)
    return np.sort(seeds.generator(ground.seed, "unfamiliar", *name).permutation(rows)[:most])


@dataclass(frozen=True)
class _Seen:
    """A function from positions to the features of each stage.

    Attributes:
        depth: frozen stages; what crossed the cut behind them is stored.
    """

    frozen: Frozen
    backbone: Backbone
    stages: tuple[int, ...]
    depth: int = 0

    def __call__(self, rows: np.ndarray) -> list[np.ndarray]:
        if self.backbone is self.frozen.backbone:
            return [self.frozen.pooled(stage)[rows] for stage in self.stages]
        depth, found = self.depth, {}
        if any(stage <= depth for stage in self.stages):
            found = {stage: self.frozen.pooled(stage)[rows] for stage in self.stages if stage <= depth}
            self.frozen.forget()
        later = [stage for stage in self.stages if stage > depth]
        return [*found.values(), *(self._run(rows, later) if later else [])]

    def _run(self, rows: np.ndarray, stages: list[int]) -> list[np.ndarray]:
        machine = self.frozen.machine
        backbone = self.backbone.eval().to(machine.device)
        kept = self.frozen.at(self.depth, 1, Augmentation())
        result = [np.empty((len(rows), backbone.pooled_width(stage)), np.float32) for stage in stages]
        order = self.frozen.pixels.by_length(rows)
        for start in range(0, len(rows), BATCH):
            some = order[start : start + BATCH]
            with torch.inference_mode(), machine.autocast():
                hidden = kept.batch(rows[some], 0).to(machine.device)
                parts = pooled(backbone, stages, hidden, behind=self.depth)
            for whole, part in zip(result, parts.values(), strict=True):
                whole[some] = part.float().cpu().numpy()
        return result


def _features(ground: Ground, one: Trial, network: Network, stages: Sequence[int], *, fold: int | None = None) -> _Seen:
    """Features by the refitted network, or by the one of a fold, which the journal still has."""
    frozen = one.frozen or ground.frozen
    if fold is not None and network.backbone is not frozen.backbone:
        network = _recalled(ground, one, fold)
    depth = int(one.options.get("depth", 0))
    same = depth and network.backbone.digest(depth) == frozen.backbone.digest(depth)
    return _Seen(frozen, network.backbone, tuple(stages), depth if same else 0)


def _recalled(ground: Ground, one: Trial, fold: int) -> Network:
    """The network of a fold, out of the journal.

    Raises:
        RunError: when one of its fits is not there any more.
    """
    ground = ground if one.augmentation is None else ground.with_augmentation(one.augmentation)
    setting = trial.setting_of(ground, one.fits, fold, one.frozen)
    plan = discovery.load("tune", one.strategy).plan(setting, **one.begun[fold])
    if one.mix is not None:
        plan = wise.mixed(setting, plan, one.mix)
    network: Network = drive(plan, ground.journal, machine=ground.machine, report=ground.report, train=False).network
    return network
