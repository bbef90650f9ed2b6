"""Which networks read what: items of some modalities are read by the networks of another, made ready for them."""

from __future__ import annotations

from headstart.backbones import unitwise
from headstart.backbones.chain import Backbone
from headstart.base import discovery
from headstart.base.errors import WeightsError


def backbones(modality: str) -> str:
    """The modality of the networks that read such items: their own, unless the data room says otherwise."""
    return str(getattr(discovery.load("data", modality), "BACKBONES", modality))


def fit(backbone: Backbone, modality: str) -> Backbone:
    """The network, giving a row of features for each item of this modality; it may be changed in place.

    Raises:
        WeightsError: when it reads something else, or items are parts of what it gives one row for.
    """
    reads = backbone.info.modality
    if reads != backbones(modality):
        raise WeightsError(
            f"{backbone.info.name} reads {reads}, not {modality}",
            expected=f"a backbone of {backbones(modality)}",
            next_move="headstart backbones lists them",
        )
    return unitwise.of(backbone) if hasattr(discovery.load("data", modality), "whole") else backbone
