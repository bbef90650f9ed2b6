"""The frozen part, computed once: one network over one data set, its pooled features and its activations at a cut.

One forward pass yields the pooled features after *every* stage; ranking, probes, sweeps and the depth curve read
them. ``at(depth)`` keeps the full activations at one cut, for V views of each item, so that a suffix trains on them
without ever running its prefix again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base import discovery, seeds
from headstart.base.machine import Machine
from headstart.base.progress import Reporter, Silent
from headstart.features.pixels import Pixels
from headstart.features.store import EXTENT, Shelf, Store, Writer, as_numpy
from headstart.features.units import Units

BATCH = 32
MIRROR = "mirror"
PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How what is trained on differs from the plain items; a strategy need not know of it.

    Attributes:
        flip: mirror left and right; off where mirroring changes what the label says.
        strength: 0 for none, 1 for the modality's default, 2 the most.
        randaugment: magnitude of RandAugment, 1 to 30 (9 is usual); 0 for none.
        mixup: pairs of a batch are blended, by a share from Beta(mixup, mixup); 0 for none.
        cutmix: a box of one is pasted into the other, its area from Beta(cutmix, cutmix); 0 for none.
    """

    flip: bool = True
    strength: float = 1.0
    randaugment: int = 0
    mixup: float = 0.0
    cutmix: float = 0.0

    @property
    def varies(self) -> bool:
        """Whether a view can differ from the plain item."""
        return self.flip or self.strength > 0 or self.randaugment > 0

    @property
    def name(self) -> str:
        """What the store calls views that are drawn like this; mixing comes after it."""
        return f"{self.flip}-{self.strength}" + (f"-randaugment{self.randaugment}" if self.randaugment else "")


def usual(modality: str) -> Augmentation:
    """The training views of a modality where nobody sets them; a setting that it does not have changes nothing."""
    nothing = {"flip": False, "strength": 0.0}
    return Augmentation(**nothing | discovery.load("data", modality).VIEWS)


