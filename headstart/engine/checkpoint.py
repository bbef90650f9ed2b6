"""An unfinished fit on disk: one safetensors file, written whole, that continues at the very next step.

Random draws inside a step depend on (seed, phase, epoch, step) alone, so weights, optimiser state and counters are
all there is to save.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from headstart.base import files

EVERY = 30.0
"""Seconds between checkpoints, and thus the most that a killed process loses."""


@dataclass(slots=True)
class Progress:
    """Where the fit with ``identity`` (digest of its name, seed and detail) stands.

    ``step`` is the next one of ``epoch``; both count from 0, the epoch within ``phase``.
    """

    name: str
    identity: str = ""
    phase: int = 0
    epoch: int = 0
    step: int = 0
    done: int = 0
    best_epoch: int = 0
    best_score: float | None = None
    best_scores: dict[str, float] = field(default_factory=dict)
    stale: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)


Tensors = dict[str, torch.Tensor]


def flatten_optimiser(optimiser: torch.optim.Optimizer) -> Tensors:
    """The optimiser's per-parameter tensors under names."""
    return {
        f"{index}.{name}": value
        for index, state in optimiser.state_dict()["state"].items()
        for name, value in state.items()
        if torch.is_tensor(value)
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Inverse of ``flatten_optimiser`` on a newly built optimiser."""
    members = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        parameter = members[int(index)]
        if value.shape == parameter.shape:
            # The fused kernels walk memory, not indices: the layout has to be the parameter's own.
            value = torch.empty_like(parameter, memory_format=torch.preserve_format).detach().copy_(value)
        state.setdefault(int(index), {})[name] = value
    if state:
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def save(path: Path, progress: Progress, parts: dict[str, Tensors], outputs: np.ndarray | None) -> None:
    """Write progress and named groups of tensors, whole or not at all."""
    flat = {f"{part}|{name}": value.detach().cpu().contiguous().clone()
            for part, tensors in parts.items() for name, value in tensors.items()}  # fmt: skip
    if outputs is not None:
        flat["outputs|best"] = torch.from_numpy(outputs)
    said = {"progress": json.dumps(asdict(progress))}
    files.write_with(path, lambda to: save_file(flat, to, metadata=said), sum(value.nbytes for value in flat.values()))


def load(path: Path, identity: str) -> tuple[Progress, dict[str, Tensors], np.ndarray | None] | None:
    """Read a checkpoint of the fit with this identity; None if there is none that can be used."""
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as opened:
            progress = Progress(**json.loads(opened.metadata()["progress"]))
            flat = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None
    if progress.identity != identity:
        return None
    parts: dict[str, Tensors] = {}
    for key, value in flat.items():
        part, tensor_name = key.split("|", 1)
        parts.setdefault(part, {})[tensor_name] = value
    outputs = parts.pop("outputs", {}).get("best")
    return progress, parts, None if outputs is None else outputs.numpy()
