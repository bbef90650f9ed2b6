"""A text network of the transformers library, cut between its layers: the library's own code on a shorter list of them.

Each stage is the library's model with a part of its layers: what comes before them is replaced by the hidden state
that is passed in. One tensor crosses every cut: tokens (b, w, t, d + 1), w windows of t tokens, the last feature being
1 where there is a token and 0 where a shorter text was padded. Whatever layers share (a table of relative positions,
ALBERT's one layer) each stage has a copy of, so that what is frozen stays frozen. Whether the chain computes what the
network computes is checked on random tokens of several lengths.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from headstart.backbones.assembly import Assembly
from headstart.base.errors import WeightsError

MOST = 15
"""Stages that layers are shared out over, behind the one of the embeddings: more layers than that go in groups."""
TOLERANCE = 1e-5
"""Largest accepted difference between chain and network, relative to the largest feature."""
BEFORE: tuple[str, ...] = ("embeddings", "embeddings_project", "embedding_hidden_mapping_in")
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


class Segment(nn.Module):
    """Some consecutive layers.

    Args:
        model: the library's model, with these layers only and nothing before them.
        start: True for the one that reads tokens.
        padding: id that the model takes for padding; a token where there is none.
    """

    def __init__(self, model: nn.Module, *, start: bool, padding: int) -> None:
        super().__init__()
        self.model, self.start, self.padding = model, start, padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (b, w, t, 2) int, or hidden states (b, w, t, d + 1), to hidden states (b, w, t, d + 1)."""
        windows = x.flatten(0, 1)
        mask = (windows[..., 0] > 0) if self.start else (windows[..., -1] > 0.5)
        live = mask.any(dim=1)
        # A text with fewer windows than another one costs nothing for those it has not.
        mine, seen = (windows, mask) if bool(live.all()) else (windows[live], mask[live])
        hidden = self.model(**self._given(mine, seen), attention_mask=seen.long()).last_hidden_state
        kept = torch.cat([hidden * seen.unsqueeze(-1), seen.unsqueeze(-1).to(hidden.dtype)], dim=-1)
        if kept.shape[0] < windows.shape[0]:
            everything = kept.new_zeros(windows.shape[0], *kept.shape[1:])
            kept = everything.index_copy(0, torch.nonzero(live).flatten(), kept)
        return kept.unflatten(0, tuple(x.shape[:2]))

    def _given(self, windows: torch.Tensor, seen: torch.Tensor) -> dict[str, torch.Tensor]:
        if not self.start:
            return {"inputs_embeds": windows[..., :-1]}
        ids = torch.where(seen, windows[..., 0].long() - 1, self.padding)
        types = {"token_type_ids": windows[..., 1].long()} if takes_types(self.model) else {}
        return {"input_ids": ids, **types}


class Ending(nn.Module):
    """The last stage: layers, then the mean over a text's tokens."""

    def __init__(self, segment: Segment) -> None:
        super().__init__()
        self.segment = segment

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Hidden states (b, w, t, d + 1) to features (b, d)."""
        return mean(self.segment(x))


def mean(hidden: torch.Tensor) -> torch.Tensor:
    """The mean over the tokens there are: (b, w, t, d + 1) to (b, d), float32."""
    tokens = hidden.float().flatten(1, 2)
    total = (tokens[..., :-1] * tokens[..., -1:]).sum(dim=1)
    return total / tokens[..., -1].sum(dim=1, keepdim=True).clamp(min=1.0)


class Chained(nn.Module):
    """A text network as its stages.

    Args:
        stages: by name, the one that reads tokens first.
        width: features after the last stage, d.
    """

    def __init__(self, stages: dict[str, nn.Module], width: int) -> None:
        super().__init__()
        self.names, self.width = tuple(stages), width
        self.parts = nn.ModuleList(stages.values())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (b, w, t, 2) int to features (b, d)."""
        for part in self.parts:
            x = part(x)
        return x

    def assembly(self) -> Assembly:
        """The stages, as ``assemble`` finds them in networks that it has to look for them in."""
        return Assembly(
            names=self.names,
            modules=tuple(self.parts),
            axes=(3,) * (len(self.names) - 1) + (1,),
            width=self.width,
            mean=mean,
            paths=tuple(f"parts.{number}." for number in range(len(self.names))),
        )


