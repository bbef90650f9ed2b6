"""What kind of folder or file somebody points at, read from the names in it: data sets of other tools, archives."""

from __future__ import annotations

from pathlib import Path

from headstart.base.errors import BadSource
from headstart.data import tree
from headstart.data.printable import printable

_SAVED = ("dataset_dict.json", "state.json")
_METADATA = "metadata.jsonl"
_MOST = 50  # folders that are looked into
_TABLES = (".csv", ".tsv", ".parquet", ".jsonl")
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
_LOOKED_AT = 64_000  # characters at the head of a JSON file


def is_saved(path: Path | None, *, arrow: bool = False) -> bool:
    """True for a folder that the ``datasets`` library has written: save_to_disk's, or Parquet files and no pictures.

    Args:
        path: what was named.
        arrow: only save_to_disk's.
    """
    if path is None or not tree.holds(path.is_dir):
        return False
    if any(tree.holds((path / name).is_file) for name in _SAVED):
        return True
    return not arrow and _is_parquet(path)


def _is_parquet(path: Path) -> bool:
    try:
        top = tree.level(path)
        levels = [top, *(tree.level(folder) for folder in top.folders[:_MOST])]
    except BadSource:
        return False
    here = {other.name.lower() for level in levels for other in level.others}
    if _METADATA in here:  # pictures with their labels in lines of JSON
        return True
    return any(name.endswith(".parquet") for name in here) and not any(level.items for level in levels)


def refuse_detection(root: Path) -> None:
    """Refuse a folder of boxes or masks: COCO, YOLO and Pascal VOC keep many objects an image, not one class.

    Raises:
        BadSource: saying which of them it looks like.
    """
    top = tree.level(root)
    kind = _coco(top) or _yolo(top) or _voc(top)
    if kind:
        raise BadSource(
            f"This is {kind}: it says where things are in an image, and headstart says what an image is",
            where=printable(str(root)),
            expected="a subfolder for each class, with its images in it",
            next_move="cut the boxes out of the images into a folder for each class, or use a detection library",
        )


def _coco(top: tree.Level) -> str:
    places = [top, *(tree.level(folder) for folder in top.folders if folder.name.casefold() == "annotations")]
    for file in (other for place in places for other in place.others if other.suffix.lower() == ".json"):
        try:
            with file.open(encoding="utf-8", errors="replace") as stream:
                head = stream.read(_LOOKED_AT)
        except OSError:
            continue
        keys = sum(f'"{key}"' in head for key in ("images", "annotations", "categories"))
        if keys >= 2 or ('"bbox"' in head and '"image_id"' in head):
            return f"a COCO data set ({printable(file.name)})"
    return ""


def _yolo(top: tree.Level) -> str:
    named = {folder.name.casefold(): folder for folder in top.folders}
    if "images" not in named or "labels" not in named:
        return ""
    labels = tree.level(named["labels"])
    inner = [labels, *(tree.level(folder) for folder in labels.folders[:_MOST])]
    texts = any(other.suffix.lower() == ".txt" for each in inner for other in each.others)
    return "a YOLO data set (images/ and labels/)" if texts and not any(each.items for each in inner) else ""


def _voc(top: tree.Level) -> str:
    named = {folder.name for folder in top.folders}
    return "a Pascal VOC data set (Annotations/ and JPEGImages/)" if {"Annotations", "JPEGImages"} <= named else ""


def is_archive(path: Path) -> bool:
    """True for the name of an archive."""
    return path.name.lower().endswith(_ARCHIVES)


def unpacking(path: Path) -> str:
    """The command that unpacks an archive beside it."""
    name = path.name.lower()
    into = path.name.split(".")[0] or "unpacked"
    shown = f"'{printable(str(path))}'" if " " in str(path) else printable(str(path))
    if name.endswith(".zip"):
        return f"unpack it first: python -m zipfile -e {shown} {printable(into)}/"
    if ".t" in name:
        return f"unpack it first: mkdir {printable(into)}; tar -xf {shown} -C {printable(into)}"
    return "unpack it first"


def hint(level: tree.Level) -> str:
    """What could be meant instead of a folder that holds no classes: a table in it, or an archive."""
    tables = [path for path in level.others if path.suffix.lower() in _TABLES]
    if tables:
        return f"if the labels are in a table, name it: {printable(str(tables[0]))}"
    archives = [path for path in level.others if is_archive(path)]
    return unpacking(archives[0]) if archives else ""
