"""What does not move, and the proof that it did not.

A frozen norm layer in train mode still rewrites its running statistics (keras#9214 and its kin), so a module none of
whose parameters move is put into eval mode, and buffers are part of the proof.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from headstart.base import hashes
from headstart.base.errors import TrainingError


def moving_names(phase_groups: Collection[Collection[str]]) -> frozenset[str]:
    """All parameter names in any of the groups."""
    return frozenset(name for names in phase_groups for name in names)


def arrange(model: nn.Module, moving: Collection[str], still: Collection[str] = ()) -> None:
    """Set ``requires_grad`` and train/eval mode so that exactly ``moving`` can change.

    A module with parameters of its own trains if one of them moves. One with buffers only (a norm without affine
    parameters) trains if everything moves. One with neither (dropout, drop path) trains if anything does. A module in
    ``still`` never trains: its parameters may move, its buffers may not.
    """
    everything = True
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in moving)
        everything = everything and name in moving
    for prefix, module in model.named_modules():
        own = [f"{prefix}.{name}" if prefix else name for name, _ in module.named_parameters(recurse=False)]
        if prefix in still:
            module.training = False
        elif own:
            module.training = any(name in moving for name in own)
        elif any(True for _ in module.buffers(recurse=False)):
            module.training = everything
        else:
            module.training = bool(moving)


def still_tensors(model: nn.Module, moving: Collection[str], still: Collection[str] = ()) -> dict[str, torch.Tensor]:
    """Parameters and buffers that must come out of training as they went in."""
    arrange(model, moving, still)
    found: dict[str, torch.Tensor] = {name: value for name, value in model.named_parameters() if name not in moving}
    for prefix, module in model.named_modules():
        if not module.training:
            for name, buffer in module.named_buffers(prefix, recurse=False):
                found[name] = buffer
    return found


def proof(model: nn.Module, moving: Collection[str], still: Collection[str] = ()) -> str:
    """Digest of everything that must not move."""
    return hashes.of_tensors(still_tensors(model, moving, still))


def check(model: nn.Module, moving: Collection[str], before: str, still: Collection[str] = ()) -> None:
    """Compare with the digest taken before.

    Raises:
        TrainingError: if a frozen tensor or buffer has changed.
    """
    if proof(model, moving, still) != before:
        raise TrainingError(
            "A frozen tensor or buffer changed during training",
            expected="parameters outside every group, and the statistics of frozen norms, to stay as they were",
            next_move="report this with the run's folder; the weights of this fit were not kept",
        )
