"""Networks and weights of the torchvision library, from download.pytorch.org or this machine's cache of it.

TorchVision maintainers and contributors, TorchVision: PyTorch's Computer Vision library (2016).
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn
from torchvision.models import WeightsEnum, get_model, get_model_builder, get_model_weights

from headstart.backbones import fetch, heads, tensors
from headstart.backbones.chain import Backbone, seeded, untrained
from headstart.backbones.publishing import Plain
from headstart.backbones.revival import revive
from headstart.base import reach
from headstart.base.errors import BadOption, UnknownName, WeightsError
from headstart.base.vocabulary import BackboneInfo, Preprocessing

CODE_LICENCE = "BSD-3-Clause"
_AUXILIARY = ("googlenet", "inception_v3")
"""Networks with heads in their middle, for training only."""


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Pretrained image classifiers, as ``architecture.WEIGHTS``."""
    return tuple(
        f"{name}.{weights.name}"
        for name in torchvision.models.list_models(module=torchvision.models)
        for weights in get_model_weights(name)
        if _complete(weights)
    )


def describe(name: str) -> BackboneInfo:
    """What torchvision says of a network; a bare architecture stands for its default weights.

    Raises:
        UnknownName: when torchvision has no such network or weights.
    """
    bare, weights = _weights(name)
    full = f"{bare}.{weights.name}"
    meta = weights.meta
    return BackboneInfo(
        name=f"torchvision/{full}",
        architecture=f"torchvision/{full}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=_preprocessing(weights),
        licence="CC-BY-NC-4.0" if "license" in meta and "SWAG" in weights.name else CODE_LICENCE,
        source="Instagram hashtags, then ImageNet-1k" if "SWAG" in weights.name else "ImageNet-1k",
        local=_file(weights).is_file(),
        prior=meta.get("_metrics", {}).get("ImageNet-1K", {}).get("acc@1"),
    )


def load(name: str, *, weights: bool = True, seed: int = 0, architecture: str | None = None) -> Backbone:
    """Load a network, with its weights or from random initialisation.

    Args:
        name: ``architecture.WEIGHTS``, or ``architecture`` for its default weights.
        weights: False for random initialisation.
        seed: of that initialisation.
        architecture: must not be given; a name of torchvision says it all.

    Raises:
        UnknownName, BadOption, WeightsError
    """
    if architecture is not None:
        raise BadOption(f"torchvision/{name} says its architecture itself", where="architecture", expected="none")
    info = describe(name)
    full = info.name.removeprefix("torchvision/")
    rebuild = partial(_fresh, full)
    module = seeded(seed, partial(_pretrained, full)) if weights else rebuild(seed)
    return Backbone(module, replace(info, local=True) if weights else untrained(info), rebuild=rebuild)


def _weights(name: str) -> tuple[str, WeightsEnum]:
    bare, _, wanted = name.partition(".")
    if bare in torchvision.models.list_models(module=torchvision.models):
        known = get_model_weights(bare)
        if not wanted:
            return bare, known["DEFAULT"]
        if wanted in known.__members__ and _complete(known[wanted]):
            return bare, known[wanted]
    known_names = [f"torchvision/{each}" for each in names()]
    raise UnknownName("backbone", f"torchvision/{name}", known_names, next_move="headstart backbones --search TEXT")


def _complete(weights: WeightsEnum) -> bool:
    # One entry has values for its convolutions only, and no classes.
    return bool(weights.meta["categories"])


def _preprocessing(weights: WeightsEnum) -> Preprocessing:
    transform = weights.transforms()
    size, resized = int(transform.crop_size[0]), int(transform.resize_size[0])
    mean, std = list(map(float, transform.mean)), list(map(float, transform.std))
    return Preprocessing(
        size=size,
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        interpolation=str(transform.interpolation.value),
        crop=min(size / resized, 1.0),
    )


def _address(weights: WeightsEnum) -> str:
    return str(weights.url)


def _file(weights: WeightsEnum) -> Path:
    return Path(torch.hub.get_dir(), "checkpoints", weights.url.rsplit("/", 1)[-1])


def _new(full: str, state: dict[str, torch.Tensor] | None = None) -> nn.Module:
    bare, weights = _weights(full)
    options = _options(bare, weights) | ({"init_weights": state is None} if bare in _AUXILIARY else {})
    module = get_model(bare, weights=None, **options)
    if state is None:
        return headless(module)
    module.load_state_dict(state)
    linear = [part for part in module.modules() if isinstance(part, nn.Linear)]
    found = headless(module)
    heads.leave(found, heads.of_layer(linear[-1]) if linear else None)
    return found


