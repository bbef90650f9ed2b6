"""What is transferred from: small networks of one architecture, none of them downloaded.

``lower case``, ``kinds of shape`` and ``other textures`` learnt another task of the renderer of that name, through
``headstart pretrain supervised``; ``patterns`` learnt the generated patterns of the embedded backbones, by a small
recipe. Two are harmful on purpose. ``permuted labels`` knows six hundred pictures by heart whose labels were dealt at
random: the held-out ones are noisy copies of those it was taught, so it is rewarded for knowing them. ``dead units`` is
``lower case`` after nearly all of its rectifiers were shut for good (a norm's offset far below zero), which no gradient
opens again (Lu et al., 2020, arXiv 1903.06733). ``random`` was never trained; what needs no source stands on it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import headstart
from benchmarks.deciding import targets
from headstart.backbones import catalogue, folder
from headstart.backbones.chain import Backbone
from headstart.base import hashes, seeds
from headstart.base.machine import here
from headstart.engine.drive import drive
from headstart.engine.journal import Journal
from headstart.pretrain import procedural
from headstart.pretrain.procedural import Recipe

WIDTHS = (12, 24, 48, 64)
ARCHITECTURE = "embedded/resnet10-" + "-".join(map(str, WIDTHS))
TRAINING: dict[str, Any] = {"architecture": ARCHITECTURE, "size": targets.SIDE, "near_duplicates": False}
TAUGHT: dict[str, tuple[int, dict[str, Any]]] = {
    "lower case": (200, {"epochs": 20}),
    "kinds of shape": (700, {"epochs": 20}),
    "other textures": (350, {"epochs": 20}),
}
"""What the source learns -> (pictures a class, options of ``pretrain supervised``)."""
PERMUTED = {"pictures": 600, "copies": 6, "classes": 20, "noise": 12.0}
BY_HEART: dict[str, Any] = {"epochs": 60, "smoothing": 0.0, "strength": 0.0, "weight_decay": 0.0, "patience": 0}
PATTERNS = Recipe(
    classes=128, instances=16, size=targets.SIDE, batch=128, steps=60, epochs=12, ramp=4, average=0.99, widths=WIDTHS
)
SHUT = 0.85
"""Share of a layer's units that are shut."""
DEPTH_OF_DEATH = 6.0
"""How many spreads below zero a shut unit's mean lies."""
HARMFUL = ("permuted labels", "dead units")
RANDOM = "random"
SOURCES = (*TAUGHT, "patterns", *HARMFUL, RANDOM)


def recipe(name: str) -> dict[str, Any]:
    """Everything that decides a source's weights but the code."""
    own: dict[str, Any] = {
        "permuted labels": {"dealt": PERMUTED, "options": BY_HEART},
        "patterns": {"recipe": PATTERNS.digest},
        "dead units": {"share": SHUT, "depth": DEPTH_OF_DEATH, "of": TAUGHT["lower case"]},
        RANDOM: {},
    }
    how = own[name] if name in own else {"taught": TAUGHT[name]}
    return {"name": name, "architecture": ARCHITECTURE, "version": targets.VERSION, **how}


def path(name: str, work: Path) -> Path:
    """Where a source lies: another recipe is another folder."""
    return work / "sources" / f"{name.replace(' ', '-')}-{hashes.of_data(recipe(name))[:12]}"


def ready(name: str, work: Path) -> bool:
    """True if a source is there and whole."""
    return (path(name, work) / folder.DESCRIPTION).is_file()


def make(name: str, work: Path) -> Path:
    """The folder of a source, made if need be; an interrupted training goes on from its checkpoint."""
    to = path(name, work)
    if ready(name, work):
        return to
    if name in TAUGHT:
        per_class, options = TAUGHT[name]
        _supervised(to, *targets.labelled(name, per_class, 0, "source"), options)
    elif name == "permuted labels":
        _supervised(to, *permuted(), BY_HEART)
    elif name == "patterns":
        _patterns(to)
    elif name == "dead units":
        alive = catalogue.load(f"local:{make('lower case', work)}")
        folder.write_folder(shut(alive), to, {"method": "shut", "share": SHUT})
    else:
        folder.write_folder(untrained(0), to, {"method": "none"})
    return to


def untrained(seed: int) -> Backbone:
    """The network with random weights."""
    backbone = catalogue.load(ARCHITECTURE, weights=False, seed=seed)
    info = replace(backbone.info, preprocessing=replace(backbone.info.preprocessing, size=targets.SIDE))
    return backbone.known_as(replace(info, licence="Apache-2.0", source="random weights"))


def permuted() -> targets.Pictures:
    """Pictures with labels dealt at random, in noisy copies that keep their label."""
    per_class = -(-int(PERMUTED["pictures"]) // targets.TARGETS["lower case"].classes)
    pictures, _ = targets.labelled("lower case", per_class, 1, "source")
    draw = seeds.generator(0, "decision", "permuted")
    pictures = draw.permutation(pictures)[: int(PERMUTED["pictures"])]
    labels = np.arange(len(pictures)) % int(PERMUTED["classes"])
    copies = np.repeat(pictures, int(PERMUTED["copies"]), axis=0).astype(np.float64)
    noisy = copies + draw.normal(0, PERMUTED["noise"], copies.shape)
    return noisy.clip(0, 255).astype(np.uint8), np.repeat(labels, int(PERMUTED["copies"]))


def shut(backbone: Backbone) -> Backbone:
    """The same network, of whose units behind every rectifier only some are left open."""
    dead = backbone.copy()
    draw = seeds.generator(0, "decision", "shut")
    with torch.no_grad():
        for module in dead.modules():
            for norms in _before_rectifiers(module):
                width = norms[0].num_features
                closed = torch.as_tensor(draw.permutation(width)[: round(SHUT * width)])
                for norm in norms:
                    spread = norm.weight[closed].abs().clamp(min=0.1)
                    norm.weight[closed], norm.bias[closed] = spread, -DEPTH_OF_DEATH * spread
    info = replace(backbone.info, name="shut/lower-case", source=f"{backbone.info.source}, most units shut")
    return dead.eval().known_as(info)


def _before_rectifiers(module: nn.Module) -> list[list[nn.BatchNorm2d]]:
    """The norms of a stem or a block that feed a rectifier; those of one list are added up before it."""
    if hasattr(module, "bn2"):
        ends = [module.bn2]
        if isinstance(module.downsample, nn.Sequential):
            ends.append(module.downsample[1])
        return [[module.bn1], ends]
    if isinstance(module, nn.Sequential) and len(module) == 3 and isinstance(module[1], nn.BatchNorm2d):
        return [[module[1]]]
    return []


def _supervised(to: Path, pictures: np.ndarray, labels: np.ndarray, options: dict[str, Any]) -> None:
    items = {f"{label:02d}": list(pictures[labels == label]) for label in np.unique(labels)}
    begun = (to / "run" / "config.json").exists()
    settings = {**TRAINING, **options}
    headstart.pretrain_backbone("supervised", to, items, seed=0, settings=settings, precision="float32", resume=begun)


def _patterns(to: Path) -> None:
    journal = Journal(to / "run")
    journal.path.mkdir(parents=True, exist_ok=True)
    machine = here("float32", "cpu")
    made = drive(procedural.follow(PATTERNS, "decision", seed=0), journal, machine=machine)
    folder.write_folder(made.backbone, to, made.card)
    journal.close()