def chain(model: Any, name: str) -> Chained:
    """Take a text network apart along its list of layers.

    Args:
        model: a base model of transformers (no head), in eval mode; its tensors are shared, not copied.
        name: for messages.

    Raises:
        WeightsError: when it has no list of layers, or its chain computes something else.
    """
    found = _layers(model)
    if found is None:
        raise _no_chain(name, "there is no list of layers in it")
    path, layers = found
    padding = model.config.pad_token_id
    padding = 0 if padding is None or padding < 0 else int(padding)
    groups = _shared_out(len(layers))
    # A list without any layer is not what every encoder expects.
    first = Through(layers[0], _told(model, layers[0]))
    stages: dict[str, nn.Module] = {
        "embeddings": Segment(_skeleton(model, path, [first], start=True, end=False, at=0), start=True, padding=padding)
    }
    for group in groups:
        end = group[-1] == len(layers) - 1
        part = _skeleton(model, path, [layers[i] for i in group], start=False, end=end, at=group[0])
        segment = Segment(part, start=False, padding=padding)
        label = f"layer {group[0] + 1}" if len(group) == 1 else f"layers {group[0] + 1} to {group[-1] + 1}"
        stages[label] = Ending(segment) if end else segment
    made = Chained(stages, int(model.config.hidden_size)).eval()
    _untie(made)
    _check(made, model, padding, name)
    return made


def _shared_out(count: int) -> list[range]:
    """Consecutive layers in at most ``MOST`` groups, the later ones the smaller: it is there that one wants to cut."""
    stages = min(count, MOST)
    small, larger = divmod(count, stages)
    found, start = [], 0
    for stage in range(stages):
        size = small + (stage < larger)
        found.append(range(start, start + size))
        start += size
    return found


def _layers(model: nn.Module) -> tuple[str, list[nn.Module]] | None:
    """The longest list of layers, and its path; ALBERT's groups as often as they are run."""
    lists = [(path, part) for path, part in model.named_modules() if isinstance(part, nn.ModuleList) and len(part)]
    shared = [(path, part) for path, part in lists if path.endswith("albert_layer_groups")]
    if shared:
        path, groups = shared[0]
        times: Any = model.config
        each = times.num_hidden_layers / times.num_hidden_groups
        # One layer run twelve times becomes twelve layers, so that the cut can lie between any two of them.
        return path, [copy.deepcopy(groups[int(i / each)]) for i in range(times.num_hidden_layers)]
    outer = [(path, part) for path, part in lists if not any(path.startswith(f"{above}.") for above, _ in lists)]
    if not outer:
        return None
    path, longest = max(outer, key=lambda one: len(one[1]))
    return path, list(longest)


def _skeleton(model: Any, path: str, layers: Sequence[nn.Module], *, start: bool, end: bool, at: int) -> nn.Module:
    """The library's model with some of its layers, whose tensors are shared with it, and a copy of what is between."""
    kept = {id(tensor): tensor for layer in layers for tensor in _tensors(layer)}
    if start:
        kept |= {
            id(tensor): tensor for child in _children(model, (*BEFORE, *ADDED, *TABLES)) for tensor in _tensors(child)
        }
    if end:
        kept |= {id(tensor): tensor for owner, key in _endings(model, path) for tensor in _tensors(getattr(owner, key))}
    gone = {id(part): nn.Identity() for part in _lists(model, path)}
    made = copy.deepcopy(model, {**kept, **gone})
    _put(made, path, nn.ModuleList(layers))
    _settle(made.config, len(layers), at)
    for part in made.modules():
        if hasattr(part, "config"):
            part.config = made.config
    if getattr(made, "pooler", None) is not None:
        made.pooler = None
    if not start:
        _without_beginning(made)
    if at > 0 or start:
        for owner, key in _named(made, FIRST):
            setattr(owner, key, None)
    if not end:
        for owner, key in _endings(made, path):
            setattr(owner, key, nn.Identity())
    return made


def _without_beginning(made: nn.Module) -> None:
    """The hidden state takes the place of what makes it out of tokens."""
    for owner, key in _named(made, BEFORE):
        setattr(owner, key, Given())
    for owner, key in _named(made, ADDED):
        if any(hasattr(owner, table) for table in TABLES):
            setattr(owner, key, Nothing())
    for owner, key in _named(made, (*DROPPED, *TABLES)):
        setattr(owner, key, nn.Identity())


class Given(nn.Module):
    """In the place of embeddings: the hidden state that was passed in."""

    def forward(self, *args: torch.Tensor, **given: Any) -> torch.Tensor:
        """The hidden state (b, t, d)."""
        return next(each for each in (*args, *given.values()) if _is_hidden(each))


class Through(nn.Module):
    """In the place of the first layer: nothing is done, and it is told as that layer tells it.

    Args:
        layer: the layer.
        width: values that it gives, the hidden state first; 0 if it gives that alone.
    """

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        # Not a part of this one: it is only asked what kind of layer it is.
        self._like, self.given = (layer,), width

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.__dict__["_like"][0], name)

    def forward(self, hidden: torch.Tensor, *args: Any, **given: Any) -> Any:
        """The hidden state (b, t, d)."""
        return (hidden, *[None] * (self.given - 1)) if self.given else hidden


