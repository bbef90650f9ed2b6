"""What stands for a text: the mean over its tokens, or the one token that an encoder was trained to say it with; where
parts of it are asked about, the token that each of them begins with."""

from __future__ import annotations

import torch

from headstart.backbones import units
from headstart.backbones.segments import Pool, mean


def first(hidden: torch.Tensor) -> torch.Tensor:
    """The first token, averaged over windows: (b, w, t, d + 1) to (b, d), float32."""
    return mean(hidden[:, :, :1])


def last(hidden: torch.Tensor) -> torch.Tensor:
    """The last token, averaged over windows: (b, w, t, d + 1) to (b, d), float32."""
    there = hidden[..., -1] > 0.5
    # Tokens may be missing in between as well: the last is the one with the largest number.
    numbers = torch.arange(1, hidden.shape[2] + 1, device=hidden.device)
    chosen = (there * numbers).argmax(dim=2)
    return mean(hidden.take_along_dim(chosen[:, :, None, None], dim=2))


POOLINGS: dict[str, Pool] = {"mean": mean, "first": first, "last": last, "units": units.rows}
"""By the names that configurations of backbones use."""
