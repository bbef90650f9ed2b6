"""Supervised contrastive loss: views of one class are drawn together on the sphere, all others pushed apart.

For unit embeddings z and temperature t, with P(i) the other views of i's class:
``L = mean_i mean_{p in P(i)} -log( exp(z_i.z_p / t) / sum_{a != i} exp(z_i.z_a / t) )``
(Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, arXiv:2004.11362, the form with the sum outside).
"""

from __future__ import annotations

import torch
from torch.nn import functional


def supervised_contrastive(embeddings: torch.Tensor, labels: torch.Tensor, temperature: float = 0.1) -> torch.Tensor:
    """The loss of embeddings (n, d), of any length, with class indices (n,); a scalar.

    Views without a class-mate in the batch count only as others; with no pair at all the loss is 0.
    """
    with torch.autocast(embeddings.device.type, enabled=False):
        unit = functional.normalize(embeddings.float(), dim=1)
        itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
        logits = (unit @ unit.T / temperature).masked_fill(itself, float("-inf"))
        log_share = logits - logits.logsumexp(1, keepdim=True)
        mates = (labels[:, None] == labels[None, :]) & ~itself
        counts = mates.sum(1)
        sums = log_share.masked_fill(~mates, 0).sum(1)
        return -(sums / counts.clamp(min=1)).sum() / (counts > 0).sum().clamp(min=1)
