"""Words in their sentences: what is an item, how it is read, shown and handed over."""

import numpy as np
import pytest
import torch

from headstart.base.errors import ExportError, Undecodable
from headstart.data import sentences, words
from tests import small_texts

SENTENCE = sentences.of_words(["the", "old", "owl", "was", "near"], "s")


def test_texts_are_split_as_corpora_are():
    found = sentences.of_text("Mr. O'Neil (of Rome) didn't go.", "s")
    assert found.words == ("Mr", ".", "O'Neil", "(", "of", "Rome", ")", "didn't", "go", ".")
    assert [found.text[start:end] for start, end in found.places] == list(found.words)


def test_items_and_wholes_find_each_other():
    items = words.parts(SENTENCE)
    assert [item.chosen for item in items] == [(n,) for n in range(5)]
    whole = words.whole(items[2])
    assert whole.chosen == (0, 1, 2, 3, 4) and words.part(items[2]) == (id(SENTENCE), 2)
    digests = {words.digest(item) for item in (*items, whole)}
    assert len(digests) == 6
    assert words.digest(whole) == words.digest(sentences.of_words(SENTENCE.words, "elsewhere"))


def test_one_word_is_marked_and_the_others_are_its_context():
    reading = small_texts.reading()
    one, everything = words.load(words.parts(SENTENCE)[2], reading), words.load(SENTENCE, reading)
    assert np.array_equal(one[..., :2], everything[..., :2])
    assert one[..., 2].sum() == 1 and everything[..., 2].sum() == 5


def test_generated_inputs_ask_about_one_word_each():
    reading = small_texts.reading()
    found = words.generated(reading, seed=0, count=8)
    assert (found[..., 2].sum(axis=(1, 2)) == 1).all()
    assert np.array_equal(found, words.generated(reading, seed=0, count=8))
    plain = words.handed(words.generated(None, seed=0, count=8))
    assert [len(item.chosen) for item in plain] == [1] * 8


def test_bytes_become_the_same_words_again():
    item = words.parts(SENTENCE)[3]
    (found,) = words.handed(words.load(item, None)[None])
    assert (found.sentence.words, found.chosen) == (SENTENCE.words, (3,))


def test_a_varied_copy_keeps_what_is_asked_about():
    reading = small_texts.reading()
    batch = torch.from_numpy(words.load(sentences.of_words(["kitchen", "harbour"] * 6, "s"), reading))[None]
    varied = words.augment(batch, 3, strength=8.0)
    assert not torch.equal(varied, batch)
    assert torch.equal(varied[..., 2], batch[..., 2]) and (varied[..., 0][varied[..., 2] > 0] > 0).all()


def test_a_word_is_shown_marked_in_its_sentence():
    shown = words.render(words.parts(SENTENCE)[2])
    assert [run for run in shown.texts[0] if run[1] > 0] == [("owl", 1.0)]
    assert shown.plain() == SENTENCE.text
    assert all(mark == 0 for _, mark in words.render(SENTENCE).texts[0])


@pytest.mark.parametrize("item", ["", "  ", None, ("a", 1), [], b"\xff\xfe\xff"])
def test_what_has_no_words_is_refused(item):
    with pytest.raises(Undecodable):
        words.decode(item)


def test_no_graph_takes_words_and_it_is_said_why():
    with pytest.raises(ExportError, match="which of a sentence's tokens"):
        words.export_inputs(small_texts.reading())


def test_what_is_asked_about_may_be_files_texts_and_lists(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("Ann B-PER\nran O\n\nBob B-PER\n")
    found = words.asked([str(path), "the old owl"])
    assert [words.names(item)[0] for item in found] == [["Ann", "ran"], ["Bob"], ["the", "old", "owl"]]
    assert [words.names(item)[0] for item in words.listed([["Ann", "ran"], "the owl"])] == [
        ["Ann", "ran"],
        ["the", "owl"],
    ]
    assert words.listed("the owl") == ["the owl"]
