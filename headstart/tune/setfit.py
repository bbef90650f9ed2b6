"""SetFit: items of one class are drawn together and those of two apart, pair by pair; then a head on the new features.

Tunstall et al., Efficient Few-Shot Learning Without Prompts (2022, arXiv 2209.11055), made for sentence encoders and a
handful of labels a class: n items have about n squared pairs, so that few labels teach many steps. What is minimised is
the squared difference between the cosine of two items' pooled features and 1 (one class) or 0 (two). In every epoch
each item meets one of its own class and one of another. The head is solved in closed form, as for a probe. Nothing in
it is about texts: any backbone will do. Batch norms keep the source's statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headstart.base import seeds
from headstart.base.work import Batch, Fit, Group, HeldOut, Outcome, Phase, Plan
from headstart.features.network import Network
from headstart.features.streams import Judging, Training
from headstart.measure.linear import Linear
from headstart.tune import limits, statistics
from headstart.tune.finetune import check_depth, record
from headstart.tune.probe import as_head
from headstart.tune.setting import Setting, Tuned
from headstart.tune.start import from_probe

TASKS = ("classification",)
"""Pairs are of one class or of two."""
RATE = 5e-4
"""The rate for a convolutional network; text networks take a tenth, near the paper's. There is no sweep: with a handful
of labels the held-out items cannot tell rates apart."""

check = check_depth


def plan(
    setting: Setting,
    *,
    depth: int = 0,
    rate: float | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    weight_decay: float = 0.01,
    views: int = 4,
    patience: int = 10,
) -> Plan:
    """Train on pairs, then solve the head.

    Args:
        setting: data and backbone.
        depth: frozen stages.
        rate: peak learning rate; None takes what suits the kind of network.
        epochs: the most epochs, each with two pairs an item.
        batch_size: items in a step, half as many pairs.
        weight_decay: decoupled weight decay.
        views: views of each item in the store, the plain one among them.
        patience: epochs without improvement before stopping; 0 never stops early.

    Raises:
        BadOption: for a depth that leaves nothing to move, and for labels that are no classes.
    """
    limits.check_task(setting.task.kind, TASKS, "setfit")
    check(setting.frozen.backbone, {"depth": depth})
    work = _Work(setting, depth=depth, batch_size=batch_size, weight_decay=weight_decay, views=views, patience=patience)
    rate = RATE * setting.frozen.backbone.pace if rate is None else rate
    limits.check({"rate": rate})
    outcome = yield work.fit(rate, epochs)
    head, outputs = work.solved(outcome)
    return Tuned(
        network=Network(work.backbone.eval(), head),
        outputs=outputs,
        options={**work.options, "rate": rate, "epochs": max(1, outcome.epoch)},
        trainable=outcome.trainable + sum(value.numel() for value in head.parameters()),
        epoch=outcome.epoch,
        epochs=epochs,
        seconds=outcome.seconds,
        curve=outcome.curve,
        tried=[record(setting, replace(outcome, outputs=outputs), rate=rate)],
        collapsed=setting.collapsed(outputs),
        diverged=outcome.diverged,
    )


class Body(nn.Module):
    """What is trained: everything behind the cut, without a head.

    Args:
        suffix: ``backbone.suffix(depth)``.
    """

    def __init__(self, suffix: nn.Module) -> None:
        super().__init__()
        self.suffix = suffix

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Activations at the cut (b, ...) to features (b, d)."""
        features: torch.Tensor = self.suffix(hidden)
        return features


