"""Whether a network was made for a language, as its tokenizer tells: none is called foreign to a multilingual one."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from headstart.base import hashes
from headstart.base.vocabulary import Tokenization
from headstart.data import languages, legible
from tests import wordpieces

SPOKEN = (*languages.SMALL, "Chinese", "Japanese", "Thai")
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def reading(made: Tokenizer) -> Tokenization:
    ids = [(each, made.token_to_id(each)) for each in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ids)
    content = made.to_str().encode()
    return Tokenization(64, hashes.of_bytes(content), content=content)


def pieces(spoken: tuple[str, ...]) -> Tokenization:
    """As multilingual BERT reads: whole words, and each sign of the unspaced scripts by itself."""
    words = {word for name in spoken for word in languages.common(name)}
    signs = {word: any("\u4e00" <= each <= "\u9fff" for each in word) for word in words}
    words = {sign for word in words for sign in (word if signs[word] else [word])}
    vocabulary = {**wordpieces.vocabulary(words, SPECIAL)}
    for word in sorted(words):
        vocabulary.setdefault(word, len(vocabulary))
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return reading(made)


def unigram(spoken: tuple[str, ...]) -> Tokenization:
    """As XLM-R reads: a mark before each word, likelier pieces the longer they are."""
    words = sorted({word for name in spoken for word in languages.common(name)})
    letters = sorted({letter for word in words for letter in word})
    scored = [*((each, 0.0) for each in SPECIAL), ("\u2581", -6.0), *((letter, -9.0) for letter in letters)]
    scored += [(form, -7.0) for word in words for form in dict.fromkeys((f"\u2581{word}", word)) if len(form) > 1]
    made = Tokenizer(models.Unigram(list(dict(scored).items()), unk_id=1))
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return reading(made)


@pytest.mark.parametrize("make", [pieces, unigram])
@pytest.mark.parametrize("language", SPOKEN)
def test_no_language_of_a_multilingual_network_is_foreign_to_it(make, language: str) -> None:
    assert legible.knows(make(SPOKEN), language)


@pytest.mark.parametrize("make", [pieces, unigram])
@pytest.mark.parametrize("language", ["German", "Russian"])
def test_another_language_is_foreign_to_a_network_of_one(make, language: str) -> None:
    only = make(("English",))
    assert legible.knows(only, "English") and not legible.knows(only, language)
    found = legible.facts(["whatever it says"] * 2, ["English", language], only)
    np.testing.assert_array_equal(found["foreign"], [0.0, 1.0])
