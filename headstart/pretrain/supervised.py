"""Pretraining on a labelled source of your own: the network learns its classes, and its head is thrown away.

Inductive transfer from a source task (Pan and Yang, A Survey on Transfer Learning, 2010): where a larger labelled set
of the same kind of pictures is at hand, it is often the best source there is (Cui et al., CVPR 2018, arXiv:1806.06193).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headstart.backbones.chain import Backbone
from headstart.base import discovery
from headstart.base.progress import Reporter, Silent
from headstart.base.seeds import derive
from headstart.base.work import Batch, Fit, Group, HeldOut, Objective, Outcome, Phase
from headstart.data.dataset import Dataset
from headstart.features.network import Tail
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.measure import calibration, intervals, scores
from headstart.pretrain import limits, material
from headstart.pretrain.made import DIVERGED, Pretrained, provenance
from headstart.pretrain.source import Part
from headstart.pretrain.views import Vary, Views
from headstart.tasks.task import Task

SCORES = ("log_loss", "accuracy", "balanced_accuracy")


@dataclass(frozen=True, slots=True)
class _Options:
    architecture: str
    size: int | None
    epochs: int
    batch_size: int
    rate: float
    weight_decay: float
    smoothing: float
    patience: int
    mirror: bool
    strength: float


def plan(
    source: Any,
    *,
    architecture: str = "embedded/resnet10",
    size: int | None = None,
    epochs: int = 40,
    batch_size: int = 64,
    rate: float = 2e-3,
    weight_decay: float = 0.05,
    smoothing: float = 0.1,
    patience: int = 15,
    mirror: bool = False,
    strength: float = 1.0,
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    drop_rare: bool = False,
    near_duplicates: bool = True,
    seed: int = 0,
    report: Reporter | None = None,
) -> Generator[Fit, Outcome, Pretrained]:
    """One fit over the source's training part; its validation part chooses the epoch, its test part is left alone.

    Args:
        source: labelled pictures, as ``fit`` takes them.
        architecture: provider/name of the network, such as timm/resnet18.
        size: side of its input, pixels; None takes what it was designed for.
        epochs: the most epochs.
        batch_size: pictures a step.
        rate: peak learning rate of AdamW.
        weight_decay: decoupled weight decay.
        smoothing: label smoothing.
        patience: epochs without a lower validation loss before stopping; 0 never stops early.
        mirror: also mirror the pictures; only where a mirrored picture has the same label.
        strength: of augmentation; 0 for none.
        label, path, group: columns of a table.
        drop_rare: leave out classes with too few items instead of stopping.
        near_duplicates: keep near duplicates on one side of the split; False does not look for them.
        seed: of the split, the initial weights, the order and the augmentation.
        report: told how the source was understood.

    Raises:
        HeadstartError: for a source or an option that cannot be used.
    """
    options = _Options(
        architecture=architecture,
        size=size,
        epochs=epochs,
        batch_size=batch_size,
        rate=rate,
        weight_decay=weight_decay,
        smoothing=smoothing,
        patience=patience,
        mirror=mirror,
        strength=strength,
    )
    # Checked here and not in the generator, which would find out only after the output folder was begun.
    limits.check(asdict(options))
    backbone = material.network(architecture, size=size, seed=derive(seed, "network"))
    report = report or Silent()
    data = material.labelled(
        source,
        label=label,
        path=path,
        group=group,
        drop_rare=drop_rare,
        near_duplicates=near_duplicates,
        seed=seed,
        report=report,
    )
    return _fits(data, backbone, options, seed, report)


def _fits(
    data: Dataset, backbone: Backbone, options: _Options, seed: int, report: Reporter
) -> Generator[Fit, Outcome, Pretrained]:
    train, held = data.folds[0]
    rows = np.concatenate([train, held])
    pixels = Pixels(
        [data.items[i] for i in rows],
        [data.digests[i] for i in rows],
        backbone.info.preprocessing,
        Store(),
        modality=data.modality,
        report=report,
    )
    targets, judged = data.targets[rows], np.arange(len(train), len(rows))
    stream = Views(
        pixels,
        np.arange(len(train)),
        batch=min(options.batch_size, len(train)),
        seed=derive(seed, "stream"),
        vary=_vary(data.modality, options),
        targets=targets,
    )
    weights = data.task.weights(data.targets[train], "balanced_accuracy")
    model = Tail(backbone.suffix(0), _head(backbone, data.task, seed))
    names = tuple(name for name, parameter in model.named_parameters() if parameter.is_floating_point())
    phase = Phase(
        objective=objective(options.smoothing, weights),
        groups=(Group(names, options.rate, options.weight_decay),),
        epochs=options.epochs,
        patience=options.patience or None,
        name="source",
    )
    outcome = yield Fit(
        name="supervised",
        model=model,
        stream=stream,
        phases=(phase,),
        held_out=HeldOut(Views(pixels, judged, batch=256, seed=0, targets=targets, fixed=True), _score),
        seed=seed,
        detail={"data": data.digest, **asdict(options)},
    )
    what = f"{len(train):,} labelled pictures in {len(data.classes)} classes"
    made = material.named(backbone, "supervised", data.origin, what)
    card = provenance(made, outcome, method="supervised", seed=seed, options=asdict(options))
    about = {**card, **_about(data, outcome, targets[judged], len(train))}
    return Pretrained(made, about, source=lambda: Part(pixels, len(train)))


def objective(smoothing: float, weights: np.ndarray | None = None) -> Objective:
    """Cross-entropy with label smoothing, each item weighted by its class."""
    balance = None if weights is None else torch.as_tensor(weights, dtype=torch.float32)

    def cross_entropy(model: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        outputs = model(batch.inputs).float()
        each = functional.cross_entropy(outputs, batch.targets, label_smoothing=smoothing, reduction="none")
        if balance is not None:
            each = each * balance.to(outputs.device)[batch.targets]
        return {"cross_entropy": each.mean()}

    return cross_entropy


def _score(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    probabilities = calibration.softmax(outputs)
    return {name: scores.score(name, probabilities, targets) for name in SCORES}


def _vary(modality: str, options: _Options) -> Vary:
    room = discovery.load("data", modality)

    def vary(pictures: torch.Tensor, seed: int) -> torch.Tensor:
        varied: torch.Tensor = room.augment(pictures, seed, flip=options.mirror, strength=options.strength)
        return varied

    return vary


def _head(backbone: Backbone, task: Task, seed: int) -> nn.Linear:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "head"))
        return task.head(backbone.info.width, task.outputs)


def _about(data: Dataset, outcome: Outcome, targets: np.ndarray, pictures: int) -> dict[str, Any]:
    """What the card says of the source, of how well it was learnt, and what to make of that."""
    measured: dict[str, Any] = {}
    findings = []
    if outcome.outputs is not None:
        probabilities = calibration.softmax(outcome.outputs)
        found = {name: intervals.bootstrap(name, probabilities, targets) for name in SCORES}
        measured = {name: interval.as_dict() for name, interval in found.items()}
        guessing = float(np.bincount(targets).max() / len(targets))
        if found["accuracy"].low <= guessing:
            findings.append(
                f"The source was hardly learnt: validation accuracy {100 * found['accuracy'].value:.1f} % is not "
                f"surely above {100 * guessing:.1f} %, what always naming the largest class would give"
            )
    if outcome.diverged:
        findings.append(DIVERGED)
    return {
        "data": {
            "sha256": data.digest,
            "classes": list(data.classes),
            "train": pictures,
            "validation": len(targets),
            "left_alone": len(data.test),
            "skipped": len(data.skipped),
        },
        "validation": measured,
        "findings": findings,
    }
