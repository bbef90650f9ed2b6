"""A trained network as its own library keeps networks: a folder that the library loads with one line.

A provider whose library has such folders defines ``publish(finished, to)``, which writes one, and ``published(to)``,
which has the library load it again. One whose networks can be made without headstart defines ``plain(name, config)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.base.errors import ExportError

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
        preprocessing: of the items: a ``Preprocessing`` or a ``Tokenization``, as the network's modality has it.
        licence: of the weights it started from.
        taps: stages (from 1) whose features the head reads.
        stages: how many there are.
    """

    architecture: str
    config: Mapping[str, Any] | None
    state: Mapping[str, torch.Tensor]
    weight: torch.Tensor
    bias: torch.Tensor
    labels: tuple[str, ...]
    problem: str
    preprocessing: Any
    licence: str
    taps: tuple[int, ...] = ()
    stages: int = 0

    def reads_the_last(self) -> None:
        """Check that the head is where an architecture has its own classifier.

        Raises:
            ExportError: when it reads another stage than the last, or several.
        """
        if self.taps != (self.stages,):
            raise ExportError(
                f"The head reads stage {', '.join(map(str, self.taps))} of {self.stages}; an architecture's own "
                "classifier reads the last one alone",
                next_move="headstart export --to onnx, which takes every model; or --to safetensors",
            )


def normalised(inputs: np.ndarray, preprocessing: Any) -> torch.Tensor:
    """Pictures (n, 3, s, s) uint8 as networks of libraries take them: the same, normalised."""
    read = torch.from_numpy(np.ascontiguousarray(inputs)).float() / 255
    mean, std = (torch.tensor(each).view(1, -1, 1, 1) for each in (preprocessing.mean, preprocessing.std))
    return (read - mean) / std


RESIZED = (
    "{library} resizes first and crops afterwards, where headstart does both at once: its own preprocessing of {items} "
    "generated pictures of other shapes changed predictions by at most {gap:.2g}"
)


@dataclass(frozen=True, slots=True)
class Published:
    """A folder, loaded by the library it is for.

    Attributes:
        library: the hub's name of it.
        outputs: what ``read`` gives of n items -> outputs (n, C).
        prepared: an item as its modality decodes it -> what the library's own preprocessing makes of it, (1, ...).
        use: lines of Python that do the same with an item of one's own.
        needs: packages that those lines need.
        own: a sentence on what ``prepared`` changes; ``{library}``, ``{items}`` and ``{gap}`` stand for what was found.
        read: inputs (n, ...), as golden examples keep them, and how they were made -> what ``outputs`` takes.
    """

    library: str
    outputs: Callable[[torch.Tensor], torch.Tensor]
    prepared: Callable[[Any], torch.Tensor]
    use: tuple[str, ...]
    needs: tuple[str, ...]
    own: str = RESIZED
    read: Callable[[np.ndarray, Any], torch.Tensor] = normalised


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
