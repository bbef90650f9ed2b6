"""Running statistics of batch norms while their layers are trained: kept as the source left them, or updated.

A batch of a few pictures of few labels is a poor estimate of what a norm layer should subtract and divide by, and the
running ones, updated from such batches, no longer fit the features that the head was probed on. Kept, the norms are
plain scales and shifts, and fine-tuning starts at exactly the network that was probed, as the Keras guide to transfer
learning advises (Chollet, 2020). With many labels, in pictures unlike the source's, updated ones can be better.
"""

from __future__ import annotations

from torch import nn

AUTO, KEPT, UPDATED = "auto", "kept", "updated"
FEW = 1_000
"""Training items up to which they are kept where nothing is measured."""


GENTLER = 0.1
"""The usual rate where they are kept, in rates of where they are updated."""


def names(module: nn.Module) -> tuple[str, ...]:
    """Names of the modules that keep running statistics."""
    return tuple(name for name, layer in module.named_modules() if getattr(layer, "running_mean", None) is not None)


def likely(items: int) -> str:
    """What is better as a rule for so many training items."""
    return KEPT if items <= FEW else UPDATED
