"""LoRA: low-rank additions to the linear and convolution layers move, and the head; merged into the weights at the end.

Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (2022, arXiv 2106.09685), by the PEFT library. Every
matrix W of a chosen layer becomes W + alpha / rank B A, B starting at zero, so that training starts at the probed
network. Afterwards the additions are part of the weights: what is sealed is the plain network again, and needs no PEFT.
No norm moves, so running statistics stay the source's.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.errors import MissingExtra
from headstart.base.work import Plan
from headstart.tune.finetune import Recipe, check_depth, fine_tune, lacking, moving_only
from headstart.tune.limits import Limits
from headstart.tune.setting import Setting
from headstart.tune.start import from_probe

LIMITS: Limits = {
    "rank": (lambda value: 1 <= value <= 1024, "1 to 1024"),
    "alpha": (lambda value: 0 < value < float("inf"), "a number above 0"),
    "dropout": (lambda value: 0 <= value < 1, "0 or more and less than 1"),
    "targets": (lambda value: value in ("auto", *TARGETS), "auto, linear, conv or all"),
}
TARGETS: dict[str, tuple[type[nn.Module], ...]] = {
    "linear": (nn.Linear,),
    "conv": (nn.Conv2d,),
    "all": (nn.Linear, nn.Conv2d),
}
"""Which layers get an addition, by the option's value."""
OTHERS = "bitfit or full"


def plan(
    setting: Setting,
    *,
    rank: int = 8,
    alpha: float = 16.0,
    dropout: float = 0.0,
    targets: str = "auto",
    depth: int = 0,
    rate: float | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    weight_decay: float = 0.01,
    views: int = 4,
    patience: int = 10,
) -> Plan:
    """Fine-tune low-rank additions, then merge them.

    Args:
        setting: data and backbone.
        rank: of each addition.
        alpha: an addition counts alpha / rank times.
        dropout: of what goes into an addition, while training.
        targets: layers that get one: "linear", "conv", "all", or "auto": linear ones if there are any, else "conv".
        depth: stages in front of the cut, which get none.
        rate: peak learning rate; None sweeps.
        epochs: the most epochs of the final fit; each fit of the sweep gets half as many.
        batch_size: items in a step.
        weight_decay: decoupled weight decay.
        views: views of each item in the store, the plain one among them.
        patience: epochs without improvement before stopping; 0 never stops early.

    Raises:
        BadOption: for a depth behind which there is no such layer.
        MissingExtra: without PEFT.
    """
    backbone = setting.frozen.backbone
    check(backbone, {"depth": depth, "targets": targets})
    targets = resolved(backbone.suffix(depth), targets)
    names = chosen(backbone.suffix(depth), targets)
    setting.frozen.report.detail(f"LoRA of rank {rank} on {len(names)} layers: {', '.join(names)}")
    probed = from_probe(setting)

    def start() -> tuple[Backbone, nn.Linear]:
        copy, head = probed()
        add(copy.suffix(depth), names, rank=rank, alpha=alpha, dropout=dropout, seed=setting.draw("lora", "additions"))
        return copy, head

    recipe = Recipe(
        label=f"lora@{depth}",
        depth=depth,
        start=start,
        rate=rate,
        first=1e-3,
        epochs=epochs,
        batch_size=batch_size,
        weight_decay=weight_decay,
        views=views,
        patience=patience,
        phases=moving_only(additions),
    )
    tuned = yield from fine_tune(setting, recipe)
    merge(tuned.network.backbone.suffix(depth))
    tuned.options |= {"rank": rank, "alpha": alpha, "dropout": dropout, "targets": targets}
    return tuned


def check(backbone: Backbone, options: Mapping[str, Any]) -> None:
    """Refuse what cannot be planned for a backbone, before anything is written.

    Raises:
        BadOption: for a depth behind which there is no layer to add to.
        MissingExtra: without PEFT.
    """
    if importlib.util.find_spec("peft") is None:
        raise MissingExtra("peft", "lora")
    check_depth(backbone, options)
    depth, targets = options.get("depth") or 0, options.get("targets", "auto")
    if not chosen(backbone.suffix(depth), resolved(backbone.suffix(depth), targets)):
        kind = "" if targets in ("auto", "all") else f"{targets} "
        another = f"lora --set strategy.targets=auto, or {OTHERS}" if kind else OTHERS
        raise lacking(backbone, f"{kind}layers that LoRA can add to", depth, another)


def resolved(module: nn.Module, targets: str) -> str:
    """What "auto" means for a network: its linear layers, or its convolutions if it has none."""
    if targets != "auto":
        return targets
    return "linear" if chosen(module, "linear") else "conv"


def chosen(module: nn.Module, targets: str) -> tuple[str, ...]:
    """Names of the layers that get an addition.

    Only plain linear layers and convolutions: a grouped convolution has no low-rank product of that form, and a layer
    of another library may do more with its weight than multiply by it, so that merging would change what it computes.
    """
    kinds = TARGETS[targets]
    return tuple(
        name
        for name, layer in module.named_modules()
        if (type(layer) in kinds or (nn.Linear in kinds and turned(layer)))
        and getattr(layer, "groups", 1) == 1
        and layer.weight.is_floating_point()
    )


def turned(layer: nn.Module) -> bool:
    """Is it a linear layer whose weight is (in, out), as GPT-2 has them?"""
    kind = type(layer)
    return (kind.__module__, kind.__name__) == ("transformers.pytorch_utils", "Conv1D")


def add(module: nn.Module, names: tuple[str, ...], *, rank: int, alpha: float, dropout: float, seed: int) -> None:
    """Give the named layers their additions, in place; pure in the seed.

    Raises:
        MissingExtra: without PEFT.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingExtra("peft", "lora") from error
    settings: dict[str, Any] = {"r": rank, "lora_alpha": alpha, "lora_dropout": dropout, "bias": "none"}
    settings["fan_in_fan_out"] = any(turned(module.get_submodule(name)) for name in names)
    config = LoraConfig(**settings, target_modules=list(names))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        inject_adapter_in_model(config, module)


def additions(module: nn.Module) -> tuple[str, ...]:
    """Names of the parameters of every addition."""
    return tuple(name for name, _ in module.named_parameters() if ".lora_" in name)


def merge(module: nn.Module) -> None:
    """Add every addition to its layer's weights, and put the plain layer back in its place."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    found = [(name, layer) for name, layer in module.named_modules() if isinstance(layer, BaseTunerLayer)]
    for name, layer in found:
        layer.merge()
        owner, _, own = name.rpartition(".")
        setattr(module.get_submodule(owner), own, layer.get_base_layer())
