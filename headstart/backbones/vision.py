"""Image networks of the transformers library (Wolf et al., Transformers: State-of-the-Art Natural Language Processing,
2020), from their configuration.

The pooled features are what the library's own image classifier of that family reads: the class token of a ViT, the mean
over the map of a ConvNeXt, class token and mean of the patch tokens side by side for DINOv2. Only code of the installed
library runs: a repository's own code, attention kernels and quantisation are never fetched.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from headstart.backbones import layers
from headstart.backbones.heads import Head, leave, of_state
from headstart.backbones.revival import revive
from headstart.base.errors import MissingExtra, WeightsError
from headstart.base.vocabulary import Preprocessing

LABELS = 997
"""Classes of the head that is built and taken off again: a width that no layer of a network has."""
POOLED: tuple[str, ...] = ("clip_vision_model", "dinov3_convnext", "dinov3_vit", "siglip_vision_model")
"""Families without a classifier of their own: the library's pooled output is taken."""
REFUSED: tuple[str, ...] = ("imagegpt", "perceiver", "shieldgemma2", "timm_wrapper")
"""Families whose classifier does not read a picture's pixels as such."""
IGNORED: tuple[str, ...] = (
    *("_attn_implementation", "_attn_implementation_internal", "_name_or_path", "architectures", "attn_implementation"),
    *("auto_map", "custom_pipelines", "dtype", "finetuning_task", "id2label", "label2id", "num_labels", "problem_type"),
    *("quantization_config", "return_dict", "torch_dtype", "transformers_version", "use_kernels"),
    *("output_attentions", "output_hidden_states", "task_specific_params"),
)
"""Settings that name other code, or concern the source head."""
INTERPOLATIONS = {0: "nearest", 2: "bilinear", 3: "bicubic"}
"""PIL's numbers; others (Lanczos, box, Hamming) are close to bicubic."""


def recipe(config: Mapping[str, Any], processor: Mapping[str, Any], size: int) -> dict[str, Any]:
    """What ``build`` needs: the configuration without what must not be followed. Plain data."""
    return {
        "model": harmless(config),
        "teacher": _has_teacher(config),
        "flip": bool(processor.get("do_flip_channel_order")),
        "size": size,
    }


def harmless(data: Any) -> Any:
    """A configuration without the settings in ``IGNORED``."""
    if isinstance(data, Mapping):
        return {str(key): harmless(value) for key, value in data.items() if key not in IGNORED}
    return [harmless(value) for value in data] if isinstance(data, list | tuple) else data


def _has_teacher(config: Mapping[str, Any]) -> bool:
    return any("WithTeacher" in str(name) for name in config.get("architectures") or ())


def preprocessing(processor: Mapping[str, Any], where: str) -> Preprocessing:
    """How the network wants its pictures, from preprocessor_config.json.

    Raises:
        WeightsError: when the file does not say it.
    """
    try:
        size, crop = _sizes(processor)
        factor = 255 * float(processor.get("rescale_factor", 1 / 255)) if processor.get("do_rescale", True) else 255.0
        shift = 1.0 if processor.get("rescale_offset") else 0.0
        # What is not said is what the family's own class does: MobileViT takes pixels as they are.
        kind = str(processor.get("image_processor_type") or processor.get("feature_extractor_type"))
        normal = bool(processor.get("do_normalize", "MobileViT" not in kind))
        mean = [float(value) for value in processor["image_mean"]] if normal else [0.0] * 3
        std = [float(value) for value in processor["image_std"]] if normal else [1.0] * 3
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0 or factor <= 0 or not 0 < size <= 4096:
            raise ValueError("three colours and a size of up to 4096 pixels")
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"preprocessor_config.json does not say how pictures are prepared: {error}",
            where=where,
            expected="size, image_mean and image_std, as transformers writes them",
        ) from error
    if "EfficientNet" in kind and processor.get("include_top", True) and normal:
        # That family divides by the deviation a second time.
        std = [value * value for value in std]
    # The library computes (x * factor - shift - mean) / std of pixels x in [0, 1].
    means = [(value + shift) / factor for value in mean]
    deviations = [value / factor for value in std]
    return Preprocessing(
        size=size,
        mean=(means[0], means[1], means[2]),
        std=(deviations[0], deviations[1], deviations[2]),
        interpolation=INTERPOLATIONS.get(int(processor.get("resample") or 3), "bicubic"),
        crop=crop,
    )


def _sizes(processor: Mapping[str, Any]) -> tuple[int, float]:
    """Side of the input, and the share of the resized short side that the centre crop keeps."""
    resized = _side(processor["size"])
    if "ConvNext" in str(processor.get("image_processor_type")) or "crop_pct" in processor:
        share = float(processor.get("crop_pct") or 224 / 256)
        return resized, share if resized < 384 else 1.0
    if processor.get("do_center_crop") and processor.get("crop_size"):
        cropped = _side(processor["crop_size"])
        return cropped, min(cropped / resized, 1.0) if processor.get("do_resize", True) else 1.0
    return resized, 1.0


def _side(size: Any) -> int:
    if isinstance(size, Mapping):
        size = size.get("shortest_edge") or size["height"]
    return int(size)


