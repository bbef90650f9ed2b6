"""A trained network as its own library keeps networks: a folder that the library loads with one line.

A provider whose library has such folders defines ``publish(finished, to)``, which writes one, and ``published(to)``,
which has the library load it again. One whose networks can be made without headstart defines ``plain(name, config)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from headstart.base.vocabulary import Preprocessing

WEIGHTS = "model.safetensors"
CONFIG = "config.json"

ENDS = {"single_label_classification": ".softmax(1)", "multi_label_classification": ".sigmoid()", "regression": ""}
"""transformers' name of a problem -> what its outputs go through to become predictions."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a library needs to know of a trained network.

    Attributes:
        architecture: as the provider names it, without the provider.
        config: ``BackboneInfo.config``.
        state: tensors of the network below the head, named as in ``Backbone.module``.
        weight: (C, d) of the head, with temperature and scale in it.
        bias: (C,).
        labels: of the outputs, C.
        problem: a key of ``ENDS``.
        preprocessing: of the pictures.
        licence: of the weights it started from.
    """

    architecture: str
    config: Mapping[str, Any] | None
    state: Mapping[str, torch.Tensor]
    weight: torch.Tensor
    bias: torch.Tensor
    labels: tuple[str, ...]
    problem: str
    preprocessing: Preprocessing
    licence: str


@dataclass(frozen=True, slots=True)
class Published:
    """A folder, loaded by the library it is for.

    Attributes:
        library: the hub's name of it.
        outputs: normalised pictures (n, 3, s, s) -> outputs (n, C).
        prepared: a PIL image -> what the library's own preprocessing makes of it, (1, 3, s, s).
        use: lines of Python that do the same with a picture's file.
        needs: packages that those lines need.
    """

    library: str
    outputs: Callable[[torch.Tensor], torch.Tensor]
    prepared: Callable[[Any], torch.Tensor]
    use: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plain:
    """A network without its source head, as its own library makes it: for weights that travel without headstart.

    Attributes:
        module: randomly initialised, in eval mode; its ``state_dict`` has the library's names.
        outputs: what it gives -> features (n, d).
        renamed: tensors as ``Backbone.module`` names them -> as the library does.
        build: lines of Python that make the module, as ``network``, and import what they need.
        result: what follows ``network(pixels)`` in Python to have the features.
        needs: packages that those lines need.
    """

    module: nn.Module
    build: tuple[str, ...]
    needs: tuple[str, ...]
    outputs: Callable[[Any], torch.Tensor] = lambda features: features
    renamed: Callable[[Mapping[str, torch.Tensor]], Mapping[str, torch.Tensor]] = dict
    result: str = ""
