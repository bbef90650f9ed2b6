"""Where a network may be cut: the places of its graph that exactly one tensor crosses.

The graph comes from ``torch.fx`` (Reed et al., torch.fx: Practical Program Capture and Transformation for Deep
Learning in Python, 2022), traced no deeper than needed: a block stays whole, so that whatever it does in Python (drop
path, batch statistics, attention kernels) still follows ``train()`` and ``eval()`` after the cut.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from headstart.base.vocabulary import Preprocessing, Tokenization

MAX_OPENED = 6
"""How many blocks may be looked into before the graph is taken as it is."""


class Normalise(nn.Module):
    """The first step of stage 1: uint8 or [0, 1] images to what the network was trained with, in its own dtype."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, reading: Preprocessing) -> None:
        super().__init__()
        self.dtype = torch.float32
        self.size, self.values = reading.size, (reading.mean, reading.std)
        self._place(torch.device("cpu"))

    def use(self, reading: Any) -> None:
        """Normalise so from now on; a ``Preprocessing``."""
        self.size, self.values = reading.size, (reading.mean, reading.std)
        self._place(self.mean.device)

    def example(self, count: int, device: torch.device) -> torch.Tensor:
        """Black pictures (n, 3, s, s) uint8 of the trained size."""
        return torch.zeros(count, 3, self.size, self.size, dtype=torch.uint8, device=device)

    def _place(self, device: torch.device) -> None:
        for name, values in zip(("mean", "std"), self.values, strict=True):
            tensor = torch.tensor(values, dtype=torch.float32, device=device).view(1, -1, 1, 1)
            self.register_buffer(name, tensor, persistent=False)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Normalise:
        # Rounded to bf16 the constants alone would shift every pixel: keep them in float32 and cast the result.
        moved = fn(torch.zeros(1, dtype=self.dtype, device=self.mean.device))
        self.dtype = moved.dtype
        self._place(moved.device)
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) uint8, or floating point in [0, 1], to normalised values of the same shape."""
        x = x.float() / 255 if x.dtype == torch.uint8 else x.float()
        return ((x - self.mean) / self.std).to(self.dtype)


class Untouched(nn.Module):
    """The first step of a network that reads tokens: nothing is done to them.

    Args:
        reading: how a text becomes tokens.
    """

    def __init__(self, reading: Tokenization) -> None:
        super().__init__()
        self.reading = reading

    @property
    def values(self) -> dict[str, Any]:
        """What the features depend on."""
        return self.reading.as_dict()

    def use(self, reading: Any) -> None:
        """Take texts read so from now on; a ``Tokenization``."""
        self.reading = reading

    def example(self, count: int, device: torch.device) -> torch.Tensor:
        """Tokens (n, 1, t, c) int32 of texts as long as a window."""
        return torch.ones(count, 1, self.reading.length, self.reading.numbers, dtype=torch.int32, device=device)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens."""
        return x


class Whole(nn.Module):
    """Normalisation and network, as one module to trace."""

    def __init__(self, input: nn.Module, module: nn.Module) -> None:
        super().__init__()
        self.input, self.module = input, module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to pooled features (n, d)."""
        return self.module(self.input(x))


class FollowTraining(nn.Module):
    """A functional call with a ``training`` argument, such as ``F.dropout``, that follows ``train()`` again."""

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
        super().__init__()
        self.function, self.options = function, dict(options)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Calls the function with the module's own mode."""
        return self.function(*inputs, **self.options, training=self.training)


class _Tracer(fx.Tracer):
    param_shapes_constant = True
    # Else what is computed from a buffer would be computed once, here, for ever.
    proxy_buffer_attributes = True

    def __init__(self, opened: frozenset[str], wrapped: tuple[Callable[..., Any], ...]) -> None:
        super().__init__(autowrap_functions=wrapped)
        self.opened = opened

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Blocks are leaves; the network itself, plain sequences and what was opened are not."""
        if module_qualified_name == "module" or module_qualified_name in self.opened:
            return False
        return type(m).forward is not nn.Sequential.forward


@dataclass(frozen=True, slots=True)
class Unit:
    """What lies between two neighbouring legal cuts.

    Attributes:
        end: the graph node whose value crosses the cut behind the unit.
        path: the network's module that does most of the work, "" if there is none.
        block: True if that module is made of other modules.
        weights: number of parameters in matrices and kernels; 0 for norms, pooling and activations.
        shape: of the value at the end, batch included, at the probed size.
    """

    end: fx.Node
    path: str
    block: bool
    weights: int
    shape: tuple[int, ...]


def trace(whole: Whole, opened: frozenset[str] = frozenset(), wrapped: tuple[Callable[..., Any], ...] = ()) -> fx.Graph:
    """The graph of a network at block level.

    Args:
        whole: the network with its normalisation, in eval mode.
        opened: paths of blocks to look into.
        wrapped: functions to keep whole.

    Raises:
        Exception: whatever stops ``torch.fx`` from following the network's Python.
    """
    graph = _Tracer(opened, wrapped).trace(whole)
    for node in list(graph.nodes):
        if node.op == "call_function" and _frozen_mode(node):
            _follow_training(whole, graph, node)
        elif node.op == "get_attr" and "." not in str(node.target):
            _keep_constant(whole, node)
    # Checks of shapes (torch._assert) have no result that anybody uses; kept, they would tie the cuts together.
    graph.eliminate_dead_code(is_impure_node=_acts)
    return graph


def _acts(node: fx.Node) -> bool:
    """Does the step do something even if nobody uses its result: an in-place write, or a module's own doing."""
    name = str(getattr(node.target, "__name__", node.target))
    writes = name == "setitem" or name.endswith("_") or bool(node.kwargs.get("inplace"))
    in_place = getattr(node.target, "__module__", "") == "_operator" and name.startswith("i")
    return node.op in ("placeholder", "output", "call_module") or (writes or in_place)


