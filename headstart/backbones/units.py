"""Parts of a text that are asked about, such as its words: one row of features for each instead of one for the text.

What a text network reads has one more number a token then: for how many units it stands, nearly always 0 or 1. Behind
the first stage that number crosses every cut in the feature which says whether there is a token: 0 where there is none,
1 for a token, and 1 more for each unit. It is a whole number far below 256, so half precision keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

PLAIN = 2
"""Numbers of a token where no units are asked about: its id + 1, and which text of a pair it is of."""


def there(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """What crosses the cuts in the last feature, (..., t), of tokens (..., t, 2 or 3) int where ``mask`` has one."""
    return mask.int() + tokens[..., PLAIN] * mask if tokens.shape[-1] > PLAIN else mask


def counts(x: torch.Tensor) -> torch.Tensor:
    """Units (b, w, t) of each token, of tokens (b, w, t, 3) int or hidden states (b, w, t, d + 1)."""
    if not x.is_floating_point():
        return x[..., PLAIN].long()
    return (x[..., -1].float() - 1).clamp(min=0).round().long()


def number(tokens: np.ndarray) -> int:
    """Rows that a network gives of a text's tokens (w, t, c): its units, or 1 where none can be asked about."""
    return int(tokens[..., PLAIN].sum()) if tokens.ndim == 3 and tokens.shape[-1] == PLAIN + 1 else 1


def rows(hidden: torch.Tensor) -> torch.Tensor:
    """Hidden states (b, w, t, d + 1) to the features (u, d) of the units, text by text in their order, float32."""
    return hidden[..., :-1].flatten(0, 2).float().repeat_interleave(counts(hidden).flatten(), dim=0)


def only(x: torch.Tensor, wanted: Sequence[Sequence[int]]) -> torch.Tensor:
    """A copy of tokens or hidden states (b, ...) in which only some units are asked about.

    Args:
        x: every unit of each text is asked about in it.
        wanted: of each text the units, counted from 0, ascending.
    """
    before = counts(x).flatten(1)
    kept = torch.zeros_like(before)
    for row, places in enumerate(wanted):
        tokens = torch.arange(before.shape[1], device=x.device).repeat_interleave(before[row])
        chosen = tokens[torch.as_tensor(list(places), dtype=torch.long, device=x.device)]
        kept[row].index_add_(0, chosen, torch.ones_like(chosen))
    result, place = x.clone(), PLAIN if not x.is_floating_point() else -1
    result[..., place] += (kept - before).view(x.shape[:-1]).to(x.dtype)
    return result


def everywhere(tokens: torch.Tensor) -> torch.Tensor:
    """Tokens (b, w, t, 2) int, each of which is a unit: (b, w, t, 3)."""
    return torch.cat([tokens, (tokens[..., :1] > 0).to(tokens.dtype)], dim=-1)
