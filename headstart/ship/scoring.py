"""Items to predictions: the part of a sealed model that computes, a network or a baseline behind one face."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from headstart.base import discovery, readings
from headstart.base.errors import HeadstartError, ModelFolderError, Undecodable
from headstart.base.manifest import DOUBT, NAME, WEIGHTS, Manifest
from headstart.base.vocabulary import Reading
from headstart.baselines.predictor import Predictor
from headstart.features import inference
from headstart.features.familiarity import Known, Watched
from headstart.features.network import Network
from headstart.ship.doubt import Doubt
from headstart.tasks.task import Task

BACKBONE, HEAD, BASELINE = "backbone.", "head.", "baseline."
"""Prefixes of tensor names in the weights file."""


class Judgement(NamedTuple):
    """What a model says of one item.

    Attributes:
        scores: the prediction (K,).
        strangeness: how far the item lies from the training items, above 1 for an unfamiliar one; NaN where that is
            not measured.
    """

    scores: np.ndarray
    strangeness: float


class Judged(NamedTuple):
    """The same of n items: ``scores`` (n, K) float64 and ``strangeness`` (n,) float64."""

    scores: np.ndarray
    strangeness: np.ndarray

    def each(self) -> list[Judgement]:
        """One by one."""
        return [Judgement(*each) for each in zip(self.scores, self.strangeness.tolist(), strict=True)]


class Scorer(Protocol):
    """Turns items into predictions: probabilities, or values."""

    def score(self, items: Sequence[Any], *, precision: str, failed: dict[int, str]) -> np.ndarray:
        """Predictions (n, K) float64; ``failed`` gets position -> reason of unreadable items, whose rows are NaN."""
        ...

    def judge(self, items: Sequence[Any], *, precision: str, failed: dict[int, str]) -> Judged:
        """The same, and how strange each item is."""
        ...

    def replay(self, arrays: np.ndarray) -> np.ndarray:
        """Predictions (n, K) float64 of preprocessed inputs (n, ...), in float32 on the processor."""
        ...

    def rejudge(self, arrays: np.ndarray) -> Judged:
        """The same, and how strange each input is."""
        ...

    def prepare(self, item: Any) -> np.ndarray:
        """An item as ``judging`` takes it: what can be done by several threads at once.

        Raises:
            Undecodable: when it cannot be read.
        """
        ...

    def remark(self, item: Any) -> str:
        """What there is to be said of how a readable item is read; empty for nothing."""
        ...

    def judging(self, precision: str) -> Callable[[Sequence[np.ndarray]], Sequence[Judgement]]:
        """A function from prepared items to what is said of each, for one thread: their batch is one pass."""
        ...

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything that must be kept, by the name it has in the weights file."""
        ...


class NetworkScorer:
    """A network, its task, its preprocessing, its temperature, and what it takes for familiar."""

    def __init__(
        self,
        network: Network,
        task: Task,
        preprocessing: Reading,
        temperature: float,
        modality: str,
        *,
        doubt: Doubt | None = None,
    ) -> None:
        self.network, self.task, self.preprocessing = network, task, preprocessing
        self.temperature, self.modality = temperature, modality
        self._room = discovery.load("data", modality)
        self._whole: Network | Watched = network
        if doubt is not None and doubt.known is not None and doubt.line is not None:
            self._whole = Watched(network, doubt.known, doubt.line.at)

    @property
    def whole(self) -> Network | Watched:
        """The network, and what watches its input where there is that."""
        return self._whole

    def score(self, items: Sequence[Any], *, precision: str, failed: dict[int, str]) -> np.ndarray:
        """Predictions (n, K) float64."""
        return self.judge(items, precision=precision, failed=failed).scores

    def judge(self, items: Sequence[Any], *, precision: str, failed: dict[int, str]) -> Judged:
        """Predictions (n, K) and strangeness (n,) float64, in one pass."""
        outputs = inference.outputs(
            self._whole,
            items,
            preprocessing=self.preprocessing,
            modality=self.modality,
            precision=precision,
            failed=failed,
        )
        return self._judged(outputs)

    def replay(self, arrays: np.ndarray) -> np.ndarray:
        """Predictions (n, K) float64; leaves the network on the processor."""
        return self.rejudge(arrays).scores

    def rejudge(self, arrays: np.ndarray) -> Judged:
        """Predictions (n, K) and strangeness (n,) float64; leaves the network on the processor."""
        whole = self._whole.eval().to("cpu")
        with torch.inference_mode():
            outputs = whole(torch.from_numpy(np.ascontiguousarray(arrays))).float().numpy()
        return self._judged(outputs)

    def _judged(self, outputs: np.ndarray) -> Judged:
        """Of outputs (n, C), or (n, C + 1) with the strangeness behind them."""
        width = self.network.width
        scores = self.task.predictions(outputs[:, :width].astype(np.float64), self.temperature)
        watched = outputs.shape[1] > width
        return Judged(scores, outputs[:, width].astype(np.float64) if watched else np.full(len(outputs), np.nan))

    def prepare(self, item: Any) -> np.ndarray:
        """The network's input: pixels (3, s, s) uint8, or tokens (w, t, 2) int32.

        Raises:
            Undecodable: when the item cannot be read.
        """
        array: np.ndarray = self._room.load(item, self.preprocessing)
        return array

    def remark(self, item: Any) -> str:
        """What the modality says of how it is read, if it says anything."""
        said = getattr(self._room, "remark", None)
        return "" if said is None else str(said(item, self.preprocessing))

    def judging(self, precision: str) -> Callable[[Sequence[np.ndarray]], Sequence[Judgement]]:
        """One forward pass a batch, in the given precision."""
        ready = inference.Ready(self._whole, precision)
        return lambda arrays: self._judged(ready(arrays)).each()

    def tensors(self) -> dict[str, torch.Tensor]:
        """Backbone and head; each tensor is its own copy, whatever it shares memory with."""
        named = {BACKBONE + name: tensor for name, tensor in self.network.backbone.module.state_dict().items()}
        named |= {HEAD + name: tensor for name, tensor in self.network.head.state_dict().items()}
        return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in named.items()}


