"""ELMo's network: words out of their characters, then language models that read forwards and backwards, then a mix.

Peters et al., Deep contextualized word representations, 2018; the equations are those of the published TensorFlow
code, so that the published weights compute here what they compute there. Stages: the character network, one for each
layer of both language models, and the mix of all layers that a task learns. What crosses a cut holds every layer so
far, for the mix wants them all; behind a token's features stands 1 for a word, -1 for what frames a text, and 0 for
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from headstart.backbones.assembly import Assembly
from headstart.base.errors import WeightsError
from headstart.base.vocabulary import CHARACTERS, Reading, Tokenization

CHARACTER_IDS = 261
"""Bytes and five marks."""
FRAMES = (257, 258)
"""Second number of a text's beginning and of its end; those of words are below, but for a word without a letter."""
_FORGET = 1.0
"""What the published cells add to the forget gate."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


class Embedding(_Part):
    """Numbers a character."""

    dim: int = Field(ge=1, le=1024)


class CharacterOptions(_Part):
    """The network from characters to a word.

    Attributes:
        filters: width in characters and number of each kind.
        n_characters: 261, or 262 where nothing is counted too.
    """

    activation: Literal["relu", "tanh"]
    embedding: Embedding
    filters: tuple[tuple[int, int], ...] = Field(min_length=1, max_length=32)
    max_characters_per_token: Literal[50] = CHARACTERS  # type: ignore[assignment]
    n_characters: Literal[261, 262] = 262
    n_highway: int = Field(default=0, ge=0, le=16)

    @property
    def width(self) -> int:
        """Filters in all."""
        return sum(count for _, count in self.filters)


class LanguageOptions(_Part):
    """The two language models."""

    dim: int = Field(ge=1, le=16384)
    projection_dim: int = Field(ge=1, le=8192)
    n_layers: int = Field(default=1, ge=1, le=8)
    cell_clip: float | None = Field(default=None, gt=0)
    proj_clip: float | None = Field(default=None, gt=0)
    use_skip_connections: bool = False


class Options(_Part):
    """What a published options.json says of the network; the rest of it, about training, is left aside."""

    char_cnn: CharacterOptions
    lstm: LanguageOptions

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Options:
        """From plain data, checked as strictly as from a file."""
        return cls.model_validate_json(json.dumps(data))


class Highway(nn.Module):
    """Carry gate and transform, as the published code has them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.carry, self.transform = nn.Linear(width, width), nn.Linear(width, width)
        # A highway begins as a way through (Srivastava et al., Highway Networks, 2015).
        nn.init.constant_(self.carry.bias, -2.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (n, d) to (n, d)."""
        gate = torch.sigmoid(self.carry(x))
        return gate * torch.relu(self.transform(x)) + (1 - gate) * x


class Spelling(nn.Module):
    """The first stage: words out of characters.

    Args:
        options: of the network.
    """

    def __init__(self, options: Options) -> None:
        super().__init__()
        made, width = options.char_cnn, options.lstm.projection_dim
        self.characters = nn.Parameter(torch.empty(CHARACTER_IDS, made.embedding.dim).uniform_(-1, 1))
        self.convolutions = nn.ModuleList(nn.Conv1d(made.embedding.dim, count, size) for size, count in made.filters)
        self.highways = nn.ModuleList(Highway(made.width) for _ in range(made.n_highway))
        self.projection = nn.Linear(made.width, width) if made.width != width else nn.Identity()
        self.activation = nn.ReLU() if made.activation == "relu" else nn.Tanh()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Characters (b, w, t, 50) int to words (b, w, t, p + 1)."""
        there = (x > 0).any(dim=-1, keepdim=True)
        spelled = nn.functional.embedding((x.long() - 1).clamp(min=0), self.characters) * (x > 0).unsqueeze(-1)
        flat = spelled.flatten(0, 2).transpose(1, 2)
        found = torch.cat([self.activation(each(flat).amax(dim=-1)) for each in self.convolutions], dim=-1)
        for highway in self.highways:
            found = highway(found)
        words = self.projection(found).unflatten(0, tuple(x.shape[:3])) * there
        frames = (x[..., 1:2] == FRAMES[0]) | (x[..., 1:2] == FRAMES[1])
        mark = there.to(words.dtype) - 2 * frames.to(words.dtype)
        return torch.cat([words, mark], dim=-1)


class Direction(nn.Module):
    """One direction of one layer: an LSTM whose output is projected, cell and output clipped.

    Gates in the order of the published kernels: input, new, forget, output.
    """

    def __init__(self, options: LanguageOptions, *, backwards: bool) -> None:
        super().__init__()
        narrower = options.projection_dim < options.dim
        self.backwards, self.cell_clip, self.clip = (
            backwards,
            options.cell_clip,
            options.proj_clip if narrower else None,
        )
        self.given = nn.Linear(options.projection_dim, 4 * options.dim, bias=False)
        self.before = nn.Linear(options.projection_dim, 4 * options.dim)
        self.projection = nn.Linear(options.dim, options.projection_dim, bias=False) if narrower else nn.Identity()
        self.sizes = options.projection_dim, options.dim

    def forward(self, x: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Words (n, t, p), and where there are any (n, t, 1), to (n, t, p); nothing changes where there is none."""
        given = self.given(x)
        output, cell = (given.new_zeros(len(x), size) for size in self.sizes)
        found = [output] * x.shape[1]
        for step in reversed(range(x.shape[1])) if self.backwards else range(x.shape[1]):
            inward, new, forget, outward = (given[:, step] + self.before(output)).chunk(4, dim=-1)
            later = torch.sigmoid(forget + _FORGET) * cell + torch.sigmoid(inward) * torch.tanh(new)
            later = _clipped(later, self.cell_clip)
            said = _clipped(self.projection(torch.sigmoid(outward) * torch.tanh(later)), self.clip)
            here = there[:, step]
            found[step] = said * here
            output, cell = torch.where(here, said, output), torch.where(here, later, cell)
        return torch.stack(found, dim=1)


def _clipped(x: torch.Tensor, most: float | None) -> torch.Tensor:
    return x if most is None else x.clamp(-most, most)


class Layer(nn.Module):
    """A layer of both language models.

    Args:
        options: of them.
        number: from 1; the first one reads words, a later one what the one before it put out.
    """

    def __init__(self, options: LanguageOptions, number: int) -> None:
        super().__init__()
        self.number, self.width = number, options.projection_dim
        self.skips = options.use_skip_connections and number > 1
        self.forwards = Direction(options, backwards=False)
        self.backwards = Direction(options, backwards=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Layers so far (b, w, t, p + 2p (number - 1) + 1) to those with this one, 2p features more."""
        windows = x.flatten(0, 1)
        before, there = windows[..., :-1], windows[..., -1:] != 0
        ahead = before[..., : self.width] if self.number == 1 else before[..., -2 * self.width : -self.width]
        behind = before[..., : self.width] if self.number == 1 else before[..., -self.width :]
        found = torch.cat([self.forwards(ahead, there), self.backwards(behind, there)], dim=-1)
        if self.skips:
            found = found + torch.cat([ahead, behind], dim=-1)
        return torch.cat([before, found, windows[..., -1:]], dim=-1).unflatten(0, tuple(x.shape[:2]))


class Mix(nn.Module):
    """The last stage: a weighted mean of all layers, its weights learnt with the task; then the mean over words.

    Without a task all layers weigh the same. The words of the first layer stand twice, as wide as the others are.
    """

    def __init__(self, options: LanguageOptions) -> None:
        super().__init__()
        self.width = options.projection_dim
        self.scores = nn.Parameter(torch.zeros(options.n_layers + 1))
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """All layers (b, w, t, p + 2pL + 1) to features (b, 2p)."""
        # Mixing and averaging are both linear: averaging first is the same, and cheaper.
        means = mean(x)
        words = means[:, : self.width]
        layers = [torch.cat([words, words], dim=1), *means[:, self.width :].split(2 * self.width, dim=1)]
        shares = torch.softmax(self.scores, dim=0)
        return self.scale * (torch.stack(layers, dim=1) * shares.unsqueeze(-1)).sum(dim=1)


def mean(hidden: torch.Tensor) -> torch.Tensor:
    """The mean over a text's words, what frames them left out: (b, w, t, d + 1) to (b, d), float32."""
    tokens = hidden.float().flatten(1, 2)
    words = (tokens[..., -1:] > 0).float()
    return (tokens[..., :-1] * words).sum(dim=1) / words.sum(dim=1).clamp(min=1)


class Bilm(nn.Module):
    """The stages.

    Args:
        options: of the network.
    """

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.characters = Spelling(options)
        self.layers = nn.ModuleList(Layer(options.lstm, number + 1) for number in range(options.lstm.n_layers))
        self.mix = Mix(options.lstm)
        self.width = 2 * options.lstm.projection_dim

    @property
    def _stages(self) -> Sequence[nn.Module]:
        return (self.characters, *self.layers, self.mix)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Characters (b, w, t, 50) int to features (b, 2p)."""
        for stage in self._stages:
            x = stage(x)
        return x

    def check_reading(self, reading: Reading, name: str) -> None:
        """Check that words reach it by their characters.

        Raises:
            WeightsError: when they do not.
        """
        if not isinstance(reading, Tokenization) or reading.reader != "characters":
            raise WeightsError("The network reads words by their characters, not as it is said here", where=name)

    def assembly(self) -> Assembly:
        """Characters, each layer, mix."""
        count = len(self.layers)
        return Assembly(
            names=("characters", *(f"layer {number + 1}" for number in range(count)), "mix"),
            modules=tuple(self._stages),
            axes=(3,) * (count + 1) + (1,),
            width=self.width,
            mean=mean,
            paths=("characters.", *(f"layers.{number}." for number in range(count)), "mix."),
        )
