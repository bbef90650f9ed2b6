"""Alignment and uniformity: two views of one picture close, all pictures spread over the sphere.

For unit embeddings x, y of two views of the same n pictures:
``align = mean_i |x_i - y_i|^2`` and ``uniform = log mean_{i != j} exp(-2 |x_i - x_j|^2)``
(Wang and Isola, Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere,
ICML 2020, arXiv:2005.10242). ``uniform`` is 0 when everything has collapsed to one point and falls as points spread.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional


def alignment(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Mean squared distance between the unit embeddings (n, d) of two views of the same pictures; 0 to 4."""
    with torch.autocast(first.device.type, enabled=False):
        return (_unit(first) - _unit(second)).square().sum(1).mean()


def uniformity(embeddings: torch.Tensor, temperature: float = 2.0) -> torch.Tensor:
    """Log mean Gaussian potential over pairs of different pictures (n, d); from 0 (collapsed) down to about -4.

    Fewer than two pictures have no pair, and give 0.
    """
    count = len(embeddings)
    if count < 2:
        return embeddings.sum() * 0
    # In bf16 the distances of close pairs would be lost in rounding.
    with torch.autocast(embeddings.device.type, enabled=False):
        unit = _unit(embeddings)
        squared = (2 - 2 * unit @ unit.T).clamp(min=0)
        itself = torch.eye(count, dtype=torch.bool, device=unit.device)
        potentials = (-temperature * squared).masked_fill(itself, float("-inf"))
        return potentials.flatten().logsumexp(0) - math.log(count * (count - 1))


def _unit(embeddings: torch.Tensor) -> torch.Tensor:
    return functional.normalize(embeddings.float(), dim=1)