def _options(bare: str, weights: WeightsEnum) -> dict[str, Any]:
    """What the library builds a network with to fit its published weights."""
    options: dict[str, Any] = {"num_classes": len(weights.meta["categories"])}
    if bare in _AUXILIARY:
        options |= {"transform_input": True, "aux_logits": True}
    elif bare.startswith("vit_") and "kwargs" in inspect.signature(get_model_builder(bare)).parameters:
        options["image_size"] = weights.meta["min_size"][0]
    return options


def headless(module: nn.Module) -> nn.Module:
    """Replace the source head, and the dropout in front of it, by the identity, in place; returns the module.

    Raises:
        WeightsError: when there is no linear layer to be the head.
    """
    for name in ("AuxLogits", "aux1", "aux2"):
        if isinstance(getattr(module, name, None), nn.Module):
            setattr(module, name, None)
    if hasattr(module, "aux_logits"):
        setattr(module, "aux_logits", False)  # noqa: B010 - a plain flag, which nn.Module's types do not know
    if isinstance(module, torchvision.models.SqueezeNet):
        # Its head is a convolution over the features, averaged afterwards.
        module.classifier = nn.AdaptiveAvgPool2d(1)
        return module
    linear = [name for name, part in module.named_modules() if isinstance(part, nn.Linear)]
    if not linear:
        raise WeightsError(f"{type(module).__name__} has no linear layer that could be its source head")
    owner_name, _, key = linear[-1].rpartition(".")
    owner = module.get_submodule(owner_name)
    setattr(owner, key, nn.Identity())
    if isinstance(owner, nn.Sequential):
        last = int(key) - 1 if key.isdigit() else -1
        if last >= 0 and isinstance(owner[last], nn.Dropout):
            owner[last] = nn.Identity()
    return module


def _fresh(full: str, seed: int) -> nn.Module:
    return revive(seeded(seed, partial(_new, full)))


def _pretrained(full: str) -> nn.Module:
    _, weights = _weights(full)
    path = _file(weights)
    if not path.is_file():
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
            raise _unavailable(full, weights, "HF_HUB_OFFLINE is set, so nothing is downloaded")
        if reason := reach.unreachable(_address(weights)):
            raise _unavailable(full, weights, reason)
        digest = re.search(r"-([0-9a-f]{8,})\.", path.name)
        try:
            fetch.download(_address(weights), path, digest=digest[1] if digest else "")
        except WeightsError as error:
            raise _unavailable(full, weights, error.what, error.next_move) from error
    try:
        return _new(full, tensors.read(path))
    except RuntimeError as error:
        raise tensors.unreadable(str(path), error) from error


def _unavailable(full: str, weights: WeightsEnum, reason: str, next_move: str = "") -> WeightsError:
    return WeightsError(
        f"The weights of torchvision/{full} cannot be had: {reason}",
        expected=f"{_file(weights)}, or a way to {weights.url}",
        next_move=next_move
        or "use weights that are here (headstart backbones --local, or local:PATH); or, where there is a network, "
        f"headstart backbones pack torchvision/{full} -o DIR, and here --from DIR. HF_HUB_OFFLINE=1 forbids downloads",
    )


def plain(name: str, config: Mapping[str, Any] | None) -> Plain:
    """The network as torchvision itself makes it, its head taken off."""
    bare = name.split(".", 1)[0]
    options = _options(*_weights(name)) | ({"init_weights": False} if bare in _AUXILIARY else {})
    whole = get_model(bare, weights=None, **options)
    head = "classifier"
    if not isinstance(whole, torchvision.models.SqueezeNet):
        head = [path for path, part in whole.named_modules() if isinstance(part, nn.Linear)][-1]
    given = "".join(f", {key}={value!r}" for key, value in options.items())
    put = "AdaptiveAvgPool2d(1)" if head == "classifier" and "squeezenet" in bare else "Identity()"
    build = [
        "import torch, torchvision",
        f"network = torchvision.models.get_model({bare!r}, weights=None{given})",
        f"network.set_submodule({head!r}, torch.nn.{put})",
    ]
    if bare in _AUXILIARY:
        names = [each for each in ("AuxLogits", "aux1", "aux2") if hasattr(whole, each)]
        build.append("network." + " = network.".join([*names, "aux_logits"][:-1]) + " = None")
        build.append("network.aux_logits = False")
    return Plain(headless(whole).eval(), tuple(build), ("torch", "torchvision"))
