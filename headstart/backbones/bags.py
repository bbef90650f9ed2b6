"""A text as a bag of word vectors: the table of vectors is the first stage, what becomes of a text's words the second.

Mean: the average of its words' vectors. SIF (Arora, Liang and Ma, A Simple but Tough-to-Beat Baseline for Sentence
Embeddings, 2017): each vector times a / (a + p(word)), summed and divided by the number of words, and the common
direction removed. Two things that the paper takes from data are taken from the vectors themselves here, so that the
stage is the same for every data set and may be frozen: p(word) is Zipf's law over the order of the file, which the
publishers sort by frequency; the common direction is not the first singular vector of the sentences at hand, but of
the sentences that these words would make by chance, which has a closed form.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headstart.backbones.assembly import Assembly
from headstart.base.errors import WeightsError
from headstart.base.vocabulary import Reading, Tokenization

A = 1e-3
"""The a of a / (a + p), as the paper has it."""
WORDS = 20
"""Words of a text whose common direction is removed."""


class Table(nn.Module):
    """Word vectors.

    Args:
        vectors: (N, d) float32; taken as they are, not copied.
        weights: (N,) above 0, what each word weighs in SIF.
    """

    def __init__(self, vectors: torch.Tensor, weights: torch.Tensor) -> None:
        super().__init__()
        self.vectors = nn.Parameter(vectors)
        self.register_buffer("weights", weights)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Words (b, w, t, 2) int to (b, w, t, d + 1): each one's vector and its weight, 0 where there is no word."""
        lines = (x[..., 0].long() - 1).clamp(min=0)
        there = (x[..., :1] > 0).to(self.vectors.dtype)
        weights = functional.embedding(lines, self.get_buffer("weights").unsqueeze(-1))
        return torch.cat([functional.embedding(lines, self.vectors), weights], dim=-1) * there


class Mean(nn.Module):
    """The last stage: the mean over a text's words."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Words (b, w, t, d + 1) to features (b, d)."""
        return mean(x)


class Sif(nn.Module):
    """The last stage: the weighted sum over a text's words, without the direction that all texts share.

    Args:
        common: (d,), of length 1.
    """

    def __init__(self, common: torch.Tensor) -> None:
        super().__init__()
        self.common = nn.Parameter(common)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Words (b, w, t, d + 1) to features (b, d)."""
        words = x.float().flatten(1, 2)
        count = (words[..., -1] > 0).sum(dim=1, keepdim=True).clamp(min=1)
        found = (words[..., :-1] * words[..., -1:]).sum(dim=1) / count
        return found - (found @ self.common).unsqueeze(-1) * self.common


def mean(words: torch.Tensor) -> torch.Tensor:
    """The plain mean over the words there are: (b, w, t, d + 1) to (b, d), float32."""
    words = words.float().flatten(1, 2)
    there = (words[..., -1:] > 0).float()
    return (words[..., :-1] * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)


POOLINGS = ("sif", "mean")


class Bag(nn.Module):
    """The two stages.

    Args:
        vectors: (N, d) float32, the most frequent word first; taken, not copied.
        pooling: "sif" or "mean".
    """

    def __init__(self, vectors: torch.Tensor, pooling: str) -> None:
        super().__init__()
        chances = frequencies(len(vectors))
        self.words = Table(vectors, torch.from_numpy(weights(chances)).float())
        shared = common(vectors.numpy(), chances) if pooling == "sif" else None
        self.pooling = Mean() if shared is None else Sif(torch.from_numpy(shared).float())
        self.kind = pooling

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Words (b, w, t, 2) int to features (b, d)."""
        return self.pooling(self.words(x))

    def check_reading(self, reading: Reading, name: str) -> None:
        """Check that there is a vector for every word of the vocabulary.

        Raises:
            WeightsError: when they were not made for each other.
        """
        known = len(self.words.vectors)
        words = reading.content.count(b"\n") + 1 if isinstance(reading, Tokenization) else 0
        if not isinstance(reading, Tokenization) or reading.reader != "words" or words > known:
            raise WeightsError(
                f"The vocabulary does not match the table of vectors: it has {words:,} words",
                where=name,
                expected=f"at most {known:,} words, one a line",
                next_move="use the words.txt that was written with these weights",
            )

    def assembly(self) -> Assembly:
        """The stages. After the first, features are the plain mean."""
        return Assembly(
            names=("words", self.kind),
            modules=(self.words, self.pooling),
            axes=(3, 1),
            width=self.words.vectors.shape[1],
            mean=mean,
            paths=("words.", "pooling."),
        )


def frequencies(count: int) -> np.ndarray:
    """Zipf's law: what share of all words each of ``count`` has, the most frequent first; (n,) float64, sum 1."""
    shares = 1.0 / np.arange(1, count + 1)
    return shares / shares.sum()


def weights(chances: np.ndarray) -> np.ndarray:
    """SIF's weights (n,) of words that have these shares of all words."""
    return A / (A + chances)


def common(vectors: np.ndarray, chances: np.ndarray, words: int = WORDS) -> np.ndarray:
    """The direction (d,) in which weighted texts of words drawn by chance lie most: their first singular vector.

    Of texts with n independent words, the mean of x x' is (1/n) sum p w^2 v v' + (1 - 1/n) m m', where m = sum p w v.

    Args:
        vectors: (N, d).
        chances: (N,), p.
        words: n.
    """
    weighted = weights(chances)
    first = np.zeros(vectors.shape[1])
    second = np.zeros((vectors.shape[1],) * 2)
    for start in range(0, len(vectors), 65_536):
        block = slice(start, start + 65_536)
        part = vectors[block].astype(np.float64)
        first += (chances[block] * weighted[block]) @ part
        second += part.T @ (part * (chances[block] * weighted[block] ** 2)[:, None])
    moments = second / words + (1 - 1 / words) * np.outer(first, first)
    direction: np.ndarray = np.linalg.eigh(moments)[1][:, -1]
    return direction * np.sign(direction[np.argmax(np.abs(direction))])
