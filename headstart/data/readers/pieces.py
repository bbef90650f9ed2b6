"""Pieces of words: any tokenizer that the tokenizers library reads from its file, tokenizer.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.base import panics
from headstart.base.errors import MissingExtra, Undecodable, WeightsError
from headstart.base.vocabulary import Tokenization
from headstart.data.readers.reader import Text, Window


class Pieces:
    """A tokenizer of the library, cutting windows itself.

    Args:
        tokenizer: of the tokenizers library.
        reading: how long windows are.
    """

    def __init__(self, tokenizer: Any, reading: Tokenization) -> None:
        self.tokenizer = tokenizer
        # Of a pair each text has half the room, and the library ends the process's thread if windows do not move on in
        # it.
        framing = tokenizer.num_special_tokens_to_add(is_pair=True)
        self.overlap = int(max(0, min(reading.overlap, (reading.length - framing) // 2 - 1)))
        tokenizer.no_padding()
        tokenizer.enable_truncation(reading.length, stride=self.overlap)
        name = getattr(tokenizer.model, "unk_token", None)
        self.stranger = tokenizer.token_to_id(name) if name else None

    def windows(self, text: Text) -> list[Window]:
        """Windows of (t, 2): id + 1, and 1 for a token of a pair's second text."""
        found = []
        for each in self._encoded(text):
            rows = np.zeros((max(1, len(each.ids)), 2), dtype=np.int32)
            rows[: len(each.ids), 0] = np.asarray(each.ids, dtype=np.int32) + 1
            rows[: len(each.ids), 1] = each.type_ids
            spans = [(which, *place) for which, place in zip(each.sequence_ids, each.offsets, strict=True)]
            found.append(Window(rows, spans))
        return found

    def unknown(self, text: Text) -> tuple[int, int]:
        """Tokens that are the tokenizer's word for unknown ones, of those that do not frame the text."""
        strangers = total = 0
        for each in self._encoded(text):
            for number, frames in zip(each.ids, each.special_tokens_mask, strict=True):
                stranger = number == self.stranger
                strangers += stranger
                total += stranger or not frames
        return strangers, total

    def words(self) -> list[str]:
        """The pieces without the marks that say where in a word they stand, the first learnt first."""
        ranked = sorted(self.tokenizer.get_vocab(with_added_tokens=False).items(), key=lambda one: one[1])
        # Marks of a word's inside or beginning are the tokenizer's own.
        plain = [piece.removeprefix("##").strip("\u2581\u0120").removesuffix("</w>") for piece, _ in ranked]
        return [piece for piece in plain if piece.isprintable() and piece.strip()]

    def written(self, draws: Sequence[int]) -> str:
        """Tokens of the vocabulary, written as the tokenizer writes them."""
        size = self.tokenizer.get_vocab_size()
        text: str = self.tokenizer.decode([int(each) % size for each in draws])
        return text

    def spelled(self, rows: np.ndarray) -> str:
        """A window's tokens (t, 2), as the tokenizer writes them."""
        text: str = self.tokenizer.decode([int(each) - 1 for each in rows[:, 0] if each > 0])
        return text

    def _encoded(self, text: Text) -> list[Any]:
        try:
            with panics.as_errors():
                first = self.tokenizer.encode(text) if isinstance(text, str) else self.tokenizer.encode(*text)
        except Exception as error:  # a tokenizer without a token for what it does not know, say
            raise Undecodable(f"the backbone's tokenizer cannot read it: {error}") from error
        return [first, *first.overflowing]


def ready(reading: Tokenization) -> Pieces:
    """The tokenizer in ``reading.content``.

    Raises:
        WeightsError: when it cannot be read.
        MissingExtra: without the tokenizers library.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("tokenizers", "hf") from error
    try:
        with panics.as_errors():
            return Pieces(Tokenizer.from_str(reading.content.decode("utf-8")), reading)
    except Exception as error:  # the library raises whatever its parser says
        raise WeightsError(f"The tokenizer cannot be read: {error}") from error
