"""The run directory's writer: every finished fit is recorded before its plan goes on, and recalled when it resumes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from headstart.base import files
from headstart.base.run import Run
from headstart.base.work import Fit, Outcome
from headstart.engine.checkpoint import EVERY


class Journal(Run):
    """A run directory that is being written.

    Args:
        path: the directory.
        every: seconds between checkpoints of a running fit.
    """

    def __init__(self, path: str | Path, every: float = EVERY) -> None:
        super().__init__(path)
        self.every = every

    def begin(self, config: Mapping[str, Any]) -> None:
        """Start a run here."""
        files.write_json(self.path / "config.json", config)

    def write(self, name: str, data: Any) -> None:
        """Write ``name``.json, whole or not at all."""
        files.write_json(self.path / f"{name}.json", data)

    def keep(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Write ``name``.safetensors, whole or not at all."""
        tensors = {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in arrays.items()}
        files.write_with(self.path / f"{name}.safetensors", lambda to: save_file(tensors, to))

    def begun(self, prefix: str, *, kept: bool = False) -> bool:
        """True if a fit whose name starts with ``prefix/`` has finished; with ``kept`` one whose weights were kept."""
        return any(row["name"].startswith(f"{prefix}/") and (row["kept"] or not kept) for row in self.journal)

    @property
    def checkpoint(self) -> Path:
        """Where the running fit is saved."""
        return self.path / "checkpoint.safetensors"

    @property
    def epochs_at(self) -> Path:
        """Where the epochs of the running fit are noted as they end."""
        return self.path / "running.jsonl"

    def record(self, fit: Fit, outcome: Outcome) -> None:
        """Write a finished fit: tensors first, then the line that says they are there."""
        tensors = {}
        if outcome.outputs is not None:
            tensors["outputs"] = torch.from_numpy(np.ascontiguousarray(outcome.outputs))
        if fit.keep:
            weights = fit.model.state_dict()
            tensors |= {f"model.{name}": value.detach().cpu().contiguous().clone() for name, value in weights.items()}
        if tensors:
            size = sum(tensor.nbytes for tensor in tensors.values())
            files.write_with(self.fit_file(fit.name), lambda to: save_file(tensors, to), size)
        files.append_line(
            self.path / "journal.jsonl",
            {
                "name": outcome.name,
                "title": fit.said,
                "epoch": outcome.epoch,
                "epochs": outcome.epochs,
                "scores": finite(outcome.scores),
                "curve": [finite(row) for row in outcome.curve],
                "seconds": outcome.seconds,
                "trainable": outcome.trainable,
                "diverged": outcome.diverged,
                "outputs": outcome.outputs is not None,
                "kept": fit.keep,
                "detail": dict(fit.detail),
            },
        )
        self.checkpoint.unlink(missing_ok=True)
        self.epochs_at.unlink(missing_ok=True)

    def recall(self, fit: Fit) -> Outcome | None:
        """The outcome of a fit that finished before, its weights put back; None if it has to be trained."""
        row = self.finished(fit.name)
        if row is None or json.loads(json.dumps(dict(fit.detail))) != row["detail"] or row["kept"] != fit.keep:
            return None
        outputs, weights = None, {}
        if row["outputs"] or row["kept"]:
            try:
                with safe_open(self.fit_file(fit.name), "pt") as opened:
                    for name in opened.keys():  # noqa: SIM118 - not a mapping
                        if name == "outputs":
                            outputs = opened.get_tensor(name).numpy()
                        else:
                            weights[name.removeprefix("model.")] = opened.get_tensor(name)
            except (SafetensorError, OSError):
                return None
        if row["kept"]:
            fit.model.load_state_dict(weights)
            fit.model.eval()
        return Outcome(
            name=row["name"],
            epoch=row["epoch"],
            epochs=row["epochs"],
            scores=row["scores"],
            outputs=outputs,
            curve=row["curve"],
            seconds=row["seconds"],
            trainable=row["trainable"],
            diverged=row["diverged"],
        )

    def close(self) -> None:
        """Drop what only an unfinished run needs: the checkpoint and the weights of every fit."""
        self.checkpoint.unlink(missing_ok=True)
        self.epochs_at.unlink(missing_ok=True)
        for path in (self.path / "fits").glob("*.safetensors"):
            path.unlink()


def finite(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with None for every number that JSON has no word for."""
    return {key: value if not isinstance(value, float) or np.isfinite(value) else None for key, value in row.items()}
