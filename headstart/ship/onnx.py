"""ONNX: one file from raw items to predictions, for onnxruntime and whatever else reads the format.

The graph does everything behind decoding: preparation, network, head, temperature and activation. What it takes, what
its columns mean and where its weights come from stand in the file's metadata.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.base import discovery
from headstart.base.errors import ExportError, MissingExtra
from headstart.base.vocabulary import Reading
from headstart.baselines.predictor import Graph
from headstart.data.exportable import BATCH, ExportInputs
from headstart.features.familiarity import Watched
from headstart.features.network import Network
from headstart.ship.exporting import Reloaded, Written
from headstart.ship.scoring import BaselineScorer, NetworkScorer
from headstart.ship.sealed import Model
from headstart.tasks.task import Task

SUFFIX = ".onnx"
"""What the one file is called that an export of this kind consists of."""

TOLERANCE = 1e-4
"""Largest accepted difference between a prediction of the model and one of its graph."""

PREPARED = "prepared"
"""Name of the tensor between preparation and network."""
STRANGENESS = "strangeness"
"""Name of the second output, (n,), where there is one: above 1 the item is unlike the training data."""
BEHIND = "network/"
"""What names of everything behind the preparation begin with."""
_SHAPE = 3
"""Which of the modality's examples the exporter is shown: one with no size that is another's."""
LARGEST = 2**31 - 2**20
"""Bytes that a file of this format holds at most."""


def write(model: Model, to: Path, *, int8: bool = False) -> Written:
    """Write the model as one graph.

    Args:
        model: a loaded model.
        to: the file.
        int8: weights and activations of matrix products and convolutions as eight-bit integers; what that costs in
            accuracy is measured, not promised.

    Raises:
        MissingExtra: without onnx, onnxscript or onnxruntime.
        ExportError: for a network that cannot be followed, or is too large for the format.
    """
    onnx = _library("onnx")
    _library("onnxscript")
    scorer = model.scorer
    inputs, network = _parts(model)
    size = sum(tensor.nbytes for tensor in scorer.tensors().values())
    if size > LARGEST:
        raise ExportError(
            f"The weights take {size / 1e9:.1f} GB; a file of this format holds 2 GB at most",
            next_move="headstart export --to safetensors",
        )
    graph = _composed(onnx, model, inputs, network)
    _sign(onnx, graph, _about(model, inputs), model.manifest.headstart)
    exact = None
    if int8:
        exact = to.with_name(f"exact-{to.name}")
        exact.write_bytes(graph.SerializeToString())
        _quantise(onnx, exact, to)
    else:
        to.write_bytes(graph.SerializeToString())
    beside = []
    for name, content in inputs.files.items():
        (to.parent / name).write_bytes(content)
        beside.append(to.parent / name)
    return Written(paths=(to, *beside), exact=exact, use=_use(model, inputs, to), needs=("onnxruntime", *inputs.needs))


def reload(path: Path, model: Model) -> Reloaded:
    """The file, run by onnxruntime.

    Raises:
        MissingExtra: without onnx or onnxruntime.
        ExportError: when it is no such file.
    """
    return _Session(path, model)


class _Session:
    """A graph, run from its file."""

    def __init__(self, path: Path, model: Model) -> None:
        runtime = _library("onnxruntime")
        self.onnx, self.path, self.inputs = _library("onnx"), path, _parts(model)[0]
        self.network = isinstance(model.scorer, NetworkScorer)
        self.start: Callable[[Any], Any] = partial(
            runtime.InferenceSession, sess_options=_one_thread(runtime), providers=["CPUExecutionProvider"]
        )
        try:
            self.session = self.start(str(path))
        except Exception as error:  # the runtime's errors have no common base
            raise ExportError(f"onnxruntime does not take the file: {_first_line(error)}", where=path.name) from error
        self.output = self.session.get_outputs()[0].name

    def replay(self, arrays: np.ndarray) -> np.ndarray:
        """Predictions (n, K) of what the network reads: the part of the graph behind its preparation."""
        if not self.network or self.inputs.prepare is None:
            return self._run(self.session, self.inputs.replayed(arrays))
        # The library extracts from files only in some of its versions; from a loaded graph in all.
        whole = self.onnx.load(str(self.path))
        behind = self.onnx.utils.Extractor(whole).extract_model([PREPARED], [self.output])
        return self._run(self.start(behind.SerializeToString()), {PREPARED: np.ascontiguousarray(arrays)})

    def score(self, items: Sequence[Any]) -> np.ndarray:
        """Predictions (n, K) of raw items, one by one, for they may be of different sizes."""
        return np.concatenate([self._run(self.session, self.inputs.arrays(item)) for item in items])

    def _run(self, session: Any, given: Mapping[str, np.ndarray]) -> np.ndarray:
        try:
            return np.asarray(session.run([self.output], dict(given))[0], dtype=np.float64)
        except Exception as error:  # as above
            raise ExportError(f"onnxruntime cannot run the graph: {_first_line(error)}") from error


def _parts(model: Model) -> tuple[ExportInputs, nn.Module]:
    """What the graph takes and how it prepares it; and what follows, to predictions.

    Raises:
        ExportError: for a baseline that does not say what it computes on tensors.
    """
    room, scorer = discovery.load("data", model.manifest.modality), model.scorer
    if isinstance(scorer, NetworkScorer):
        ended = _Ended(scorer.whole, model.task, scorer.temperature)
        return room.export_inputs(scorer.preprocessing), ended.eval()
    predictor: Any = scorer.predictor if isinstance(scorer, BaselineScorer) else scorer
    if not hasattr(predictor, "graph"):
        raise ExportError(
            f"The baseline {getattr(predictor, 'name', '')} does not say what it computes as a graph",
            expected="a baseline with a method graph()",
            next_move="serve the model folder itself, or fit with --strategy probe to have a network",
        )
    graph: Graph = predictor.graph()
    return room.export_inputs(graph.preprocessing), graph.module.eval()


class _Ended(nn.Module):
    """A network with its temperature and activation behind it, and how strange its input is where that is watched."""

    def __init__(self, network: Network | Watched, task: Task, temperature: float) -> None:
        super().__init__()
        self.network, self.task, self.temperature = network, task, temperature
        self.outputs = (task.gives, STRANGENESS) if isinstance(network, Watched) else (task.gives,)

    def forward(self, read: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        found = self.network(read)
        if len(self.outputs) == 1:
            return self.task.in_graph(found, self.temperature)
        return self.task.in_graph(found[:, :-1], self.temperature), found[:, -1]


def _composed(onnx: Any, model: Model, inputs: ExportInputs, network: nn.Module) -> Any:
    """Preparation and network as one graph; the tensor between them keeps a name, so that either can be run alone."""
    given, outputs = _example(inputs), _outputs(model, network)
    if inputs.prepare is None:
        return _graph(network, given, inputs.axes, outputs, inputs.most)
    with torch.no_grad():
        read = inputs.prepare(*given.values())
    shape = tuple(inputs.read) or (BATCH, *read.shape[1:])
    back = _graph(network, {PREPARED: read}, {PREPARED: shape}, outputs, inputs.most)
    front = onnx.load_from_string(_front(model.manifest.modality, inputs.preprocessing))
    # Only one side may be renamed: the library does not follow names into the branches that the preparation has.
    back = onnx.compose.add_prefix(back, BEHIND, rename_inputs=False, rename_outputs=False)
    kind = onnx.helper.np_dtype_to_tensor_dtype(read.numpy().dtype)
    between = onnx.helper.make_tensor_value_info(PREPARED, kind, shape)
    whole = onnx.compose.merge_models(front, back, io_map=[(PREPARED, PREPARED)])
    whole.graph.value_info.append(between)
    return whole


@lru_cache(maxsize=8)
def _front(modality: str, preprocessing: Reading) -> bytes:
    """The graph of a preparation, which many models share."""
    inputs: ExportInputs = discovery.load("data", modality).export_inputs(preprocessing)
    if inputs.prepare is None:
        raise ExportError(f"{modality} are not prepared in a graph")
    made = _graph(inputs.prepare, _example(inputs), inputs.axes, (PREPARED,), inputs.most)
    return bytes(made.SerializeToString())


def _outputs(model: Model, network: nn.Module) -> tuple[str, ...]:
    """What the graph gives, the predictions first."""
    return network.outputs if isinstance(network, _Ended) else (model.task.gives,)


def _example(inputs: ExportInputs) -> dict[str, torch.Tensor]:
    """A batch of two to show the exporter."""
    arrays = inputs.arrays(inputs.examples(0)[_SHAPE])
    return {name: torch.from_numpy(np.concatenate([arrays[name]] * 2)) for name in inputs.axes}


def _graph(
    module: nn.Module,
    given: Mapping[str, torch.Tensor],
    axes: Mapping[str, Sequence[Any]],
    outputs: Sequence[str],
    most: Mapping[str, int],
) -> Any:
    """A module as a graph with every named axis free.

    Raises:
        ExportError: when the exporter cannot follow it.
    """
    free = {word for sizes in axes.values() for word in sizes if isinstance(word, str)}
    dimensions = {word: torch.export.Dim(word, min=1, max=most.get(word)) for word in free}
    shapes = tuple({at: dimensions[word] for at, word in enumerate(axes[name]) if word in free} for name in given)
    with torch.no_grad():
        # What is wrong without the exporter is to be told without it.
        module(*given.values())
    try:
        made = torch.onnx.export(
            module,
            tuple(given.values()),
            dynamo=True,
            dynamic_shapes=shapes,
            input_names=list(given),
            output_names=list(outputs),
            verbose=False,
            external_data=False,
        )
    except Exception as error:  # the exporter follows foreign code: it may raise anything
        raise ExportError(
            f"PyTorch's exporter cannot follow the network: {_first_line(error)}",
            next_move="headstart export --to safetensors, which needs no graph",
        ) from error
    if made is None:
        raise ExportError("PyTorch's exporter gave nothing", next_move="headstart export --to safetensors")
    return made.model_proto


def _sign(onnx: Any, whole: Any, about: Mapping[str, str], version: str) -> None:
    """Say what the file is, and leave out where on this machine each of its nodes was made."""
    known = {each.domain: each.version for each in whole.opset_import}
    del whole.opset_import[:]
    whole.opset_import.extend(onnx.helper.make_opsetid(*each) for each in known.items())
    whole.producer_name, whole.producer_version = "headstart", version
    # Shapes that the exporter found; a tool that turns a weight round takes them for the new one's.
    between = [each for each in whole.graph.value_info if each.name == PREPARED]
    del whole.graph.value_info[:]
    whole.graph.value_info.extend(between)
    graphs = [whole.graph]
    for graph in graphs:
        for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
            del part.metadata_props[:]
            part.doc_string = ""
        graphs += [each.g for node in graph.node for each in node.attribute if each.HasField("g")]
    onnx.helper.set_model_props(whole, dict(about))


def _quantise(onnx: Any, exact: Path, to: Path) -> None:
    """Integers for the network; preparation stays exact."""
    quantization = _library("onnxruntime.quantization")
    whole = onnx.load(str(exact))
    before = [node.name for node in whole.graph.node if not node.name.startswith(BEHIND)]
    # Its own remedy against the warning that an optimisation was left out, which the exporter has done already.
    about = {each.key: each.value for each in whole.metadata_props}
    onnx.helper.set_model_props(whole, about | {"onnx.quant.pre_process": "onnxruntime.quant"})
    to.write_bytes(whole.SerializeToString())
    quantization.quantize_dynamic(
        str(to),
        str(to),
        op_types_to_quantize=["Conv", "Gemm", "MatMul"],
        nodes_to_exclude=before,
        # Convolutions are computed in unsigned weights only.
        weight_type=quantization.QuantType.QUInt8,
    )
    small = onnx.load(str(to))
    onnx.helper.set_model_props(small, about | {"weights": "int8"})
    to.write_bytes(small.SerializeToString())


def _about(model: Model, inputs: ExportInputs) -> dict[str, str]:
    """What the file says of itself."""
    manifest = model.manifest
    backbone = manifest.backbone
    said: dict[str, Any] = {
        "made_by": f"headstart {manifest.headstart}",
        "created": manifest.created,
        "task": manifest.task,
        "modality": manifest.modality,
        "labels": list(manifest.names),
        "input": inputs.words,
        "output": f"{model.task.gives} (n, {len(manifest.names)}), columns in the order of labels",
        STRANGENESS: _strangeness(model),
        "preprocessing": manifest.reading().model_dump(),
        "temperature": manifest.temperature,
        "activation": model.task.activation(manifest.temperature),
        "base_model": backbone.name if backbone else "none",
        "licence_of_base_model": backbone.licence if backbone else "none",
        "verdict": str(manifest.verdict.get("sentence") or ""),
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for key, value in said.items()
    }


def _strangeness(model: Model) -> str:
    """What the second output says, or why there is none."""
    if model.doubt.line is None:
        return f"not in this file: {model.doubt.missing}"
    return "second output (n,); above 1 the item is unlike anything in the training data"


def _use(model: Model, inputs: ExportInputs, to: Path) -> tuple[str, ...]:
    return (
        "import numpy as np, onnxruntime",
        *inputs.snippet,
        f"session = onnxruntime.InferenceSession({to.name!r})",
        f"{model.task.gives} = session.run(None, inputs)[0]",
    )


def _one_thread(runtime: Any) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    return options


def _library(name: str) -> Any:
    """A library of the extra; by its full name, for this file is called like one of them.

    Raises:
        MissingExtra: when it is not installed.
    """
    try:
        found = importlib.import_module(name)
        if name == "onnx":
            importlib.import_module("onnx.compose")
            importlib.import_module("onnx.utils")
        return found
    except ImportError as error:
        raise MissingExtra(name.split(".", maxsplit=1)[0], "export") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
