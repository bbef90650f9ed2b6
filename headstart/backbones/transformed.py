"""A trained network as a folder of transformers: its own classifier, with the trained weights in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headstart.backbones import layers, vision
from headstart.backbones.publishing import CONFIG, ENDS, Finished, Plain, Published
from headstart.base.errors import ExportError

PROCESSOR = "preprocessor_config.json"
_RESAMPLE = {name: number for number, name in vision.INTERPOLATIONS.items()}


def publish(finished: Finished, to: Path) -> None:
    """Write a folder that ``AutoModelForImageClassification.from_pretrained`` loads.

    Raises:
        ExportError: when the family has no classifier that is one linear layer over the same features.
        WeightsError: when the configuration cannot be built.
        MissingExtra: without transformers.
    """
    finished.reads_the_last()
    made, name = dict(finished.config or {}), f"hf/{finished.architecture}"
    if made.get("flip"):
        raise _no_place(name, "it reads blue, green, red, which its folder cannot say")
    with vision.quiet():
        kind, settings = vision.kind(made, name)
        if "Classification" not in kind.__name__:
            raise _no_place(name, "transformers has no classifier of that family")
        # The trained tensors are named as the chain of stages names them; it shares them with a twin, whose names
        # are the library's.
        twin: Any = kind._from_config(settings, dtype=torch.float32)
        heads = vision.heads(twin)
        vision.behead(twin)
        chain: nn.Module = layers.chain(twin.eval(), vision.logits, int(made["size"]), name)
        chain.load_state_dict(dict(finished.state))
        settings.num_labels = len(finished.labels)
        settings.id2label = dict(enumerate(finished.labels))
        settings.label2id = {label: number for number, label in enumerate(finished.labels)}
        settings.problem_type = finished.problem
        model: Any = kind._from_config(settings, dtype=torch.float32)
        model.load_state_dict(twin.state_dict(), strict=False)
        for path in heads:
            head = model.get_submodule(path)
            if not isinstance(head, nn.Linear) or head.weight.shape != finished.weight.shape:
                raise _no_place(name, "its classifier is not one linear layer over the same features")
            head.load_state_dict({"weight": finished.weight, "bias": finished.bias})
        model.eval().save_pretrained(to)
    (to / PROCESSOR).write_text(json.dumps(_processor(finished), indent=2) + "\n", encoding="utf-8")


def _no_place(name: str, reason: str) -> ExportError:
    return ExportError(
        f"transformers has no {name.removeprefix('hf/')} that would be this model: {reason}",
        next_move="headstart export --to onnx, or --to safetensors",
    )


def _processor(finished: Finished) -> dict[str, Any]:
    """Short side to size / crop, then the centre: in the words of the class that does just that."""
    wanted = finished.preprocessing
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": round(wanted.size / wanted.crop)},
        "resample": _RESAMPLE[wanted.interpolation],
        "do_center_crop": True,
        "crop_size": {"height": wanted.size, "width": wanted.size},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(wanted.mean),
        "image_std": list(wanted.std),
    }


def published(to: Path) -> Published:
    """The folder, loaded by transformers."""
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    with vision.quiet():
        model: Any = AutoModelForImageClassification.from_pretrained(to, local_files_only=True).eval()
        processor: Any = AutoImageProcessor.from_pretrained(to, local_files_only=True)
    problem = json.loads((to / CONFIG).read_text(encoding="utf-8")).get("problem_type")
    use = [
        "from transformers import pipeline",
        f'predictions = pipeline("image-classification", {to.name!r})("photo.jpg")',
    ]
    if not ENDS.get(str(problem)):
        use = [
            "from PIL import Image",
            "from transformers import AutoImageProcessor, AutoModelForImageClassification",
            f"prepare, model = (kind.from_pretrained({to.name!r}) for kind in (AutoImageProcessor, "
            "AutoModelForImageClassification))",
            'predictions = model(**prepare(Image.open("photo.jpg").convert("RGB"), return_tensors="pt")).logits',
        ]
    return Published(
        library="transformers",
        outputs=lambda images: model(pixel_values=images).logits,
        prepared=lambda picture: processor(picture, return_tensors="pt")["pixel_values"],
        use=tuple(use),
        needs=("transformers",),
    )


def plain(name: str, config: Mapping[str, Any] | None) -> Plain:
    """The library's own network of a configuration, its head taken off.

    Raises:
        ExportError: for a network that reads blue, green, red.
        WeightsError: when the configuration cannot be built.
        MissingExtra: without transformers.
    """
    made = dict(config or {})
    if made.get("flip"):
        raise _no_place(f"hf/{name}", "it reads blue, green, red")
    with vision.quiet():
        kind, settings = vision.kind(made, f"hf/{name}")
        twin: Any = kind._from_config(settings, dtype=torch.float32).eval()
        heads = vision.heads(twin)
        vision.behead(twin)
    headed = "Classification" in kind.__name__

    def renamed(state: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        features = vision.logits if headed else vision.pooled_output
        with vision.quiet():
            layers.chain(twin, features, int(made["size"]), f"hf/{name}").load_state_dict(dict(state))
        found: Mapping[str, torch.Tensor] = twin.state_dict()
        return found

    described = {"model_type": name} | dict(made["model"]) | {"num_labels": vision.LABELS}
    build = [
        "import torch, transformers",
        f"config = transformers.AutoConfig.for_model(**{described!r})",
        f"network = transformers.{kind.__name__}(config)",
        *(f"network.set_submodule({path!r}, torch.nn.Identity())" for path in heads),
    ]
    result = ".logits.flatten(1)" if headed else ".pooler_output.flatten(1)"
    outputs = vision.logits if headed else vision.pooled_output
    return Plain(twin, tuple(build), ("torch", "transformers"), outputs, renamed, result)
