"""ELMo in a folder, as it was published (options.json and weights.hdf5): elmo/FOLDER; needs h5py."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import nn

from headstart.backbones import elmofile, tensors
from headstart.backbones.bilm import Bilm, Options
from headstart.backbones.chain import Backbone, seeded, untrained
from headstart.base import hashes
from headstart.base.errors import BadOption, UnknownName, WeightsError
from headstart.base.vocabulary import CHARACTERS, BackboneInfo, Tokenization

NAME = "bilm"
LENGTH = 128
"""Words in a window, its beginning and end included; the language models were trained on sentences."""
_CONTENT = f'{{"characters": {CHARACTERS}}}\n'.encode()
_READING = Tokenization(LENGTH, hashes.of_bytes(_CONTENT), reader="characters", content=_CONTENT)


def names() -> tuple[str, ...]:
    """None: a folder is its own name."""
    return ()


def describe(name: str) -> BackboneInfo:
    """What a folder's options say; the weights are not read.

    Raises:
        WeightsError: when there is no such folder, or its options describe something else.
    """
    folder = Path(name).expanduser()
    wanted = elmofile.options(folder)
    layers = (f"layer {number + 1}" for number in range(wanted.lstm.n_layers))
    return BackboneInfo(
        name=f"elmo/{name}",
        architecture=f"elmo/{NAME}",
        parameters=0,
        stages=("characters", *layers, "mix"),
        width=2 * wanted.lstm.projection_dim,
        preprocessing=_READING,
        source=f"the ELMo in {folder.name}",
        local=True,
        modality="texts",
        config=wanted.model_dump(mode="json"),
    )


def load(name: str, *, weights: bool = True, seed: int = 0, architecture: str | None = None) -> Backbone:
    """Load an ELMo.

    Args:
        name: the folder.
        weights: False for random initialisation.
        seed: of that initialisation.
        architecture: must not be given; the folder says it.

    Raises:
        BadOption, WeightsError
        MissingExtra: without h5py.
    """
    if architecture is not None:
        raise BadOption(f"elmo/{name} says its architecture itself", where="architecture", expected="none")
    info = describe(name)
    wanted = Options.of(info.config or {})
    rebuild = partial(_fresh, wanted)
    if not weights:
        return Backbone(rebuild(seed), untrained(info), rebuild=rebuild)
    found = elmofile.state(Path(name).expanduser(), wanted)
    module = rebuild(0)
    # The mix is learnt with each task: no published file has it.
    own = {key: tensor for key, tensor in module.state_dict().items() if key.startswith("mix.")}
    tensors.fill(module, {**found, **own}, name)
    return Backbone(module, info, rebuild=rebuild)


def build(name: str, config: Mapping[str, Any], *, seed: int = 0) -> Backbone:
    """The network of options from random initialisation, without the folder that they came from.

    Args:
        name: "bilm".
        config: the options.
        seed: of the initialisation.

    Raises:
        UnknownName: for another name.
        WeightsError: when the options are damaged.
    """
    if name != NAME:
        raise UnknownName("backbone", f"elmo/{name}", [f"elmo/{NAME}"])
    try:
        wanted = Options.of(config)
    except (ValidationError, TypeError, ValueError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": "no plain data"}
        raise WeightsError(
            f"The options of the network are damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=f"elmo/{name}",
        ) from error
    elmofile.sound(wanted, f"elmo/{name}")
    rebuild = partial(_fresh, wanted)
    info = BackboneInfo(
        name=f"elmo/{name}",
        architecture=f"elmo/{name}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=_READING,
        modality="texts",
        config=wanted.model_dump(mode="json"),
    )
    return Backbone(rebuild(seed), untrained(info), rebuild=rebuild)


def _fresh(wanted: Options, seed: int) -> nn.Module:
    return seeded(seed, lambda: Bilm(wanted))