class BaselineScorer:
    """A model without a network."""

    def __init__(self, predictor: Predictor, modality: str = "images") -> None:
        self.predictor, self._room = predictor, discovery.load("data", modality)

    def score(self, items: Sequence[Any], *, precision: str, failed: dict[int, str]) -> np.ndarray:
        """Predictions (n, K) float64; the precision is a network's business."""
        try:
            return np.asarray(self.predictor.predict(items), dtype=np.float64)
        except Undecodable:
            rows = [self._one(item, position, failed) for position, item in enumerate(items)]
        width = max((len(row) for row in rows), default=0)
        return np.stack([row if len(row) else np.full(width, np.nan) for row in rows])

    def judge(self, items: Sequence[Any], *, precision: str, failed: dict[int, str]) -> Judged:
        """Predictions (n, K) float64; nothing is known of how strange items are."""
        return _unwatched(self.score(items, precision=precision, failed=failed))

    def rejudge(self, arrays: np.ndarray) -> Judged:
        """Predictions (n, K) float64; nothing is known of how strange inputs are."""
        return _unwatched(self.replay(arrays))

    def _one(self, item: Any, position: int, failed: dict[int, str]) -> np.ndarray:
        try:
            return np.asarray(self.predictor.predict([item]), dtype=np.float64)[0]
        except Undecodable as error:
            failed[position] = error.what
            return np.empty(0)

    def replay(self, arrays: np.ndarray) -> np.ndarray:
        """Predictions (n, K) float64 of the inputs, handed over as items."""
        return np.asarray(self.predictor.predict(self._room.handed(arrays)), dtype=np.float64)

    def prepare(self, item: Any) -> np.ndarray:
        """The prediction (K,) itself, for a baseline decodes what it predicts.

        Raises:
            Undecodable: when the item cannot be read.
        """
        return np.asarray(self.predictor.predict([item]), dtype=np.float64)[0]

    def remark(self, item: Any) -> str:
        """Nothing: it reads the whole item."""
        return ""

    def judging(self, precision: str) -> Callable[[Sequence[np.ndarray]], Sequence[Judgement]]:
        """Nothing is left to do."""
        return lambda rows: _unwatched(np.stack(rows)).each()

    def tensors(self) -> dict[str, torch.Tensor]:
        """The baseline's arrays."""
        arrays, _ = self.predictor.state()
        return {BASELINE + name: torch.from_numpy(np.array(array, order="C")) for name, array in arrays.items()}


def _unwatched(scores: np.ndarray) -> Judged:
    return Judged(scores, np.full(len(scores), np.nan))


def restored(folder: Path, manifest: Manifest, task: Task, doubt: Doubt | None = None) -> Scorer:
    """Build the scorer that a checked folder describes.

    Raises:
        ModelFolderError: when the tensors do not fit, or nothing here answers to a name in the manifest.
    """
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFolderError(
            f"{WEIGHTS} cannot be read: {error}",
            where=str(folder / WEIGHTS),
            next_move="copy the whole folder again, or fit again with --overwrite",
        ) from error
    try:
        discovery.load("data", manifest.modality, kind="modality")
        if manifest.kind == "baseline":
            return _baseline(tensors, manifest, task)
        return _network(tensors, manifest, task, folder, doubt)
    except ModelFolderError:
        raise
    except HeadstartError as error:
        raise ModelFolderError(
            error.what, where=str(folder / NAME), expected=error.expected, next_move=error.next_move
        ) from error


