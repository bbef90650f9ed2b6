"""Which backbone: the user's, or the best of those at hand by a closed-form probe.

``auto`` tries the preferred network of the hub, and falls back, saying so, on what this machine has: the embedded
backbones always. Several candidates are compared by the leave-one-out loss of a ridge probe on the same few
hundred items; what the prior alone would have taken is printed beside the choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.backbones import bundle as bundles
from headstart.backbones import catalogue, fetch, licences
from headstart.backbones.chain import Backbone
from headstart.base import seeds
from headstart.base.errors import WeightsError
from headstart.base.machine import Machine
from headstart.base.progress import Reporter
from headstart.data.dataset import Dataset
from headstart.features.frozen import Frozen
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.tasks.task import Task

PREFERRED = ("timm/resnet50.a1_in1k",)
"""Tried first, in this order; the first that loads joins the embedded ones."""
ITEMS = 500
MOST = 4
"""Backbones of a bundle that are compared."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The backbone, and the sentences that say why."""

    backbone: Backbone
    notes: tuple[str, ...]


def choose(
    dataset: Dataset,
    name: str,
    *,
    architecture: str | None,
    bundle: Path | None = None,
    machine: Machine,
    store: Store,
    report: Reporter,
) -> Choice:
    """Load the named backbone, or choose one.

    Raises:
        UnknownName, WeightsError: when a named backbone cannot be had.
    """
    with fetch.telling(report):
        if name != "auto":
            report.begin(f"load {name}")
            backbone = catalogue.load(name, architecture=architecture, bundle=bundle)
            report.end()
            return _chosen(backbone, [])
        candidates, notes = _candidates(bundle, report)
    if len(candidates) == 1:
        return _chosen(candidates[0], notes)
    measured = [_left_out(dataset, one, machine, store, report) for one in candidates]
    losses, word = [loss for loss, _ in measured], measured[0][1]
    best = int(np.argmin(losses))
    compared = ", ".join(f"{one.info.name} {loss:.3f}" for one, loss in zip(candidates, losses, strict=True))
    notes.append(f"Backbone {candidates[best].info.name}: lowest {word} ({compared})")
    if best != 0:
        notes.append(f"Its reputation alone would have chosen {candidates[0].info.name}")
    return _chosen(candidates[best], notes)


def _chosen(backbone: Backbone, notes: list[str]) -> Choice:
    warning = licences.warning(backbone.info)
    return Choice(backbone, (*notes, warning) if warning else tuple(notes))


def _candidates(bundle: Path | None, report: Reporter) -> tuple[list[Backbone], list[str]]:
    """Loadable candidates, the one with the best prior first."""
    found: list[Backbone] = []
    notes: list[str] = []
    report.begin("look for pretrained backbones")
    if (packed := bundles.opened(bundle)) is not None:
        known = sorted(
            (packed.describe(entry) for entry in packed.index.backbones), key=lambda info: -(info.prior or 0)
        )
        found += [catalogue.load(info.name, bundle=bundle) for info in known[:MOST]]
        if len(known) > MOST:
            notes.append(
                f"{MOST} of the {len(known)} backbones in {packed.path} are compared: --backbone names another"
            )
    for name in PREFERRED if packed is None else ():
        try:
            if not catalogue.describe(name).local:
                report.say(f"Looking for {name} on its hub (--backbone embedded/... would stay on this machine)")
            found.append(catalogue.load(name))
            break
        except WeightsError as error:
            notes.append(f"{error.what}; the embedded backbones are used instead")
    for info in embedded():
        found.append(catalogue.load(info))
    report.end()
    if not found:
        raise WeightsError(
            "No pretrained backbone is at hand", next_move="name one with --backbone, such as local:PATH"
        )
    return found, notes


def embedded() -> Sequence[str]:
    """Full names of the backbones that ship in the package."""
    return [info.name for info in catalogue.search("embedded/")]


def _left_out(
    dataset: Dataset, backbone: Backbone, machine: Machine, store: Store, report: Reporter
) -> tuple[float, str]:
    """What the task makes of a ridge probe on the last stage, on a sample of the development part."""
    rows = dataset.development
    rows = np.sort(seeds.generator(dataset.seed, "backbones").permutation(rows)[:ITEMS])
    items = [dataset.items[int(i)] for i in rows]
    digests = [dataset.digests[int(i)] for i in rows]
    pixels = Pixels(items, digests, backbone.info.preprocessing, store, modality=dataset.modality, report=report)
    features = Frozen(backbone, pixels, store, machine, report=report).pooled(backbone.depth)
    task: Task = dataset.task
    return task.left_out(features, dataset.targets[rows])
