"""Self-supervised pretraining on pictures without labels: two views of one picture alike, all pictures apart.

Alignment plus uniformity (Wang and Isola, ICML 2020, arXiv:2005.10242), the loss with the best published record for
small networks on small pictures: Baradad et al. (NeurIPS 2021, arXiv:2106.05963) at 64 pixels, Tang et al. (NeurIPS
2023, arXiv:2306.06076) with a 2.7-million-parameter network at 32. It needs no momentum copy, no queue and no
temperature to tune. Batch: both papers take 256 to 768 pictures a step; uniformity is estimated on the pairs of a
batch, so smaller ones (128 here, for the sake of processors without a GPU) learn somewhat less from each epoch.
Whether features collapsed is measured on held-out pictures without any label.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.errors import DataError
from headstart.base.progress import Reporter, Silent
from headstart.base.seeds import derive, generator
from headstart.base.work import Batch, Fit, Group, HeldOut, Outcome, Phase
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.measure import collapse
from headstart.pretrain import limits, material
from headstart.pretrain.alignment import alignment, uniformity
from headstart.pretrain.augmentation import augment
from headstart.pretrain.made import DIVERGED, Pretrained, provenance
from headstart.pretrain.material import Pictures
from headstart.pretrain.source import MOST
from headstart.pretrain.views import Views

LEAST = 32
"""Different pictures without which there is nothing to tell apart."""
HELD, MOST_HELD = 0.1, 256
"""Share, and largest number, of the pictures that are held out for judging."""
FLAT = 3.0
"""An effective rank below this is called a collapse: the features of all pictures lie (nearly) on a line or plane."""


@dataclass(frozen=True, slots=True)
class _Options:
    architecture: str
    size: int | None
    epochs: int
    batch_size: int
    rate: float
    weight_decay: float
    width: int
    mirror: bool
    strength: float


class Learner(nn.Module):
    """The network with the projector that is thrown away afterwards.

    Args:
        network: pictures to features (n, features).
        features: their number.
        width: of an embedding.
    """

    def __init__(self, network: nn.Module, features: int, width: int) -> None:
        super().__init__()
        self.network, self.width = network, width
        self.projector = nn.Sequential(
            nn.Linear(features, features), nn.BatchNorm1d(features), nn.ReLU(), nn.Linear(features, width)
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Embeddings and features side by side, (n, width + features)."""
        found = self.network(pictures).float()
        return torch.cat([self.projector(found).float(), found], dim=1)


def plan(
    source: Any,
    *,
    architecture: str = "embedded/resnet10",
    size: int | None = None,
    epochs: int = 100,
    batch_size: int = 128,
    rate: float = 2e-3,
    weight_decay: float = 0.01,
    width: int = 128,
    mirror: bool = False,
    strength: float = 0.5,
    seed: int = 0,
    report: Reporter | None = None,
) -> Generator[Fit, Outcome, Pretrained]:
    """One fit over pairs of views; the epoch with the lowest loss on held-out pictures is kept.

    Args:
        source: a folder of pictures (subfolders mean nothing), a pattern, or a list of pictures.
        architecture: provider/name of the network, such as timm/resnet18.
        size: side of its input, pixels; None takes what it was designed for.
        epochs: passes over the pictures.
        batch_size: pictures a step, two views of each.
        rate: peak learning rate of AdamW.
        weight_decay: decoupled weight decay.
        width: of the embeddings that are compared.
        mirror: views may be mirrored; only where a mirrored picture means the same.
        strength: of augmentation, 1 being what procedural uses; on few pictures half of it taught far more.
        seed: of the held-out part, the initial weights, the order and the views.
        report: told what was left out.

    Raises:
        HeadstartError: for a source or an option that cannot be used.
    """
    options = _Options(architecture, size, epochs, batch_size, rate, weight_decay, width, mirror, strength)
    limits.check(asdict(options))
    backbone = material.network(architecture, size=size, seed=derive(seed, "network"))
    report = report or Silent()
    pictures = material.unlabelled(source, report=report)
    if len(pictures.items) < LEAST:
        raise DataError(
            f"{len(pictures.items)} different pictures are too few to learn from without labels",
            where=pictures.origin,
            expected=f"{LEAST} at the very least; thousands are what it takes",
            next_move="use a backbone that is there: headstart fit ... --backbone embedded/resnet10-procedural",
        )
    return _fits(pictures, backbone, options, seed, report)


