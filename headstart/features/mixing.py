"""Mixed batches: MixUp and CutMix, each item with its neighbour in the batch, targets mixed in the same proportion.

MixUp (Zhang et al., 2018, arXiv 1710.09412) blends two items, CutMix (Yun et al., 2019, arXiv 1905.04899) pastes a box
of one into the other; both by torchvision. Behind a cut they act on what crosses it: a blend of activations is manifold
mixup (Verma et al., 2019, arXiv 1806.05236), and a box needs a map with height and width. With both switched on each
batch gets one of them, by the toss of a coin.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from headstart.backbones.chain import Backbone
from headstart.base.errors import BadOption
from headstart.features.frozen import Augmentation


def check(backbone: Backbone, depth: int, augmentation: Augmentation) -> None:
    """Refuse boxes where there is no map to cut them from.

    Raises:
        BadOption: for CutMix at a cut that tokens or features cross.
    """
    shape, axis = backbone.activation_shape(depth), backbone.channel_axis(depth)
    space = [size for number, size in enumerate(shape, start=1) if number != axis]
    if augmentation.cutmix and (len(space) != 2 or min(space) < 2):
        crossed = " x ".join(map(str, shape))
        raise BadOption(
            f"CutMix cannot cut boxes at depth {depth} of {backbone.info.name}, where {crossed} values cross",
            where="augmentation.cutmix",
            expected="the input (depth 0), or a map with height and width",
            next_move="--strategy full, a smaller --depth, or augmentation.mixup",
        )


def mixed(
    inputs: torch.Tensor,
    targets: torch.Tensor,
    augmentation: Augmentation,
    *,
    seed: int,
    classes: int,
    channel_axis: int = 1,
) -> tuple[torch.Tensor, torch.Tensor]:
    """A mixed batch; pure in (batch, settings, seed).

    Args:
        inputs: (b, ...), pictures as uint8 or activations.
        targets: class indices (b,), or numbers (b,) or (b, C), which are mixed as they are.
        augmentation: its ``mixup`` and ``cutmix``.
        seed: of the share, the box and the toss.
        classes: C, for class indices.
        channel_axis: the axis of ``inputs`` that is neither height nor width, for boxes.

    Returns:
        Inputs of the same shape, uint8 ones in [0, 1]; targets (b, C) for class indices, else of their own shape.
    """
    from torchvision.transforms import v2

    soft = functional.one_hot(targets, classes) if _are_classes(targets) else targets
    soft = soft if soft.is_floating_point() else soft.float()
    values = inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed % 2**63)
        if augmentation.cutmix and (not augmentation.mixup or torch.rand(()) < 0.5):
            maps = values.movedim(channel_axis, 1)
            cut, found = v2.CutMix(alpha=augmentation.cutmix)(maps, soft.view(len(soft), -1))
            return cut.movedim(1, channel_axis), found.view_as(soft)
        flat = values.reshape(len(values), 1, 1, -1)
        blended, found = v2.MixUp(alpha=augmentation.mixup)(flat, soft.view(len(soft), -1))
        return blended.view(values.shape), found.view_as(soft)


def _are_classes(targets: torch.Tensor) -> bool:
    return targets.ndim == 1 and not targets.is_floating_point()