class Pairs(Training):
    """Batches of pairs of training items, in an order that is a pure function of (seed, epoch).

    ``inputs`` are the items of a batch's pairs, each once; ``targets`` (p, 3) hold two positions among them, and 1 for
    one class or 0 for two.
    """

    def __len__(self) -> int:
        return max(1, -(-len(self.pairs(0)) // max(1, self.batch_size // 2)))

    def pairs(self, epoch: int) -> np.ndarray:
        """All pairs of an epoch (p, 3): two positions in the data set, and 1 for one class or 0 for two."""
        draw, found = seeds.generator(self.seed, "pairs", epoch), list[tuple[int, int, int]]()
        classes = self.targets[self.rows]
        members = {name: self.rows[classes == name] for name in np.unique(classes)}
        others = {name: self.rows[classes != name] for name in members}
        for row, name in zip(self.rows, classes, strict=True):
            mates = members[name][members[name] != row]
            for some, alike in ((mates, 1), (others[name], 0)):
                if len(some):
                    found.append((int(row), int(some[draw.integers(len(some))]), alike))
        return np.array([found[i] for i in draw.permutation(len(found))])

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from the ``start``-th on."""
        pairs, size, view = self.pairs(epoch), max(1, self.batch_size // 2), self._view(epoch)
        for step in range(start, len(self)):
            some = pairs[step * size : (step + 1) * size]
            index, place = np.unique(some[:, :2], return_inverse=True)
            targets = np.column_stack([place.reshape(-1, 2), some[:, 2]])
            yield Batch(self.activations.batch(index, view, epoch, step), torch.from_numpy(targets), index)


def objective(model: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """Mean squared difference between cosines and what the pairs are, of a ``Body`` on a batch of ``Pairs``."""
    features = functional.normalize(model(batch.inputs).float(), dim=1)
    first, second, alike = batch.targets.unbind(dim=1)
    cosines = (features[first] * features[second]).sum(dim=1)
    return {"cosine": functional.mse_loss(cosines, alike.float())}


class _Work:
    def __init__(self, setting: Setting, *, depth: int, weight_decay: float, views: int, **given: int) -> None:
        self.setting, self.depth, self.weight_decay = setting, depth, weight_decay
        self.batch_size, self.patience = given["batch_size"], given["patience"]
        self.options = {"depth": depth, "batch_size": self.batch_size, "weight_decay": weight_decay, "views": views}
        self.activations = setting.frozen.at(depth, views, setting.augmentation)
        self.backbone = setting.frozen.backbone.copy()
        self.rows = np.concatenate([setting.train, setting.held])

    def fit(self, rate: float, epochs: int) -> Fit:
        setting, label = self.setting, f"setfit@{self.depth}"
        body = Body(self.backbone.suffix(self.depth))
        names = tuple(name for name, value in body.named_parameters() if value.is_floating_point())
        stream = Pairs(
            self.activations,
            setting.train,
            setting.targets,
            batch_size=self.batch_size,
            seed=setting.draw(label, "stream"),
        )
        choose = setting.choose and len(setting.held) > 0
        phase = Phase(
            objective=objective,
            groups=(Group(names, rate, self.weight_decay),),
            epochs=epochs,
            still=statistics.names(body),
            patience=self.patience if self.patience and choose else None,
            name=label,
        )
        return Fit(
            name=f"{setting.name}{label}/final-{rate:g}",
            title=f"{setting.title or label}, rate {rate:g}",
            model=body,
            stream=stream,
            phases=(phase,),
            # What is judged are the features of all items: the head is solved on those of the training part.
            held_out=HeldOut(
                Judging(self.activations, self.rows, setting.targets),
                self._score,
                setting.watch,
                setting.minimise,
                choose,
            ),
            seed=setting.draw(label, "fit"),
            detail={"rate": rate, "epochs": epochs, "depth": self.depth, "batch_size": self.batch_size},
        )

    def solved(self, outcome: Outcome) -> tuple[nn.Linear, np.ndarray]:
        """The head on the features that a fit ended with, and its outputs (n, C) for the held-out items."""
        if outcome.outputs is None:
            # Without a single judged epoch nothing is known of the new features, and every answer is level.
            return from_probe(self.setting)()[1], np.zeros((len(self.setting.held), self.setting.outputs), np.float32)
        linear = self._solve(outcome.outputs)
        return as_head(linear), linear.outputs(outcome.outputs[len(self.setting.train) :]).astype(np.float32)

    def _solve(self, features: np.ndarray) -> Linear:
        setting, count = self.setting, len(self.setting.train)
        seed = setting.draw("inner folds")
        targets = setting.targets[setting.train]
        return setting.task.solve(features[:count], targets, penalty=None, weights=setting.weights, seed=seed)[0]

    def _score(self, features: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        count = len(self.setting.train)
        if count == len(features):
            return {self.setting.watch: 0.0}
        return dict(self.setting.score(self._solve(features).outputs(features[count:]), targets[count:]))
