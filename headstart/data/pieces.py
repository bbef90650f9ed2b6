"""Tokenizers that are learnt from texts, and what masked-language training has to know of any tokenizer.

WordPiece (Wu et al., 2016, arXiv 1609.08144) as BERT uses it, and byte-level BPE (Radford et al., 2019), both by the
tokenizers library. What is learnt depends on the texts alone, not on their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.errors import MissingExtra, WeightsError
from headstart.base.vocabulary import Tokenization

KINDS = ("wordpiece", "bpe")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""The tokens that stand for no word, padding first."""
LETTERS = 1_000
"""Different letters in a WordPiece vocabulary at most: a word with a rarer one is unknown."""
_START = "\u2581"
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
        from tokenizers import processors
    except ImportError as error:
        raise MissingExtra("tokenizers", "hf") from error
    made = _wordpiece(texts, size) if kind == "wordpiece" else _bytes(texts, size)
    first, last = "[CLS]", "[SEP]"
    made.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B:1 {last}:1",
        special_tokens=[(name, made.token_to_id(name)) for name in (first, last)],
    )
    written: str = made.to_str()
    return written.encode("utf-8")


def _bytes(texts: Iterable[str], size: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
        ),
    )
    return made


def _wordpiece(texts: Iterable[str], size: int) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

    normal, apart = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word, _ in apart.pre_tokenize_str(normal.normalize_str(text)))
    vocabulary = {token: number for number, token in enumerate(_pieces(words, size))}
    unknown = SPECIAL[1]
    made = Tokenizer(models.WordPiece(vocabulary, unk_token=unknown))
    made.normalizer, made.pre_tokenizer, made.decoder = normal, apart, decoders.WordPiece()
    made.add_special_tokens([AddedToken(each, special=True, normalized=False) for each in SPECIAL])
    return made


def _pieces(words: Counter[str], size: int) -> list[str]:
    """The vocabulary of a WordPiece model, most useful first.

    The library's own trainer gives another vocabulary at each run; merging letters that know whether they begin a word
    comes to the same, and is settled.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    letters: Counter[str] = Counter()
    for word, times in words.items():
        for letter in word:
            letters[letter] += times
    kept = set(sorted(letters, key=lambda letter: (-letters[letter], letter))[:LETTERS])
    known = {word: times for word, times in words.items() if _START not in word and kept.issuperset(word)}
    merging = Tokenizer(models.BPE())
    merging.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=size + len(kept), show_progress=False)
    repeated = (" ".join([_START + word] * times) for word, times in sorted(known.items()))
    merging.train_from_iterator(repeated, trainer)
    merged = sorted(merging.get_vocab().items(), key=lambda one: one[1])
    begin = sorted({word[0] for word in known})
    inside = sorted({f"##{letter}" for word in known for letter in word[1:]})
    longer = [token[1:] if token.startswith(_START) else f"##{token}" for token, _ in merged if token != _START]
    return list(dict.fromkeys([*SPECIAL, *begin, *inside, *longer]))[:size]


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
