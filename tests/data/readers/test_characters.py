"""Words as ELMo's characters: the numbers of the published models, windows framed by a beginning and an end."""

from headstart.base import hashes
from headstart.base.vocabulary import Tokenization
from headstart.data import tokenizing


def reading(length=128, overlap=0):
    return Tokenization(length, hashes.of_bytes(b""), "characters", overlap)


def test_the_numbers_are_those_of_the_published_models():
    # bilm-tf's own example: 256 + 1 to 260 + 1 for the marks, bytes one above themselves.
    found = tokenizing.tokens("Ca é", reading())
    assert found.shape == (1, 4, 50)
    assert found[0, 0].tolist() == [259, 257, 260] + [261] * 47
    assert found[0, 1].tolist() == [259, ord("C") + 1, ord("a") + 1, 260] + [261] * 46
    assert found[0, 2].tolist() == [259, 0xC3 + 1, 0xA9 + 1, 260] + [261] * 46
    assert found[0, 3].tolist() == [259, 258, 260] + [261] * 47


def test_of_a_long_word_the_first_48_bytes_are_read():
    word = tokenizing.tokens("x" * 60, reading())[0, 1]
    assert word.tolist() == [259, *[ord("x") + 1] * 48, 260]


def test_every_window_is_framed():
    found = tokenizing.tokens(" ".join("abcdefgh"), reading(length=5))
    assert found.shape == (3, 5, 50)
    assert (found[:, 0, 1] == 257).all()
    assert (found[:2, 4, 1] == 258).all()
    assert found[2, 3, 1] == 258
    assert not found[2, 4].any()


def test_words_are_split_as_the_corpus_was_and_none_is_unknown():
    found = tokenizing.tokens("He didn't.", reading())[0]
    words = ["".join(chr(n - 1) for n in row if 1 < n < 257) for row in found[1:-1]]
    assert words == ["He", "did", "n't", "."]
    assert tokenizing.unknown("He didn't.", reading()) == (0, 4)


def test_every_word_knows_where_it_stands_and_a_frame_stands_nowhere():
    text = "He didn\u2019t."
    spans = tokenizing.spans(text, reading())[0]
    assert [which for which, _, _ in spans] == [None, 0, 0, 0, 0, None]
    assert [text[start:end] for _, start, end in spans[1:-1]] == ["He", "did", "n\u2019t", "."]
    assert tokenizing.written(reading(), [0, 1]) == "the and"


def test_what_was_read_can_be_written_again():
    assert tokenizing.spelled(reading(), tokenizing.tokens("He didn't see caf\u00e9s.", reading())) == (
        "He did n't see caf\u00e9s ."
    )
