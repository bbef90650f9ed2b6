"""What the store holds, a line a shelf: read from file headers, so that listing needs no torch."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import struct
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headstart.base.errors import HeadstartError
from headstart.base.machine import cache_folder

_LONGEST = 64 * 2**20
"""Bytes of header beyond which a shard is not looked into."""


@dataclass(frozen=True, slots=True)
class Held:
    """One shelf.

    Attributes:
        folder: where it is.
        what: "features", "pixels" or "activations".
        stage: the cut that activations are of; 0 for all others.
        size: side of the inputs, pixels; 0 where unknown.
        backbone, data: names, where they were noted when the shelf was made.
        items: how many it has something for.
        bytes: on the disk.
        used: when it was last asked for, seconds since 1970.
    """

    folder: Path
    what: str
    stage: int
    size: int
    backbone: str
    data: str
    items: int
    bytes: int
    used: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "folder": str(self.folder)}


def held(root: Path | None = None) -> list[Held]:
    """Every shelf, the one that was used last first."""
    root = root or cache_folder() / "store"
    found = []
    with contextlib.suppress(OSError):
        for folder in root.iterdir():
            # A shelf may be pruned by another process while it is being looked at.
            with contextlib.suppress(OSError):
                if folder.is_dir() and not folder.name.startswith("."):
                    found.append(_held(folder))
    return sorted(found, key=lambda one: -one.used)


def chosen(
    found: Sequence[Held],
    *,
    older_than: float | None = None,
    down_to: int | None = None,
    everything: bool = False,
    now: float | None = None,
) -> list[Held]:
    """The shelves that should go, the one unused for longest first.

    Args:
        found: what the store holds.
        older_than: seconds; those not used for so long go.
        down_to: bytes; those unused for longest go until the others take no more.
        everything: all go.
        now: seconds since 1970.
    """
    now = time.time() if now is None else now
    oldest = sorted(found, key=lambda one: one.used)
    going = [one for one in oldest if everything or (older_than is not None and now - one.used > older_than)]
    left = sum(one.bytes for one in oldest) - sum(one.bytes for one in going)
    for one in oldest:
        if down_to is None or left <= down_to:
            break
        if one not in going:
            going.append(one)
            left -= one.bytes
    return going


def remove(one: Held) -> int:
    """Remove a shelf; the bytes freed.

    Raises:
        HeadstartError: when it cannot be removed.
    """
    try:
        return dropped(one.folder)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise HeadstartError(
            f"{one.folder} cannot be removed: {error.strerror or error}",
            expected="a cache folder that can be written to",
        ) from error


def dropped(folder: Path) -> int:
    """Remove a shelf's folder, out of sight first, so that nobody finds half of it; the bytes freed."""
    doomed = folder.with_name(f".{secrets.token_hex(8)}.gone")
    folder.rename(doomed)
    freed = sum(path.stat().st_size for path in doomed.iterdir())
    shutil.rmtree(doomed)
    return freed


def _held(folder: Path) -> Held:
    key, about = _json(folder / "key.json"), _json(folder / "about.json")
    what = str(key.get("what", "?"))
    cut = re.fullmatch(r"cut(\d+)", what)
    preprocessing = key.get("preprocessing")
    size = preprocessing.get("size") if isinstance(preprocessing, dict) else key.get("size")
    stats = [path.stat() for path in folder.iterdir()]
    return Held(
        folder=folder,
        what="activations" if cut else {"pooled": "features", "inputs": "pixels"}.get(what, what),
        stage=int(cut[1]) if cut else 0,
        size=size if isinstance(size, int) else 0,
        backbone=str(about.get("backbone", "")),
        data=str(about.get("data", "")),
        items=len({digest for path in folder.glob("*.safetensors") for digest in _digests(path)}),
        bytes=sum(stat.st_size for stat in stats),
        used=folder.stat().st_mtime,
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _digests(path: Path) -> list[str]:
    """The items of a shard, from its header; none if it cannot be read."""
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(length)) if length < _LONGEST else {}
        return list(json.loads(header["__metadata__"]["items"]))
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return []
