"""Tensors out of files that others made, and into a network: nothing is executed, nothing is left out silently."""

from __future__ import annotations

import pickle
import re
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import nn

from headstart.base.errors import WeightsError

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".tar")
CONTAINERS = ("state_dict", "model_state_dict", "model", "model_ema", "state_dict_ema", "weights", "net")
PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "encoder.", "net.")
HEAD = re.compile(r"(fc|classifiers?|heads?|head_dist|last_linear|aux\d?|AuxLogits|aux_classifier)(\..+)?")
"""Names of source heads in the libraries that state_dicts come from."""


def read(path: Path) -> dict[str, torch.Tensor]:
    """Read named tensors from .safetensors, or from a PyTorch file with its ``weights_only`` reader.

    Raises:
        WeightsError: when the file cannot be read, holds code, or holds anything but tensors.
    """
    if path.suffix == ".safetensors":
        return from_bytes(_bytes(path), str(path))
    try:
        with warnings.catch_warnings():
            # PyTorch remarks on pickle protocols; what matters is whether it reads or refuses.
            warnings.simplefilter("ignore", UserWarning)
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            "The file holds more than tensors, and reading it would run its code: refused",
            where=str(path),
            expected="a state_dict saved by torch.save, or a .safetensors file",
            next_move="ask its author for safetensors; never load it with weights_only=False",
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError, IndexError) as error:
        raise unreadable(str(path), error) from error
    return _state(found, path)


def from_bytes(data: bytes, where: str) -> dict[str, torch.Tensor]:
    """Named tensors from the bytes of a safetensors file.

    Raises:
        WeightsError: when they are truncated or are no safetensors.
    """
    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise unreadable(where, error) from error


def unreadable(where: str, error: Exception) -> WeightsError:
    """The error for a weights file that is damaged or something else."""
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    return WeightsError(
        f"The weights cannot be read: {reason}",
        where=where,
        expected="an undamaged .safetensors file, or a state_dict in a PyTorch file",
        next_move="copy or download the file again",
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(str(path), error) from error


def _state(found: Any, path: Path) -> dict[str, torch.Tensor]:
    for _ in range(3):
        inner = next((key for key in CONTAINERS if isinstance(found, Mapping) and isinstance(found.get(key), dict)), "")
        if not inner:
            break
        found = found[inner]
    if isinstance(found, Mapping):
        state = OrderedDict((str(name), value) for name, value in found.items() if isinstance(value, torch.Tensor))
        if state:
            # The versions of the layers, which load_state_dict reads where a layout has changed since.
            vars(state)["_metadata"] = getattr(found, "_metadata", None)
            return state
    raise WeightsError(
        f"The file holds no state_dict but a {type(found).__name__}",
        where=str(path),
        expected="named tensors, as model.state_dict() gives them",
    )


def fill(module: nn.Module, state: Mapping[str, torch.Tensor], where: str) -> tuple[str, ...]:
    """Load a foreign state_dict; returns the names of the source head's tensors, which were left out.

    Wrappers' prefixes ("module.", "model.", "backbone.") are stripped; floating-point types are converted.

    Raises:
        WeightsError: when a tensor is missing, has another shape, is not finite, or belongs nowhere.
    """
    wanted = module.state_dict()
    named = _unwrapped(state, wanted)
    faults = [*_misfits(wanted, named), *_strangers(wanted, named)]
    if faults:
        shown = "; ".join(faults[:5]) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else "")
        raise WeightsError(
            f"The weights do not fit the network: {shown}",
            where=where,
            expected=f"{len(wanted)} tensors, as this architecture has them",
            next_move="name the architecture they were made with (--architecture)",
        )
    # Updated in place, for it carries the versions of the layers, which a new dict would not.
    wanted.update({name: named[name] for name in wanted if name in named})
    module.load_state_dict(wanted)
    return tuple(sorted(set(named) - set(wanted)))


def _unwrapped(state: Mapping[str, torch.Tensor], wanted: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    best = dict(state)
    for _ in range(3):
        score = len(best.keys() & wanted.keys())
        candidates = [
            {name.removeprefix(prefix): value for name, value in best.items()}
            for prefix in PREFIXES
            if any(name.startswith(prefix) for name in best)
        ]
        better = max(candidates, key=lambda named: len(named.keys() & wanted.keys()), default=best)
        if len(better.keys() & wanted.keys()) > score or (not score and candidates):
            best = better
    return best


def _misfits(wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> list[str]:
    faults = []
    for name, tensor in wanted.items():
        given = found.get(name)
        if given is None:
            # PyTorch before 0.4.1 did not count batches, and nothing depends on the count.
            if not name.endswith("num_batches_tracked"):
                faults.append(f"{name} {_shape(tensor)} is missing")
        elif given.shape != tensor.shape or given.is_floating_point() != tensor.is_floating_point():
            faults.append(f"{name} is {_shape(given)}, not {_shape(tensor)}")
        elif given.is_floating_point() and not bool(torch.isfinite(given).all()):
            faults.append(f"{name} has values that are not finite")
    return faults


def _strangers(wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> Sequence[str]:
    extra = [name for name in found if name not in wanted and not HEAD.fullmatch(name)]
    return [f"{name} {_shape(found[name])} has no place" for name in extra]


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
