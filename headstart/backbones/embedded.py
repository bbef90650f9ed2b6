"""The backbones that ship in the package: small networks trained on generated patterns, no photographs."""

from __future__ import annotations

import importlib.resources
import inspect
import re
from collections.abc import Mapping
from functools import lru_cache, partial
from importlib.resources.abc import Traversable
from typing import Any

from torch import nn

from headstart.backbones import folder, resnet10, statistics
from headstart.backbones.chain import Backbone, seeded, untrained
from headstart.backbones.publishing import Plain
from headstart.backbones.resnet10 import ResNet10
from headstart.base.errors import BadOption, UnknownName
from headstart.base.vocabulary import BackboneInfo, Preprocessing

WIDTHS = (48, 96, 192, 384)
"""Channels of ``embedded/resnet10``; other widths are part of the name: ``embedded/resnet10-8-16-24-32``.

GroupNorm in the place of BatchNorm is too: ``embedded/resnet10g8``, in eight groups."""
SIZE = 48
_ARCHITECTURE = re.compile(r"resnet10(?:g(\d{1,3}))?((?:-\d{1,4}){1,8})?")


def architecture(widths: tuple[int, ...], groups: int | None = None) -> str:
    """Full name of the ResNet-10 with these widths, and with GroupNorm in ``groups`` groups unless that is None."""
    kind = "embedded/resnet10" + ("" if groups is None else f"g{groups}")
    return kind + ("" if widths == WIDTHS else "".join(f"-{width}" for width in widths))


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The networks whose weights are in the package."""
    shipped = _shipped()
    if not shipped.is_dir():
        return ()
    return tuple(sorted(entry.name.removesuffix(".json") for entry in shipped.iterdir() if entry.name[-5:] == ".json"))


def describe(name: str) -> BackboneInfo:
    """What is known of an embedded backbone.

    Raises:
        UnknownName: when the package has no such backbone.
        WeightsError: when its description is damaged.
    """
    if name in names():
        return _record(name).info(f"embedded/{name}")
    half = (0.5, 0.5, 0.5)
    return untrained(
        BackboneInfo(
            name=f"embedded/{name}",
            architecture=f"embedded/{name}",
            parameters=0,
            stages=(),
            width=_widths(name)[-1],
            preprocessing=Preprocessing(size=SIZE, mean=half, std=half, interpolation="bilinear"),
        )
    )


def load(name: str, *, weights: bool = True, seed: int = 0, architecture: str | None = None) -> Backbone:
    """Load an embedded backbone, or with ``weights=False`` also a bare ``resnet10``.

    Args:
        name: as ``names`` lists it.
        weights: False for random initialisation.
        seed: of that initialisation.
        architecture: must not be given.

    Raises:
        UnknownName, BadOption, WeightsError
    """
    if architecture is not None:
        raise BadOption(f"embedded/{name} says its architecture itself", where="architecture", expected="none")
    if name in names():
        record = _record(name)
        data = (_shipped() / f"{name}.safetensors").read_bytes() if weights else None
        beside = weights and record.statistics is not None
        known = (_shipped() / f"{name}.{statistics.FILE}").read_bytes() if beside else None
        return record.backbone(f"embedded/{name}", data, seed=seed, known=known)
    if weights:
        raise _unknown(name)
    rebuild = partial(_fresh, _widths(name), _groups(name))
    return Backbone(rebuild(seed), describe(name), rebuild=rebuild)


def plain(name: str, config: Mapping[str, Any] | None) -> Plain:
    """The network from its source, which is all that there is of a library."""
    widths, groups = _widths(name), _groups(name)
    source = [inspect.getsource(part).rstrip() for part in (resnet10.norm, resnet10.BasicBlock, resnet10.ResNet10)]
    lines = ["from collections.abc import Sequence", "import torch", "from torch import nn", "", ""]
    lines += "\n\n\n".join(source).splitlines()
    build = (*lines, "", "", f"network = ResNet10({widths!r}, groups={groups!r})")
    return Plain(_fresh(widths, groups, 0).eval(), build, ("torch",))


def _fresh(widths: tuple[int, ...], groups: int | None, seed: int) -> nn.Module:
    return seeded(seed, partial(ResNet10, widths, groups=groups))


def _widths(name: str) -> tuple[int, ...]:
    match = _ARCHITECTURE.fullmatch(name)
    if not match:
        raise _unknown(name)
    widths = tuple(int(part) for part in (match[2] or "").split("-") if part) or WIDTHS
    groups = int(match[1]) if match[1] else 1
    if 0 in widths or groups == 0 or any(width % groups for width in widths):
        raise _unknown(name)
    return widths


def _groups(name: str) -> int | None:
    match = _ARCHITECTURE.fullmatch(name)
    return int(match[1]) if match and match[1] else None


def _unknown(name: str) -> UnknownName:
    return UnknownName("backbone", f"embedded/{name}", [f"embedded/{each}" for each in names()])


def _shipped() -> Traversable:
    return importlib.resources.files("headstart.backbones") / "weights"


def _record(name: str) -> folder.Record:
    return folder.parse((_shipped() / f"{name}.json").read_bytes(), f"embedded/{name}")
