"""A bundle: backbones in one folder, for a machine without a network.

Each lies in a folder of its own as ``folder`` writes it; ``index.json`` beside them names every file with its digest,
and carries a seal over itself. A bundle whose files or index were changed on the way is refused.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headstart.backbones import folder, statistics
from headstart.backbones.chain import Backbone, untrained
from headstart.base import files, hashes, readings
from headstart.base.errors import BadOption, HeadstartError, OutputExists, WeightsError
from headstart.base.manifest import FileRecord, sealed
from headstart.base.vocabulary import BackboneInfo

INDEX = "index.json"
VARIABLE = "HEADSTART_BACKBONES"
"""The environment's way to name a bundle."""
_AGAIN = "copy the whole bundle again, or pack it again where there is a network"
_PLAIN = r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$"


class Entry(BaseModel):
    """One backbone of a bundle.

    Attributes:
        name: full name, as it was when it was packed.
        folder: where it lies in the bundle.
        files: its files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    folder: Annotated[str, Field(pattern=_PLAIN)]
    files: dict[Annotated[str, Field(pattern=_PLAIN)], FileRecord]


class Index(BaseModel):
    """What ``index.json`` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    backbones: tuple[Entry, ...]
    seal: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was opened: its index is as it was written; its files are checked when they are used."""

    path: Path
    index: Index

    def names(self) -> list[str]:
        """Full names of the backbones in it."""
        return [entry.name for entry in self.index.backbones]

    def holds(self, name: str) -> Entry | None:
        """The backbone of that name; a name without its tag will do where it is one backbone's."""
        exact = [entry for entry in self.index.backbones if entry.name == name]
        bare = [entry for entry in self.index.backbones if entry.name.split(".", 1)[0] == name]
        return exact[0] if exact else bare[0] if len(bare) == 1 else None

    def describe(self, entry: Entry) -> BackboneInfo:
        """What is known of a backbone in the bundle.

        Raises:
            WeightsError: when its description was changed.
        """
        self._check(entry, folder.DESCRIPTION)
        return replace(folder.describe_folder(self.path / entry.folder), name=entry.name)

    def load(self, entry: Entry, *, weights: bool = True, seed: int = 0) -> Backbone:
        """Load a backbone of the bundle.

        Raises:
            WeightsError: when a file was changed, or does not fit.
        """
        for name in entry.files:
            self._check(entry, name)
        backbone = folder.read_folder(self.path / entry.folder, weights=weights, seed=seed)
        info = replace(backbone.info, name=entry.name)
        return backbone.known_as(info if weights else untrained(info))

    def _check(self, entry: Entry, name: str) -> None:
        path, told = self.path / entry.folder / name, entry.files.get(name)
        if told is None or not path.is_file() or not path.resolve().is_relative_to(self.path.resolve()):
            raise WeightsError(f"The bundle lacks {entry.folder}/{name}", where=str(self.path), next_move=_AGAIN)
        try:
            size = path.stat().st_size
            found = hashes.of_file(path) if size == told.size else f"{size:,} bytes"
        except OSError as error:
            raise WeightsError(f"{name} cannot be read: {error.strerror}", where=str(path), next_move=_AGAIN) from error
        if found != told.sha256:
            raise WeightsError(
                f"{name} of {entry.name} was changed after it was packed",
                where=str(path),
                expected=f"{told.size:,} bytes with SHA-256 {told.sha256[:16]}…, found {found[:16]}",
                next_move=_AGAIN,
            )


def opened(path: str | Path | None = None) -> Bundle | None:
    """The bundle at a path, else the environment's (``HEADSTART_BACKBONES``), else None.

    Raises:
        WeightsError: when there is no bundle, or its index was changed.
    """
    where = path or os.environ.get(VARIABLE)
    if not where:
        return None
    root = Path(where).expanduser()
    try:
        data = json.loads((root / INDEX).read_bytes())
        index = Index.model_validate(data)
    except OSError as error:
        raise WeightsError(
            "There is no bundle of backbones" if not (root / INDEX).exists() else f"{INDEX} cannot be read: {error}",
            where=str(root),
            expected=f"a folder with {INDEX}, as headstart backbones pack writes it",
            next_move="headstart backbones pack NAME -o DIR, where there is a network",
        ) from error
    except (ValueError, ValidationError, RecursionError) as error:
        raise WeightsError(f"{INDEX} is not as it was written", where=str(root), next_move=_AGAIN) from error
    if sealed(data)["seal"] != index.seal:
        raise WeightsError(f"{INDEX} was changed after the bundle was packed", where=str(root), next_move=_AGAIN)
    return Bundle(root, index)


def pack(names: Sequence[str], to: str | Path, load: Callable[[str], Backbone]) -> Bundle:
    """Put backbones into a bundle, a new one or one that is there already.

    Args:
        names: full names.
        to: the bundle's folder.
        load: full name -> the backbone with its weights.

    Raises:
        BadOption: for a name whose weights nobody elsewhere could have by that name.
        OutputExists: when the folder holds something else.
        HeadstartError: when a backbone cannot be had, or the folder not written; what was packed before stays.
    """
    root = Path(to).expanduser()
    if not names:
        raise BadOption("Nothing to pack", expected="headstart backbones pack NAME... -o DIR")
    if root.exists() and (not root.is_dir() or (any(root.iterdir()) and not (root / INDEX).exists())):
        raise OutputExists(f"{root} holds something else", expected="a new or empty folder, or a bundle to add to")
    before = opened(root) if (root / INDEX).exists() else None
    entries = {entry.name: entry for entry in (before.index.backbones if before else ())}
    for name in names:
        entry = _packed(load(name), root)
        entries[entry.name] = entry
        # After each: what was packed before something fails is a bundle.
        _write(root, list(entries.values()))
    found = opened(root)
    if found is None:
        raise HeadstartError(f"{root} could not be packed")
    return found


def _packed(backbone: Backbone, root: Path) -> Entry:
    info = backbone.info
    name = re.sub(r"[^A-Za-z0-9_.\-]+", "--", info.name).strip("-.")
    place = root / name
    folder.write_folder(backbone, place, {"packed": info.name})
    listed = {
        file: FileRecord(sha256=hashes.of_file(place / file), size=(place / file).stat().st_size)
        for file in (folder.DESCRIPTION, folder.WEIGHTS, statistics.FILE, *readings.FILES.values())
        if (place / file).is_file()
    }
    return Entry.model_validate({"name": info.name, "folder": name, "files": listed})


def _write(root: Path, entries: Sequence[Entry]) -> None:
    rows = [json.loads(entry.model_dump_json()) for entry in sorted(entries, key=lambda entry: entry.name)]
    files.write_json(root / INDEX, sealed({"schema_version": 1, "backbones": rows}))
