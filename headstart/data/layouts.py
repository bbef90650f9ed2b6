"""What kind of folder or file somebody points at, read from the names in it: data sets of other tools, archives."""

from __future__ import annotations

from pathlib import Path

from headstart.base.errors import BadSource
from headstart.data import tree

_SAVED = ("dataset_dict.json", "state.json")
_METADATA = "metadata.jsonl"
_MOST = 50  # folders that are looked into


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
    return any(name.endswith(".parquet") for name in here) and not any(level.images for level in levels)