def _frozen_mode(node: fx.Node) -> bool:
    target = node.target
    if not callable(target) or not getattr(target, "__module__", "").startswith("torch.nn.functional"):
        return False
    return "training" in inspect.signature(target).parameters


def _follow_training(whole: Whole, graph: fx.Graph, node: fx.Node) -> None:
    function: Any = node.target
    given = inspect.signature(function).bind(*node.args, **node.kwargs).arguments
    given.pop("training", None)
    # An in-place call would change what the store keeps.
    given.pop("inplace", None)
    tensors = {name: value for name, value in given.items() if isinstance(value, fx.Node)}
    plain = {name: value for name, value in given.items() if name not in tensors}
    name = f"follows_{node.name}"
    whole.module.add_module(name, FollowTraining(function, plain).train(whole.training))
    with graph.inserting_before(node):
        replacement = graph.call_module(f"module.{name}", tuple(tensors.values()))
    node.replace_all_uses_with(replacement)
    graph.erase_node(node)


def _keep_constant(whole: Whole, node: fx.Node) -> None:
    """A tensor that the network's code makes from nothing belongs to the network, so that it moves with it."""
    name = next(name for i in itertools.count() if not hasattr(whole.module, name := f"traced_constant_{i}"))
    whole.module.register_buffer(name, getattr(whole, str(node.target)), persistent=False)
    node.target = f"module.{name}"


def moving(graph: fx.Graph) -> set[fx.Node]:
    """The nodes whose value depends on the input; the others can be computed again behind a cut."""
    found: set[fx.Node] = set()
    for node in graph.nodes:
        if node.op == "placeholder" or any(source in found for source in node.all_input_nodes):
            found.add(node)
    return found


class _Recorder(fx.Interpreter):
    """Runs a graph and remembers its tensors and how often each had been written to by then."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.values: dict[fx.Node, torch.Tensor] = {}
        self.versions: dict[fx.Node, int] = {}

    def run_node(self, n: fx.Node) -> Any:
        """One step."""
        value = super().run_node(n)
        if isinstance(value, torch.Tensor):
            self.values[n], self.versions[n] = value, value._version
        return value


def units(whole: Whole, graph: fx.Graph, images: torch.Tensor) -> tuple[list[Unit], torch.Tensor]:
    """The pieces between all legal cuts, in order, and the features (n, d) of the probed images.

    A cut is legal where exactly one value crosses it, a tensor (n, ...) with two to four axes that nothing behind the
    cut writes to.
    """
    recorder = _Recorder(fx.GraphModule(whole, graph))
    with torch.no_grad():
        features = recorder.run(images)
    found: list[Unit] = []
    for node in _crossed_alone(graph):
        value = recorder.values.get(node)
        if value is None or not 2 <= value.dim() <= 4 or value.shape[0] != images.shape[0]:
            continue
        if value._version != recorder.versions[node]:
            continue
        start = found[-1].end if found else None
        found.append(_unit(whole, between(graph, start, node), node, tuple(value.shape)))
    return found, features


def between(graph: fx.Graph, start: fx.Node | None, end: fx.Node) -> list[fx.Node]:
    """The nodes behind ``start`` (from the first on, if None) up to and including ``end``."""
    nodes = list(graph.nodes)
    return nodes[nodes.index(start) + 1 if start else 0 : nodes.index(end) + 1]


def _crossed_alone(graph: fx.Graph) -> list[fx.Node]:
    depends = moving(graph)
    order = {node: position for position, node in enumerate(graph.nodes)}
    last = {node: max((order[user] for user in node.users), default=order[node]) for node in depends}
    live: set[fx.Node] = set()
    alone = []
    for node in graph.nodes:
        if node.op == "output":
            break
        live = {value for value in live if last[value] > order[node]}
        if node in depends and last[node] > order[node]:
            live.add(node)
        if node.op != "placeholder" and len(live) == 1:
            alone.append(next(iter(live)))
    # Work on constants alone may stand between: the value that crosses is the same, so the cut is too.
    return list(dict.fromkeys(alone))


def _unit(whole: Whole, nodes: list[fx.Node], end: fx.Node, shape: tuple[int, ...]) -> Unit:
    path, most, weights, block = "", -1, 0, False
    for node in nodes:
        if node.op != "call_module":
            continue
        module = whole.get_submodule(str(node.target))
        count = sum(parameter.numel() for parameter in module.parameters() if parameter.dim() > 1)
        weights += count
        if count > most and str(node.target).startswith("module."):
            path, most, block = str(node.target)[len("module.") :], count, any(True for _ in module.children())
    return Unit(end, path, block, weights, shape)


def openable(whole: Whole, graph: fx.Graph) -> list[str]:
    """Blocks of the graph that may be looked into, the one with most weights first."""
    sizes: dict[str, int] = {}
    for node in graph.nodes:
        if node.op == "call_module" and str(node.target).startswith("module."):
            module = whole.get_submodule(str(node.target))
            if any(True for _ in module.children()) and "self.training" not in _source(module):
                sizes[str(node.target)] = sum(parameter.numel() for parameter in module.parameters())
    return sorted(sizes, key=lambda name: -sizes[name])


def _source(module: nn.Module) -> str:
    try:
        return inspect.getsource(type(module).forward)
    except (OSError, TypeError):
        # Without its source nobody can say that it does not depend on the mode: leave it whole.
        return "self.training"
