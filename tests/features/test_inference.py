"""Inputs of many sizes in few passes: none is filled up far beyond its own, and each keeps its row."""

import numpy as np
import torch

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
    for rows in inference.alike(arrays):
        widest = np.max([arrays[row].shape for row in rows], axis=0)
        assert all(np.prod(widest) <= inference.FILLED * arrays[row].size for row in rows)
    assert 1 < len(network.shapes) < len(arrays)


def test_inputs_of_one_size_are_one_pass():
    network = Sums()
    inference.Ready(network)([np.zeros((3, 8, 8), np.uint8)] * 7)
    assert network.shapes == [(7, 3, 8, 8)]
