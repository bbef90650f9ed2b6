"""A folder of class subfolders of pictures or of .txt files, or of train/ val/ test/ folders that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.base import natural
from headstart.base.errors import BadOption, BadSource
from headstart.base.vocabulary import PARTS, Table
from headstart.data import groups as grouping
from headstart.data import kinds, layouts, tree
from headstart.data.kinds import Kind
from headstart.data.parts import part_of
from headstart.data.printable import count, listing, printable


def claims(source: Any) -> bool:
    """True for the path of an existing folder, unless another library's files are in it."""
    path = tree.as_path(source)
    return path is not None and tree.holds(path.is_dir) and not layouts.is_saved(path)


def open(
    source: Any,
    *,
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    text: str | Sequence[str] | None = None,
) -> Table:
    """Read the tree; the folder above an item names its class.

    Folders inside a class folder belong to that class, unless every class has its own train/ and test/. A folder that
    holds nothing but one other folder of folders is looked through. The items are the pictures, or the text files
    (.txt) where there are hardly any pictures; other files are counted and ignored.

    Args:
        source: path of the folder.
        label, path, text: columns of a table; a folder has none.
        group: "folder" for the folders inside class folders, or a regular expression (``groups.from_paths``).

    Raises:
        BadSource: no folder, no items, items without class subfolders, or annotations of a detection data set.
        BadOption: ``label``, ``path`` or ``text`` given, which name columns, or a ``group`` that finds nothing.
    """
    root = tree.as_path(source)
    if root is None or not tree.holds(root.is_dir):
        expected = (root and tree.close(root)) or "the path of a folder"
        raise BadSource(f"There is no folder {printable(str(source))}", expected=expected)
    for name, value in (("label", label), ("path", path), ("text", text)):
        if value is not None:
            raise BadOption(
                f"--{name} {value} names a column, but {printable(str(source))} is a folder",
                expected="a table (.csv, .tsv, .parquet, .jsonl) with this option, or a folder without it",
            )
    layouts.refuse_detection(root)
    kind = kinds.within(root)
    reading = _Reading(origin=_shown(source), root=root, tally=tree.Tally(kind=kind))
    inner = _look_through(root, reading)
    top = tree.level(inner, kind)
    split = _part_folders(top.folders, kind)
    reading.tally.add(top)
    if split:
        _read_parts(split, top, reading)
    else:
        _read_classes(inner, top, None, reading)
    hint = layouts.hint(top)
    if not reading.items or (hint and len(set(reading.labels)) == 1):
        raise _nothing(reading, hint)
    return reading.table(split=any(reading.parts), group=group)


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    origin: str
    root: Path
    tally: tree.Tally
    items: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str | None] = field(default_factory=list)
    inner: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    loose: int = 0
    nested: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        return self.tally.kind

    def table(self, *, split: bool, group: str | None) -> Table:
        classes = [printable(name) for name in natural.ordered(self.labels)]
        number = count(len(self.items), self.kind.noun)
        what = f"{number} in {count(len(classes), 'class', 'classes')} ({listing(classes)})"
        if split:
            sizes = [f"{part} {self.parts.count(part):,}" for part in PARTS if part in self.parts]
            understood = f"{self.origin}: {what}, split by its folders: {', '.join(sizes)}"
        else:
            understood = f"{self.origin}: {what}, one subfolder a class"
        notes = list(self.notes)
        if self.nested:
            notes.append(
                f"folders inside a class folder are read as part of the class ({listing(self.nested, 3)}); "
                "where they are the classes, name the folder that holds them"
            )
        if self.empty:
            notes.append(f"ignored: no {self.kind.modality} in {listing(self.empty)}")
        if self.loose:
            what = count(self.loose, self.kind.noun)
            notes.append(f"ignored: {what} beside the class folders, for they have no label")
        groups: tuple[str | None, ...] = ()
        if group is not None:
            paths = [Path(item).relative_to(self.root).as_posix() for item in self.items]
            groups, how = grouping.from_paths(group, paths, self.inner)
            notes.append(how)
        return Table(
            items=tuple(self.items) if self.kind is kinds.IMAGES else tuple(map(Path, self.items)),
            labels=tuple(self.labels),
            parts=tuple(self.parts),
            origin=self.origin,
            understood=understood,
            notes=(*notes, *self.tally.notes()),
            groups=groups,
            task="classification",
            modality=self.kind.modality,
        )


