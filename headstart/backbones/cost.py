"""What a backbone costs: multiply-adds of every stage for one input, counted while it runs.

Counted by ``torch.utils.flop_counter``: convolutions and matrix products, attention's among them; a published "4.1
GFLOPs" for ResNet-50 is the same number.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from headstart.backbones.chain import Backbone, joined
from headstart.base import files
from headstart.base.machine import cache_folder
from headstart.base.vocabulary import BackboneInfo

LIBRARIES = ("timm", "torchvision", "transformers")
"""Whose versions decide what a name builds."""


def multiply_adds(backbone: Backbone) -> tuple[int, ...]:
    """Multiply-adds of each stage for one item of the trained size, input first."""
    return counted(backbone.eval().stages, backbone.example())


def counted(stages: Sequence[nn.Module], x: torch.Tensor) -> tuple[int, ...]:
    """Multiply-adds of modules that run one behind the other."""
    found = []
    # Fused attention is not counted everywhere; written out, it is two matrix products.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for stage in stages:
            with FlopCounterMode(display=False) as counter:
                x = stage(x)
            found.append(counter.get_total_flops() // 2)
    return tuple(found)


def complete(info: BackboneInfo, backbone: Backbone) -> BackboneInfo:
    """The facts with what only the built network tells: stages, width, parameters, cost."""
    built, costs = backbone.info, multiply_adds(backbone)
    found = replace(
        info,
        stages=built.stages,
        width=built.width,
        parameters=built.parameters,
        flops=sum(costs),
        stage_flops=costs,
        notes=joined(info.notes, built.notes),
    )
    _keep(found)
    return found


def known(infos: Sequence[BackboneInfo]) -> list[BackboneInfo]:
    """The facts with what building the same networks told before, where that was on this machine."""
    told = _read()
    return [_with(info, told[key]) if (key := _key(info)) in told else info for info in infos]


def _with(info: BackboneInfo, told: dict[str, Any]) -> BackboneInfo:
    try:
        return replace(
            info,
            stages=tuple(map(str, told["stages"])),
            width=int(told["width"]),
            parameters=int(told["parameters"]),
            flops=int(told["flops"]),
            stage_flops=tuple(map(int, told["stage_flops"])),
            notes=joined(info.notes, tuple(map(str, told.get("notes", ())))),
        )
    except (KeyError, TypeError, ValueError):
        # A cache: what cannot be read is counted again.
        return info


def _key(info: BackboneInfo) -> str:
    return f"{info.name} {info.preprocessing.size}"


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def _read() -> dict[str, Any]:
    try:
        data = json.loads((cache_folder() / "backbones.json").read_text(encoding="utf-8"))
        return dict(data["networks"]) if data["versions"] == _versions() else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _keep(info: BackboneInfo) -> None:
    if info.name.startswith("local:"):
        # What lies at a path may be another network tomorrow.
        return
    facts = ("stages", "width", "parameters", "flops", "stage_flops", "notes")
    told = {**_read(), _key(info): {name: getattr(info, name) for name in facts}}
    files.write_json(cache_folder() / "backbones.json", {"versions": _versions(), "networks": told})
