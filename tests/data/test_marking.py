"""Which tokens stand for which words: each at its first token, once, in order, where it has most around it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from headstart.data import marking, sentences, tokenizing
from tests import small_texts

KNOWN = [*small_texts.COMMON, *(word for topic in small_texts.TOPICS.values() for word in topic)]


def placed(sentence):
    return [(0, *place) for place in sentence.places]


def pieces(found, reading):
    """For each marked token its own piece, in order, as often as it is marked."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(reading.content.decode())
    rows = found.reshape(-1, found.shape[-1])
    return [made.id_to_token(int(row[0]) - 1) for row in rows for _ in range(int(row[-1]))]


@settings(max_examples=40)
@given(some.lists(some.sampled_from(KNOWN), min_size=1, max_size=70))
def test_each_word_is_marked_once_in_order_at_its_first_token(words):
    reading = small_texts.reading(length=16)
    sentence = sentences.of_words(words, "x")
    found = marking.marked(sentence.text, placed(sentence), range(len(words)), reading)
    assert found[..., -1].sum() == len(words)
    # Words of up to six letters are one piece of this vocabulary; longer ones begin with their first six.
    assert pieces(found, reading) == [word[:6] for word in words]
    assert np.array_equal(found[..., :2], tokenizing.everything(sentence.text, reading)[0])


def test_a_word_in_two_windows_is_marked_where_it_has_most_around_it():
    reading = small_texts.reading(length=16)
    sentence = sentences.of_words(["oak"] * 40, "x")
    spans = tokenizing.everything(sentence.text, reading)[1]
    for number, (window, token) in enumerate(marking.beginnings(placed(sentence), spans)):
        around = {
            at: min(place, len(row) - 1 - place)
            for at, row in enumerate(spans)
            for place, span in enumerate(row)
            if span[1:] == sentence.places[number] and span[0] is not None
        }
        assert around[window] == max(around.values()), (number, token)


def test_all_windows_of_a_long_text_are_read():
    reading = small_texts.reading(length=8)
    sentence = sentences.of_words(["fern"] * 400, "x")
    found = marking.marked(sentence.text, placed(sentence), range(400), reading)
    assert len(found) > reading.windows and found[..., -1].sum() == 400


def test_only_what_is_asked_about_is_marked():
    reading = small_texts.reading()
    sentence = sentences.of_words(["the", "owl", "was", "old"], "x")
    found = marking.marked(sentence.text, placed(sentence), [1, 3], reading)
    assert pieces(found, reading) == ["owl", "old"]


@pytest.mark.parametrize("words", [["\u200b", "owl"], ["owl", "\u200b", "oak"], ["\u200b"], ["\u200b", "\u200b"]])
def test_a_word_without_a_token_is_not_lost(words):
    reading = small_texts.reading()
    sentence = sentences.of_words(words, "x")
    found = marking.marked(sentence.text, placed(sentence), range(len(words)), reading)
    assert found[..., -1].sum() == len(words)
    assert (found[..., 0][found[..., -1] > 0] > 0).all()


def test_a_token_may_begin_at_the_space_before_its_word_and_reach_over_two():
    parts = [(0, 0, 2), (0, 3, 5), (0, 6, 8)]
    spans = [[(None, 0, 0), (0, 0, 2), (0, 2, 8), (None, 0, 0)]]
    # The third word has no token of its own: it goes with the second.
    assert marking.beginnings(parts, spans) == [(0, 1), (0, 2), (0, 2)]


def test_parts_of_the_second_text_of_a_pair_are_told_from_those_of_the_first():
    spans = [[(None, 0, 0), (0, 0, 3), (None, 0, 0), (1, 0, 3), (1, 4, 6)]]
    assert marking.beginnings([(1, 0, 3), (1, 4, 6)], spans) == [(0, 3), (0, 4)]
