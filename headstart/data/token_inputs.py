"""What an exported graph of a text network takes: token ids, as the tokenizer that lies beside it makes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.base.errors import ExportError
from headstart.base.seeds import generator
from headstart.base.vocabulary import Tokenization
from headstart.data import tokenizing
from headstart.data.exportable import BATCH, ExportInputs
from headstart.data.tokenizing import Text

FILE = "tokenizer.json"
NAMES = ("input_ids", "attention_mask", "token_type_ids")
"""Inputs of the graph, as transformers names them."""
AXES = (BATCH, "windows", "tokens")
LENGTHS = (1, 0.4, 0.9, 2.6, 1, 7.3)
"""Of generated texts, in windows; the first is a single token."""


def described(reading: Tokenization, decode: Callable[[Any], Text]) -> ExportInputs:
    """What a graph takes whose network reads tokens (n, w, t, 2).

    Raises:
        ExportError: for a reader that has no file which others read.
    """
    if reading.reader != "pieces":
        raise ExportError(
            f"Its texts are read as {reading.reader}, and no other library reads that file",
            next_move="serve the model folder itself: headstart serve",
        )
    return ExportInputs(
        preprocessing=reading,
        axes=dict.fromkeys(NAMES, AXES),
        prepare=Tokens(),
        arrays=lambda item: inputs(tokenizing.tokens(decode(item), reading)[None]),
        replayed=inputs,
        examples=partial(_examples, reading),
        words=f"token ids of whole texts, (n, windows, tokens) int64, with the mask of tokens that are there and the "
        f"type of each, as {FILE} beside it makes them: windows of at most {reading.length} tokens that share "
        f"{reading.overlap}",
        snippet=_snippet(reading),
        read=(*AXES, 2),
        most={"tokens": reading.length, "windows": max(2, reading.windows)},
        prepared=_prepared(reading),
        differs="",
        needs=("tokenizers",),
        files={FILE: reading.content},
    )


class Tokens(nn.Module):
    """From ids, mask and types (n, w, t) to what a text network reads, (n, w, t, 2) int32."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        """Zero where there is no token."""
        return torch.stack([(ids + 1) * mask, types * mask], dim=-1).to(torch.int32)


def inputs(tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Tokens (n, w, t, 2) as the inputs of a graph, each (n, w, t) int64."""
    there = tokens[..., 0] > 0
    arrays = (np.where(there, tokens[..., 0] - 1, 0), there, tokens[..., 1] * there)
    return {name: np.ascontiguousarray(array, dtype=np.int64) for name, array in zip(NAMES, arrays, strict=True)}


def _examples(reading: Tokenization, seed: int) -> list[Text]:
    """Generated texts: a single token, short, nearly a window, several windows, a pair, a long one."""
    draw = generator(seed, "export", "texts", reading.digest)
    found: list[Text] = []
    for length in LENGTHS:
        count = 1 if not found else max(2, round(length * reading.length))
        found.append(tokenizing.written(reading, draw.integers(0, 2**31, count).tolist()))
    found[4] = (str(found[1]), str(found[2]))
    return found


def _snippet(reading: Tokenization) -> tuple[str, ...]:
    return (
        "import numpy as np",
        "from tokenizers import Tokenizer",
        f"tokenizer = Tokenizer.from_file({FILE!r})",
        f"tokenizer.enable_truncation({reading.length}, stride={tokenizing.overlap(reading)})",
        'first = tokenizer.encode("The text; of a pair, encode(first, second)")',
        f"windows = [first, *first.overflowing][:{reading.windows}]",
        "width = max(len(window.ids) for window in windows)",
        "def filled(name):",
        "    rows = [getattr(window, name) for window in windows]",
        "    return np.array([[row + [0] * (width - len(row)) for row in rows]], dtype=np.int64)",
        "inputs = {name: filled(of) for name, of in (",
        '    ("input_ids", "ids"), ("attention_mask", "attention_mask"), ("token_type_ids", "type_ids"))}',
    )


def _prepared(reading: Tokenization) -> tuple[str, ...]:
    return _snippet(reading)
