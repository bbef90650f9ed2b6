"""Which backbone: the user's, or the best of those at hand by the same comparison that ``headstart rank`` makes.

``auto`` compares the usual networks that are on this machine; without any it asks the hub for the first of them, and
falls back, saying so, on the embedded backbones, where there are any of the modality. Several candidates are compared
on the same few hundred items (``choose.ranking``); where the first two are a tie and the budget allows it, they meet
again on more, and if that does not tell them apart, both are fine-tuned a little (``choose.finalists``). What
reputation alone would have taken is always said.
The comparison is written into the run, and a run that is resumed or replayed takes its outcome from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headstart.backbones import absent, catalogue, fetch, licences, usual
from headstart.backbones import bundle as bundles
from headstart.backbones.chain import Backbone
from headstart.base import ranked
from headstart.base.errors import HeadstartError, MissingExtra, WeightsError
from headstart.base.machine import Machine
from headstart.base.progress import Reporter
from headstart.base.ranked import Ranking
from headstart.choose import finalists, ranking, reading
from headstart.choose.candidates import Candidate
from headstart.data.dataset import Dataset
from headstart.features.store import Store

SIZES = (500, 2000)
"""Items that all candidates are compared on, and that two which are a tie meet again on."""
MOST = 4
"""Backbones of a bundle, or of the usual ones that are on this machine, that are compared."""
SHARE = 0.1
"""Of the budget that the comparison may take."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The backbone, and the sentences that say why.

    Attributes:
        backbone: the network.
        notes: sentences.
        ranking: how the candidates compared; None where there was nothing to compare.
    """

    backbone: Backbone
    notes: tuple[str, ...]
    ranking: Ranking | None = None


def choose(
    dataset: Dataset,
    name: str,
    *,
    architecture: str | None,
    bundle: Path | None = None,
    machine: Machine,
    store: Store,
    report: Reporter,
    budget: float = math.inf,
    recorded: Mapping[str, Any] | None = None,
    metric: str | None = None,
    tuned: bool = False,
    needed: bool = True,
) -> Choice:
    """Load the named backbone, or choose one.

    Args:
        dataset: whose development items candidates are compared on.
        name: of a backbone, or "auto".
        architecture: what a bare state_dict is the weights of.
        bundle: folder of packed backbones.
        machine, store, report: as everywhere.
        budget: seconds of the whole job.
        recorded: what an earlier run wrote down of its comparison; its outcome is taken over.
        metric: decides between fine-tuned networks; the task's own choice by default.
        tuned: the network will be fine-tuned, so that two which are a tie may be, too.
        needed: False where there is something to measure without a network, which then stands in for one.

    Raises:
        UnknownName, WeightsError: when a named backbone cannot be had, or none and one is needed.
    """
    earlier = ranked.read(recorded) if recorded and name == "auto" else None
    with fetch.telling(report):
        if name != "auto" or earlier is not None:
            wanted = name if earlier is None else earlier.best
            report.begin(f"load {wanted}")
            backbone = catalogue.load(wanted, architecture=architecture, bundle=bundle)
            report.end()
            return _chosen(reading.fit(backbone, dataset.modality), [] if earlier is None else _said(earlier), earlier)
        reads = reading.backbones(dataset.modality)
        candidates, notes = _candidates(bundle, report, reads)
    if not candidates:
        # Nothing can stand in where items are parts of what is read.
        return _without(reads, notes, needed or reads != dataset.modality)
    candidates = [reading.fit(one, dataset.modality) for one in candidates]
    if len(candidates) == 1:
        return _chosen(candidates[0], notes)
    known = sorted((_of(one) for one in candidates), key=lambda one: one.effort)
    found, order = ranking.compare(
        dataset,
        known,
        machine=machine,
        store=store,
        report=report,
        budget=SHARE * budget,
        sizes=SIZES,
        duel=True,
        scores=(),
        loaded={one.info.name: one for one in candidates},
        notes=notes,
    )
    if tuned and len(found.measured) > 1 and found.measured[1].tied:
        pair = [one.load() for one in order[:2]]
        both = finalists.compare(
            dataset, pair, metric=metric, machine=machine, store=store, report=report, budget=budget
        )
        found = replace(found, finalists=both)
    winner = next(one for one in order if one.name == found.best)
    return _chosen(winner.load(), _said(found), found)


def _of(backbone: Backbone) -> Candidate:
    return Candidate(backbone.info.name, backbone.info)


def _said(found: Ranking) -> list[str]:
    """What the run says of a comparison."""
    compared = ", ".join(f"{row.name} {row.loss:.3f}" for row in found.measured)
    words = found.loss.replace("_", " ")
    missed = [f"{row.name} was not compared: {row.status}" for row in found.rows if not row.place]
    notes = [
        *found.notes,
        *missed,
        f"Backbones compared by the leave-one-out {words} of a probe: {compared}",
        found.sentence,
        *([found.about_finalists] if found.finalists else []),
    ]
    return notes if found.by_prior == found.best else [*notes, found.about_prior]


def _chosen(backbone: Backbone, notes: Sequence[str], found: Ranking | None = None) -> Choice:
    warning = licences.warning(backbone.info)
    return Choice(backbone, (*notes, warning) if warning else tuple(notes), found)


def _candidates(bundle: Path | None, report: Reporter, modality: str = "images") -> tuple[list[Backbone], list[str]]:
    """Loadable candidates, and what is to be said of how they were found."""
    report.begin("look for pretrained backbones")
    found, notes = _packed(bundle, modality) if bundles.opened(bundle) is not None else _usual(report, modality)
    for name in embedded(modality):
        found.append(catalogue.load(name))
    report.end()
    return found, notes


def _without(modality: str, notes: Sequence[str], needed: bool) -> Choice:
    """Nothing in the place of a network, and how to get one.

    Raises:
        WeightsError: when one is needed.
    """
    tried = f" ({'; '.join(notes)})" if notes else ""
    what, move = f"No pretrained backbone that reads {modality} is at hand{tried}", usual.move(modality)
    if needed:
        raise WeightsError(what, next_move=move)
    return Choice(absent.network(modality), (f"{what}: transfer is not tried. To have one: {move}",))


def _packed(bundle: Path | None, modality: str) -> tuple[list[Backbone], list[str]]:
    """Those in a bundle, the one with the best reputation first."""
    packed = bundles.opened(bundle)
    if packed is None:
        return [], []
    infos = [packed.describe(entry) for entry in packed.index.backbones]
    known = sorted((info for info in infos if info.modality == modality), key=lambda info: -(info.prior or 0))
    left = len(known) - MOST
    note = f"{MOST} of the {len(known)} backbones in {packed.path} are compared: --backbone names another"
    return [catalogue.load(info.name, bundle=bundle) for info in known[:MOST]], [note] if left > 0 else []


def _usual(report: Reporter, modality: str) -> tuple[list[Backbone], list[str]]:
    """The usual networks that are on this machine; without any, the first that the hub gives."""
    found: list[Backbone] = []
    notes: list[str] = []
    for info in usual.here(modality)[:MOST]:
        try:
            found.append(catalogue.load(info.name))
        except HeadstartError as error:
            notes.append(f"{error.what}; it is left out")
    for name in () if found else usual.kinds(modality)[:1]:
        try:
            stay = next(iter(embedded(modality)), "local:PATH")
            report.say(f"Looking for {name} on its hub (--backbone {stay} would stay on this machine)")
            found.append(catalogue.load(name))
        except (WeightsError, MissingExtra) as error:
            instead = "; the embedded backbones are used instead" if embedded(modality) else ""
            notes.append(f"{error.what}{instead}")
    return found, notes


def embedded(modality: str = "images") -> Sequence[str]:
    """Full names of the backbones that ship in the package and read such items."""
    return [info.name for info in catalogue.search("embedded/") if info.modality == modality]
