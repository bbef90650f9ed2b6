"""The mixed set of generated patterns: rendered once into memory, then streamed with strong augmentation.

Every class of every family is one label. A batch holds two instances of each of its classes, so that a supervised
contrastive loss finds its positives without a second forward pass.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch

from headstart.base.errors import BadOption
from headstart.base.progress import Reporter, Silent
from headstart.base.seeds import derive, generator
from headstart.base.work import Batch
from headstart.pretrain.augmentation import augment

SHARES: Mapping[str, float] = {
    "strokes": 0.34,
    "contours": 0.2,
    "ifs": 0.16,
    "leaves": 0.12,
    "cppn": 0.1,
    "spectrum": 0.08,
}
"""Family -> its part of the classes."""
EACH = 4
"""Instances of every class that stand for the source; more where there would be fewer than ``FEWEST`` patterns."""
FEWEST = 256
START = 0.25
"""Strength of augmentation in the first epoch of a ramp."""


def class_counts(classes: int, shares: Mapping[str, float] = SHARES) -> dict[str, int]:
    """How many classes each family gets; they add up to ``classes``.

    Raises:
        BadOption: when there are fewer classes than families.
    """
    if classes < len(shares):
        raise BadOption(f"{classes} classes cannot be shared by {len(shares)} families", expected=f">= {len(shares)}")
    total = sum(shares.values())
    counts = {family: max(1, int(classes * share / total)) for family, share in shares.items()}
    largest = max(counts, key=lambda family: counts[family])
    counts[largest] += classes - sum(counts.values())
    return counts


def render_pool(
    classes: int,
    instances: int,
    *,
    size: int,
    seed: int,
    shares: Mapping[str, float] = SHARES,
    report: Reporter | None = None,
) -> torch.Tensor:
    """All patterns, uint8 (classes, instances, 3, size, size); about 700 a second and core at 48 pixels."""
    jobs = [(family, number) for family, count in class_counts(classes, shares).items() for number in range(count)]
    families = {family: importlib.import_module(f"headstart.pretrain.patterns.{family}") for family in shares}
    pool = np.empty((classes, instances, 3, size, size), np.uint8)

    def fill(place: int) -> None:
        family, number = jobs[place]
        pool[place] = families[family].render(number, range(instances), size=size, seed=seed)

    (report or Silent()).say(f"Rendering {classes * instances:,} patterns of {classes:,} classes")
    with ThreadPoolExecutor(2) as workers:
        for _ in workers.map(fill, range(classes)):
            pass
    return torch.from_numpy(pool)


class Patterns:
    """Patterns as they are, without augmentation, drawn when they are asked for: what the source looks like.

    Args:
        classes: labels, over all families.
        size: of a pattern, pixels.
        seed: of the patterns.
        shares: family -> its part of the classes.
    """

    def __init__(self, classes: int, *, size: int, seed: int, shares: Mapping[str, float] = SHARES) -> None:
        self.size, self.seed = size, seed
        self.instances = max(EACH, -(-FEWEST // classes))
        counts = class_counts(classes, shares)
        self.jobs = [(family, number) for family, count in counts.items() for number in range(count)]

    def __len__(self) -> int:
        return len(self.jobs) * self.instances

    def __getitem__(self, positions: np.ndarray) -> torch.Tensor:
        """Patterns (b, 3, size, size) uint8; position p is instance p % instances of class p // instances."""
        return torch.from_numpy(np.concatenate([self._draw(int(position)) for position in positions]))

    def _draw(self, position: int) -> np.ndarray:
        (family, number), instance = self.jobs[position // self.instances], position % self.instances
        room = importlib.import_module(f"headstart.pretrain.patterns.{family}")
        found: np.ndarray = room.render(number, [instance], size=self.size, seed=self.seed)
        return found


@dataclass(slots=True)
class PatternStream:
    """Batches of augmented patterns, in an order that is pure in (seed, epoch).

    Attributes:
        classes: labels, over all families.
        instances: rendered a class; augmentation makes every view new.
        size: side of a view, pixels; patterns are rendered half as large again, so that crops keep detail.
        batch: views a step, half as many classes.
        steps: in one epoch.
        seed: of patterns, order and augmentation.
        ramp: epochs over which augmentation grows to its full strength; without, the first hundreds of steps learn
            next to nothing.
    """

    classes: int
    instances: int
    size: int
    batch: int
    steps: int
    seed: int
    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)
    ramp: int = 0
    report: Reporter = field(default_factory=Silent)
    _pool: torch.Tensor | None = None

    def __len__(self) -> int:
        """Steps in one epoch."""
        return self.steps

    @property
    def pool(self) -> torch.Tensor:
        """The rendered patterns; drawn when first needed."""
        if self._pool is None:
            self._pool = render_pool(
                self.classes,
                self.instances,
                size=self.size * 3 // 2,
                seed=self.seed,
                shares=self.shares,
                report=self.report,
            )
        return self._pool

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from the ``start``-th on."""
        for step in range(start, self.steps):
            yield self._batch(epoch, step)

    def _batch(self, epoch: int, step: int) -> Batch:
        rng = generator(self.seed, "batch", epoch, step)
        half = self.batch // 2
        chosen = rng.permutation(self.classes)[:half] if half <= self.classes else rng.integers(self.classes, size=half)
        first = rng.integers(self.instances, size=half)
        second = (first + 1 + rng.integers(max(1, self.instances - 1), size=half)) % self.instances
        labels = torch.from_numpy(np.concatenate([chosen, chosen]))
        members = torch.from_numpy(np.concatenate([first, second]))
        strength = min(1.0, START + (1 - START) * epoch / self.ramp) if self.ramp else 1.0
        views = augment(
            self.pool[labels, members], self.size, derive(self.seed, "views", epoch, step), strength=strength
        )
        return Batch(inputs=views, targets=labels, index=labels * self.instances + members)
