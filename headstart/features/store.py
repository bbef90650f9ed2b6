"""The content-addressed store: what the frozen part computed, kept under the digest of everything it depends on.

A *shelf* holds one kind of value (say: features after every stage of one network) for any number of items. Its key is
the digest of the prefix's tensors, the preprocessing, the view and the precision; labels are in no key, so relabelling
costs nothing. Items are addressed by the digest of their own bytes. A shelf is a folder of safetensors shards, each
with the item digests in its header; a shard is written to a temporary name and renamed, so a reader never sees half
of one, two processes never clash, and a killed one loses at most the shard it was writing.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from headstart.base import files, hashes, scratch
from headstart.base.errors import DiskFull, HeadstartError, RunError
from headstart.base.machine import cache_folder
from headstart.features import shelves

SHARD_BYTES = 16 * 2**20
"""Of a full shard; as much waits in memory while it is being filled."""
_LEFT_BEHIND = 86_400.0
"""Seconds after which a half-written file has no writer any more: a day."""
_MOVE = (
    "free space there (headstart cache prune), or set HEADSTART_CACHE to a folder on another disk; "
    "then the same command again, with --resume"
)


EXTENT = ".extent"
"""Behind a value's name: how far each item reaches along the first axes, (n, a) int32, where they differ in that."""