def _baseline(tensors: Mapping[str, torch.Tensor], manifest: Manifest, task: Task) -> Scorer:
    if manifest.baseline is None:
        raise ModelFolderError("The manifest describes no baseline", where=NAME)
    room = discovery.load("baselines", manifest.baseline.name, kind="baseline")
    arrays = {name.removeprefix(BASELINE): tensor.numpy() for name, tensor in tensors.items()}
    try:
        return BaselineScorer(room.restore(arrays, manifest.baseline.state, task), manifest.modality)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ModelFolderError(f"The baseline {manifest.baseline.name} cannot be restored: {error!r}") from error


def _network(
    tensors: Mapping[str, torch.Tensor], manifest: Manifest, task: Task, folder: Path, doubt: Doubt | None
) -> Scorer:
    record, head_record = manifest.backbone, manifest.head
    if record is None or head_record is None:
        raise ModelFolderError("The manifest describes no network", where=NAME)
    if manifest.preprocessing is None:
        raise ModelFolderError("The manifest does not say how the network's input is made", where=str(folder / NAME))
    preprocessing = readings.restored(manifest.preprocessing, partial(_beside, folder, manifest), where=str(folder))
    backbone = catalogue.build(record.architecture, record.config)
    backbone.check_reading(preprocessing, str(folder))
    if max(record.taps) > backbone.depth:
        raise ModelFolderError(
            f"The head reads stage {max(record.taps)} of a network with {backbone.depth} stages", where=str(folder)
        )
    if head_record.outputs != task.outputs:
        raise ModelFolderError(
            f"The head has {head_record.outputs} outputs where the task has {task.outputs}", where=str(folder / NAME)
        )
    head = task.head(head_record.width, head_record.outputs)
    parts: dict[str, nn.Module] = {BACKBONE: backbone.module, HEAD: head}
    _same_tensors(
        {prefix + name: tensor for prefix, part in parts.items() for name, tensor in part.state_dict().items()},
        tensors,
        folder,
    )
    for prefix, part in parts.items():
        part.load_state_dict({name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)})
    network = Network(_normalised(backbone, preprocessing), head, record.taps).eval()
    if doubt is not None and doubt.known is not None:
        _fits(backbone, doubt.known, folder)
    return NetworkScorer(network, task, preprocessing, manifest.temperature, manifest.modality, doubt=doubt)


def _beside(folder: Path, manifest: Manifest, name: str) -> bytes:
    """A file beside the weights, which the manifest has to list: only then was it checked.

    Raises:
        ModelFolderError: when it is not listed.
    """
    if name not in manifest.files:
        raise ModelFolderError(f"The manifest does not list {name}", where=str(folder / NAME))
    return (folder / name).read_bytes()


def _fits(backbone: Backbone, known: Known, folder: Path) -> None:
    """The features that items are compared with must be this network's.

    Raises:
        ModelFolderError: when they are not as many, or of stages that it does not have.
    """
    stages = [stage for stage in known.stages if stage <= backbone.depth]
    width = sum(backbone.pooled_width(stage) for stage in stages)
    if len(stages) != len(known.stages) or width != known.reference.shape[1]:
        raise ModelFolderError(
            f"{DOUBT} has {known.reference.shape[1]} features of stages {', '.join(map(str, known.stages))}",
            where=str(folder / DOUBT),
            expected=f"{width} of a network with {backbone.depth} stages",
        )


def _same_tensors(wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Names, shapes and types must be the same.

    Raises:
        ModelFolderError: naming the first tensor that is not.
    """
    fault, expected = "", ""
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            fault = f"{WEIGHTS} lacks {name}"
        elif name not in wanted:
            fault = f"{WEIGHTS} has {name}, which the network does not"
        elif wanted[name].shape != found[name].shape or wanted[name].dtype != found[name].dtype:
            fault = f"{name} is {_shape(found[name])}"
            expected = _shape(wanted[name])
        if fault:
            raise ModelFolderError(fault, where=str(folder / WEIGHTS), expected=expected)


def _shape(tensor: torch.Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _normalised(backbone: Backbone, preprocessing: Reading) -> Backbone:
    """The backbone with the mean and standard deviation that the model was trained with.

    The weights it was transferred from may have had others than the architecture's own.
    """
    return backbone.known_as(replace(backbone.info, preprocessing=preprocessing))
