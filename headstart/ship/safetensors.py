"""Plain weights: a folder of tensors named as their library names them, and a description of how they are used.

Nothing in the folder is code; its README shows, in lines that work without headstart, how a prediction is made of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.backbones.publishing import ENDS, WEIGHTS, Plain
from headstart.base import discovery, files
from headstart.base.errors import ExportError
from headstart.data.exportable import ExportInputs
from headstart.ship import card, doubt
from headstart.ship.exporting import Reloaded, Written, without_a_network
from headstart.ship.scoring import BACKBONE, NetworkScorer
from headstart.ship.sealed import Model

TOLERANCE = 1e-4
"""Largest accepted difference between a prediction of the model and one made of the folder."""

HEAD, ABOUT, README = "head.safetensors", "model.json", "README.md"
_CLOSE = 1e-5
FORMAT = "headstart weights 1"
_ELSEWHERE = "headstart export --to onnx, which takes every model"


def write(model: Model, to: Path) -> Written:
    """Write weights, description and README.

    Args:
        model: a loaded model.
        to: the folder.

    Raises:
        ExportError: for a model without a network, or one that its library cannot make again.
        MissingExtra: without that library.
    """
    scorer = model.scorer
    if not isinstance(scorer, NetworkScorer) or model.manifest.backbone is None:
        raise ExportError(
            "This model has no network in it: a simple baseline won, and its few numbers are no use without its code",
            next_move=without_a_network(model),
        )
    # Asked first: what no other library reads is no use as plain weights either.
    inputs: ExportInputs = discovery.load("data", model.manifest.modality).export_inputs(scorer.preprocessing)
    plain = _plain(model)
    network = scorer.network.to("cpu")
    tensors = scorer.tensors()
    own = {name.removeprefix(BACKBONE): each for name, each in tensors.items() if name.startswith(BACKBONE)}
    state = _named(plain, own, model.manifest.backbone.architecture)
    weight, bias = model.task.folded(network.head.weight.detach(), network.head.bias.detach(), scorer.temperature)
    plain.module.load_state_dict(state)
    about = _about(model, _reads(network.backbone, network.taps, plain))
    to.mkdir()
    save_file({name: each.detach().clone().contiguous() for name, each in state.items()}, to / WEIGHTS)
    save_file({"weight": weight.contiguous(), "bias": bias.contiguous()}, to / HEAD)
    files.write_json(to / ABOUT, about)
    use, needs = _use(model, plain, inputs, about), (*plain.needs, *inputs.needs, "safetensors")
    hub = card.Hub("pytorch", use, needs)
    (to / README).write_text(card.render(model.manifest, model.task, name=to.name, hub=hub), encoding="utf-8")
    return Written(
        paths=(to,),
        notes=(f"{README} in it shows, line by line, how a prediction is made of it", *doubt.left_out(model.doubt)),
    )


def reload(path: Path, model: Model) -> Reloaded:
    """The folder, put together by its description.

    Raises:
        ExportError: when the weights do not fit the library's network.
    """
    return _Assembled(path, model)


class _Assembled:
    """What the README's lines make, made by the same steps."""

    def __init__(self, path: Path, model: Model) -> None:
        self.model, self.plain = model, _plain(model)
        self.about = json.loads((path / ABOUT).read_text(encoding="utf-8"))
        self.head = load_file(path / HEAD)
        try:
            self.plain.module.load_state_dict(load_file(path / WEIGHTS))
        except RuntimeError as error:
            raise ExportError(f"The weights do not fit the network again: {str(error).splitlines()[0]}") from error
        self.module = self.plain.module.eval()
        self.seen: dict[int, torch.Tensor] = {}
        for number, tap in enumerate(self.about["head"]["reads"]):
            if tap["module"]:
                part = self.module.get_submodule(tap["module"])
                part.register_forward_hook(self._noting(number))

    def _noting(self, number: int) -> Any:
        def note(module: Any, given: Any, output: Any) -> None:
            self.seen[number] = output

        return note

    def replay(self, arrays: np.ndarray) -> np.ndarray:
        """Predictions (n, K) of what the network reads."""
        how = self.about["preprocessing"]
        mean, std = (torch.tensor(how[name]).view(1, -1, 1, 1) for name in ("mean", "std"))
        pixels = (torch.from_numpy(np.ascontiguousarray(arrays)).float() / 255 - mean) / std
        with torch.inference_mode():
            last = self.plain.outputs(self.module(pixels))
            pooled = []
            for number, tap in enumerate(self.about["head"]["reads"]):
                seen = self.seen[number] if tap["module"] else last
                others = [axis for axis in range(1, seen.ndim) if axis != tap["channels"]]
                pooled.append(seen.mean(others) if others else seen)
            outputs = (torch.cat(pooled, 1) @ self.head["weight"].T + self.head["bias"]).double()
        end = ENDS[self.model.task.problem]
        return (outputs.softmax(1) if "softmax" in end else outputs.sigmoid() if "sigmoid" in end else outputs).numpy()

    def score(self, items: Sequence[Any]) -> np.ndarray:
        """Predictions (n, K) of raw items."""
        manifest = self.model.manifest
        room, preprocessing = discovery.load("data", manifest.modality), manifest.reading().value()
        return self.replay(np.stack([room.load(item, preprocessing) for item in items]))


