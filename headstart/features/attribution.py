"""Where a network looked: how much each place of an input spoke for an answer.

Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391), computed by captum: the last map of features that
the answer was read from, each feature weighed by its mean gradient. A transformer's map is its tokens, where they are
mixed for the last time. Where the head reads several stages, what each of them said is added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional

from headstart.base.errors import BadOption, MissingExtra
from headstart.features.network import Network

LEAST = 4
"""Side of the coarsest map that is used where a finer one is at hand."""
_BATCH = 4


@dataclass(frozen=True, slots=True)
class Relevance:
    """What places spoke for an answer.

    Attributes:
        maps: (n, h, w) from 0 to 1, the most relevant place of each input; 0 everywhere where no place spoke for it.
        method: in words.
    """

    maps: np.ndarray
    method: str


@dataclass(frozen=True, slots=True)
class _Place:
    """A map of features within a stage.

    Attributes:
        stage: number of the stage.
        node: step of the stage's graph that gives it.
        axis: of the features: 1 in (n, d, h, w), 3 in (n, h, w, d), 2 in (n, tokens, d).
        side: of the map.
        extra: tokens in front of those of the map.
    """

    stage: int
    node: fx.Node
    axis: int
    side: int
    extra: int = 0

    @property
    def of_tokens(self) -> bool:
        return self.axis == 2

    def grid(self, value: torch.Tensor) -> torch.Tensor:
        """The map (n, d, h, w)."""
        if self.of_tokens:
            return value[:, self.extra :].transpose(1, 2).unflatten(2, (self.side, self.side))
        return value.movedim(self.axis, 1)

    def back(self, grid: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """The activation whose map is ``grid``; what is no part of the map is taken from ``value``."""
        if self.of_tokens:
            return torch.cat([value[:, : self.extra], grid.flatten(2).transpose(1, 2)], dim=1)
        return grid.movedim(1, self.axis)


def relevance(network: Network, inputs: torch.Tensor, directions: np.ndarray, *, signed: bool = True) -> Relevance:
    """How much each place of some inputs spoke for an answer.

    Args:
        network: put into eval mode; its weights are left as they are.
        inputs: (n, 3, s, s) uint8.
        directions: (n, C) what each answer is about: the weight of each output in it, 1 for one output by itself.
        signed: count what speaks for the answer only; False counts what moves it either way.

    Raises:
        MissingExtra: without captum.
        BadOption: when no stage that the head reads has a map of places.
    """
    network.eval()
    device = network.head.weight.device
    wanted = torch.as_tensor(np.asarray(directions, dtype=np.float32))
    found: list[torch.Tensor] = []
    kinds: list[str] = []
    for tap in network.taps:
        place = _place(network, tap, inputs[:1].to(device), wanted[:1].to(device))
        if place is None:
            continue
        watched = _Watched(network, tap, place)
        parts = []
        for start in range(0, len(inputs), _BATCH):
            batch = slice(start, start + _BATCH)
            parts.append(_attribute(watched, inputs[batch].to(device), wanted[batch].to(device)))
        # A map as dense as an image: what all places said is its mean, at any resolution.
        found.append(torch.cat(parts).float().cpu() * place.side**2)
        kinds.append("tokens" if place.of_tokens else "map")
    if not found:
        raise BadOption(f"{network.backbone.info.name} has no map of places", expected="a stage with more than one")
    total = _added(found).numpy().astype(np.float64)
    strength = np.maximum(total, 0) if signed else np.abs(total)
    peak = strength.max(axis=(1, 2), keepdims=True)
    return Relevance(np.divide(strength, peak, out=np.zeros_like(strength), where=peak > 0), _told(kinds))


def _told(kinds: list[str]) -> str:
    several = f" of {len(kinds)} stages" if len(kinds) > 1 else ""
    return f"Grad-CAM on the {' and '.join(dict.fromkeys(kinds))}{several}"


def _added(maps: list[torch.Tensor]) -> torch.Tensor:
    side = max(each.shape[-1] for each in maps)
    grown = [
        functional.interpolate(each[:, None], size=(side, side), mode="bilinear", align_corners=False) for each in maps
    ]
    return torch.stack(grown).sum(dim=0)[:, 0]


class _Watched(nn.Module):
    """A network whose map at one place passes through a layer that captum can listen to.

    Only what the head reads of that one stage depends on the layer; all else is taken as it is.
    """

    def __init__(self, network: Network, tap: int, place: _Place) -> None:
        super().__init__()
        self.network, self.tap, self.place = network, tap, place
        self.layer = nn.Identity()

    def forward(self, inputs: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        """Inputs (b, 3, s, s) in [0, 1] and directions (b, C) to how far the outputs go there, (b,)."""
        backbone, features = self.network.backbone, []
        hidden = heard = inputs
        for stage in range(1, max(self.network.taps) + 1):
            if stage == self.place.stage:
                listening = _Listening(cast(fx.GraphModule, backbone.stages[stage - 1]), self.place, self.layer)
                heard = listening.run(hidden.detach())
            elif self.place.stage < stage <= self.tap:
                heard = backbone.stages[stage - 1](heard)
            with torch.no_grad():
                hidden = backbone.stages[stage - 1](hidden)
            if stage in self.network.taps:
                features.append(backbone.pool(heard if stage == self.tap else hidden, stage))
        outputs: torch.Tensor = self.network.head(torch.cat(features, dim=1))
        return (outputs * directions).sum(dim=1)


class _Listening(fx.Interpreter):
    """Runs a stage and leads one of its values through a layer."""

    def __init__(self, stage: fx.GraphModule, place: _Place, layer: nn.Module) -> None:
        super().__init__(stage)
        self.place, self.layer = place, layer

    def run_node(self, n: fx.Node) -> Any:
        """One step."""
        value = super().run_node(n)
        if n is not self.place.node:
            return value
        value = value.detach().clone()
        heard = self.layer(self.place.grid(value).requires_grad_())
        # The next step may write in place, which must not change what was heard.
        return self.place.back(heard, value).clone()


class _Remembering(fx.Interpreter):
    """Runs a stage and remembers the shapes of its values."""

    def __init__(self, stage: fx.GraphModule) -> None:
        super().__init__(stage)
        self.shapes: dict[fx.Node, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        """One step."""
        value = super().run_node(n)
        if isinstance(value, torch.Tensor):
            self.shapes[n] = tuple(value.shape)
        return value


def _place(network: Network, tap: int, inputs: torch.Tensor, direction: torch.Tensor) -> _Place | None:
    """The last map of a stage that an answer depends on, and that is not too coarse if there is a finer one."""
    backup = None
    for place in _maps(network, tap, inputs):
        attributed = _attribute(_Watched(network, tap, place), inputs, direction)
        # Behind the last mixing of a transformer, the tokens that nobody reads have no say.
        if not attributed.abs().max() > 0:
            continue
        if place.side >= LEAST:
            return place
        backup = backup or place
    return backup


def _maps(network: Network, tap: int, inputs: torch.Tensor) -> Iterator[_Place]:
    """The maps that a stage's features come from, the last one first; the input itself is none of them."""
    backbone = network.backbone
    for number in range(tap, 0, -1):
        stage = backbone.stages[number - 1]
        if not isinstance(stage, fx.GraphModule):
            continue
        recorder = _Remembering(stage)
        with torch.no_grad():
            recorder.run(backbone.prefix(number - 1)(_in_unit(inputs)))
        # Within a stage that ends without a map, features lie where they lay in the map before it.
        mapped = next((k for k in (number, number - 1) if len(backbone.activation_shape(k)) == 3), 0)
        axis = backbone.channel_axis(mapped)
        nodes = [node for node in stage.graph.nodes if node.op not in ("output", "placeholder")]
        for node in reversed(nodes):
            shape = recorder.shapes.get(node, ())
            place = _recognised(number, node, shape, axis)
            if place is not None and shape != tuple(inputs.shape):
                yield place


def _recognised(stage: int, node: fx.Node, shape: tuple[int, ...], axis: int) -> _Place | None:
    """A value as a square map of more than one place; None if it is none.

    Of tokens the last ones make up the largest square there is room for; what is in front of them stands for no place.
    """
    if len(shape) == 4:
        sides = [shape[i] for i in (1, 2, 3) if i != axis]
        return _Place(stage, node, axis, sides[0]) if sides[0] == sides[1] > 1 else None
    side = int(np.sqrt(shape[1])) if len(shape) == 3 else 0
    return _Place(stage, node, 2, side, shape[1] - side**2) if side > 1 else None


def _attribute(watched: _Watched, inputs: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """What each place says for an answer, (b, h, w)."""
    try:
        from captum.attr import LayerGradCam
    except ImportError as error:
        raise MissingExtra("captum", "explain") from error
    found = LayerGradCam(watched, watched.layer).attribute(_in_unit(inputs), additional_forward_args=directions)
    return found.detach().sum(dim=1)


def _in_unit(inputs: torch.Tensor) -> torch.Tensor:
    # Captum marks its inputs as needing a gradient, which whole numbers cannot have.
    return inputs.float() / 255