class Shelf:
    """One kind of value for many items.

    Args:
        folder: where its shards are.
        key: what the values depend on; written beside them for ``ls`` and for people.
        about: what a person would call it, such as the names of the network and of the data; no part of the key.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any], about: Mapping[str, str] | None = None) -> None:
        self.folder, self.key, self.about = folder, dict(key), dict(about or {})
        self._shards: dict[str, dict[str, torch.Tensor]] = {}
        self._place: dict[str, tuple[str, int]] = {}
        self.refresh()

    def refresh(self) -> None:
        """See the shards that are there now; one that cannot be read is left out, so its items count as missing."""
        try:
            paths = sorted(path for path in self.folder.iterdir() if path.suffix == ".safetensors")
        except OSError:
            paths = []  # not made yet, or pruned a moment ago
        for path in paths:
            if path.name in self._shards:
                continue
            try:
                with safe_open(path, "pt") as opened:
                    digests = json.loads(opened.metadata()["items"])
                    tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
            except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError):
                # PyTorch opens the file a second time, and says by a RuntimeError that it was pruned in between.
                continue
            self._take(path.name, digests, tensors)

    def _take(self, name: str, digests: Sequence[str], tensors: dict[str, torch.Tensor]) -> None:
        self._shards[name] = tensors
        for row, digest in enumerate(digests):
            self._place.setdefault(digest, (name, row))

    def hold(self, digests: Sequence[str], values: Mapping[str, torch.Tensor]) -> None:
        """Keep a shard in memory only, for as long as this object lives."""
        self._take(f"held {len(self._shards)}", digests, {name: value.detach().cpu() for name, value in values.items()})

    def missing(self, digests: Iterable[str]) -> list[str]:
        """The digests that the shelf has nothing for, each once, in order."""
        return [digest for digest in dict.fromkeys(digests) if digest not in self._place]

    def put(self, digests: Sequence[str], values: Mapping[str, torch.Tensor]) -> None:
        """Add one shard: named tensors (n, ...) for n items.

        Where another process prunes the shelf at the same time, it is written again, and held in memory in the end.

        Raises:
            DiskFull: when there is no room for it.
            HeadstartError: when the folder cannot be written to.
        """
        for _ in range(3):
            try:
                self._write(digests, values)
            except HeadstartError as error:
                if not files.has_vanished(error.__cause__):
                    raise
            self.refresh()
            if not self.missing(digests):
                return
        self.hold(digests, values)

    def _write(self, digests: Sequence[str], values: Mapping[str, torch.Tensor]) -> None:
        name = hashes.of_texts(digests)[:32] + ".safetensors"
        if not (self.folder / "key.json").exists():
            files.write_json(self.folder / "key.json", self.key)
        if self.about and not (self.folder / "about.json").exists():
            files.write_json(self.folder / "about.json", self.about)
        values = {name: value.detach().cpu().contiguous() for name, value in values.items()}
        header = {"items": json.dumps(list(digests))}
        size = sum(value.nbytes for value in values.values())
        try:
            files.write_with(self.folder / name, lambda to: save_file(values, to, metadata=header), size)
        except DiskFull as error:
            raise files.full(self.folder.parent, size, _MOVE) from error

    def gather(self, digests: Sequence[str], name: str) -> torch.Tensor:
        """The value called ``name`` of each item, (n, ...); shards are memory-mapped, only the rows asked for are read.

        Values of different extents (texts) are filled up with zeros to the largest of those asked for.

        Raises:
            RunError: when an item is not on the shelf.
        """
        lost = self.missing(digests)
        if lost:
            raise RunError(f"{len(lost)} items are not in the feature store any more", where=str(self.folder))
        rows_of: dict[str, tuple[list[int], list[int]]] = {}
        for position, digest in enumerate(digests):
            shard, row = self._place[digest]
            positions, rows = rows_of.setdefault(shard, ([], []))
            positions.append(position)
            rows.append(row)
        if not rows_of:
            return torch.empty(0)
        extent = self._extent({shard: rows for shard, (_, rows) in rows_of.items()}, name)
        first = self._shards[next(iter(rows_of))][name]
        result = _room((len(digests), *extent, *first.shape[1 + len(extent) :]), first.dtype, empty=not extent)
        for shard, (positions, rows) in rows_of.items():
            source = self._shards[shard][name]
            shared = [slice(min(*sizes)) for sizes in zip(extent, source.shape[1:], strict=False)]
            for start in range(0, len(rows), scratch.ROWS):
                block = slice(start, start + scratch.ROWS)
                wanted = source[torch.as_tensor(rows[block])]
                inside: tuple[Any, ...] = (torch.as_tensor(positions[block]), *shared)
                result[inside] = wanted[(slice(None), *shared)]
        return result

    def _extent(self, rows: Mapping[str, list[int]], name: str) -> tuple[int, ...]:
        """The largest extents of a value among some rows of each shard; none where all values are of one shape."""
        known = [
            extents[torch.as_tensor(rows[shard])].amax(dim=0)
            for shard in rows
            if (extents := self._shards[shard].get(name + EXTENT)) is not None
        ]
        return tuple(int(each) for each in torch.stack(known).amax(dim=0)) if known else ()


class Writer:
    """Collects items and puts them on a shelf a shard at a time.

    Args:
        shelf: where they go.
        shard_bytes: size of a shard.
        hold: where the disk is full, keep them in memory instead of raising; ``full`` is then the error.
    """

    def __init__(self, shelf: Shelf, shard_bytes: int = SHARD_BYTES, *, hold: bool = False) -> None:
        self.shelf, self.shard_bytes, self.hold = shelf, shard_bytes, hold
        self.full: DiskFull | None = None
        self.digests: list[str] = []
        self.parts: list[Mapping[str, torch.Tensor]] = []
        self.bytes = 0

    def add(self, digests: Sequence[str], values: Mapping[str, torch.Tensor]) -> None:
        """Add a batch; a full shard is written at once."""
        self.digests.extend(digests)
        self.parts.append(values)
        self.bytes += sum(value.nbytes for value in values.values())
        if self.bytes >= self.shard_bytes:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        if self.digests:
            names = self.parts[0]
            self._put({name: joined([part[name] for part in self.parts]) for name in names})
        self.digests, self.parts, self.bytes = [], [], 0

    def _put(self, values: Mapping[str, torch.Tensor]) -> None:
        try:
            self.shelf.put(self.digests, values)
        except DiskFull as error:
            if not self.hold:
                raise
            self.full = error
            self.shelf.hold(self.digests, values)


class Store:
    """All shelves of this user; ``$HEADSTART_CACHE/store`` unless told otherwise.

    Args:
        root: the folder.
        limit: bytes that activations at one cut, or decoded inputs, may take; past it they are recomputed. By default
            8 GiB, or a third of what the disk has left.
        origin: the data that are being worked on, for whoever lists what the store holds.
    """

    def __init__(self, root: Path | None = None, limit: int | None = None, origin: str = "") -> None:
        self.root, self.origin = root or cache_folder() / "store", origin
        self.limit = min(8 * 2**30, files.free(self.root) // 3) if limit is None else limit

    def shelf(self, *, network_name: str = "", **key: Any) -> Shelf:
        """The shelf for a key; made on its first ``put``.

        Args:
            network_name: what the network is called, for whoever lists the store; no part of the key.
            key: everything that the values depend on.
        """
        folder = self.root / hashes.of_data(key)[:32]
        if folder.exists():
            # A cache that may only be read is still a cache.
            with contextlib.suppress(OSError):
                os.utime(folder)
        named = {"backbone": network_name, "data": self.origin}
        about = {name: text for name, text in named.items() if text}
        if about and (folder / "key.json").exists() and not (folder / "about.json").exists():
            with contextlib.suppress(HeadstartError):
                files.write_json(folder / "about.json", about)
        return Shelf(folder, key, about)

    def room_for(self, size: int) -> bool:
        """True if ``size`` bytes may be kept. The answer depends on the limit alone, so a resumed run gets the same."""
        return size <= self.limit

    def expect(self, size: int) -> None:
        """Make sure that there is room before anything is computed.

        Raises:
            DiskFull: when the disk has less than ``size`` bytes left.
        """
        if files.free(self.root) < size:
            raise files.full(self.root, size, _MOVE)

    def prune(self, older_than: float) -> int:
        """Remove shelves not used for ``older_than`` seconds, and what killed writers left; the bytes freed."""
        freed, now = 0, time.time()
        for folder in list(self.root.iterdir()) if self.root.exists() else []:
            with contextlib.suppress(OSError):
                if now - folder.stat().st_mtime > older_than:
                    freed += shelves.dropped(folder)
                    continue
                for path in folder.glob(".*.part"):
                    if now - path.stat().st_mtime > _LEFT_BEHIND:
                        freed += path.stat().st_size
                        path.unlink()
        return freed


def joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Tensors (n, ...) one below the other, those that reach less far filled up with zeros behind."""
    shape = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    if all(list(part.shape[1:]) == shape for part in parts):
        return torch.cat(list(parts))
    result = parts[0].new_zeros(sum(len(part) for part in parts), *shape)
    start = 0
    for part in parts:
        result[(slice(start, start + len(part)), *(slice(size) for size in part.shape[1:]))] = part
        start += len(part)
    return result


def _room(shape: tuple[int, ...], kind: torch.dtype, *, empty: bool = True) -> torch.Tensor:
    """A tensor to fill; all of a large data set's features lie in a file, not in memory."""
    if not empty:
        return torch.zeros(shape, dtype=kind)
    known = {torch.float32: np.float32, torch.uint8: np.uint8}
    return torch.from_numpy(scratch.empty(shape, known[kind])) if kind in known else torch.empty(shape, dtype=kind)


def as_numpy(tensor: torch.Tensor) -> np.ndarray:
    """A float32 array of a stored tensor."""
    return tensor.float().numpy()
