"""A text network of the transformers library as a chain of stages: the embeddings, then the layers.

One tensor crosses every cut: tokens (b, w, t, d + 1), w windows of t tokens, the last feature being 1 where there is
a token (more where it is asked about, as ``units`` says) and 0 where a shorter text was padded. The last stage pools a
text's tokens; ``Chained.tokens`` is what it pools. Whether the chain computes what the network computes is checked on
random tokens of several lengths.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from headstart.backbones import matching, skeletons, units
from headstart.backbones.assembly import Assembly
from headstart.base.errors import WeightsError
from headstart.base.vocabulary import Reading

MOST = 15
"""Stages that layers are shared out over, behind the one of the embeddings: more layers than that go in groups."""
TOLERANCE = 1e-5
"""Largest accepted difference between chain and network, relative to the largest feature."""
PACE = 0.1
"""Good rates of these networks, as a share of a convolutional network's (Mosbach et al., 2021, arXiv 2006.04884)."""


Pool = Callable[[torch.Tensor], torch.Tensor]
"""Hidden states (b, w, t, d + 1) to features (b, d), float32."""


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
        """Tokens (b, w, t, 2 or 3) int, or hidden states (b, w, t, d + 1), to hidden states (b, w, t, d + 1)."""
        windows = x.flatten(0, 1)
        mask = (windows[..., 0] > 0) if self.start else (windows[..., -1] > 0.5)
        there = units.there(windows, mask) if self.start else windows[..., -1]
        live = mask.any(dim=1)
        if torch.compiler.is_exporting():
            return self._steadily(windows, mask, live, there).unflatten(0, tuple(x.shape[:2]))
        # A text with fewer windows than another one costs nothing for those it has not.
        mine, seen, said = (windows, mask, there) if bool(live.all()) else (windows[live], mask[live], there[live])
        hidden = self.model(**self._given(mine, seen), attention_mask=seen.long()).last_hidden_state
        kept = torch.cat([hidden * seen.unsqueeze(-1), said.unsqueeze(-1).to(hidden.dtype)], dim=-1)
        if kept.shape[0] < windows.shape[0]:
            everything = kept.new_zeros(windows.shape[0], *kept.shape[1:])
            kept = everything.index_copy(0, torch.nonzero(live).flatten(), kept)
        return kept.unflatten(0, tuple(x.shape[:2]))

    def _steadily(
        self, windows: torch.Tensor, mask: torch.Tensor, live: torch.Tensor, there: torch.Tensor
    ) -> torch.Tensor:
        """The same with the same steps whatever the texts are, as a graph has to have them."""
        first = torch.arange(mask.shape[1], device=mask.device) == 0
        # A window without any token has one that nobody reads: attention to nothing is no number.
        seen = mask | (~live.unsqueeze(1) & first)
        hidden = self.model(**self._given(windows, seen), attention_mask=seen.long()).last_hidden_state
        return torch.cat([torch.where(mask.unsqueeze(-1), hidden, 0.0), there.unsqueeze(-1).to(hidden.dtype)], dim=-1)

    def _given(self, windows: torch.Tensor, seen: torch.Tensor) -> dict[str, torch.Tensor]:
        if not self.start:
            # A slice would be copied by each product with it.
            return {"inputs_embeds": windows[..., :-1].contiguous()}
        ids = torch.where(seen & (windows[..., 0] > 0), windows[..., 0].long() - 1, self.padding)
        types = {"token_type_ids": windows[..., 1].long()} if takes_types(self.model) else {}
        return {"input_ids": ids, **types}


