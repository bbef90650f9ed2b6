"""A folder that timm or transformers loads with one line, with a model card for the Hugging Face hub.

The head of a network for pictures becomes the architecture's own classifier; that of one for texts lies beside the base
model, with the lines that use it. Temperature and scale are in its weights, so that what comes out are calibrated
outputs. Nothing in the folder is code.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headstart.backbones.publishing import ENDS, Finished, Published
from headstart.base import discovery
from headstart.base.errors import ExportError, MissingExtra
from headstart.features import inference
from headstart.ship import card, doubt
from headstart.ship.exporting import Reloaded, Written, reading, without_a_network
from headstart.ship.scoring import BACKBONE, NetworkScorer
from headstart.ship.sealed import Model

TOLERANCE = 1e-4
"""Largest accepted difference between a prediction of the model and one of the library."""

README = "README.md"
_ELSEWHERE = "headstart export --to onnx, which takes every model; or --to safetensors"


def write(model: Model, to: Path) -> Written:
    """Write the model as its architecture's library keeps models.

    Args:
        model: a loaded model.
        to: the folder.

    Raises:
        ExportError: when no library has an architecture with a head like this model's.
        MissingExtra: without that library.
    """
    finished, provider = _finished(model)
    to.mkdir()
    provider.publish(finished, to)
    loaded: Published = provider.published(to)
    notes = (_their_own(model, loaded), *doubt.left_out(model.doubt))
    hub = card.Hub(loaded.library, loaded.use, loaded.needs, notes)
    (to / README).write_text(card.render(model.manifest, model.task, name=to.name, hub=hub), encoding="utf-8")
    return Written(paths=(to,), use=loaded.use, needs=loaded.needs, notes=notes)


def reload(path: Path, model: Model) -> Reloaded:
    """The folder, loaded by its library."""
    return _Loaded(_provider(model).published(path), model)


class _Loaded:
    """The library's model, given what headstart makes of items."""

    def __init__(self, loaded: Published, model: Model) -> None:
        self.loaded, self.model = loaded, model
        self.preprocessing = reading(model)

    def replay(self, arrays: np.ndarray) -> np.ndarray:
        """Predictions (n, K) of what the network reads."""
        return _predicted(self.loaded, self.loaded.read(arrays, self.preprocessing), self.model)

    def score(self, items: Sequence[Any]) -> np.ndarray:
        """Predictions (n, K) of raw items, prepared by headstart."""
        inputs = inference.batch(items, self.preprocessing, modality=self.model.manifest.modality)
        return self.replay(inputs.numpy())


def _finished(model: Model) -> tuple[Finished, Any]:
    """The model in its library's words, and who writes it.

    Raises:
        ExportError: when its head is not what an architecture has.
    """
    record, scorer, task = model.manifest.backbone, model.scorer, model.task
    if record is None or not isinstance(scorer, NetworkScorer):
        raise ExportError(
            "This model has no network in it: a simple baseline won, and no library has an architecture for that",
            next_move=without_a_network(model),
        )
    if task.problem not in ENDS:
        raise ExportError(f"timm and transformers have no models for {task.kind}", next_move=_ELSEWHERE)
    provider = _provider(model)
    tensors = scorer.tensors()
    network = scorer.network.to("cpu")
    weight, bias = task.folded(network.head.weight.detach(), network.head.bias.detach(), scorer.temperature)
    state = {name.removeprefix(BACKBONE): each for name, each in tensors.items() if name.startswith(BACKBONE)}
    finished = Finished(
        architecture=record.architecture.split("/", 1)[1],
        config=record.config,
        state=state,
        weight=weight,
        bias=bias,
        labels=tuple(model.manifest.names),
        problem=task.problem,
        preprocessing=reading(model),
        licence=record.licence,
        taps=tuple(record.taps),
        stages=len(record.stages),
    )
    return finished, provider


def _provider(model: Model) -> Any:
    record = model.manifest.backbone
    name = record.architecture.split("/", 1)[0] if record else ""
    provider = discovery.load("backbones", name)
    if not hasattr(provider, "publish"):
        raise ExportError(
            f"Neither timm nor transformers has the architecture {record.architecture if record else ''}",
            next_move=_ELSEWHERE,
        )
    if name == "hf" and importlib.util.find_spec("transformers") is None:
        raise MissingExtra("transformers", "hf")
    return provider


def _predicted(loaded: Published, read: torch.Tensor, model: Model) -> np.ndarray:
    with torch.inference_mode():
        outputs = loaded.outputs(read).double()
    if model.task.problem == "single_label_classification":
        outputs = outputs.softmax(1)
    elif model.task.problem == "multi_label_classification":
        outputs = outputs.sigmoid()
    return outputs.numpy()


def _their_own(model: Model, loaded: Published) -> str:
    """How far the library's own preprocessing leads away, measured on items of several shapes."""
    room = discovery.load("data", model.manifest.modality)
    items = room.export_inputs(reading(model)).examples(0)
    wanted = model.task.comparable(model.scorer.score(items, precision="float32", failed={}))
    found = [_predicted(loaded, loaded.prepared(room.decode(item)), model) for item in items]
    gap = float(np.abs(model.task.comparable(np.concatenate(found)) - wanted).max())
    return loaded.own.format(library=loaded.library, items=len(items), gap=gap)
