"""A folder that timm or transformers loads with one line, with a model card for the Hugging Face hub.

The head becomes the architecture's own classifier, with temperature and scale in its weights, so that what the library
gives are calibrated outputs. Nothing in the folder is code.
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
from headstart.base.vocabulary import Preprocessing
from headstart.ship import card, doubt
from headstart.ship.exporting import Reloaded, Written
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
        self.room = discovery.load("data", model.manifest.modality)
        self.preprocessing: Any = model.manifest.reading().value()

    def replay(self, arrays: np.ndarray) -> np.ndarray:
        """Predictions (n, K) of what the network reads."""
        read = torch.from_numpy(np.ascontiguousarray(arrays)).float() / 255
        mean, std = (torch.tensor(each).view(1, -1, 1, 1) for each in (self.preprocessing.mean, self.preprocessing.std))
        return _predicted(self.loaded, (read - mean) / std, self.model)

    def score(self, items: Sequence[Any]) -> np.ndarray:
        """Predictions (n, K) of raw items, prepared by headstart."""
        return self.replay(np.stack([self.room.load(item, self.preprocessing) for item in items]))


def _finished(model: Model) -> tuple[Finished, Any]:
    """The model in its library's words, and who writes it.

    Raises:
        ExportError: when its head is not what an architecture has.
    """
    record, scorer, task = model.manifest.backbone, model.scorer, model.task
    reading = model.manifest.reading().value()
    if record is None or not isinstance(scorer, NetworkScorer):
        raise ExportError(
            "This model has no network in it: a simple baseline won, and no library has an architecture for that",
            next_move="headstart export --to onnx",
        )
    if not isinstance(reading, Preprocessing):
        raise ExportError(
            "Only networks that read pictures are written as their library's folder", next_move=_ELSEWHERE
        )
    if task.problem not in ENDS:
        raise ExportError(f"timm and transformers have no models for {task.kind}", next_move=_ELSEWHERE)
    provider = _provider(model)
    if tuple(record.taps) != (len(record.stages),):
        stages = ", ".join(map(str, record.taps))
        raise ExportError(
            f"The head reads stage {stages} of {len(record.stages)}; an architecture's own classifier reads the last "
            "one alone",
            next_move=_ELSEWHERE,
        )
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
        preprocessing=reading,
        licence=record.licence,
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
    items = room.export_inputs(model.manifest.reading().value()).examples(0)
    wanted = model.task.comparable(model.scorer.score(items, precision="float32", failed={}))
    read = torch.cat([loaded.prepared(room.decode(item)) for item in items])
    gap = float(np.abs(model.task.comparable(_predicted(loaded, read, model)) - wanted).max())
    return (
        f"{loaded.library} resizes first and crops afterwards, where headstart does both at once: its own "
        f"preprocessing of {len(items)} generated pictures of other shapes changed predictions by at most {gap:.2g}"
    )
