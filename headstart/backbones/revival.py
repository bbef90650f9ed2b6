"""Residual branches that add something from the start, so that a network that was never trained is a fair comparison.

Libraries often start a branch at (nearly) zero, by a zero norm gain (Goyal et al., Accurate, Large Minibatch SGD, 2017)
or a tiny layer scale (Touvron et al., Going deeper with Image Transformers, 2021): good for long training, but before
it the blocks do nothing at all.
"""

from __future__ import annotations

import torch
from torch import nn

SMALL = 0.1
"""Layer scales below this are raised to it: what the paper starts networks of up to 18 blocks with."""
SCALES = ("gamma", "layer_scale", "scale", "skipinit_gain")
NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


def revive(module: nn.Module) -> nn.Module:
    """Set norm gains that are zero to one and raise tiny layer scales, in place; returns the module."""
    with torch.no_grad():
        for part in module.modules():
            for name, parameter in part.named_parameters(recurse=False):
                if isinstance(part, NORMS) and name == "weight" and not parameter.any():
                    parameter.fill_(1)
                elif _is_scale(name, part) and parameter.abs().max() < SMALL:
                    parameter.fill_(SMALL)
    return module


def _is_scale(name: str, part: nn.Module) -> bool:
    within = type(part).__name__.lower()
    return any(name.startswith(scale) for scale in SCALES) or ("layerscale" in within and name == "weight")