def _told(model: Any, layer: nn.Module) -> int:
    """How many values a layer gives; 0 if it gives its hidden state alone."""
    found: list[Any] = []
    hook = layer.register_forward_hook(lambda *call: found.append(call[2]))
    try:
        with torch.no_grad():
            model(input_ids=torch.ones(1, 2).long(), attention_mask=torch.ones(1, 2).long())
    finally:
        hook.remove()
    return len(found[0]) if found and isinstance(found[0], tuple) else 0


def _is_hidden(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dim() == 3 and value.is_floating_point()


class Nothing(nn.Module):
    """In the place of positions: zero."""

    def forward(self, *args: torch.Tensor, **given: Any) -> torch.Tensor:
        """A zero that adds to anything."""
        return torch.zeros((), device=args[0].device)


def _lists(model: nn.Module, path: str) -> Iterator[nn.Module]:
    yield model.get_submodule(path)


def _put(model: nn.Module, path: str, layers: nn.ModuleList) -> None:
    owner, _, key = path.rpartition(".")
    setattr(model.get_submodule(owner), key, layers)


def _settle(config: Any, count: int, at: int) -> None:
    """A configuration of so many layers, the first of which is number ``at`` of the whole network."""
    if hasattr(config, "use_cache"):
        config.use_cache = False
    for name in ("num_hidden_layers", "num_hidden_groups"):
        if hasattr(config, name):
            setattr(config, name, max(count, 1) if name == "num_hidden_groups" else count)
    kinds = getattr(config, "layer_types", None)
    if isinstance(kinds, list):
        config.layer_types = kinds[at : at + count]


def _named(model: nn.Module, names: Sequence[str]) -> list[tuple[nn.Module, str]]:
    """(owner, name) of the modules called so, outside of layers."""
    return [
        (owner, key)
        for path, owner in model.named_modules()
        if not any(step.isdigit() for step in path.split("."))
        for key, part in owner.named_children()
        if key in names and not any(step in names for step in path.split("."))
    ]


def _endings(model: nn.Module, path: str) -> list[tuple[nn.Module, str]]:
    """(owner, name) of the norms beside a list of layers."""
    owner = model.get_submodule(path.rpartition(".")[0])
    return [(owner, key) for key, part in owner.named_children() if key in LAST and part is not None]


def _children(model: nn.Module, names: Sequence[str]) -> list[nn.Module]:
    return [getattr(owner, key) for owner, key in _named(model, names)]


def _tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _untie(made: Chained) -> None:
    """Give a later stage its own copy of what an earlier one uses too."""
    seen: set[int] = set()
    for part in made.parts:
        if any(id(tensor) in seen for tensor in part.parameters()):
            for owner in part.modules():
                for key, parameter in list(owner.named_parameters(recurse=False)):
                    if id(parameter) in seen:
                        setattr(owner, key, nn.Parameter(parameter.detach().clone(), parameter.requires_grad))
        seen.update(id(tensor) for tensor in part.parameters())


def takes_types(model: Any) -> bool:
    """Does the network tell first from second texts?"""
    return int(getattr(model.config, "type_vocab_size", 0) or 0) > 1


def _check(made: Chained, model: Any, padding: int, name: str) -> None:
    tokens = noise(int(model.config.vocab_size), avoid=padding)
    try:
        with torch.no_grad():
            expected = _reference(model, tokens, padding)
            given = made(tokens)
    except Exception as error:  # the library's own code, run in a way that it was not written for
        raise _no_chain(name, str(error).strip().split("\n")[0]) from error
    gap = float((given - expected).abs().max())
    if not gap <= TOLERANCE * float(expected.abs().max()):
        raise _no_chain(name, f"its stages do not compute what it computes: they differ by {gap:.2g}")


def noise(vocabulary: int, *, avoid: int, seed: int = 0) -> torch.Tensor:
    """Three texts of random tokens, of different lengths, one in two windows: (3, 2, 12, 2)."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, vocabulary - 1, (3, 2, 12), generator=draw)
    ids = ids + (ids >= avoid)
    lengths = torch.tensor([[12, 12], [7, 0], [2, 0]])
    there = torch.arange(12) < lengths.unsqueeze(-1)
    return torch.stack([(ids + 1) * there, torch.zeros_like(ids)], dim=-1).int()


def _reference(model: Any, tokens: torch.Tensor, padding: int) -> torch.Tensor:
    """What the network itself makes of each window, averaged over a text's tokens."""
    found = []
    for text in tokens:
        states = [
            model(
                input_ids=(window[:count, 0].long() - 1)[None], attention_mask=torch.ones(1, count).long()
            ).last_hidden_state[0]
            for window in text
            if (count := int((window[:, 0] > 0).sum()))
        ]
        found.append(torch.cat(states).mean(dim=0))
    return torch.stack(found)


def _no_chain(name: str, reason: str) -> WeightsError:
    return WeightsError(
        f"The network {name} cannot be taken apart: {reason}",
        expected="a network of transformers that turns tokens into one list of layers' hidden states",
        next_move="choose another backbone, and please report this one",
    )
