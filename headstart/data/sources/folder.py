"""A folder of class subfolders, or of train/ val/ test/ folders that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.base.errors import BadOption, BadSource
from headstart.base.vocabulary import PARTS, Table
from headstart.data import groups as grouping
from headstart.data import layouts, natural, tree
from headstart.data.parts import part_of
from headstart.data.printable import count, listing, printable

_TABLES = (".csv", ".tsv", ".parquet")


def claims(source: Any) -> bool:
    """True for the path of an existing folder, unless another library's files are in it."""
    path = tree.as_path(source)
    return path is not None and tree.holds(path.is_dir) and not layouts.is_saved(path)


def open(source: Any, *, label: str | None = None, path: str | None = None, group: str | None = None) -> Table:
    """Read the tree; the folder above an image names its class.

    Folders inside a class folder belong to that class. A folder that holds nothing but one other folder of folders is
    looked through. Files that are no images by name are counted and ignored.

    Args:
        source: path of the folder.
        label, path: columns of a table; a folder has none.
        group: "folder" for the folders inside class folders, or a regular expression (``groups.from_paths``).

    Raises:
        BadSource: no folder, no images, or images without class subfolders.
        BadOption: ``label`` or ``path`` given, which name columns, or a ``group`` that finds nothing.
    """
    root = tree.as_path(source)
    if root is None or not tree.holds(root.is_dir):
        expected = (root and tree.close(root)) or "the path of a folder"
        raise BadSource(f"There is no folder {printable(str(source))}", expected=expected)
    if label is not None or path is not None:
        name, value = ("label", label) if label is not None else ("path", path)
        raise BadOption(
            f"--{name} {value} names a column, but {printable(str(source))} is a folder",
            expected="a table (.csv, .tsv, .parquet) with this option, or a folder without it",
        )
    reading = _Reading(origin=_shown(source), root=root)
    inner = _look_through(root, reading)
    top = tree.level(inner)
    split = _part_folders(top.folders)
    reading.tally.add(top)
    if split:
        _read_parts(split, top, reading)
    else:
        _read_classes(inner, top, None, reading)
    if not reading.items:
        raise _nothing(reading, root)
    return reading.table(split=bool(split), group=group)


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    origin: str
    root: Path
    items: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str | None] = field(default_factory=list)
    inner: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tally: tree.Tally = field(default_factory=tree.Tally)
    loose: int = 0
    nested: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def table(self, *, split: bool, group: str | None) -> Table:
        classes = [printable(name) for name in natural.ordered(self.labels)]
        what = f"{count(len(self.items), 'image')} in {count(len(classes), 'class', 'classes')} ({listing(classes)})"
        if split:
            sizes = [f"{part} {self.parts.count(part):,}" for part in PARTS if part in self.parts]
            understood = f"{self.origin}: {what}, split by its folders: {', '.join(sizes)}"
        else:
            understood = f"{self.origin}: {what}, one subfolder a class"
        notes = list(self.notes)
        if self.nested:
            notes.append(f"folders inside a class folder are read as part of the class ({listing(self.nested, 3)})")
        if self.empty:
            notes.append(f"ignored: no images in {listing(self.empty)}")
        if self.loose:
            notes.append(f"ignored: {count(self.loose, 'image')} beside the class folders, for they have no label")
        groups: tuple[str | None, ...] = ()
        if group is not None:
            paths = [Path(item).relative_to(self.root).as_posix() for item in self.items]
            groups, how = grouping.from_paths(group, paths, self.inner)
            notes.append(how)
        return Table(
            items=tuple(self.items),
            labels=tuple(self.labels),
            parts=tuple(self.parts),
            origin=self.origin,
            understood=understood,
            notes=(*notes, *self.tally.notes()),
            groups=groups,
        )


def _look_through(root: Path, reading: _Reading) -> Path:
    """The folder that holds the classes: an archive often unpacks to photos/photos/cat."""
    for _ in range(8):
        top = tree.level(root)
        if len(top.folders) != 1 or top.images:
            break
        inner = tree.level(top.folders[0])
        if len(inner.folders) < 2 or inner.images:
            break
        if part_of(top.folders[0].name) == "train" and not _part_folders(inner.folders):
            break
        reading.tally.add(top)
        root = top.folders[0]
        reading.notes.append(f"read {printable(str(root))}, the only folder in {printable(str(root.parent))}")
    return root


def _part_folders(folders: Sequence[Path]) -> list[Path]:
    """The folders that are parts of a split; none if they are classes, one of which may well be called "train"."""
    named = [folder for folder in folders if part_of(folder.name)]
    others = [folder for folder in folders if not part_of(folder.name)]
    if not named or (others and len(named) < 2):
        return []
    if any(tree.level(folder).folders for folder in named):
        return named if others or len(named) > 1 or part_of(named[0].name) == "train" else []
    if not others and len(named) > 1:
        raise BadSource(
            f"{listing([folder.name + '/' for folder in named])} hold no class subfolders",
            where=printable(str(named[0].parent)),
            expected="train/cat/1.jpg, train/dog/2.jpg, ...: one subfolder a class in each part",
        )
    return []


def _read_parts(split: Sequence[Path], top: tree.Level, reading: _Reading) -> None:
    for folder in split:
        inner = tree.level(folder)
        reading.tally.add(inner)
        if not inner.folders and not inner.images:
            reading.empty.append(f"{printable(folder.name)}/")
        _read_classes(folder, inner, part_of(folder.name), reading)
    beside = [printable(folder.name) + "/" for folder in top.folders if folder not in split]
    if beside:
        reading.notes.append(f"ignored: {listing(beside)} beside train/, val/ and test/")
    reading.loose += len(top.images)


def _read_classes(folder: Path, inside: tree.Level, part: str | None, reading: _Reading) -> None:
    for child in inside.folders:
        images = tree.images(child, reading.tally)
        reading.items += images
        reading.labels += [child.name] * len(images)
        reading.parts += [part] * len(images)
        reading.inner += ["/".join(Path(image).relative_to(child).parts[:-1]) for image in images]
        shown = printable(str(child.relative_to(folder.parent if part else folder)))
        if not images:
            reading.empty.append(f"{shown}/")
        deeper = next((image for image in images if Path(image).parent != child), None)
        if deeper is not None:
            reading.nested.append(printable(str(Path(deeper).parent.relative_to(folder))) + f" as {shown}")
    reading.loose += len(inside.images)


def _nothing(reading: _Reading, root: Path) -> BadSource:
    tables = [path for path in tree.level(root).others if path.suffix.lower() in _TABLES]
    next_move = f"if the labels are in a table, name it: {printable(str(tables[0]))}" if tables else ""
    expected = "a subfolder for each class, with its images in it"
    if reading.loose:
        what = f"{count(reading.loose, 'image')} but no class subfolders"
        return BadSource(f"The folder has {what}", where=reading.origin, expected=expected, next_move=next_move)
    kinds = [f"{number:,} {printable(suffix)}" for suffix, number in reading.tally.others.most_common()]
    folders = f" and {count(len(reading.empty), 'folder')} without images" if reading.empty else ""
    what = f"no images, only other files ({listing(kinds)}){folders}" if kinds else f"nothing in it{folders}"
    return BadSource(f"The folder has {what}", where=reading.origin, expected=expected, next_move=next_move)


def _shown(source: Any) -> str:
    text = printable(str(source))
    return text if text.endswith("/") else f"{text}/"
