"""Every published format reads to the same table; what is damaged or lies is named, and nothing else happens."""

import gzip
import pickle
import tracemalloc

import numpy as np
import pytest

from headstart.backbones import vectorfile
from headstart.base.errors import WeightsError
from tests.backbones import wordvectors

KINDS = ("binary", "binary without line ends", "glove", "vec", "binary.gz", "glove.gz", "vec.gz")


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_words_and_vectors(tmp_path, kind):
    found = vectorfile.read(wordvectors.write(tmp_path, kind))
    assert tuple(found.words) == wordvectors.WORDS
    np.testing.assert_allclose(found.table, wordvectors.table(), atol=1e-6)
    assert found.whole
    assert not found.left_out


@pytest.mark.parametrize("kind", KINDS)
def test_the_most_frequent_words_are_kept(tmp_path, kind):
    path = wordvectors.write(tmp_path, kind)
    found = vectorfile.read(path, 5)
    assert tuple(found.words) == wordvectors.WORDS[:5]
    assert not found.whole
    assert vectorfile.read(path, len(wordvectors.WORDS)).whole
    assert vectorfile.read(path, 10**9).whole


@pytest.mark.parametrize("kind", ["binary", "glove", "vec"])
def test_rows_nobody_could_look_up_are_left_out_and_counted(tmp_path, kind):
    words = ("the", "cat", "the", "New York", "caf\u00e9", "cafe\u0301")
    found = vectorfile.read(wordvectors.write(tmp_path, "glove", words=words))
    assert found.words == ["the", "cat", "caf\u00e9"]
    assert found.left_out == {"a second time": 2, "empty or with a space in the word": 1}


def test_bytes_that_are_no_utf8_are_left_out(tmp_path):
    path = tmp_path / "latin.vec"
    path.write_bytes(b"2 2\ncaf\xe9 0.1 0.2\ncat 0.3 0.4\n")
    found = vectorfile.read(path)
    assert (found.words, found.left_out) == (["cat"], {"no UTF-8": 1})


DAMAGED = {
    "a promise the file is too small for": (b"3000000 300\nthe 0.1", "promises 3,000,000 words of 300 numbers"),
    "a binary cut off": (wordvectors.binary()[:-30], "ends after 27 of the 28"),
    "a row too many": (wordvectors.text(header=(10, 12)).encode(), "more words than the 10"),
    "a binary row too many": (wordvectors.binary(header=(10, 12)), "more words than the 10"),
    "a text cut off in a row": (wordvectors.text().encode()[:-30], "Line 28 has"),
    "a row missing": (wordvectors.text(header=(30, 12)).encode(), "ends after 28 of the 30"),
    "too wide": (wordvectors.text(header=(28, 11)).encode(), "Line 2 has 12 numbers"),
    "too narrow": (wordvectors.text(header=(20, 13)).encode(), "Line 2 has 12 numbers"),
    "a word among the numbers": (b"the 0.1 0.2 0.3\ncat 0.1 x 0.3\n", "'cat' is not made of numbers"),
    "not a number": (b"the 0.1 0.2 0.3\ncat 0.1 nan 0.3\n", "'cat' has a value that is not finite"),
    "infinite, binary": (
        wordvectors.binary(("a", "b"), np.array([[1, 2], [np.inf, 1]], np.float32)),
        "'b' has a value that is not finite",
    ),
    "nothing": (b"", "no word vectors"),
    "prose": (b"It was a dark and stormy night.\n", "no word vectors"),
    "no line end": (b"a" * (2**20 + 10), "does not end"),
    "no words": (b"0 300\n", "promises 0 words"),
    "absurdly wide": (b"2 100000\n", "promises 2 words of 100,000 numbers"),
    "only words with spaces": (b"New York 0.1 0.2 0.3\n", "no word in it"),
    "a fastText model": (b"\xba\x16\x4f\x2f\x0c\x00", "take the .vec file"),
    "a zip": (b"PK\x03\x04....", "unpack it"),
    "a gzip cut off": (gzip.compress(wordvectors.text().encode())[:-50], "cannot be read to its end"),
    "a pickle": (pickle.dumps({"the": [0.1]}, protocol=4), "a pickle, which is a program"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_is_damaged_is_named(tmp_path, case):
    content, message = DAMAGED[case]
    path = tmp_path / "vectors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        vectorfile.read(path)
    assert caught.value.where == str(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        vectorfile.read(tmp_path / "none.vec")
    with pytest.raises(WeightsError, match="A folder"):
        vectorfile.read(tmp_path)


def test_a_large_file_takes_little_more_memory_than_its_vectors(tmp_path):
    words = [f"w{i}" for i in range(8_000)]
    vectors = np.random.default_rng(0).normal(size=(len(words), 300)).astype(np.float32)
    path = wordvectors.write(tmp_path, "binary", words=words, vectors=vectors)
    del vectors
    tracemalloc.start()
    found = vectorfile.read(path)
    size, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.table.nbytes <= size
    # A block, and a piece of the file with what is made of it, whatever the size of the table.
    assert most - found.table.nbytes < vectorfile._BLOCK + 40e6
