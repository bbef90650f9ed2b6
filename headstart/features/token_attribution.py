"""Which words a network went by: how much each token of a text spoke for an answer.

Integrated gradients (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365) over what the first stage makes of the
tokens, computed by captum. The baseline is a text as long whose tokens are all the same, the mean of its own: the way
to it does not lead through features of zero, which a network that scales them has never seen. What a token's features
contribute is added up, so that all tokens together sum to how far the answer lies from the baseline's.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from headstart.base.errors import BadOption, MissingExtra
from headstart.features.attribution import Relevance
from headstart.features.network import Network

STEPS = 24
"""Steps on the way from the baseline, for short texts."""
LEAST = 4
"""Steps for long ones."""
WORK = 150_000
"""Tokens that pass through the network at most, all steps together, unless even ``LEAST`` steps take more."""
_BATCH = 8


def relevance(network: Network, inputs: torch.Tensor, directions: np.ndarray, *, signed: bool = True) -> Relevance:
    """How much each token of some texts spoke for an answer.

    Args:
        network: put into eval mode; its weights are left as they are.
        inputs: (n, w, t, 2) int32, what is behind a text's end being zero.
        directions: (n, C) what each answer is about: the weight of each output in it.
        signed: count what speaks for the answer only; False counts what moves it either way.

    Returns:
        Maps (n, w, t), 0 where there is no token.

    Raises:
        MissingExtra: without captum.
        BadOption: when the network's first stage leaves no tokens.
    """
    network.eval()
    found = contributions(network, inputs, directions, steps=steps(inputs))
    strength = np.maximum(found, 0) if signed else np.abs(found)
    peak = strength.max(axis=(1, 2), keepdims=True)
    maps = np.divide(strength, peak, out=np.zeros_like(strength), where=peak > 0)
    return Relevance(maps, f"integrated gradients of the tokens in {steps(inputs)} steps")


def steps(inputs: torch.Tensor) -> int:
    """As many as there is time for, the same for all of these inputs."""
    tokens = int((inputs[..., 0] > 0).sum())
    return int(np.clip(WORK // max(1, tokens), LEAST, STEPS))


def contributions(network: Network, inputs: torch.Tensor, directions: np.ndarray, *, steps: int) -> np.ndarray:
    """What each token adds to an answer (n, w, t) float64; it sums to the answer minus the baseline's.

    Raises:
        MissingExtra, BadOption: as ``relevance``.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise MissingExtra("captum", "explain") from error
    if len(network.backbone.activation_shape(1)) != 3:
        raise BadOption(
            f"{network.backbone.info.name} keeps no tokens apart", expected="a first stage that leaves one each"
        )
    device = network.head.weight.device
    behind = _Behind(network)
    wanted = torch.as_tensor(np.asarray(directions, dtype=np.float32)).to(device)
    found = np.zeros(inputs.shape[:3])
    for number, one in enumerate(inputs):
        # A text by itself, without the windows and tokens that only longer ones have.
        there = one[..., 0] > 0
        windows, tokens = max(1, int(there.any(1).sum())), max(1, int(there.sum(1).max()))
        with torch.no_grad():
            hidden = network.backbone.stages[0](one[None, :windows, :tokens].to(device)).float()
        added = IntegratedGradients(behind).attribute(
            hidden,
            same(hidden),
            additional_forward_args=(wanted[number : number + 1],),
            n_steps=steps,
            internal_batch_size=max(1, _BATCH // windows),
        )
        found[number, :windows, :tokens] = added.detach().sum(dim=-1)[0].double().cpu().numpy()
    return found


def same(hidden: torch.Tensor) -> torch.Tensor:
    """Tokens (b, w, t, d + 1) of which each is the mean of its text's, where there is one."""
    there = hidden[..., -1:].clamp(max=1.0)
    mean = (hidden * there).sum(dim=(1, 2), keepdim=True) / there.sum(dim=(1, 2), keepdim=True).clamp(min=1)
    return torch.cat([(mean * there)[..., :-1], hidden[..., -1:]], dim=-1)


class _Behind(nn.Module):
    """What follows the first stage of a network, to how far its outputs go in a direction."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, hidden: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        """Tokens (b, w, t, d + 1) and directions (b, C) to (b,)."""
        backbone, taps = self.network.backbone, self.network.taps
        features = [backbone.pool(hidden, 1)] if 1 in taps else []
        for stage in range(2, max(taps) + 1):
            hidden = backbone.stages[stage - 1](hidden)
            if stage in taps:
                features.append(backbone.pool(hidden, stage))
        outputs: torch.Tensor = self.network.head(torch.cat(features, dim=1))
        return (outputs * directions).sum(dim=1)