class Ending(nn.Module):
    """The last stage: layers, then the mean over a text's tokens, or what else stands for the text."""

    def __init__(self, segment: Segment, pool: Pool) -> None:
        super().__init__()
        self.segment, self.pool = segment, pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Hidden states (b, w, t, d + 1) to features (b, d)."""
        return self.pool(self.segment(x))


def mean(hidden: torch.Tensor) -> torch.Tensor:
    """The mean over the tokens there are: (b, w, t, d + 1) to (b, d), float32."""
    tokens = hidden.float().flatten(1, 2)
    there = tokens[..., -1:].clamp(max=1.0)
    total = (tokens[..., :-1] * there).sum(dim=1)
    return total / there.sum(dim=1).clamp(min=1.0)


class Chained(nn.Module):
    """A text network as its stages.

    Args:
        stages: by name, the one that reads tokens first, an ``Ending`` last.
        width: features after the last stage, d.
        pool: what stands for a text, also after earlier stages.
        notes: what taking it apart has changed, in sentences.
    """

    def __init__(
        self, stages: dict[str, nn.Module], width: int, pool: Pool | None = None, notes: tuple[str, ...] = ()
    ) -> None:
        super().__init__()
        self.names, self.width, self.pool, self.notes = tuple(stages), width, pool or mean, notes
        self.parts = nn.ModuleList(stages.values())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (b, w, t, 2) int to features (b, d)."""
        for part in self.parts:
            x = part(x)
        return x

    def tokens(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens (b, w, t, 2) int to the last hidden states (b, w, t, d + 1), which ``forward`` pools."""
        for part in self.parts:
            x = part.segment(x) if isinstance(part, Ending) else part(x)
        return x

    def table(self) -> nn.Embedding:
        """The embeddings of the vocabulary (V, e); e is d in most networks."""
        first: Any = self.parts[0]
        found: nn.Embedding = first.model.get_input_embeddings()
        return found

    def check_reading(self, reading: Reading, name: str) -> None:
        """Check that the network knows all that texts become.

        Raises:
            WeightsError, MissingExtra: as ``matching.check``.
        """
        first: Any = self.parts[0]
        types = int(first.model.config.type_vocab_size) if takes_types(first.model) else 0
        matching.check(self, reading, name, types=types)

    def assembly(self) -> Assembly:
        """The stages, as ``assemble`` finds them in networks that it has to look for them in."""
        return Assembly(
            names=self.names,
            modules=tuple(self.parts),
            axes=(3,) * (len(self.names) - 1) + (1,),
            width=self.width,
            mean=self.pool,
            paths=tuple(f"parts.{number}." for number in range(len(self.names))),
            notes=self.notes,
            pace=PACE,
        )


def chain(model: Any, name: str, pool: Pool = mean) -> Chained:
    """Take a text network apart along its list of layers.

    Args:
        model: a base model of transformers (no head), in eval mode; its tensors are shared, not copied.
        name: for messages.
        pool: what stands for a text, as ``pooling`` has it.

    Raises:
        WeightsError: when it has no list of layers, or its chain computes something else.
    """
    padding = _padding(model)
    try:
        made = _chained(model, name, padding, pool)
        gap = _gap(made, model, padding)
    except WeightsError:
        raise
    except Exception as error:  # the library's own code, run in a way that it was not written for
        reason = textwrap.shorten(str(error) or type(error).__name__, 120, placeholder=" ...")
        raise _no_chain(name, f"its parts do not run by themselves ({reason})") from error
    if not gap <= TOLERANCE:
        raise _no_chain(name, f"its stages do not compute what it computes: features differ by {gap:.1%}")
    return made


def _chained(model: Any, name: str, padding: int, pool: Pool) -> Chained:
    found = skeletons.layers_of(model)
    if found is None:
        raise _no_chain(name, "there is no list of layers in it")
    path, layers = found
    empty = skeletons.through(model, layers[0])
    first = skeletons.part(model, path, [empty], start=True, end=False, at=0)
    stages: dict[str, nn.Module] = {"embeddings": Segment(first, start=True, padding=padding)}
    for group in _shared_out(len(layers)):
        end = group[-1] == len(layers) - 1
        part = skeletons.part(model, path, [layers[i] for i in group], start=False, end=end, at=group[0])
        segment = Segment(part, start=False, padding=padding)
        label = f"layer {group[0] + 1}" if len(group) == 1 else f"layers {group[0] + 1} to {group[-1] + 1}"
        stages[label] = Ending(segment, pool) if end else segment
    made = Chained(stages, int(model.config.hidden_size), pool).eval()
    _untie(made)
    made.notes = _notes(made, model, path)
    return made


def _padding(model: Any) -> int:
    """The id that the model takes for padding; 0 where it has none."""
    padding = model.config.pad_token_id
    return 0 if padding is None or padding < 0 else int(padding)


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


def _untie(made: Chained) -> None:
    """Give a later stage its own copy of what an earlier one uses too."""
    seen: set[int] = set()
    for part in made.parts:
        for owner in part.modules():
            for key, parameter in list(owner.named_parameters(recurse=False)):
                if id(parameter) in seen:
                    setattr(owner, key, nn.Parameter(parameter.detach().clone(), parameter.requires_grad))
        seen.update(id(tensor) for tensor in part.parameters())


def _notes(made: Chained, model: Any, path: str) -> tuple[str, ...]:
    """What copies of shared parts cost, where they do."""
    pooler = getattr(model, "pooler", None)
    left_out = 0 if pooler is None else sum(parameter.numel() for parameter in pooler.parameters())
    whole = sum(parameter.numel() for parameter in model.parameters()) - left_out
    apart = sum(parameter.numel() for parameter in made.parameters())
    if apart <= whole:
        return ()
    what = "one layer runs several times" if path.endswith(skeletons.SHARED) else "all layers read one table"
    return (
        f"{what[0].upper()}{what[1:]}; every stage has a copy of its own, so that what is frozen stays frozen: "
        f"{apart:,} parameters instead of {whole:,}",
    )


def takes_types(model: Any) -> bool:
    """Does the network tell first from second texts?"""
    return int(getattr(model.config, "type_vocab_size", 0) or 0) > 1


def _gap(made: Chained, model: Any, padding: int) -> float:
    """Largest difference between chain and network, as a share of the largest feature."""
    tokens = units.everywhere(noise(int(model.config.vocab_size), avoid=padding))
    with torch.no_grad():
        expected = _reference(model, tokens, made.pool)
        return float((made(tokens) - expected).abs().max() / expected.abs().max())


def noise(vocabulary: int, *, avoid: int, seed: int = 0) -> torch.Tensor:
    """Three texts of random tokens, of different lengths, one in two windows: (3, 2, 12, 2)."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, vocabulary - 1, (3, 2, 12), generator=draw)
    ids = ids + (ids >= avoid)
    lengths = torch.tensor([[12, 12], [7, 0], [2, 0]])
    there = torch.arange(12) < lengths.unsqueeze(-1)
    return torch.stack([(ids + 1) * there, torch.zeros_like(ids)], dim=-1).int()


def _reference(model: Any, tokens: torch.Tensor, pool: Pool) -> torch.Tensor:
    """What the network itself makes of each window, pooled."""
    found = []
    for text in tokens:
        lengths = [int((window[:, 0] > 0).sum()) for window in text]
        states = [
            model(
                input_ids=(window[:count, 0].long() - 1)[None], attention_mask=torch.ones(1, count).long()
            ).last_hidden_state[0]
            for window, count in zip(text, lengths, strict=True)
            if count
        ]
        hidden = states[0].new_zeros(1, len(states), tokens.shape[2], states[0].shape[-1] + 1)
        for row, state in zip(hidden[0], states, strict=True):
            row[: len(state), :-1], row[: len(state), -1] = state, 2
        found.append(pool(hidden))
    return torch.cat(found)


def _no_chain(name: str, reason: str) -> WeightsError:
    return WeightsError(
        f"The network {name} cannot be taken apart: {reason}",
        expected="an encoder or decoder of transformers that turns tokens into one list of layers' hidden states",
        next_move="choose another backbone, and please report this one",
    )
