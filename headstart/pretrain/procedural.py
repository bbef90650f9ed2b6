"""Pretraining on generated patterns: no photographs, no download, no labels but the generators' own parameters.

Cross-entropy over generator classes with label smoothing, plus a supervised contrastive term on a projection that is
thrown away. Formula-driven supervision is due to Kataoka et al. (ACCV 2020, arXiv:2101.08515); that a mix of many
simple generators is what helps small networks, to Baradad et al. (2021, arXiv:2106.05963; 2022, arXiv:2211.16412);
joining both losses for transfer, to Islam et al. (ICCV 2021, arXiv:2103.13517).
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from headstart.backbones import catalogue, embedded
from headstart.backbones.chain import Backbone
from headstart.base import hashes
from headstart.base.errors import UnknownName
from headstart.base.progress import Reporter, Silent
from headstart.base.seeds import derive
from headstart.base.work import Batch, Fit, Group, Objective, Outcome, Phase
from headstart.pretrain.contrast import supervised_contrastive
from headstart.pretrain.made import Pretrained, fingerprint
from headstart.pretrain.mixture import SHARES, Patterns, PatternStream

LICENCE = "Apache-2.0"
SOURCE = "generated patterns, no photographs"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, apart from the seed.

    Attributes:
        classes, instances: labels, and pictures rendered for each.
        size: side of a view, pixels.
        batch: views a step.
        steps, epochs: steps in an epoch, and epochs.
        rate: peak learning rate of SGD.
        weight_decay: of convolutions and linear layers.
        smoothing: label smoothing.
        contrast: weight of the supervised contrastive term.
        temperature: of that term.
        average: decay of the moving average of the weights.
        ramp: epochs over which augmentation grows to its full strength.
        widths: channels of the network's stages.
        shares: family -> part of the classes.
        groups: of GroupNorm; None takes BatchNorm.
    """

    classes: int
    instances: int
    size: int
    batch: int
    steps: int
    epochs: int
    rate: float = 0.1
    weight_decay: float = 5e-4
    smoothing: float = 0.1
    contrast: float = 0.3
    temperature: float = 0.1
    average: float = 0.99
    ramp: int = 0
    widths: tuple[int, ...] = (48, 96, 192, 384)
    shares: tuple[tuple[str, float], ...] = tuple(SHARES.items())
    groups: int | None = None

    @property
    def views(self) -> int:
        """Pictures that training looks at."""
        return self.batch * self.steps * self.epochs

    @property
    def digest(self) -> str:
        """SHA-256 of the recipe; what is None is left out, so that a new optional part changes no older digest."""
        return hashes.of_data({name: value for name, value in asdict(self).items() if value is not None})


PRESETS: Mapping[str, Recipe] = {
    "smoke": Recipe(classes=8, instances=4, size=32, batch=16, steps=10, epochs=2, average=0.0, widths=(8, 16, 24, 32)),
    "cpu-5": Recipe(classes=512, instances=24, size=32, batch=128, steps=200, epochs=10, ramp=4),
    "cpu-15": Recipe(classes=1024, instances=32, size=32, batch=128, steps=200, epochs=30, ramp=10, average=0.995),
    "cpu-60": Recipe(classes=2048, instances=48, size=32, batch=128, steps=200, epochs=120, ramp=30, average=0.998),
}
"""Step plans; the number is about the minutes they take on two cores with native bf16."""


