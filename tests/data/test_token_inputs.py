"""What an exported text network takes: the tokens of a text, made by its tokenizer's file and a few lines of Python."""

import numpy as np
import pytest
import torch

from headstart.base.errors import ExportError
from headstart.base.vocabulary import Tokenization
from headstart.data import texts
from headstart.data.token_inputs import FILE, NAMES, Tokens, inputs
from tests.data.test_excerpts import a_reading


def test_a_graph_prepares_what_the_network_reads():
    reading = a_reading()
    for item in ("the cat sat", ("the cat", "a dog"), "a mat " * 40):
        read = texts.load(item, reading)[None]
        given = inputs(read)
        assert tuple(given) == NAMES
        assert {each.dtype for each in given.values()} == {np.dtype(np.int64)}
        made = Tokens()(*(torch.from_numpy(each) for each in given.values()))
        np.testing.assert_array_equal(made.numpy(), read)


def test_examples_are_of_several_lengths_and_one_is_a_pair():
    reading = a_reading()
    items = texts.export_inputs(reading).examples(0)
    windows = [texts.load(item, reading).shape[0] for item in items]
    assert items == texts.export_inputs(reading).examples(0)
    assert windows[0] == 1
    assert max(windows) > 3
    assert any(isinstance(item, tuple) for item in items)


def test_the_lines_beside_an_export_make_the_same_inputs(tmp_path, monkeypatch):
    reading = a_reading()
    described = texts.export_inputs(reading)
    (tmp_path / FILE).write_bytes(described.files[FILE])
    monkeypatch.chdir(tmp_path)
    for text in ("the cat sat on a mat", "a mat and a dog " * 12):
        said: dict = {}
        exec("\n".join(described.snippet).replace("The text; of a pair, encode(first, second)", text), said)
        wanted = described.arrays(text)
        assert said["inputs"].keys() == wanted.keys()
        for name, array in wanted.items():
            np.testing.assert_array_equal(said["inputs"][name], array)


def test_a_reader_without_a_tokenizer_file_cannot_leave():
    with pytest.raises(ExportError, match="words"):
        texts.export_inputs(Tokenization(16, "", reader="words"))
