"""A model of the transformers library with some of its layers only: what comes before and behind them does nothing.

The library's own code runs on a shorter list of layers, told what it would be told in the whole model: kinds of
attention by layer, relative positions, masks. Layers and their tensors are shared with the whole model; whatever all
layers use (a table of relative positions) each part has a copy of. Modules are known by the names that the library's
families give them, below.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

BEFORE: tuple[str, ...] = (
    "embeddings",
    "embeddings_project",
    "embedding_hidden_mapping_in",
    "word_embeddings_layernorm",
)
"""Modules that make the first hidden state; behind it they let everything through."""
TABLES: tuple[str, ...] = ("wte", "embed_tokens", "embed_in", "word_embeddings")
"""Tables of tokens that stand beside the layers."""
ADDED: tuple[str, ...] = ("wpe", "embed_positions")
"""Modules whose output is added to the embeddings; behind the first hidden state they add nothing."""
DROPPED: tuple[str, ...] = ("drop",)
"""Dropouts of the embeddings."""
LAST: tuple[str, ...] = ("ln_f", "final_layer_norm", "norm", "final_norm", "final_layernorm")
"""Norms behind the last layer, beside the list of layers."""
FIRST: tuple[str, ...] = ("conv",)
"""Modules that the encoder runs behind its first layer only."""
SHARED = "albert_layer_groups"
"""The list of layers each of which is run several times."""


def layers_of(model: Any) -> tuple[str, list[nn.Module]] | None:
    """The longest list of layers, and its path; None where there is none.

    A layer that is run several times (ALBERT's) becomes as many layers of its own, so that a cut may lie between any
    two of them and what is behind it can move alone.
    """
    lists = [(path, part) for path, part in model.named_modules() if isinstance(part, nn.ModuleList) and len(part)]
    for path, groups in lists:
        if path.endswith(SHARED):
            count = model.config.num_hidden_layers
            each = count / model.config.num_hidden_groups
            return path, [copy.deepcopy(groups[int(number / each)]) for number in range(count)]
    outer = [(path, part) for path, part in lists if not any(path.startswith(f"{above}.") for above, _ in lists)]
    if not outer:
        return None
    path, longest = max(outer, key=lambda one: len(one[1]))
    return path, list(longest)


def part(model: Any, path: str, layers: Sequence[nn.Module], *, start: bool, end: bool, at: int) -> nn.Module:
    """The model with some consecutive layers only.

    Args:
        model: the whole one; it stays as it is.
        path: of its list of layers.
        layers: those that the part has.
        start: True for a part that reads tokens; others take a hidden state (b, t, d) in place of embeddings.
        end: True for the part that ends with the model's last norm.
        at: number of its first layer in the whole model, from 0.
    """
    own = [tensor for layer in layers for tensor in _tensors(layer)]
    if start:
        beginning = [getattr(owner, key) for owner, key in _named(model, (*BEFORE, *ADDED, *TABLES))]
        own += [tensor for module in beginning for tensor in _tensors(module)]
    if end:
        own += [tensor for owner, key in _endings(model, path) for tensor in _tensors(getattr(owner, key))]
    # What the memo of deepcopy knows is taken as it is: these tensors are shared, and the other layers left out.
    memo: dict[int, Any] = {id(tensor): tensor for tensor in own}
    memo[id(model.get_submodule(path))] = nn.Identity()
    made = copy.deepcopy(model, memo)
    owner, _, key = path.rpartition(".")
    setattr(made.get_submodule(owner), key, nn.ModuleList(layers))
    _configure(made, len(layers), at)
    if getattr(made, "pooler", None) is not None:
        made.pooler = None
    if not start:
        _without_beginning(made)
    if at > 0 or start:
        for module, name in _named(made, FIRST):
            setattr(module, name, None)
    if not end:
        for module, name in _endings(made, path):
            setattr(module, name, nn.Identity())
    return made


class Given(nn.Module):
    """In the place of embeddings: the hidden state that was passed in."""

    def forward(self, *args: torch.Tensor, **given: Any) -> torch.Tensor:
        """The hidden state (b, t, d)."""
        return next(each for each in (*args, *given.values()) if _is_hidden(each))


class Nothing(nn.Module):
    """In the place of positions: zero."""

    def forward(self, *args: torch.Tensor, **given: Any) -> torch.Tensor:
        """A zero that adds to anything."""
        return torch.zeros((), device=args[0].device)


class Through(nn.Module):
    """In the place of the layers of a part that has none: nothing is done, and it is told as a layer tells it.

    Encoders do not expect an empty list of layers.

    Args:
        layer: the first layer of the whole model, which is only asked what kind of layer it is.
        width: values that a layer gives, the hidden state first; 0 if it gives that alone.
    """

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        # In a tuple, so that it is no part of this module.
        self._like, self.width = (layer,), width

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.__dict__["_like"][0], name)

    def forward(self, hidden: torch.Tensor, *args: Any, **given: Any) -> Any:
        """The hidden state (b, t, d)."""
        return (hidden, *[None] * (self.width - 1)) if self.width else hidden


def through(model: Any, layer: nn.Module) -> Through:
    """A ``Through`` in the place of ``layer``, which is watched at work to see what it gives."""
    found: list[Any] = []
    hook = layer.register_forward_hook(lambda *call: found.append(call[2]))
    tokens = torch.ones(1, 2).long()
    try:
        with torch.no_grad():
            model(input_ids=tokens, attention_mask=tokens)
    finally:
        hook.remove()
    return Through(layer, len(found[0]) if found and isinstance(found[0], tuple) else 0)


def _is_hidden(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dim() == 3 and value.is_floating_point()


def _configure(made: Any, count: int, at: int) -> None:
    """Let every module of a part read a configuration of so many layers, the first of which is number ``at``."""
    config = made.config
    if hasattr(config, "use_cache"):
        config.use_cache = False
    for name in ("num_hidden_layers", "num_hidden_groups"):
        if hasattr(config, name):
            setattr(config, name, count)
    kinds = getattr(config, "layer_types", None)
    if isinstance(kinds, list):
        config.layer_types = kinds[at : at + count]
    for module in made.modules():
        if hasattr(module, "config"):
            module.config = config


def _without_beginning(made: nn.Module) -> None:
    """The hidden state takes the place of what makes it out of tokens."""
    for owner, key in _named(made, BEFORE):
        setattr(owner, key, Given())
    for owner, key in _named(made, ADDED):
        if any(hasattr(owner, table) for table in TABLES):
            setattr(owner, key, Nothing())
    for owner, key in _named(made, (*DROPPED, *TABLES)):
        setattr(owner, key, nn.Identity())


def _named(model: nn.Module, names: Sequence[str]) -> list[tuple[nn.Module, str]]:
    """(owner, name) of the modules called so, outside of layers and of each other."""
    return [
        (owner, key)
        for path, owner in model.named_modules()
        if not any(step.isdigit() or step in names for step in path.split("."))
        for key, _ in owner.named_children()
        if key in names
    ]


def _endings(model: nn.Module, path: str) -> list[tuple[nn.Module, str]]:
    """(owner, name) of the norms beside a list of layers."""
    owner = model.get_submodule(path.rpartition(".")[0])
    return [(owner, key) for key, _ in owner.named_children() if key in LAST]


def _tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    yield from module.parameters()
    yield from module.buffers()
