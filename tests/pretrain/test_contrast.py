"""The supervised contrastive loss against its formula, and its limits."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.pretrain.contrast import supervised_contrastive


def _by_the_formula(embeddings: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    losses = []
    for i in range(len(unit)):
        others = [a for a in range(len(unit)) if a != i]
        mates = [p for p in others if labels[p] == labels[i]]
        if mates:
            total = sum(math.exp(unit[i] @ unit[a] / temperature) for a in others)
            losses.append(np.mean([-math.log(math.exp(unit[i] @ unit[p] / temperature) / total) for p in mates]))
    return float(np.mean(losses)) if losses else 0.0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 5), st.sampled_from([0.1, 0.5, 2.0]))
def test_equals_the_formula(seed: int, count: int, classes: int, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    embeddings, labels = rng.normal(size=(count, 6)), rng.integers(classes, size=count)
    ours = supervised_contrastive(torch.from_numpy(embeddings), torch.from_numpy(labels), temperature)
    assert math.isclose(float(ours), _by_the_formula(embeddings, labels, temperature), rel_tol=1e-4, abs_tol=1e-5)


def test_is_zero_and_differentiable_without_any_pair() -> None:
    embeddings = torch.randn(4, 8, requires_grad=True)
    loss = supervised_contrastive(embeddings, torch.arange(4))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert torch.isfinite(embeddings.grad).all()


def test_is_lower_when_classmates_agree() -> None:
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    agreeing = torch.eye(3).repeat(2, 1)
    assert supervised_contrastive(agreeing, labels) < 0.01
    assert supervised_contrastive(agreeing.roll(1, 1).roll(1, 0), labels) <= supervised_contrastive(
        torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), labels
    )


def test_length_of_an_embedding_does_not_matter() -> None:
    embeddings, labels = torch.randn(6, 4), torch.tensor([0, 0, 1, 1, 2, 2])
    torch.testing.assert_close(
        supervised_contrastive(embeddings, labels), supervised_contrastive(embeddings * 7, labels)
    )