class Learner(nn.Module):
    """The network being pretrained, with the two heads that are thrown away afterwards."""

    def __init__(self, network: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.network = network
        self.classifier = nn.Linear(width, classes)
        self.projector = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 128))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures (n, 3, s, s) uint8 to class logits (n, classes) and embeddings (n, 128)."""
        features = self.network(x.float() / 127.5 - 1)
        return self.classifier(features), self.projector(features)


def objective(recipe: Recipe) -> Objective:
    """Cross-entropy, and the weighted contrastive term, of a ``Learner`` on a batch."""

    def terms(model: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        logits, embeddings = model(batch.inputs)
        classification = functional.cross_entropy(logits.float(), batch.targets, label_smoothing=recipe.smoothing)
        contrast = supervised_contrastive(embeddings, batch.targets, recipe.temperature)
        return {"cross_entropy": classification, "contrast": recipe.contrast * contrast}

    return terms


def plan(
    *, preset: str = "cpu-15", seed: int = 0, report: Reporter | None = None
) -> Generator[Fit, Outcome, Pretrained]:
    """One fit over the pattern mixture; returns the network.

    Args:
        preset: a name in ``PRESETS``.
        seed: of the initial weights, the patterns, their order and their augmentation.
        report: told when the patterns are rendered.

    Raises:
        UnknownName: for a preset that does not exist.
    """
    if preset not in PRESETS:
        raise UnknownName("preset", preset, PRESETS)
    # Checked here and not in the generator, which would find out only after the output folder was begun.
    return follow(PRESETS[preset], preset, seed=seed, report=report)


def follow(
    recipe: Recipe, preset: str, *, seed: int = 0, report: Reporter | None = None
) -> Generator[Fit, Outcome, Pretrained]:
    """The plan of any recipe; ``preset`` is what it is called."""
    architecture = embedded.architecture(recipe.widths, recipe.groups)
    backbone = catalogue.load(architecture, weights=False, seed=derive(seed, "network"))
    model = _learner(backbone, recipe, seed)
    stream = PatternStream(
        classes=recipe.classes,
        instances=recipe.instances,
        size=recipe.size,
        batch=recipe.batch,
        steps=recipe.steps,
        seed=derive(seed, "patterns"),
        shares=dict(recipe.shares),
        ramp=recipe.ramp,
        report=report or Silent(),
    )
    names = tuple(name for name, _ in model.named_parameters())
    phase = Phase(
        objective=objective(recipe),
        groups=(Group(names, recipe.rate, recipe.weight_decay),),
        epochs=recipe.epochs,
        optimiser="sgd",
        warmup=0.05,
        clip=5.0,
        average=recipe.average,
        name="patterns",
    )
    outcome = yield Fit(
        name=f"procedural-{preset}",
        model=model,
        stream=stream,
        phases=(phase,),
        seed=seed,
        detail={"preset": preset, "seed": seed, "recipe": recipe.digest},
    )
    named = _named(backbone, recipe, preset)
    card = {**_card(preset, recipe, seed, outcome), "fingerprint": fingerprint(named)}
    return Pretrained(named, card, source=lambda: patterns(recipe, seed))


def patterns(recipe: Recipe, seed: int) -> Patterns:
    """The patterns of a recipe as they are, some of every class."""
    return Patterns(recipe.classes, size=recipe.size, seed=derive(seed, "patterns"), shares=dict(recipe.shares))


def _learner(backbone: Backbone, recipe: Recipe, seed: int) -> Learner:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "heads"))
        return Learner(backbone.module, recipe.widths[-1], recipe.classes)


def _named(backbone: Backbone, recipe: Recipe, preset: str) -> Backbone:
    """The trained network under its own name, with what it was trained with."""
    info = replace(
        backbone.info,
        name=f"procedural/{preset}",
        preprocessing=backbone.info.preprocessing.resized(recipe.size),
        licence=LICENCE,
        source=SOURCE,
        local=True,
    )
    return backbone.known_as(info)


def code_digest() -> str:
    """SHA-256 of this room's source, generators included: what, with the recipe and the seed, makes the weights."""
    room = Path(__file__).parent
    files = sorted(room.rglob("*.py"))
    return hashes.of_texts(
        text for path in files for text in (path.relative_to(room).as_posix(), path.read_text("utf-8"))
    )


def _card(preset: str, recipe: Recipe, seed: int, outcome: Outcome) -> dict[str, Any]:
    curve = [
        {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}
        for row in outcome.curve
    ]
    return {
        "source": SOURCE,
        "licence": LICENCE,
        "command": f"headstart pretrain procedural --preset {preset} --seed {seed}",
        "preset": preset,
        "seed": seed,
        "recipe": asdict(recipe),
        "recipe_sha256": recipe.digest,
        "code_sha256": code_digest(),
        "views": recipe.batch * sum(1 for _ in curve) * recipe.steps,
        "seconds": round(outcome.seconds, 1),
        "curve": curve,
        "torch": importlib.metadata.version("torch"),
    }
