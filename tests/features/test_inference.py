"""Inputs of many sizes in few passes: none is filled up far beyond its own, and each keeps its row."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.features import inference


class Sums(torch.nn.Module):
    """What texts of zeros behind their ends add up to; it remembers the shapes of its batches."""

    width = 1

    def __init__(self):
        super().__init__()
        self.shapes = []

    def forward(self, batch):
        self.shapes.append(tuple(batch.shape))
        return batch.float().flatten(1).sum(dim=1, keepdim=True)


def test_each_text_has_its_own_row_and_little_filling():
    draw = np.random.default_rng(0)
    arrays = [
        draw.integers(1, 9, (w, t, 2), np.int32) for w, t in ((1, 5), (16, 32), (1, 7), (2, 32), (1, 32), (3, 32))
    ]
    network = Sums()
    found = inference.Ready(network)(arrays)
    np.testing.assert_allclose(found[:, 0], [array.sum() for array in arrays])
    assert 1 < len(network.shapes) < len(arrays)


def test_inputs_of_one_size_are_one_pass():
    network = Sums()
    inference.Ready(network)([np.zeros((3, 8, 8), np.uint8)] * 7)
    assert network.shapes == [(7, 3, 8, 8)]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 60)), min_size=1, max_size=60), st.integers(0, 80))
def test_what_is_filled_up_costs_no_more_than_a_pass(shapes, spare):
    arrays = [np.zeros((*shape, 2), np.int32) for shape in shapes]
    groups = inference.alike(arrays, spare, 8)
    assert sorted(row for rows in groups for row in rows) == list(range(len(arrays)))
    for rows in groups:
        sizes = np.array([shapes[row] for row in rows])
        assert len(rows) <= 8
        assert len(rows) * sizes.max(axis=0).prod() - sizes.prod(axis=1).sum() <= spare


def test_texts_of_one_length_are_as_many_passes_as_batches():
    arrays = [np.zeros((1, 9, 2), np.int32)] * 20
    assert [len(rows) for rows in inference.alike(arrays, 32, 8)] == [8, 8, 4]


def test_many_texts_of_many_lengths_are_hardly_filled_up():
    """Lengths as those of running paragraphs: what is computed is within a tenth of what the texts have."""
    draw = np.random.default_rng(0)
    lengths = draw.gamma(1.5, 40, 512).clip(4, 256).astype(int)
    groups = inference.alike([np.zeros((1, length, 2), np.int32) for length in lengths], inference.SPARE["cpu"], 32)
    assert sum(len(rows) * lengths[rows].max() for rows in groups) < 1.1 * lengths.sum()
    assert len(groups) < len(lengths) / 2
