"""A network that ``torch.fx`` cannot follow, taken apart by watching it run: what comes before its layer list, the
layers, and what comes behind them.

Code such as that of transformers' models asks tensors for their shape and type all the time, which a trace cannot
answer. It runs here as it is, three times, each time in a copy of the modules that hold the list: in the first the
list's first layer stops the run, in the last all layers stand aside, and the layers themselves are called with what the
network called them with. The parts are modules of one tensor each, a chain that ``cut`` can trace; whether the chain
computes what the network computes is checked on noise, with a batch and pictures other than those it was watched with.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from headstart.base.errors import WeightsError

TOLERANCE = 1e-5
"""Largest accepted difference between chain and network, relative to the largest feature."""
WATCHED, CHECKED = 2, 3
"""Pictures that the network is watched with, and that its chain is checked with."""
LISTS = (nn.ModuleList, nn.ModuleDict, nn.Sequential)


class Chained(nn.Module):
    """A network as one chain: the part before its layer list, its layers, the part behind them.

    The parts are attributes with the library's own names, so that the stages are called what the library calls them.
    """

    def __init__(self, entry: tuple[str, nn.Module], layers: tuple[str, Sequence[nn.Module]], rest: nn.Module) -> None:
        super().__init__()
        first, between = entry[0], layers[0] if layers[0] != entry[0] else f"{layers[0]}_list"
        self.add_module(first, entry[1])
        self.add_module(between, nn.Sequential(*layers[1]))
        self.rest = rest
        self.order: tuple[str, ...] = (first, between, "rest")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised images (n, 3, s, s) to pooled features (n, d)."""
        for name in self.order:
            x = getattr(self, name)(x)
        return x


def chain(network: nn.Module, features: Callable[[Any], torch.Tensor], size: int, name: str) -> Chained:
    """Take a network apart along its longest layer list.

    Args:
        network: in eval mode; takes normalised images (n, 3, s, s). Its parts are shared, not copied.
        features: its output to pooled features (n, d).
        size: side of its input, pixels.
        name: for messages.

    Raises:
        WeightsError: when there is no list of layers, each fed by the one before it, that makes it a chain.
    """
    draw = torch.Generator().manual_seed(0)
    images, others = (torch.randn(n, 3, size, size, generator=draw) for n in (WATCHED, CHECKED))
    try:
        with torch.no_grad():
            calls = _watched(network, images)
            again = _watched(network, others)
            expected = features(network(others))
    except (
        Exception
    ) as error:  # the library's own code, on sizes that the repository's files state: it may raise anything
        raise WeightsError(
            f"{name} does not run on pictures of {size} x {size} pixels: {str(error).strip().split(chr(10))[0]}",
            next_move="another network; this one's files state sizes that its library cannot compute",
        ) from error
    found = _list(network, calls)
    if found is None:
        raise _no_chain(name, "no layer list in it feeds each layer with what the one before it gave")
    path, members = found
    steps = []
    for index, member in enumerate(members):
        first, second = calls[member][0], again[member][0]
        if not _constant(first, second):
            raise _no_chain(name, f"layer {index} of {path} is given more than one tensor that depends on the picture")
        steps.append(Step(member, first, size))
    made = _assembled(network, path, members, steps, calls, features=features, size=size)
    _check(made, others, expected, name)
    return made


def _no_chain(name: str, reason: str) -> WeightsError:
    return WeightsError(
        f"{name} cannot be taken apart into stages: {reason}",
        next_move="choose another backbone (headstart backbones --search TEXT), and please report this one",
    )


@dataclass
class _Call:
    """One call of a module: what it was given, what it gave, and when."""

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    began: int
    ended: int = -1
    output: Any = None

    @property
    def given(self) -> torch.Tensor | None:
        return next(_tensors((self.args, self.kwargs)), None)

    @property
    def gave(self) -> torch.Tensor | None:
        return next(_tensors(self.output), None)