class Frozen:
    """A backbone over a list of items.

    Args:
        backbone: put into eval mode, never changed.
        pixels: the items' inputs.
        store: where results are kept.
        machine: where it runs, in which precision.
        seed: of the augmented views.
        report: told of progress.
    """

    def __init__(
        self,
        backbone: Backbone,
        pixels: Pixels | Units,
        store: Store,
        machine: Machine,
        *,
        seed: int = 0,
        report: Reporter | None = None,
    ) -> None:
        self.backbone = backbone.eval().to(machine.device).to(memory_format=torch.channels_last)
        self.pixels, self.store, self.machine, self.seed = pixels, store, machine, seed
        self.report = report or Silent()
        self._read: dict[tuple[int, str], np.ndarray] = {}
        self._held: dict[str, Shelf] = {}
        self._inside: list[np.ndarray] | None = None
        self._digest = backbone.digest()

    def pooled(self, stage: int, view: str = PLAIN) -> np.ndarray:
        """Pooled features (n, d) after ``stage`` (from 1), float32; ``view`` is PLAIN or MIRROR."""
        if (stage, view) not in self._read:
            shelf = self._pooled_shelf(view)
            self._read[stage, view] = as_numpy(shelf.gather(self.pixels.digests, f"stage{stage}"))
        return self._read[stage, view]

    def width(self, stage: int) -> int:
        """Pooled features after a stage."""
        return self.backbone.pooled_width(stage)

    def extract(self, view: str = PLAIN) -> None:
        """Compute what ``pooled`` will read."""
        self._pooled_shelf(view)

    def missing(self) -> int:
        """How many items the store has no pooled features for yet."""
        return len(self._shelf("pooled", PLAIN, self._digest).missing(self.pixels.digests))

    def at(self, depth: int, views: int, augmentation: Augmentation) -> Activations:
        """Activations at the cut after ``depth`` stages: the plain view and ``views - 1`` augmented ones.

        At depth 0 there is nothing to keep: inputs are read, and augmented anew for every batch.
        """
        if depth == 0:
            return Activations(self, 0, [], augmentation)
        whole = self.pixels.whole
        needed = int(self._bytes(depth) * len(whole) * whole.fill)
        views = views if augmentation.varies else 1
        while views > 1 and not self.store.room_for(needed * views):
            views -= 1
        if not self.store.room_for(needed):
            self.report.say(
                f"Activations at depth {depth} would take {needed / 1e9:.1f} GB, over the store's limit: "
                "the prefix is run again for every batch"
            )
            return Activations(self, depth, [], augmentation)
        shelves = []
        for view in range(views):
            name = PLAIN if view == 0 else f"view{view}-{self.seed}-{augmentation.name}"
            shelf = self._shelf(f"cut{depth}", name, self.backbone.digest(depth))
            self._fill(shelf, depth, view, augmentation, f"activations {view + 1}/{views}")
            shelves.append(shelf)
        return Activations(self, depth, shelves, augmentation)

    def _bytes(self, depth: int) -> int:
        """What the activations of one item take at a cut."""
        width = 2 if self.machine.precision == "bf16" else 4
        return width * int(np.prod(self.backbone.activation_shape(depth)))

    def augmented(self, inputs: torch.Tensor, augmentation: Augmentation, *name: str | int) -> torch.Tensor:
        """Inputs as another view, a pure function of (seed, name)."""
        room = discovery.load("data", self.pixels.modality)
        seed = seeds.derive(self.seed, "augment", *name)
        given = {"flip": augmentation.flip, "strength": augmentation.strength, "randaugment": augmentation.randaugment}
        return room.augment(inputs, seed, **given)

    def run(self, module: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
        """A frozen module's output for a batch of inputs."""
        with torch.inference_mode(), self.machine.autocast():
            return module(inputs.to(self.machine.device))

    def _shelf(self, what: str, view: str, digest: str) -> Shelf:
        return self.store.shelf(
            network_name=self.backbone.info.name,
            what=what,
            network=digest,
            preprocessing=self.pixels.preprocessing.as_dict(),
            view=view,
            precision=self.machine.precision,
        )

    def _pooled_shelf(self, view: str) -> Shelf:
        shelf = self._held.get(view) or self._shelf("pooled", view, self._digest)
        batches = self._batches(shelf, self.pixels)
        if not batches:
            return shelf
        batches = [self._parts(batch) for batch in batches]
        self.report.begin(f"features of {self.backbone.info.name}", sum(map(len, batches)))
        writer = Writer(shelf, hold=True)
        try:
            for batch in batches:
                inputs = self.pixels[batch]
                if view == MIRROR:
                    inputs = discovery.load("data", self.pixels.modality).mirror(inputs)
                with torch.inference_mode(), self.machine.autocast():
                    stages = self.backbone.pooled(inputs.to(self.machine.device))
                values = {f"stage{stage}": value.float().cpu() for stage, value in enumerate(stages, start=1)}
                self._keep(writer, self.pixels, batch, values)
        finally:
            writer.flush()
        self.report.end()
        if writer.full is not None:
            self._held[view] = shelf
            self.report.say(
                f"{writer.full.what} ({writer.full.where}): these features are in memory, for this run only"
            )
        return shelf

    def _fill(self, shelf: Shelf, depth: int, view: int, augmentation: Augmentation, what: str) -> None:
        prefix, size, pixels = self.backbone.prefix(depth), self._bytes(depth), self.pixels.whole
        batches = self._batches(shelf, pixels)
        if not batches:
            return
        items = sum(map(len, batches))
        self.store.expect(int(items * size * pixels.fill))
        self.report.begin(what, items)
        writer = Writer(shelf)
        try:
            for batch in batches:
                inputs = pixels[batch]
                if view:
                    inputs = self._view(inputs, batch, view, augmentation)
                hidden = self.run(prefix, inputs)
                hidden = hidden.to(torch.bfloat16 if self.machine.precision == "bf16" else torch.float32).cpu()
                self._keep(writer, pixels, batch, {"hidden": hidden, **self._reach(batch, hidden)})
        finally:
            writer.flush()
        self.report.end()

    def _reach(self, batch: list[int], hidden: torch.Tensor) -> dict[str, torch.Tensor]:
        """How far each text's own part of what crosses the cut reaches, where there are axes for it left."""
        if not self.pixels.ragged or hidden.dim() < 4:
            return {}
        return {"hidden" + EXTENT: torch.from_numpy(self.pixels.whole.extents[batch]).int()}

    def _keep(self, writer: Writer, pixels: Pixels | Units, batch: list[int], values: dict[str, torch.Tensor]) -> None:
        """Write the rows that the shelf lacks; one that is there already stays as it is."""
        digests = [pixels.digests[i] for i in batch]
        lost = set(writer.shelf.missing(digests))
        rows = [row for row, digest in enumerate(digests) if digest in lost]
        writer.add([digests[row] for row in rows], {name: value[rows] for name, value in values.items()})
        self.report.advance(len(batch))

    def _view(self, inputs: torch.Tensor, batch: list[int], view: int, augmentation: Augmentation) -> torch.Tensor:
        """Each item's own view: drawn by its contents, so it is the same in whatever data set and order it comes."""
        return torch.cat(
            [
                self.augmented(inputs[row : row + 1], augmentation, "view", view, self.pixels.whole.digests[i])
                for row, i in enumerate(batch)
            ]
        )

    def forget(self) -> None:
        """Let go of the features held in memory; the store still has them."""
        self._read.clear()

    def _batches(self, shelf: Shelf, kept: Pixels | Units) -> list[list[int]]:
        """The batches of wholes that hold something missing of what is ``kept``.

        Where a batch begins never depends on what is missing, so an extraction that was stopped and continued gives the
        same bits.
        """
        whole = self.pixels.whole
        first = {digest: i for i, digest in reversed(list(enumerate(whole.digests)))}
        order = sorted(first.values())
        if whole.ragged:
            # Texts of about one length go together, for a batch costs what its longest costs.
            extents = whole.extents
            order.sort(key=lambda i: (*extents[i].tolist(), whole.digests[i]))
        lost = set(shelf.missing(kept.digests))
        if kept.owners is not None:
            owners = [int(owner) for owner, digest in zip(kept.owners, kept.digests, strict=True) if digest in lost]
            lost = {whole.digests[owner] for owner in owners}
        batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
        return [batch for batch in batches if any(whole.digests[i] in lost for i in batch)]

    def _parts(self, batch: list[int]) -> list[int]:
        """The items that are parts of these wholes, whole by whole."""
        if self.pixels.owners is None:
            return batch
        if self._inside is None:
            order = np.argsort(self.pixels.owners, kind="stable")
            self._inside = np.split(order, np.cumsum(np.bincount(self.pixels.owners))[:-1])
        return [int(i) for whole in batch for i in self._inside[whole]]


class Activations:
    """What a suffix trains on: stored activations at a cut, or the prefix run again where they do not fit."""

    def __init__(self, frozen: Frozen, depth: int, shelves: Sequence[Shelf], augmentation: Augmentation) -> None:
        self.frozen, self.depth, self.shelves, self.augmentation = frozen, depth, shelves, augmentation

    @property
    def views(self) -> int:
        """How many views are stored; 0 when the prefix is run again."""
        return len(self.shelves)

    def batch(self, positions: np.ndarray, view: int, *name: str | int) -> torch.Tensor:
        """Activations (b, ...) of the items at ``positions``; view 0 is the plain one."""
        if self.shelves:
            wholes, marked = self.frozen.pixels.shared(positions)
            digests = [self.frozen.pixels.whole.digests[i] for i in wholes]
            return marked(self.shelves[view % len(self.shelves)].gather(digests, "hidden"))
        inputs = self.frozen.pixels[positions]
        if view:
            inputs = self.frozen.augmented(inputs, self.augmentation, view, *name)
        if self.depth == 0:
            return inputs
        return self.frozen.run(self.frozen.backbone.prefix(self.depth), inputs).clone()
