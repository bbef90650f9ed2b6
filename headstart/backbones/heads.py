"""The classifier that a network was published with: no part of the backbone, but two scores ask what it says.

A chain ends in the features that its source head read. Where that head is one linear layer, its weight and bias are
kept beside the backbone, and nowhere else: not in its tensors, its digest, a bundle or a sealed model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.backbones.tensors import HEAD

Head = tuple[np.ndarray, np.ndarray]
"""Weight (Z, d) and bias (Z,) over Z source classes, float32."""


def of_layer(layer: Any) -> Head | None:
    """The head that a module is; None if it is no linear layer to several classes."""
    if not isinstance(layer, nn.Linear) or layer.out_features < 2:
        return None
    bias = layer.bias if layer.bias is not None else torch.zeros(layer.out_features)
    return _array(layer.weight), _array(bias)


def of_state(state: Mapping[str, torch.Tensor], name: str | None, width: int) -> Head | None:
    """The head among named tensors.

    Args:
        state: all tensors of a published network.
        name: of the head's layer, where it is known; otherwise the only one that is called like a head is taken.
        width: features it reads.
    """
    named = [key for key in state if key.endswith(".weight") and HEAD.fullmatch(key)]
    wanted = [f"{name}.weight"] if name else named
    fitting = [key for key in wanted if key in state and state[key].dim() == 2 and state[key].shape[1] == width]
    if len(fitting) != 1:
        return None
    weight = state[fitting[0]]
    bias = state.get(fitting[0].removesuffix("weight") + "bias", torch.zeros(len(weight)))
    usable = len(weight) > 1 and bias.shape == (len(weight),)
    finite = usable and bool(torch.isfinite(weight).all()) and bool(torch.isfinite(bias).all())
    return (_array(weight), _array(bias)) if finite else None


def leave(module: nn.Module, head: Head | None) -> None:
    """Let a stripped network carry its head to the backbone that is made of it, as no tensor of its own."""
    vars(module)["_source_head"] = head


def take(module: nn.Module, width: int) -> Head | None:
    """What ``leave`` left, if it reads ``width`` features."""
    head: Head | None = vars(module).pop("_source_head", None)
    return head if head is not None and head[0].shape[1] == width else None


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().to("cpu", torch.float32).numpy().copy()
