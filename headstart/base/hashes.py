"""Digests of bytes, arrays, tensors and plain data: the names under which the store and the manifest know things."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def of_bytes(data: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def of_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def of_data(data: Any) -> str:
    """SHA-256 of plain data in its canonical JSON form."""
    return of_bytes(json.dumps(data, sort_keys=True, separators=(",", ":"), default=str).encode())


def of_texts(texts: Iterable[str]) -> str:
    """SHA-256 of a sequence of strings, order included."""
    total = hashlib.sha256()
    for text in texts:
        total.update(text.encode())
        total.update(b"\x00")
    return total.hexdigest()


def of_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of named tensors: names, dtypes, shapes and values; the order of names does not matter."""
    import torch

    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        total.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        # The bytes where they are: a table of word vectors is not copied for its digest.
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return total.hexdigest()