def _look_through(root: Path, reading: _Reading, *, part: bool = False) -> Path:
    """The folder that holds the classes: an archive often unpacks to photos/photos/cat."""
    for _ in range(8):
        top = tree.level(root, reading.kind)
        if len(top.folders) != 1 or top.items:
            break
        inner = tree.level(top.folders[0], reading.kind)
        if len(inner.folders) < 2 or inner.items:
            break
        if not part and part_of(top.folders[0].name) == "train" and not _part_folders(inner.folders, reading.kind):
            break
        reading.tally.add(top)
        root = top.folders[0]
        reading.notes.append(f"read {printable(str(root))}, the only folder in {printable(str(root.parent))}")
    return root


def _part_folders(folders: Sequence[Path], kind: Kind) -> list[Path]:
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
            expected=f"train/cat/1{kind.suffix}, train/dog/2{kind.suffix}, ...: one subfolder a class in each part",
            next_move=layouts.hint(tree.level(named[0].parent)),
        )
    return []


def _read_parts(split: Sequence[Path], top: tree.Level, reading: _Reading) -> None:
    for folder in split:
        place = _look_through(folder, reading, part=True)
        inner = tree.level(place, reading.kind)
        reading.tally.add(inner)
        if not inner.folders and not inner.items:
            reading.empty.append(f"{printable(folder.name)}/")
        if inner.items and not inner.folders:
            what = f"{count(len(inner.items), reading.kind.noun)} in {printable(folder.name)}/"
            reading.notes.append(f"not used: {what}, which has no class folders, so that nobody knows their labels")
            continue
        _read_classes(place, inner, part_of(folder.name), reading)
    beside = [printable(folder.name) + "/" for folder in top.folders if folder not in split]
    if beside:
        reading.notes.append(f"ignored: {listing(beside)} beside train/, val/ and test/")
    reading.loose += len(top.items)


def _read_classes(folder: Path, inside: tree.Level, part: str | None, reading: _Reading) -> None:
    own = part is None and _each_has_parts(inside.folders, reading)
    for child in inside.folders:
        if tree.is_loop(child):
            reading.tally.loops += 1
            continue
        items = tree.items(child, reading.tally)
        reading.items += items
        reading.labels += [child.name] * len(items)
        reading.parts += [part_of(Path(item).relative_to(child).parts[0]) if own else part for item in items]
        reading.inner += ["/".join(Path(item).relative_to(child).parts[:-1]) for item in items]
        shown = printable(str(child.relative_to(folder.parent if part else folder)))
        if not items:
            reading.empty.append(f"{shown}/")
        deeper = next((item for item in items if Path(item).parent != child), None)
        if deeper is not None and not own:
            reading.nested.append(printable(str(Path(deeper).parent.relative_to(folder))) + f" as {shown}")
    reading.loose += len(inside.items)


def _each_has_parts(classes: Sequence[Path], reading: _Reading) -> bool:
    """True for cat/train/1.jpg, cat/test/2.jpg, dog/train/3.jpg: every class folder holds parts and nothing else."""
    levels = [tree.level(folder, reading.kind) for folder in classes if not tree.is_loop(folder)]
    named = {part_of(folder.name) for level in levels for folder in level.folders}
    if not levels or not all(level.folders and not level.items for level in levels):
        return False
    if None in named or len(named) < 2:
        return False
    reading.notes.append("the parts are the folders inside each class folder")
    return True


def _nothing(reading: _Reading, next_move: str) -> BadSource:
    one, many = reading.kind.noun, reading.kind.modality
    expected = f"a subfolder for each class, with its {many} in it"
    if reading.items:
        what = f"a single folder with {many}, {printable(reading.labels[0])}/, and a table beside it"
        return BadSource(f"The folder has {what}", where=reading.origin, expected=expected, next_move=next_move)
    if reading.loose:
        what = f"{count(reading.loose, one)} but no class subfolders"
        return BadSource(f"The folder has {what}", where=reading.origin, expected=expected, next_move=next_move)
    others = [f"{number:,} {printable(suffix)}" for suffix, number in reading.tally.others.most_common()]
    folders = f" and {count(len(reading.empty), 'folder')} without {many}" if reading.empty else ""
    what = f"no {many}, only other files ({listing(others)}){folders}" if others else f"nothing in it{folders}"
    return BadSource(f"The folder has {what}", where=reading.origin, expected=expected, next_move=next_move)


def _shown(source: Any) -> str:
    text = printable(str(source))
    return text if text.endswith("/") else f"{text}/"
