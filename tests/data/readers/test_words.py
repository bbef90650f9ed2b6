"""Texts as words of a vocabulary: what is looked up in which form, what is unknown, what a window is."""

import pytest

from headstart.base import hashes
from headstart.base.errors import WeightsError
from headstart.base.vocabulary import Tokenization
from headstart.data import tokenizing


def reading(*words, length=512, windows=16, overlap=0):
    content = "\n".join(words).encode()
    return Tokenization(length, hashes.of_bytes(content), "words", overlap, windows, content)


def read(text, *words):
    """The known words of a text."""
    found = tokenizing.tokens(text, reading(*words))
    return [words[number - 1] for number in found[..., 0].ravel() if number]


def test_a_word_is_read_as_it_stands_before_it_is_read_in_lower_case():
    assert read("US us The WHO", "US", "us", "the") == ["US", "us", "the"]
    assert read("US us", "us") == ["us", "us"]


def test_marks_short_forms_and_inner_marks_come_apart_where_the_whole_is_unknown():
    known = ("he", "did", "n't", ",", "john", "'s", "e-mail", "well", "known", "u.s.", ".")
    text = "He didn\u2019t, John's (e-mail); well-known U.S."
    assert read(text, *known) == ["he", "did", "n't", ",", "john", "'s", "e-mail", "well", "known", "u.s."]


def test_digits_are_read_as_word2vec_writes_them():
    assert read("in 1987 5", "in", "####", "5") == ["in", "####", "5"]


def test_a_script_without_spaces_gives_its_longest_words():
    assert read("我喜欢北京大学", "北京", "北京大学", "喜欢", "我") == ["我", "喜欢", "北京大学"]
    assert tokenizing.unknown("我爱北京", reading("我", "北京")) == (1, 3)


def test_unknown_words_are_counted_and_marks_are_not():
    assert tokenizing.unknown("The cat, (perhaps) sat!", reading("the", "cat")) == (2, 4)
    assert tokenizing.unknown(("the cat", "a dog"), reading("the", "cat")) == (2, 4)
    assert tokenizing.unknown("?!", reading("the")) == (0, 0)


def test_a_text_without_any_known_word_is_one_token_that_is_nothing():
    found = tokenizing.tokens("entirely foreign", reading("the", "cat"))
    assert found.tolist() == [[[0, 0]]]


def test_the_second_text_of_a_pair_is_marked():
    found = tokenizing.tokens(("the cat", "cat"), reading("the", "cat"))
    assert found.tolist() == [[[1, 0], [2, 0], [2, 1]]]


def test_every_token_knows_where_it_stands():
    text = "He didn\u2019t see the well-known 北京大学."
    known = reading("he", "did", "n't", "known", "北京", "大学", ".")
    spans = tokenizing.spans(text, known)[0]
    assert [text[start:end] for _, start, end in spans] == ["He", "did", "n\u2019t", "known", "北京", "大学", "."]
    assert [which for which, _, _ in tokenizing.spans(("he did", "known"), known)[0]] == [0, 0, 1]


def test_words_to_make_texts_of_are_those_of_the_vocabulary():
    known = reading("rain", "snow")
    assert tokenizing.words(known) == ["rain", "snow"]
    assert tokenizing.written(known, [0, 3, 1]) == "rain snow snow"
    assert tokenizing.spelled(known, tokenizing.tokens("Snow and rain", known)) == "snow rain"


def test_long_texts_are_read_in_windows_and_very_long_ones_from_beginning_to_end():
    words = [f"w{i}" for i in range(25)]
    found = tokenizing.tokens(" ".join(words), reading(*words, length=10))
    assert found.shape == (3, 10, 2)
    assert [n for n in found[..., 0].ravel().tolist() if n] == list(range(1, 26))
    spread = tokenizing.tokens(" ".join(words), reading(*words, length=5, windows=3))
    assert spread[:, 0, 0].tolist() == [1, 11, 21]
    shared = tokenizing.tokens(" ".join(words), reading(*words, length=10, overlap=5))
    assert shared[:, 0, 0].tolist() == [1, 6, 11, 16]
    assert shared[-1, :, 0].tolist() == list(range(16, 26))


def test_a_vocabulary_that_is_another_or_damaged_is_refused():
    given = reading("the", "cat")
    with pytest.raises(WeightsError, match="not the one"):
        tokenizing.tokens("the", Tokenization(5, given.digest, "words", content=b"the\ndog"))
    with pytest.raises(WeightsError, match="more than once"):
        tokenizing.tokens("the", reading("the", "the"))
    latin = b"caf\xe9"
    with pytest.raises(WeightsError, match="no UTF-8"):
        tokenizing.tokens("the", Tokenization(5, hashes.of_bytes(latin), "words", content=latin))
    with pytest.raises(WeightsError, match="'runes', which nothing here can"):
        tokenizing.tokens("the", Tokenization(5, hashes.of_bytes(b""), "runes"))
