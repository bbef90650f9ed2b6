"""From a network to its stages as modules: trace, choose the cuts, build one module a stage, check the whole.

A block is looked into only where the network has too few stages without, as where everything sits in one "encoder".
A tensor or module that both sides of a cut use (weight tying) is copied, so that what is frozen stays frozen.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from headstart.backbones import cut, stages
from headstart.base.errors import WeightsError

ENOUGH = 4
"""With this many stages no block needs to be looked into."""
TOLERANCE = 1e-4
"""Largest accepted difference between chain and network, relative to the largest feature."""
PROBE = 96
"""Side in pixels at which a network that takes any size is looked at, to be quick."""
Wrapped = tuple[Callable[..., Any], ...]


@dataclass(frozen=True, slots=True)
class Assembly:
    """A network taken apart.

    Attributes:
        names: of the stages, input first.
        modules: one a stage; they share the network's tensors.
        axes: the channel axis of what leaves each stage.
        width: features after the last stage, d.
        mean: what leaves a stage that is no list of features yet, to (n, d); None averages over space or tokens.
        paths: of the stages within the network, where it consists of them; empty where they were cut out of it.
        notes: what taking it apart has changed, in sentences.
        pace: good learning rates of such networks, as a share of those of a convolutional one.
    """

    names: tuple[str, ...]
    modules: tuple[nn.Module, ...]
    axes: tuple[int, ...]
    width: int
    mean: Callable[[torch.Tensor], torch.Tensor] | None = None
    paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class _Plan:
    graph: fx.Graph
    units: Sequence[cut.Unit]
    stages: Sequence[stages.Stage]
    features: torch.Tensor


def assemble(whole: cut.Whole, size: int, name: str, wrapped: Wrapped = ()) -> Assembly:
    """Take a network apart.

    Args:
        whole: the network with its normalisation, in eval mode.
        size: side of its input, pixels.
        name: for messages.
        wrapped: functions that the trace keeps whole.

    Raises:
        WeightsError: when the network cannot be followed, does not end in (n, d), or its chain computes something else.
    """
    images, expected = _probe(whole, size)
    plan = _plan(whole, images, name, wrapped)
    _check(plan.features, expected, name)
    shapes = {unit.end: unit.shape for unit in plan.units}
    channels_last = str(getattr(whole.module, "output_fmt", "")).endswith("NHWC")
    return Assembly(
        names=tuple(stage.name for stage in plan.stages),
        modules=_build(whole, plan),
        axes=tuple(channel_axis(shapes[stage.end], channels_last) for stage in plan.stages),
        width=plan.features.shape[1],
    )


def channel_axis(shape: Sequence[int], channels_last: bool) -> int:
    """Where the channels are in an activation of square images; ``channels_last`` decides where the shape cannot."""
    if len(shape) < 4:
        return len(shape) - 1
    first, last = shape[2] == shape[3], shape[1] == shape[2]
    return 3 if last and (not first or channels_last) else 1


def _probe(whole: cut.Whole, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two images of noise, small if the network takes them, and what the network itself makes of them."""
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    small = images[:, :, :PROBE, :PROBE].contiguous()
    with torch.no_grad():
        try:
            return small, whole(small)
        except Exception:  # whatever the network raises, it says that it takes its own size only
            return images, whole(images)


def _plan(whole: cut.Whole, images: torch.Tensor, name: str, wrapped: Wrapped) -> _Plan:
    best = _attempt(whole, frozenset(), images, wrapped)
    if isinstance(best, Exception):
        raise WeightsError(
            f"The network {name} cannot be taken apart: {best}",
            expected="a network whose forward pass is one chain of blocks from images to features (n, d)",
            next_move="choose another backbone (headstart backbones --search resnet)",
        ) from best
    opened: frozenset[str] = frozenset()
    tried: set[str] = set()
    for _ in range(cut.MAX_OPENED):
        left = [path for path in cut.openable(whole, best.graph) if path not in tried]
        if len(best.stages) >= ENOUGH or not left:
            break
        tried.add(left[0])
        plan = _attempt(whole, opened | {left[0]}, images, wrapped)
        if not isinstance(plan, Exception) and len(plan.stages) >= len(best.stages):
            best, opened = plan, opened | {left[0]}
    return best


