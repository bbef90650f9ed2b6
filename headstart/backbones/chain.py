"""A pretrained network as a chain of numbered stages; freezing is a cut in the chain.

Everything in front of the cut at depth k is ``prefix(k)``, everything behind it ``suffix(k)``; both share their tensors
with the network, and ``suffix(k)(prefix(k)(x))`` is ``forward(x)`` for every k.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import fx, nn

from headstart.backbones import heads
from headstart.backbones.assembly import Wrapped, assemble
from headstart.backbones.cut import Normalise, Untouched, Whole
from headstart.backbones.statistics import Statistics
from headstart.base import hashes
from headstart.base.errors import BadOption, UnknownName, WeightsError
from headstart.base.vocabulary import BackboneInfo, Reading, Tokenization


class Backbone(nn.Module):
    """A network without its source head, as stages that can be cut apart.

    Args:
        module: normalised images (n, 3, s, s) to pooled features (n, d); put into eval mode here.
        info: what is known of it; the numbers and names that only the network itself tells are filled in.
        rebuild: seed -> the same network, randomly initialised; None if nobody knows how.
        wrapped: functions that the trace keeps whole.

    Attributes:
        info: with ``stages``, ``width`` and ``parameters`` as found.
        module: the network; its ``state_dict`` is what is saved.
        stages: the stages as modules, input first; uint8 or [0, 1] images go into the first, (n, d) leaves the last.
        depth: number of stages, D.
        pace: good learning rates for it, as a share of those of a convolutional network.
        statistics: of its features over its own source; None where nobody kept any.
        source_head: weight (Z, d) and bias (Z,) of the classifier it was published with, where that is one linear layer
            and was read with the weights; None otherwise. No part of what the network is.

    Raises:
        WeightsError: when the network cannot be followed, or its chain does not compute what it computes.
    """

    def __init__(
        self,
        module: nn.Module,
        info: BackboneInfo,
        *,
        rebuild: Callable[[int], nn.Module] | None = None,
        wrapped: Wrapped = (),
    ) -> None:
        super().__init__()
        self.module = module.eval()
        reading = info.preprocessing
        self.input: Untouched | Normalise = (
            Untouched(reading) if isinstance(reading, Tokenization) else Normalise(reading)
        )
        self.rebuild = rebuild
        self.wrapped = wrapped
        self.statistics: Statistics | None = None
        whole = Whole(self.input, self.module).eval()
        # A network that was put together from stages says so itself; others are looked into.
        own = getattr(module, "assembly", None)
        parts = assemble(whole, reading.size, info.name, wrapped) if own is None else own()
        # A tuple, not a ModuleList: the stages share the network's tensors, which must be saved once.
        self.stages: tuple[nn.Module, ...] = parts.modules
        self.depth = len(parts.modules)
        self.pace = parts.pace
        self._axes, self._mean, self._paths = parts.axes, parts.mean, parts.paths
        self._shapes: tuple[tuple[int, ...], ...] = ()
        count = sum(parameter.numel() for parameter in self.module.parameters())
        self.info = replace(
            info, stages=parts.names, width=parts.width, parameters=count, notes=joined(info.notes, parts.notes)
        )
        self.source_head = heads.take(self.module, parts.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (n, 3, s, s), uint8 or in [0, 1], to pooled features (n, d)."""
        for stage in self.stages:
            x = stage(x)
        return x

    @property
    def is_absent(self) -> bool:
        """True where nothing stands in the place of a network (``backbones.absent``): there is nothing to transfer."""
        return self.info.parameters == 0

    @property
    def of_tokens(self) -> bool:
        """True where tokens cross the cuts, the last feature of each saying whether it is there."""
        return self._mean is not None

    def prefix(self, k: int) -> nn.Module:
        """The first k stages; the identity for k = 0.

        Raises:
            BadOption: when k is not in 0..D.
        """
        return nn.Sequential(*self.stages[: self._within(k)])

    def suffix(self, k: int) -> nn.Module:
        """The stages behind the first k; the identity for k = D.

        Raises:
            BadOption: when k is not in 0..D.
        """
        return nn.Sequential(*self.stages[self._within(k) :])

    def pool(self, activation: torch.Tensor, k: int) -> torch.Tensor:
        """What leaves stage k, averaged over space or tokens: (n, d_k), float32."""
        if self._mean is not None and activation.dim() > 2:
            return self._mean(activation)
        others = [axis for axis in range(1, activation.dim()) if axis != self._axes[k - 1]]
        return activation.float().mean(others) if others else activation.float()

    def pooled_width(self, k: int) -> int:
        """Features that ``pool`` gives after stage k."""
        shape = self.activation_shape(k)
        # Behind the features of a token it is noted whether there is one.
        return shape[self._axes[k - 1] - 1] - (self._mean is not None and len(shape) > 1)

    def channel_axis(self, k: int) -> int:
        """Axis of the features in what crosses the cut at depth k: 1 in (n, c, h, w), 3 in (n, h, w, c)."""
        return self._axes[k - 1] if self._within(k) else 1

    def pooled(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Pooled features after every stage, D tensors (n, d_k), float32; the last one is ``forward(x)``."""
        found = []
        for k, stage in enumerate(self.stages, 1):
            x = stage(x)
            found.append(self.pool(x, k))
        return found

    def resolve(self, depth: int | str) -> int:
        """Number of frozen stages from a number or the name of the last frozen stage.

        Raises:
            BadOption: when the number is not in 0..D.
            UnknownName: when no stage has the name.
        """
        text = str(depth).strip()
        if text.lstrip("-").isdigit():
            return self._within(int(text))
        if text not in self.info.stages:
            raise UnknownName("stage", text, self.info.stages, next_move=f"headstart backbones {self.info.name}")
        return self.info.stages.index(text) + 1

    def _within(self, k: int) -> int:
        if not 0 <= k <= self.depth:
            names = ", ".join(f"{i} {name}" for i, name in enumerate(self.info.stages, 1))
            raise BadOption(
                f"Depth {k} is out of range for {self.info.name}",
                where="depth",
                expected=f"0 to {self.depth} frozen stages ({names})",
            )
        return k

    def copy(self) -> Backbone:
        """A deep copy; its stages share the copy's tensors."""
        return copy.deepcopy(self)

    def fresh(self, seed: int) -> Backbone:
        """The same network from random initialisation, its residual branches alive; the global generator is left alone.

        Raises:
            WeightsError: when nobody knows how to build the network anew.
        """
        if self.rebuild is None:
            raise WeightsError(f"{self.info.name} cannot be built from random initialisation")
        return Backbone(self.rebuild(seed), untrained(self.info), rebuild=self.rebuild, wrapped=self.wrapped)

    def check_reading(self, reading: Reading, name: str) -> None:
        """Check that this network was made for what a reading makes of items; files of others may say anything.

        Raises:
            WeightsError: when it was not.
            MissingExtra: without the library that a reading of texts needs.
        """
        own = getattr(self.module, "check_reading", None)
        if own is not None:
            own(reading, name)
        elif isinstance(reading, Tokenization):
            raise WeightsError("The network takes pictures, and its description says that texts are read", where=name)

    def known_as(self, info: BackboneInfo) -> Backbone:
        """Take over other facts, the normalisation among them, for the same network; returns itself."""
        found = self.info
        self.info = replace(
            info,
            stages=found.stages,
            width=found.width,
            parameters=found.parameters,
            notes=joined(info.notes, found.notes),
        )
        self.input.use(info.preprocessing)
        self._shapes = ()
        return self

    def tensors(self, k: int | None = None) -> dict[str, torch.Tensor]:
        """Parameters and buffers of the first k stages (all by default), named as in ``module.state_dict()``."""
        found: dict[str, torch.Tensor] = {}
        for number, stage in enumerate(self.stages[: self.depth if k is None else self._within(k)]):
            path = self._paths[number] if self._paths else ""
            for name, tensor in stage.state_dict().items():
                found[path + name.removeprefix("module.")] = tensor
        return found

    def digest(self, k: int | None = None) -> str:
        """SHA-256 of what ``prefix(k)`` computes with: its tensors, its operations, the normalisation."""
        k = self.depth if k is None else self._within(k)
        structure = {
            "architecture": self.info.architecture,
            "operations": [[str(node) for node in _operations(stage)] for stage in self.stages[:k]],
            "normalisation": self.input.values,
            # What the modules of a library compute is said by its configuration, where no graph says it.
            **({"config": self.info.config} if self._paths else {}),
        }
        return hashes.of_texts([hashes.of_data(structure), hashes.of_tensors(self.tensors(k))])

    def example(self, count: int = 1) -> torch.Tensor:
        """Inputs of ``count`` items as large as the network was trained with, that say nothing."""
        return self.input.example(count, next(self.module.parameters(), torch.empty(0)).device)

    def activation_shape(self, k: int) -> tuple[int, ...]:
        """Shape of what crosses the cut at depth k for one item of the trained size, without the batch axis."""
        if not self._shapes:
            self._shapes = self._measure()
        return self._shapes[self._within(k)]

    def _measure(self) -> tuple[tuple[int, ...], ...]:
        x = self.example()
        shapes = [tuple(x.shape[1:])]
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            with torch.no_grad():
                for stage in self.stages:
                    x = stage(x)
                    shapes.append(tuple(x.shape[1:]))
        finally:
            for module, mode in modes:
                module.training = mode
        return tuple(shapes)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Backbone:
        super()._apply(fn, recurse)
        for stage in self.stages:
            _refer_again(stage, self)
        return self


def joined(said: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...]:
    """What was said of a network before it was built, and what was found in it; each once."""
    return tuple(dict.fromkeys((*said, *found)))


def untrained(info: BackboneInfo) -> BackboneInfo:
    """The facts of a network without its pretrained weights."""
    return replace(info, source="random initialisation", licence="none", local=True, prior=None)


def seeded(seed: int, build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network whose initial weights depend on the seed alone; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would reseed every GPU too, which fork_rng without devices does not undo.
        torch.default_generator.manual_seed(seed % 2**63)
        return build()


def _operations(stage: nn.Module) -> list[Any]:
    if not isinstance(stage, fx.GraphModule):
        return [repr(stage)]
    return [(node.op, node.target if isinstance(node.target, str) else _function(node)) for node in stage.graph.nodes]


def _function(node: fx.Node) -> str:
    return str(getattr(node.target, "__name__", node.target))


def _refer_again(stage: nn.Module, backbone: Backbone) -> None:
    """Moving a network replaces its buffers; a stage that holds one by itself must follow."""
    for node in stage.graph.nodes if isinstance(stage, fx.GraphModule) else ():
        if node.op == "get_attr":
            owner, _, name = str(node.target).rpartition(".")
            setattr(stage.get_submodule(owner), name, getattr(backbone.get_submodule(owner), name))
