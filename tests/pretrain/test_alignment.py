"""Alignment and uniformity against their formulas, and their ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from headstart.pretrain.alignment import alignment, uniformity


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_equal_the_formulas(count: int) -> None:
    rng = np.random.default_rng(count)
    a, b = rng.normal(size=(2, count, 6)).astype(np.float32)
    x, y = unit(a), unit(b)
    pairs = [math.exp(-2 * ((x[i] - x[j]) ** 2).sum()) for i in range(count) for j in range(count) if i != j]
    assert float(alignment(torch.from_numpy(a), torch.from_numpy(b))) == pytest.approx(
        np.mean(((x - y) ** 2).sum(1)), rel=1e-5
    )
    assert float(uniformity(torch.from_numpy(a))) == pytest.approx(math.log(np.mean(pairs)), rel=1e-4)


def test_a_collapse_is_perfectly_aligned_and_not_uniform_at_all() -> None:
    same = torch.ones(8, 4)
    assert float(alignment(same, 3 * same)) == pytest.approx(0, abs=1e-6)
    assert float(uniformity(same)) == pytest.approx(0, abs=1e-5)
    apart = torch.cat([torch.eye(4), -torch.eye(4)])
    assert float(uniformity(apart)) < -3


def test_one_picture_has_no_pair_and_a_gradient_all_the_same() -> None:
    alone = torch.ones(1, 4, requires_grad=True)
    loss = uniformity(alone)
    loss.backward()
    assert float(loss.detach()) == 0
    assert torch.isfinite(alone.grad).all()


def test_bf16_around_it_does_not_round_the_distances() -> None:
    close = torch.randn(16, 32, generator=torch.Generator().manual_seed(0)) * 1e-3 + 1
    expected = float(uniformity(close))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert float(uniformity(close)) == pytest.approx(expected, rel=1e-5)
