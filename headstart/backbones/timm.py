"""Networks and weights of the timm library, from the Hugging Face hub or this machine's cache of it.

Wightman, PyTorch Image Models (2019), https://github.com/huggingface/pytorch-image-models.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import timm
import timm.data
import timm.layers
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from timm.models import PretrainedCfg, get_pretrained_cfg
from torch import nn

from headstart.backbones import fetch, heads, hub, licences, tensors
from headstart.backbones.chain import Backbone, seeded, untrained
from headstart.backbones.publishing import CONFIG, ENDS, WEIGHTS, Finished, Plain, Published
from headstart.backbones.revival import revive
from headstart.base import files, reach
from headstart.base.errors import BadOption, ExportError, UnknownName, WeightsError
from headstart.base.vocabulary import BackboneInfo, Preprocessing

FILES = ("model.safetensors", "pytorch_model.bin")
"""Names of weights files on the hub, the safest first."""

REFUSED = frozenset(
    ("cache_dir", "checkpoint_path", "exportable", "hf_hub_id", "pretrained", "pretrained_cfg", "scriptable", "url")
) | {"pretrained_cfg_overlay"}
"""Options of timm's constructors that say where files are; a description from outside must not."""

SOURCES = {
    "in1k": "ImageNet-1k",
    "in12k": "ImageNet-12k",
    "in21k": "ImageNet-21k",
    "in22k": "ImageNet-22k",
    "inat21": "iNaturalist 2021",
    "ig1b": "Instagram-1B",
    "yfcc100m": "YFCC100M",
    "jft": "JFT-300M",
    "laion2b": "LAION-2B",
    "laion400m": "LAION-400M",
    "laiona": "LAION-Aesthetics",
    "datacompxl": "DataComp-XL",
    "dfn2b": "DFN-2B",
    "dfn5b": "DFN-5B",
    "metaclip": "MetaCLIP",
    "openai": "OpenAI's image-text pairs",
    "webli": "WebLI",
    "lvd142m": "LVD-142M",
    "lvd1689m": "LVD-1689M",
    "m30m": "Merged-30M",
    "m38m": "Merged-38M",
    "merged2b": "Merged-2B",
    "seer": "Instagram, unlabelled",
    "swag": "Instagram hashtags",
    "sa1b": "SA-1B",
}
"""Parts of a pretrained tag -> the data they stand for."""