def _fits(
    pictures: Pictures, backbone: Backbone, options: _Options, seed: int, report: Reporter
) -> Generator[Fit, Outcome, Pretrained]:
    side = backbone.info.preprocessing.size
    # Read half as large again as the network wants them, so that crops keep detail.
    larger = backbone.info.preprocessing.resized(side * 3 // 2)
    pixels = Pixels(pictures.items, pictures.digests, larger, Store(), report=report)
    order = generator(seed, "held out").permutation(len(pixels))
    held = min(MOST_HELD, max(2, int(HELD * len(order))))

    def vary(images: torch.Tensor, draw: int) -> torch.Tensor:
        return _mirrored(augment(images, side, draw, strength=options.strength), draw, options.mirror)

    def views(rows: np.ndarray, batch: int, name: str, *, fixed: bool) -> Views:
        return Views(pixels, rows, batch=batch, seed=derive(seed, name), vary=vary, views=2, fixed=fixed)

    train = order[held:]
    model = _learner(backbone, options.width, seed)
    names = tuple(name for name, parameter in model.named_parameters() if parameter.is_floating_point())
    phase = Phase(
        objective=objective,
        groups=(Group(names, options.rate, options.weight_decay),),
        epochs=options.epochs,
        name="views",
    )
    judging = views(order[:held], held, "judged views", fixed=True)
    outcome = yield Fit(
        name="selfsup",
        model=model,
        stream=views(train, min(options.batch_size, len(train)), "stream", fixed=False),
        phases=(phase,),
        held_out=HeldOut(judging, lambda outputs, _: health(outputs, options.width), watch="loss"),
        seed=seed,
        detail={"data": pictures.digest, **asdict(options)},
    )
    made = material.named(backbone, "selfsup", pictures.origin, f"{len(train):,} pictures without labels")
    card = provenance(made, outcome, method="selfsup", seed=seed, options=asdict(options))
    some = train[:MOST]

    def looked_at() -> Pixels:
        items, digests = ([each[i] for i in some] for each in (pictures.items, pictures.digests))
        return Pixels(items, digests, backbone.info.preprocessing, Store(), report=report)

    return Pretrained(made, {**card, **_about(pictures, outcome, held)}, source=looked_at)


def objective(model: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
    """Alignment and uniformity of a ``Learner`` on a batch whose second half are other views of its first."""
    embeddings = model(batch.inputs)[:, : model.width]
    first, second = embeddings.chunk(2)
    return {"alignment": alignment(first, second), "uniformity": (uniformity(first) + uniformity(second)) / 2}


def health(outputs: np.ndarray, width: int) -> dict[str, float]:
    """Label-free scores of a learner's outputs (2 n, width + features) for two views of n held-out pictures.

    Returns:
        ``loss`` (what is minimised, on the embeddings), and of the features ``effective_rank``, ``spread`` and
        ``recognition``.
    """
    first, second = np.split(outputs[:, :width], 2)
    a, b = torch.from_numpy(first), torch.from_numpy(second)
    one, other = np.split(outputs[:, width:], 2)
    return {
        "loss": float(alignment(a, b) + (uniformity(a) + uniformity(b)) / 2),
        "effective_rank": collapse.effective_rank(one),
        "spread": collapse.spread(one),
        "recognition": collapse.recognition(one, other),
    }


def _learner(backbone: Backbone, width: int, seed: int) -> Learner:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "projector"))
        return Learner(backbone.suffix(0), backbone.info.width, width)


def _mirrored(views: torch.Tensor, seed: int, wanted: bool) -> torch.Tensor:
    if not wanted:
        return views
    chosen = torch.rand(len(views), generator=torch.Generator().manual_seed(derive(seed, "mirror"))) < 0.5
    return torch.where(chosen[:, None, None, None], views.flip(3), views)


def _about(pictures: Pictures, outcome: Outcome, held: int) -> dict[str, Any]:
    """What the card says of the pictures and of the features' health, and what to make of it."""
    found = {name: round(float(value), 4) for name, value in outcome.scores.items()}
    findings = []
    if outcome.diverged:
        findings.append(DIVERGED)
    if found.get("effective_rank", 0.0) < FLAT:
        findings.append(
            f"The features have collapsed: {found.get('effective_rank', 0.0):.1f} dimensions are in use on "
            f"{held} held-out pictures. More or more different pictures, or a lower rate, may help"
        )
    return {
        "data": {
            "sha256": pictures.digest,
            "train": len(pictures.items) - held,
            "held_out": held,
            "skipped": len(pictures.skipped),
            "copies": pictures.copies,
        },
        "health": found | {"guessing": round(1 / held, 4)},
        "findings": findings,
    }