def build(made: Mapping[str, Any], name: str, state: Mapping[str, torch.Tensor] | None = None) -> nn.Module:
    """The network without its source head, as a chain; randomly initialised without ``state``.

    Args:
        made: what ``recipe`` gave.
        name: for messages.
        state: named tensors of a checkpoint, of whatever age; transformers renames what was renamed.

    Raises:
        MissingExtra: without transformers.
        WeightsError: for a family that cannot be built or taken apart, or tensors that do not fit.
    """
    with quiet():
        family, settings = kind(made, name)
        try:
            if state is None:
                model = revive(family._from_config(settings, dtype=torch.float32))
            else:
                model = _restored(family, settings, state)
        except WeightsError:
            raise
        except Exception as error:  # transformers checks configurations in a hundred places
            raise _unbuildable(name, str(error).strip().split("\n")[0]) from error
        head = _source_head(model, state)
        behead(model)
        features = logits if "Classification" in type(model).__name__ else pooled_output
        chain = layers.chain(model.eval(), features, int(made["size"]), name)
    if made.get("flip"):
        chain.add_module("flip", Flip())
        chain.order = ("flip", *chain.order)
    leave(chain, head)
    return chain


class Flip(nn.Module):
    """Red, green, blue to blue, green, red: what some checkpoints were trained with."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (n, 3, s, s) with their channels in reverse order."""
        return x.flip(1)


def logits(output: Any) -> torch.Tensor:
    """What a classifier of the library gives, (n, C)."""
    found: torch.Tensor = output.logits
    return found.flatten(1)


def pooled_output(output: Any) -> torch.Tensor:
    """What a family without a classifier gives, (n, d)."""
    found: torch.Tensor = output.pooler_output
    return found.flatten(1)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the library's own remarks: what matters is checked here and raised."""
    try:
        from transformers.utils import logging
    except ImportError as error:
        raise MissingExtra("transformers", "hf") from error
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def kind(made: Mapping[str, Any], name: str) -> tuple[Any, Any]:
    """The library's class for a configuration, and the configuration."""
    from transformers import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING, MODEL_MAPPING, AutoConfig

    options = dict(harmless(made["model"]))
    family = str(options.pop("model_type", ""))
    try:
        settings = AutoConfig.for_model(family, **options)
    except Exception as error:  # as above
        raise _unbuildable(name, str(error).strip().split("\n")[0].split(" Should contain")[0]) from error
    headed = type(settings) in MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING and family not in REFUSED
    if not headed and family not in POOLED:
        raise _unbuildable(name, f"{family!r} is no image network that transformers has a classifier for")
    found: Any = (MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING if headed else MODEL_MAPPING)[type(settings)]
    if isinstance(found, list | tuple):
        found = next((one for one in found if ("WithTeacher" in one.__name__) == bool(made.get("teacher"))), found[0])
    settings.num_labels = LABELS
    return found, settings


def _unbuildable(name: str, reason: str) -> WeightsError:
    return WeightsError(
        f"{name} cannot be built: {reason}",
        expected="an image network whose classifier is part of the installed transformers",
        next_move="headstart backbones --search TEXT lists others",
    )


def _restored(kind: Any, settings: Any, state: Mapping[str, torch.Tensor]) -> nn.Module:
    model, told = kind.from_pretrained(
        None,
        config=settings,
        state_dict=dict(state),
        dtype=torch.float32,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    ours = set(heads(model))
    wrong = [str(key) for key in told["missing_keys"]] + [str(entry[0]) for entry in told["mismatched_keys"]]
    wrong = [key for key in wrong if key.rpartition(".")[0] not in ours]
    odd = [key for key, tensor in model.state_dict().items() if not bool(torch.isfinite(tensor.float()).all())]
    if wrong or odd:
        shown = "; ".join(sorted(wrong)[:3] or sorted(odd)[:3])
        reason = "are missing or have another shape" if wrong else "have values that are not finite"
        raise WeightsError(
            f"The weights do not fit the network: {shown} {reason}", expected="those that its config.json describes"
        )
    found: nn.Module = model
    return found


def heads(model: nn.Module) -> list[str]:
    """Paths of the layers that give one number a class."""
    return [
        path
        for path, part in model.named_modules()
        if getattr(part, "out_features", getattr(part, "out_channels", 0)) == LABELS
    ]


def _source_head(model: nn.Module, state: Mapping[str, torch.Tensor] | None) -> Head | None:
    """The published classifier, where it is one linear layer over what the network ends in."""
    paths = heads(model)
    layer = model.get_submodule(paths[0]) if len(paths) == 1 else None
    return of_state(state, paths[0], layer.in_features) if state and isinstance(layer, nn.Linear) else None


def behead(model: nn.Module) -> None:
    """Replace the source head, and a dropout at the top level in front of it, by the identity."""
    for path in heads(model):
        owner, _, key = path.rpartition(".")
        setattr(model.get_submodule(owner), key, nn.Identity())
    for key, part in list(model.named_children()):
        if isinstance(part, nn.Dropout):
            setattr(model, key, nn.Identity())
