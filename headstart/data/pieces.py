"""Tokenizers that are learnt from texts, and what masked-language training has to know of any tokenizer.

WordPiece (Wu et al., 2016, arXiv 1609.08144) as BERT uses it, and byte-level BPE (Radford et al., 2019), both by the
tokenizers library. What is learnt depends on the texts alone, not on their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.errors import MissingExtra, WeightsError
from headstart.base.vocabulary import Tokenization

KINDS = ("wordpiece", "bpe")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""The tokens that stand for no word, padding first."""
MASKS = ("[MASK]", "<mask>")
"""What published tokenizers call the token that hides another."""


@dataclass(frozen=True, slots=True)
class Masking:
    """Which tokens can hide others, be hidden, and stand in.

    Attributes:
        mask: id of the token that hides another.
        words: ids of the tokens that stand for text, ascending.
        size: tokens in the vocabulary.
    """

    mask: int
    words: np.ndarray
    size: int


def learn(texts: Iterable[str], *, size: int, kind: str = "wordpiece") -> bytes:
    """A tokenizer.json for these texts.

    Args:
        texts: to learn from.
        size: tokens at most.
        kind: one of ``KINDS``; WordPiece reads everything in lower case and without accents.

    Raises:
        MissingExtra: without the tokenizers library.
    """
    try:
        from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    except ImportError as error:
        raise MissingExtra("tokenizers", "hf") from error
    if kind == "wordpiece":
        made = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # type: ignore[call-arg]
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        made.decoder = decoders.WordPiece()
        trainer: Any = trainers.WordPieceTrainer(
            vocab_size=size, special_tokens=list(SPECIAL), limit_alphabet=1000, show_progress=False
        )
    else:
        made = Tokenizer(models.BPE(unk_token="[UNK]"))
        made.normalizer = normalizers.NFC()
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        made.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
        )
    made.train_from_iterator(sorted(texts), trainer)
    first, last = "[CLS]", "[SEP]"
    made.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B:1 {last}:1",
        special_tokens=[(name, made.token_to_id(name)) for name in (first, last)],
    )
    written: str = made.to_str()
    return written.encode("utf-8")


def masking(reading: Tokenization, name: str) -> Masking:
    """What of a tokenizer can be masked.

    Raises:
        WeightsError: when it has no token that hides others.
        MissingExtra: without the tokenizers library.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("tokenizers", "hf") from error
    try:
        made = Tokenizer.from_str(reading.content.decode("utf-8"))
    except Exception as error:  # the library raises whatever its parser says
        raise WeightsError(f"The tokenizer cannot be read: {error}", where=name) from error
    found = [made.token_to_id(each) for each in MASKS]
    mask = next((each for each in found if each is not None), None)
    if mask is None:
        raise WeightsError(
            f"The tokenizer of {name} has no token that hides another",
            expected=" or ".join(MASKS),
            next_move="choose an encoder that was trained by masking, such as hf/bert-base-uncased",
        )
    special = {number for number, token in made.get_added_tokens_decoder().items() if token.special} | {mask}
    vocabulary = made.get_vocab(with_added_tokens=True)
    words = np.array(sorted(set(vocabulary.values()) - special), dtype=np.int64)
    return Masking(mask=mask, words=words, size=max(vocabulary.values()) + 1)