PRIORS = {
    "convnext_atto.d2_in1k": 77.008,
    "convnext_base.fb_in22k_ft_in1k": 86.274,
    "convnext_nano.d1h_in1k": 81.482,
    "convnext_small.fb_in22k_ft_in1k": 85.262,
    "convnext_tiny.in12k_ft_in1k": 84.450,
    "convnextv2_nano.fcmae_ft_in22k_in1k_384": 83.374,
    "deit_small_patch16_224.fb_in1k": 79.844,
    "deit_tiny_patch16_224.fb_in1k": 72.172,
    "densenet121.ra_in1k": 76.500,
    "efficientnet_b0.ra_in1k": 77.694,
    "efficientnet_b2.ra_in1k": 80.610,
    "mobilenetv3_large_100.ra_in1k": 75.766,
    "mobilenetv3_small_100.lamb_in1k": 67.656,
    "regnety_004.tv2_in1k": 75.598,
    "regnety_016.tv2_in1k": 80.668,
    "resnet18.a1_in1k": 73.158,
    "resnet34.a1_in1k": 77.918,
    "resnet50.a1_in1k": 81.214,
    "resnet50.tv_in1k": 76.130,
    "swin_tiny_patch4_window7_224.ms_in1k": 81.376,
    "vgg16_bn.tv_in1k": 73.370,
    "vit_base_patch16_224.augreg2_in21k_ft_in1k": 85.096,
    "vit_small_patch16_224.augreg_in21k_ft_in1k": 81.384,
    "vit_tiny_patch16_224.augreg_in21k_ft_in1k": 75.454,
}
"""Published ImageNet-1k top-1 accuracy in percent, from timm's results/results-imagenet.csv."""


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Pretrained networks that read colour images, as ``architecture.tag``."""
    return tuple(name for name in timm.list_pretrained() if _colour(get_pretrained_cfg(name)))


def describe(name: str) -> BackboneInfo:
    """What timm says of a network; a bare architecture stands for its default weights.

    Raises:
        UnknownName: when timm has no such network or tag.
    """
    cfg = _config(name)
    full = _full(name, cfg)
    tag = cfg.tag or ""
    return BackboneInfo(
        name=f"timm/{full}",
        architecture=f"timm/{full}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=_preprocessing(cfg),
        licence=licences.named(cfg.license),
        source=_source(tag) if cfg.has_weights else "no published weights",
        local=_cached(cfg) is not None,
        prior=PRIORS.get(full),
    )


def load(name: str, *, weights: bool = True, seed: int = 0, architecture: str | None = None) -> Backbone:
    """Load a network, with its weights or from random initialisation.

    Args:
        name: ``architecture.tag``, or ``architecture`` for its default weights.
        weights: False for random initialisation with live residual branches.
        seed: of that initialisation.
        architecture: must not be given; a name of timm says it all.

    Raises:
        UnknownName, BadOption, WeightsError
    """
    if architecture is not None:
        raise BadOption(f"timm/{name} says its architecture itself", where="architecture", expected="none")
    info = describe(name)
    full = info.name.removeprefix("timm/")
    rebuild = partial(_fresh, full)
    module = seeded(seed, partial(_pretrained, full)) if weights else rebuild(seed)
    info = dataclasses.replace(info, local=True) if weights else untrained(info)
    return Backbone(module, info, rebuild=rebuild, wrapped=_kept_whole())


def _kept_whole() -> tuple[Callable[..., Any], ...]:
    # Not among the names that timm declares as exported, though its documentation uses it.
    functions: Callable[[], list[Callable[..., Any]]] = vars(timm.layers)["get_notrace_functions"]
    return tuple(functions())


def _config(name: str) -> PretrainedCfg:
    try:
        cfg = get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError:
        cfg = None
    if cfg is None or not _colour(cfg):
        known = [f"timm/{each}" for each in names()]
        raise UnknownName("backbone", f"timm/{name}", known, next_move="headstart backbones --search TEXT")
    return cfg


def _colour(cfg: PretrainedCfg | None) -> bool:
    return cfg is not None and len(cfg.input_size) == 3 and cfg.input_size[0] == 3


def _full(name: str, cfg: PretrainedCfg) -> str:
    bare = name.split(".", 1)[0]
    return f"{bare}.{cfg.tag}" if cfg.tag else bare


def _preprocessing(cfg: PretrainedCfg) -> Preprocessing:
    known = cfg.interpolation if cfg.interpolation in ("bilinear", "bicubic", "nearest") else "bicubic"
    mean, std = tuple(map(float, cfg.mean)), tuple(map(float, cfg.std))
    return Preprocessing(
        size=cfg.input_size[-1],
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        interpolation=known,
        crop=min(float(cfg.crop_pct), 1.0),
    )


def _source(tag: str) -> str:
    words = [SOURCES[part] for part in re.split(r"[_.]", tag) if part in SOURCES]
    return ", then ".join(words) if words else f"unknown (timm's tag {tag or 'is empty'})"


def _new(full: str, **options: Any) -> nn.Module:
    # Built with the source head and stripped of it: only so does timm insist that every tensor fits.
    module: Any = timm.create_model(full, **options)
    if options.get("pretrained"):
        heads.leave(module, heads.of_layer(module.get_classifier()))
    module.reset_classifier(0)
    return cast(nn.Module, module)


def _fresh(full: str, seed: int, *, options: Mapping[str, Any] = MappingProxyType({})) -> nn.Module:
    return revive(seeded(seed, partial(_new, full, pretrained=False, **options)))


def _pretrained(full: str) -> nn.Module:
    cfg = _config(full)
    path = _download(cfg)
    try:
        # Loaders of their own are for the publisher's first file, not for the hub's copy of it.
        overlay = {"file": str(path), **({"custom_load": False} if cfg.hf_hub_id else {})}
        return _new(full, pretrained=True, pretrained_cfg_overlay=overlay)
    except Exception as error:  # timm's loaders and the file formats each have errors of their own
        raise hub.unavailable(f"timm/{full}", str(error).strip().split("\n")[0] or type(error).__name__) from error


def _wanted(cfg: PretrainedCfg) -> tuple[str, ...]:
    return (cfg.hf_hub_filename,) if cfg.hf_hub_filename else FILES


def _cached(cfg: PretrainedCfg) -> Path | None:
    """The weights file on this machine, if there is one."""
    if cfg.hf_hub_id:
        repository, revision = hub.split(str(cfg.hf_hub_id))
        found = (hub.cached(repository, name, revision) for name in _wanted(cfg))
        return next((path for path in found if path is not None), None)
    if isinstance(cfg.url, str) and cfg.url:
        path = _file(cfg.url)
        return path if path.is_file() else None
    return None


def _file(url: str) -> Path:
    return Path(torch.hub.get_dir(), "checkpoints", url.rsplit("/", 1)[-1])


def _download(cfg: PretrainedCfg) -> Path:
    """The weights file, from the cache or fetched.

    Raises:
        WeightsError: at once when there is no way to them.
    """
    full = f"timm/{cfg.architecture}.{cfg.tag}"
    if cfg.hf_hub_id:
        repository, revision = hub.split(str(cfg.hf_hub_id))
        # Whichever is here already comes first.
        for name in sorted(_wanted(cfg), key=lambda name: hub.cached(repository, name, revision) is None):
            if (path := hub.get(repository, name, revision, name=full)) is not None:
                return path
        raise hub.unavailable(full, f"{repository} has none of {', '.join(_wanted(cfg))}")
    if not isinstance(cfg.url, str) or not cfg.url:
        raise hub.unavailable(full, "no weights were published")
    if (path := _file(cfg.url)).is_file():
        return path
    if constants.HF_HUB_OFFLINE:
        raise hub.unavailable(full, "HF_HUB_OFFLINE is set, so nothing is downloaded")
    if reason := reach.unreachable(cfg.url):
        raise hub.unavailable(full, reason)
    digest = re.search(r"-([0-9a-f]{8,})\.", path.name)
    return fetch.download(cfg.url, path, digest=digest[1] if digest else "")


def described(config: Mapping[str, Any]) -> BackboneInfo:
    """What a config.json that timm wrote says of its network.

    Raises:
        KeyError, TypeError, ValueError, IndexError: when it is not as timm writes it.
        WeightsError: when timm has no such network.
    """
    bare, given = str(config["architecture"]), dict(config["pretrained_cfg"])
    if not timm.is_model(bare):
        raise WeightsError(f"The installed timm has no network {bare!r}", next_move="pip install --upgrade timm")
    options = dict(config.get("model_args") or {})
    if wrong := sorted(options.keys() & REFUSED):
        raise WeightsError(f"config.json sets {wrong[0]!r}, which a description of a network must not")
    if options.get("in_chans", 3) != 3:
        raise WeightsError(f"The network reads {options['in_chans']} channels", expected="3: red, green, blue")
    # Its licence is the repository's to say: what timm says is about its own weights of that name.
    known = get_pretrained_cfg(bare, allow_unregistered=True) or PretrainedCfg()
    fields = {field.name for field in dataclasses.fields(PretrainedCfg)}
    cfg = dataclasses.replace(known, **{key: value for key, value in given.items() if key in fields})
    tag = str(given.get("tag") or "")
    return BackboneInfo(
        name=f"timm/{bare}",
        architecture=f"timm/{bare}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=_preprocessing(cfg),
        licence=licences.named(given.get("license")),
        source=_source(tag) if tag else "unknown",
        config={"model_args": options} if options else None,
    )


def build(
    name: str, config: Mapping[str, Any], *, seed: int = 0, state: Mapping[str, torch.Tensor] | None = None
) -> Backbone:
    """A network with options of its own, from random initialisation or filled with given tensors.

    Args:
        name: its architecture.
        config: ``model_args``: the options timm builds it with.
        seed: of the initialisation.
        state: named tensors; what belongs to a source head is left out.

    Raises:
        UnknownName: when timm has no such network.
        WeightsError: when it cannot be built with the options, or the tensors do not fit.
    """
    options = {key: value for key, value in dict(config.get("model_args") or {}).items() if key not in REFUSED}
    info = untrained(describe(name))
    rebuild = partial(_fresh, name, options=options)
    try:
        module = rebuild(seed)
    except Exception as error:  # timm's constructors take whatever they take
        reason = str(error).strip().split("\n")[0]
        raise WeightsError(f"timm cannot build {name} with {options}: {reason}") from error
    if state is not None:
        tensors.fill(module, state, f"timm/{name}")
    known = dataclasses.replace(info, config=dict(config) if options else None)
    built = Backbone(module, known, rebuild=rebuild, wrapped=_kept_whole())
    if state is not None:
        layer = (get_pretrained_cfg(name.split(".", 1)[0], allow_unregistered=True) or PretrainedCfg()).classifier
        built.source_head = heads.of_state(state, layer if isinstance(layer, str) else None, built.info.width)
    return built


def publish(finished: Finished, to: Path) -> None:
    """Write a folder that ``timm.create_model("local-dir:FOLDER", pretrained=True)`` loads, and transformers too.

    Raises:
        ExportError: when the architecture's own classifier is no linear layer, or the network has tensors that it has
            no place for.
    """
    finished.reads_the_last()
    bare = finished.architecture.split(".", 1)[0]
    options = dict((finished.config or {}).get("model_args") or {})
    model: Any = timm.create_model(bare, pretrained=False, num_classes=len(finished.labels), **options)
    heads = model.get_classifier()
    heads = list(heads) if isinstance(heads, tuple | list | nn.ModuleList) else [heads]
    if not all(isinstance(head, nn.Linear) and head.weight.shape == finished.weight.shape for head in heads):
        raise _no_place(bare, "its own classifier is not one linear layer over the same features")
    own = {id(tensor) for head in heads for tensor in head.parameters()}
    wanted = {name for name, tensor in model.state_dict(keep_vars=True).items() if id(tensor) not in own}
    if odd := sorted(wanted ^ finished.state.keys()):
        raise _no_place(bare, f"{odd[0]} has no place in it, or is missing")
    model.load_state_dict(finished.state, strict=False)
    for head in heads:
        head.load_state_dict({"weight": finished.weight, "bias": finished.bias})
    save_file({name: each.contiguous() for name, each in model.state_dict().items()}, to / WEIGHTS, {"format": "pt"})
    files.write_json(to / CONFIG, _described(model, bare, options, finished))


def _described(model: Any, bare: str, options: Mapping[str, Any], finished: Finished) -> dict[str, Any]:
    """A config.json as timm writes it; what it knows of the source's own preprocessing is not this model's."""
    prepared, known = finished.preprocessing, model.pretrained_cfg
    return {
        "architecture": bare,
        "num_classes": len(finished.labels),
        "num_features": model.num_features,
        "label_names": list(finished.labels),
        "problem_type": finished.problem,
        **({"model_args": dict(options)} if options else {}),
        "pretrained_cfg": {
            "custom_load": False,
            "input_size": [3, prepared.size, prepared.size],
            "fixed_input_size": bool(known.get("fixed_input_size")),
            "interpolation": prepared.interpolation,
            "crop_pct": prepared.crop,
            "crop_mode": "center",
            "mean": list(prepared.mean),
            "std": list(prepared.std),
            "num_classes": len(finished.labels),
            "first_conv": known.get("first_conv"),
            "classifier": known.get("classifier"),
            "license": finished.licence.lower(),
        },
    }


def _no_place(bare: str, reason: str) -> ExportError:
    return ExportError(
        f"timm has no {bare} that would be this model: {reason}",
        next_move="headstart export --to onnx, or --to safetensors",
    )


def published(to: Path) -> Published:
    """The folder, loaded by timm."""
    model: Any = timm.create_model(f"local-dir:{to}", pretrained=True).eval()
    # Like the above, documented but not declared as exported.
    data: Any = timm.data
    transform = data.create_transform(**data.resolve_model_data_config(model))
    end = ENDS[str(json.loads((to / CONFIG).read_text(encoding="utf-8")).get("problem_type"))]
    use = (
        "import timm",
        "from PIL import Image, ImageOps",
        'picture = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")',
        f"model = timm.create_model({f'local-dir:{to.name}'!r}, pretrained=True).eval()",
        "prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(model))",
        f"predictions = model(prepare(picture)[None]){end}",
    )
    return Published("timm", model, lambda picture: transform(picture)[None], use, ("timm",))


def plain(name: str, config: Mapping[str, Any] | None) -> Plain:
    """The network as timm itself makes it."""
    bare, options = name.split(".", 1)[0], dict((config or {}).get("model_args") or {})
    given = "".join(f", {key}={value!r}" for key, value in options.items())
    build = (
        "import timm",
        f"network = timm.create_model({bare!r}, pretrained=False{given})",
        "network.reset_classifier(0)",
    )
    return Plain(_new(bare, pretrained=False, **options).eval(), build, ("timm",))