def _attempt(whole: cut.Whole, opened: frozenset[str], images: torch.Tensor, wrapped: Wrapped) -> _Plan | Exception:
    try:
        graph = cut.trace(whole, opened, wrapped)
        units, features = cut.units(whole, graph, images)
    except Exception as error:  # tracing runs foreign code with stand-ins for tensors: it may raise anything
        return error
    if not isinstance(features, torch.Tensor) or features.dim() != 2:
        return ValueError("it does not end in features (n, d)")
    return _Plan(graph, units, stages.number(units), features)


def _check(features: torch.Tensor, expected: torch.Tensor, name: str) -> None:
    gap = float((features - expected).abs().max())
    if not gap <= TOLERANCE * float(expected.abs().max()):
        raise WeightsError(
            f"The stages of {name} do not compute what the network computes: they differ by {gap:.2g}",
            expected=f"at most {TOLERANCE:g} of the largest feature",
            next_move="choose another backbone, and please report this one",
        )


def _build(whole: cut.Whole, plan: _Plan) -> tuple[fx.GraphModule, ...]:
    depends = cut.moving(plan.graph)
    start: fx.Node | None = None
    taken = _Taken(whole)
    built = []
    for number, stage in enumerate(plan.stages, 1):
        graph = _stage_graph(plan.graph, start, stage.end, depends)
        taken.untie(graph, number)
        built.append(fx.GraphModule(whole, graph, class_name="Stage"))
        start = stage.end
    return tuple(built)


def _stage_graph(graph: fx.Graph, start: fx.Node | None, end: fx.Node, depends: set[fx.Node]) -> fx.Graph:
    nodes = cut.between(graph, start, end)
    part = fx.Graph()
    known: dict[fx.Node, fx.Node] = {start or nodes[0]: part.placeholder("x")}

    def copied(node: fx.Node) -> fx.Node:
        # What does not depend on the input (position tables) is computed again in every stage that uses it.
        if node not in known and node not in depends:
            known[node] = part.node_copy(node, copied)
        return known[node]

    for node in nodes:
        if node in depends and node not in known:
            known[node] = part.node_copy(node, copied)
    part.output(known[end])
    return part


class _Taken:
    """What earlier stages use; a later stage gets its own copy of it."""

    def __init__(self, whole: cut.Whole) -> None:
        self.whole = whole
        self.modules: set[int] = set()
        self.tensors: set[int] = set()

    def untie(self, graph: fx.Graph, number: int) -> None:
        """Let a stage's graph use copies of whatever an earlier stage uses too."""
        for node in graph.nodes:
            if node.op == "call_module":
                self._module(node, number)
            elif node.op == "get_attr":
                self._attribute(node, number)
        used = [self.whole.get_submodule(str(node.target)) for node in graph.nodes if node.op == "call_module"]
        self.modules.update(id(module) for some in used for module in some.modules())
        self.tensors.update(id(tensor) for some in used for tensor in _tensors(some))
        self.tensors.update(id(_attribute(self.whole, node)) for node in graph.nodes if node.op == "get_attr")

    def _own_name(self, node: fx.Node, number: int) -> str:
        return f"{str(node.target).removeprefix('module.').replace('.', '_')}_of_stage_{number}"

    def _module(self, node: fx.Node, number: int) -> None:
        module = self.whole.get_submodule(str(node.target))
        if any(id(part) in self.modules for part in module.modules()):
            name = self._own_name(node, number)
            if not hasattr(self.whole.module, name):
                self.whole.module.add_module(name, copy.deepcopy(module))
            node.target = f"module.{name}"
            return
        for part in module.modules():
            for key, parameter in part.named_parameters(recurse=False):
                if id(parameter) in self.tensors:
                    setattr(part, key, nn.Parameter(parameter.detach().clone(), parameter.requires_grad))
            for key, buffer in part.named_buffers(recurse=False):
                if id(buffer) in self.tensors:
                    setattr(part, key, buffer.clone())

    def _attribute(self, node: fx.Node, number: int) -> None:
        value = _attribute(self.whole, node)
        if id(value) not in self.tensors or not isinstance(value, nn.Parameter):
            # A table that is no parameter is only read: nothing behind the cut can change it.
            return
        name = self._own_name(node, number)
        if not hasattr(self.whole.module, name):
            self.whole.module.register_parameter(name, nn.Parameter(value.detach().clone(), value.requires_grad))
        node.target = f"module.{name}"


def _tensors(module: nn.Module) -> Iterable[torch.Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _attribute(whole: cut.Whole, node: fx.Node) -> Any:
    owner, _, name = str(node.target).rpartition(".")
    return getattr(whole.get_submodule(owner), name)