def _watched(network: nn.Module, images: torch.Tensor) -> dict[nn.Module, list[_Call]]:
    """Every call of every module while the network looks at the images."""
    calls: dict[nn.Module, list[_Call]] = {}
    clock = iter(range(10**9))

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.setdefault(module, []).append(_Call(module, args, dict(kwargs), next(clock)))

    def behind(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        last = next(call for call in reversed(calls[module]) if call.ended < 0)
        last.ended, last.output = next(clock), output

    handles = []
    for module in network.modules():
        handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
        handles.append(module.register_forward_hook(behind))
    try:
        network(images)
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _list(network: nn.Module, calls: dict[nn.Module, list[_Call]]) -> tuple[str, list[nn.Module]] | None:
    """The layer list with most parameters whose members run once each, one behind the other."""
    best: tuple[int, str, list[nn.Module]] | None = None
    for path, module in network.named_modules():
        members = list(module.children())
        if not isinstance(module, LISTS) or len(members) < 2 or not _linked(members, calls):
            continue
        weight = sum(parameter.numel() for parameter in module.parameters())
        if best is None or weight > best[0]:
            best = (weight, path, members)
    return best[1:] if best else None


def _linked(members: Sequence[nn.Module], calls: dict[nn.Module, list[_Call]]) -> bool:
    if any(len(calls.get(member, [])) != 1 for member in members):
        return False
    runs = [calls[member][0] for member in members]
    if runs[0].given is None or runs[-1].gave is None:
        return False
    pairs = itertools.pairwise(runs)
    return all(one.ended < two.began and one.gave is not None and one.gave is two.given for one, two in pairs)


def _constant(first: _Call, second: _Call) -> bool:
    """Is everything but the first tensor the same, whatever the pictures and however many?"""
    one, two = (list(_tensors((call.args, call.kwargs)))[1:] for call in (first, second))
    return len(one) == len(two) and all(
        not a.requires_grad and a.shape == b.shape and torch.equal(a, b) for a, b in zip(one, two, strict=True)
    )


def _tensors(data: Any) -> Iterator[torch.Tensor]:
    if isinstance(data, torch.Tensor):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _tensors(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _tensors(value)


def _mapped(data: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The same structure with other tensors, in the order of ``_tensors``."""
    if isinstance(data, torch.Tensor):
        return change(data)
    if isinstance(data, dict):
        # Outputs of transformers are dictionaries that want keywords.
        found = {key: _mapped(value, change) for key, value in data.items()}
        return found if type(data) is dict else type(data)(**found)
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(_mapped(value, change) for value in data))
    if isinstance(data, list | tuple):
        return type(data)(_mapped(value, change) for value in data)
    return data


class Step(nn.Module):
    """One layer of the list, called as the network called it, with another tensor.

    Args:
        layer: the network's own.
        call: how it was called.
        size: side of the input, pixels, that its other arguments belong to.
    """

    def __init__(self, layer: nn.Module, call: _Call, size: int) -> None:
        super().__init__()
        self.layer, self.size = layer, size
        others = list(_tensors((call.args, call.kwargs)))[1:]
        for index, tensor in enumerate(others):
            self.register_buffer(f"argument_{index}", tensor.detach().clone(), persistent=False)
        # Shapes alone are kept of the tensors: which is which follows from their order.
        self.template = _mapped((call.args, call.kwargs), lambda tensor: tensor.new_empty(0))
        self.others = len(others)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What leaves the layer before it, to what leaves this one."""
        given = iter([x, *(getattr(self, f"argument_{index}") for index in range(self.others))])
        args, kwargs = _mapped(self.template, lambda _: next(given))
        return next(_tensors(self.layer(*args, **kwargs)))


class _Reached(Exception):
    def __init__(self, tensor: torch.Tensor) -> None:
        super().__init__()
        self.tensor = tensor


class _Aside(nn.Module):
    """Stands where a part of the network stood, answers for its attributes, and does not compute.

    Args:
        real: the part; not a child, so that its tensors belong to whoever computes with it.
        output: what it gave when it was watched; None where it must not be called.
    """

    def __init__(self, real: nn.Module, output: Any = None) -> None:
        super().__init__()
        self.__dict__["real"] = (real,)
        self.__dict__["shapes"] = _mapped(output, lambda tensor: tensor.new_zeros(()).expand(tensor.shape))
        self.__dict__["value"] = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["real"][0], name)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Something of the shape that the part gave, for as many pictures as there are; the value held, if any."""
        value = self.__dict__["value"]
        batch, like = value if value is not None else (None, None)
        first = iter([like])

        def filled(shape: torch.Tensor) -> torch.Tensor:
            held = next(first, None)
            if held is not None:
                return held
            sizes = [batch if i == 0 and side == WATCHED and batch else side for i, side in enumerate(shape.shape)]
            return shape.new_zeros(()).expand(sizes)

        return _mapped(self.__dict__["shapes"], filled)


class _Stop(_Aside):
    """The first layer, where the run ends."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Hands over what the layer was given."""
        raise _Reached(next(_tensors((args, kwargs))))


class Entry(nn.Module):
    """The network up to its first layer.

    Args:
        spine: the modules that hold the list, with a stop in place of the first layer.
        size: side of the only input it takes; None for any.
    """

    def __init__(self, spine: nn.Module, size: int | None) -> None:
        super().__init__()
        self.spine, self.size = spine, size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised images (n, 3, s, s) to what the first layer is given."""
        if self.size and tuple(x.shape[-2:]) != (self.size, self.size):
            raise ValueError(f"the layers were taken apart for {self.size} x {self.size} pixels")
        try:
            self.spine(x)
        except _Reached as reached:
            return reached.tensor
        raise RuntimeError("the network never came to its first layer")


class Rest(nn.Module):
    """The network behind its last layer.

    Args:
        spine: the modules that hold the list; everything in front of its end stands aside.
        features: the network's output to (n, d).
        size: side of an input, pixels.
    """

    def __init__(self, spine: nn.Module, features: Callable[[Any], torch.Tensor], size: int) -> None:
        super().__init__()
        self.spine, self.features, self.size = spine, features, size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What leaves the last layer to pooled features (n, d)."""
        aside = [part for part in self.spine.modules() if isinstance(part, _Aside)]
        for part in aside:
            last = bool(part.__dict__.get("last"))
            part.__dict__["value"] = (len(x), x if last else None)
        try:
            return self.features(self.spine(x.new_zeros(()).expand(len(x), 3, self.size, self.size)))
        finally:
            for part in aside:
                part.__dict__["value"] = None


def _assembled(
    network: nn.Module,
    path: str,
    members: Sequence[nn.Module],
    steps: Sequence[Step],
    calls: dict[nn.Module, list[_Call]],
    *,
    features: Callable[[Any], torch.Tensor],
    size: int,
) -> Chained:
    start, end = calls[members[0]][0].began, calls[members[-1]][0].ended
    spine = _spine(network, path)

    def before(part: nn.Module) -> nn.Module:
        if part is members[0]:
            return _Stop(part)
        runs = calls.get(part, [])
        return part if runs and runs[0].began < start else _Aside(part)

    def behind(part: nn.Module) -> nn.Module:
        runs = calls.get(part, [])
        if runs and runs[-1].began > end:
            return part
        aside = _Aside(part, runs[0].output if runs else None)
        aside.__dict__["last"] = part is members[-1]
        return aside

    # Containers of modules are walked through, not called: what is in them is kept or replaced one by one.
    hollow = [*spine, *(part for part in network.modules() if isinstance(part, LISTS) and part not in calls)]
    entry = _copied(network, hollow, before)
    limbs = [
        key
        for part in spine
        for key, child in part.named_children()
        if child not in spine and _starts(calls, child, start)
    ]
    exact = any(_particular(step) for step in steps)
    rest = Rest(_copied(network, hollow, behind), features, size)
    title = limbs[0] if len(limbs) == 1 else "entry"
    return Chained((title, Entry(entry, size if exact else None)), (_last_word(path), steps), rest)


def _starts(calls: dict[nn.Module, list[_Call]], part: nn.Module, start: int) -> bool:
    runs = [run for inner in part.modules() for run in calls.get(inner, [])]
    return any(run.began < start for run in runs) and any(True for _ in part.parameters())


def _particular(step: Step) -> bool:
    """Does the layer take something besides its input that may belong to one size of pictures?"""
    found = list(_plain(step.template))
    return step.others > 0 or any(isinstance(value, int) and not isinstance(value, bool) for value in found)


def _plain(data: Any) -> Iterator[Any]:
    if isinstance(data, dict):
        for value in data.values():
            yield from _plain(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _plain(value)
    else:
        yield data


def _spine(network: nn.Module, path: str) -> list[nn.Module]:
    """The modules from the network down to the list, both included."""
    names = path.split(".")
    return [network, *(network.get_submodule(".".join(names[:count])) for count in range(1, len(names) + 1))]


def _copied(part: nn.Module, hollow: Sequence[nn.Module], put: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """A shallow copy of the hollow modules, whose other children ``put`` keeps or replaces."""
    twin = copy.copy(part)
    for name in ("_modules", "_parameters", "_buffers", "_forward_hooks", "_forward_pre_hooks"):
        twin.__dict__[name] = dict(twin.__dict__[name])
    for key, child in part._modules.items():
        if child is not None:
            twin._modules[key] = _copied(child, hollow, put) if child in hollow else put(child)
    return twin


def _last_word(path: str) -> str:
    return next((word for word in reversed(path.split(".")) if not word.isdigit()), "layers")


def _check(made: Chained, images: torch.Tensor, expected: torch.Tensor, name: str) -> None:
    try:
        with torch.no_grad():
            found = made.eval()(images)
    except Exception as error:  # the network's own code, given stand-ins: it may raise anything
        raise _no_chain(name, str(error).strip().split("\n")[0] or type(error).__name__) from error
    if found.shape != expected.shape or not _close(found, expected):
        raise _no_chain(name, "its end reads more than what its last layer gives")


def _close(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return float((found - expected).abs().max()) <= TOLERANCE * float(expected.abs().max())
