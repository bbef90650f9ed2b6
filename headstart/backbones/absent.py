"""No network: what stands in its place where none is at hand, so that what needs none can still be measured.

It has one stage and not a single parameter, reads the least that can be read of an item, and says the same of all.
"""

from __future__ import annotations

import torch
from torch import nn

from headstart.backbones.assembly import Assembly
from headstart.backbones.chain import Backbone
from headstart.base import hashes
from headstart.base.vocabulary import BackboneInfo, Preprocessing, Reading, Tokenization

NAME = "none"
_SIDE = 8


class Nothing(nn.Module):
    """One stage that gives one feature, which is 1 for every item."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs (n, ...) to (n, 1)."""
        return torch.ones(len(x), 1, device=x.device)

    def assembly(self) -> Assembly:
        """The one stage."""
        return Assembly(names=(NAME,), modules=(self,), axes=(1,), width=1)


def network(modality: str) -> Backbone:
    """What stands in the place of a backbone for a modality."""
    info = BackboneInfo(NAME, NAME, 0, (), 0, _reading(modality), licence="none", local=True, modality=modality)
    return Backbone(Nothing(), info, rebuild=lambda _: Nothing())


def _reading(modality: str) -> Reading:
    if modality == "images":
        return Preprocessing(_SIDE, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    # A vocabulary without a word: every text is read, and nothing of it is kept.
    return Tokenization(1, hashes.of_bytes(b""), reader="words", overlap=0)
