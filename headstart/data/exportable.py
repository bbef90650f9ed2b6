"""What an exported graph takes from the outside world: the part of a modality that travels with a model.

A modality describes it with ``export_inputs(preprocessing)``; an export composes it with the network and knows no more
of pictures or texts than this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base.vocabulary import Reading

if TYPE_CHECKING:
    from torch import nn

BATCH = "batch"
"""Name of the first axis of everything."""


@dataclass(frozen=True, slots=True)
class ExportInputs:
    """How raw items go into a graph, and what the graph does before its network.

    Attributes:
        preprocessing: what it was asked for.
        axes: input name -> the name of each of its axes, or its length where that is fixed. The first is ``BATCH``.
        prepare: module from a batch of these inputs to what the network reads; ``torch.export`` can follow it with
            every named axis free. None where the network reads the inputs as they are.
        arrays: a raw item, as the modality takes it -> its inputs, each with a batch of one.
        replayed: what the network reads (n, ...), as golden examples keep it -> inputs that are raw items of it.
        examples: seed -> raw items of several shapes, generated.
        read: what the network reads: the name of each axis, or its length where that is fixed; of the shape that one
            example has if empty.
        most: name of an axis -> its greatest length, where there is one.
        words: a sentence on what is to be handed over.
        differs: a sentence on why files may give slightly other predictions than the sealed model's; empty if never.
        snippet: Python that makes the inputs of the file at ``path``, a line each; it may import what is in ``needs``.
        prepared: Python that makes what the network reads, a line each, out of ``about["preprocessing"]``; for those
            who have the weights and no graph.
        needs: packages that both need besides numpy.
        files: what must lie beside the graph, such as a tokenizer: name -> content.
    """

    preprocessing: Reading
    axes: Mapping[str, Sequence[str | int]]
    prepare: nn.Module | None
    arrays: Callable[[Any], dict[str, np.ndarray]]
    replayed: Callable[[np.ndarray], dict[str, np.ndarray]]
    examples: Callable[[int], list[Any]]
    words: str
    snippet: Sequence[str]
    differs: str = ""
    prepared: Sequence[str] = ()
    read: Sequence[str | int] = ()
    most: Mapping[str, int] = field(default_factory=dict)
    needs: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