def _plain(model: Model) -> Plain:
    """The network as its library makes it.

    Raises:
        ExportError: when its provider does not say how, or no activation of its task is known.
    """
    record = model.manifest.backbone
    provider, _, name = (record.architecture if record else "").partition("/")
    room = discovery.load("backbones", provider)
    if not hasattr(room, "plain"):
        raise ExportError(f"{provider} does not say how its networks are made without headstart", next_move=_ELSEWHERE)
    if model.task.problem not in ENDS:
        raise ExportError(f"The outputs of a {model.task.kind} model cannot be described", next_move=_ELSEWHERE)
    found: Plain = room.plain(name, record.config if record else None)
    return found


def _named(plain: Plain, own: Mapping[str, torch.Tensor], architecture: str) -> Mapping[str, torch.Tensor]:
    state = plain.renamed(own)
    if odd := sorted(state.keys() ^ plain.module.state_dict().keys()):
        raise ExportError(
            f"The library's {architecture} has no place for all of this network: {odd[0]}", next_move=_ELSEWHERE
        )
    return state


def _reads(backbone: Backbone, taps: Sequence[int], plain: Plain) -> list[dict[str, Any]]:
    """Where each part of the head's features comes out of the library's network, which holds the weights already.

    Raises:
        ExportError: when that is between its modules.
    """
    size = backbone.info.preprocessing.size
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    found: list[dict[str, Any]] = []
    with torch.no_grad():
        hidden, wanted = images, {}
        for tap in range(1, max(taps) + 1):
            hidden = backbone.stages[tap - 1](hidden)
            wanted[tap] = hidden.clone()
        paths = _giving(
            plain.module, backbone.input(images), {tap: wanted[tap] for tap in taps if tap < backbone.depth}
        )
    for tap in taps:
        if tap < backbone.depth and tap not in paths:
            raise ExportError(
                f"The head reads stage {tap} ({backbone.info.stages[tap - 1]}), which is no module of the library's "
                "network",
                next_move=_ELSEWHERE,
            )
        where = {"module": paths.get(tap, ""), "channels": backbone.channel_axis(tap)}
        found.append({**where, "features": backbone.pooled_width(tap)})
    return found


def _giving(network: nn.Module, pixels: torch.Tensor, wanted: Mapping[int, torch.Tensor]) -> dict[int, str]:
    """Stage -> path of the module that gives what leaves it, the outermost where one ends in another."""
    found: dict[int, str] = {}

    def noting(path: str) -> Any:
        def note(module: nn.Module, _: Any, output: Any) -> None:
            if not isinstance(output, torch.Tensor):
                return
            for tap, value in wanted.items():
                # A stage may end in a flattening, which is no module; its mean over nothing is the same.
                given = output.flatten(1) if value.ndim == 2 and output.ndim > 2 else output
                close = _CLOSE * float(value.abs().max())
                if given.shape == value.shape and torch.allclose(given, value, rtol=_CLOSE, atol=close):
                    found[tap] = path

        return note

    hooks = [part.register_forward_hook(noting(path)) for path, part in network.named_modules() if path]
    try:
        network(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _about(model: Model, reads: list[dict[str, Any]]) -> dict[str, Any]:
    manifest = model.manifest
    record = manifest.backbone
    return {
        "format": FORMAT,
        "task": manifest.task,
        "labels": list(manifest.names),
        "architecture": record.architecture if record else "",
        "config": record.config if record else None,
        "preprocessing": manifest.reading().model_dump(),
        "head": {
            "file": HEAD,
            "reads": reads,
            "words": "the mean of each module's output over all axes but the batch's and that of its channels, one "
            "behind the other; an empty module is the network's own output. Temperature and scale are in the weights",
        },
        "outputs": model.task.gives,
        "activation": ENDS[model.task.problem].strip(".") or "none",
        "base_model": record.name if record else "",
        "licence_of_base_model": record.licence if record else "",
        "made_by": f"headstart {manifest.headstart}",
    }


def _use(model: Model, plain: Plain, inputs: ExportInputs, about: Mapping[str, Any]) -> tuple[str, ...]:
    taps = about["head"]["reads"]
    hooks = [
        "seen = {}",
        *(
            f"network.get_submodule({tap['module']!r}).register_forward_hook("
            f"lambda module, given, output: seen.update({{{number}: output}}))"
            for number, tap in enumerate(taps)
            if tap["module"]
        ),
    ]
    parts = [f"seen[{number}]" if tap["module"] else "last" for number, tap in enumerate(taps)]
    pooled = []
    for part, tap in zip(parts, taps, strict=True):
        pooled.append(f"    pooled.append(average({part}, {tap['channels']}))")
    several = any(tap["module"] for tap in taps)
    features = (
        [
            "def average(output, channels):",
            "    others = [axis for axis in range(1, output.ndim) if axis != channels]",
            "    return output.mean(others) if others else output",
            "",
            *hooks,
            "with torch.no_grad():",
            f"    last, pooled = network(torch.from_numpy(pixels)){plain.result}, []",
            *pooled,
            "    features = torch.cat(pooled, 1)",
        ]
        if several
        else ["with torch.no_grad():", f"    features = network(torch.from_numpy(pixels)){plain.result}"]
    )
    return (
        *plain.build,
        "import json",
        "import numpy as np",
        "import torch",
        "from safetensors.torch import load_file",
        f"about, head = json.load(open({ABOUT!r})), load_file({HEAD!r})",
        f"network.load_state_dict(load_file({WEIGHTS!r}))",
        "network.eval()",
        *inputs.prepared,
        *features,
        'outputs = features @ head["weight"].T + head["bias"]',
        f"{model.task.gives} = outputs{ENDS[model.task.problem]}",
        f'print(dict(zip(about["labels"], {model.task.gives}[0].tolist())))',
    )
