"""Whatever the user points at, opened by the first source that claims it."""

from __future__ import annotations

from typing import Any

from headstart.base import discovery
from headstart.base.errors import BadSource
from headstart.base.vocabulary import Table
from headstart.data import tree
from headstart.data.printable import printable
from headstart.data.sources.memory import Values

EXPECTED = (
    "a folder with class subfolders (or train/ val/ test/ of them), a .csv, .tsv or .parquet file, "
    "or in Python items with labels, a DataFrame, or {label: [items]}"
)


def open_source(source: Any, labels: Any = None, *, label: str | None = None, path: str | None = None) -> Table:
    """Open a source without reading its items.

    Args:
        source: path of a folder or a table; or paths, PIL images or arrays; a DataFrame; a dict {label: [items]}.
        labels: one label per item, when ``source`` holds items in memory.
        label: name of the label column of a table.
        path: name of the image path column of a table.

    Raises:
        BadSource: nothing usable there.
        UnknownName: a named column does not exist.
        BadOption: an option that does not go with this source.
    """
    if labels is not None:
        source = Values(source, labels)
    for plugin in discovery.plugins("data.sources").values():
        module = plugin.load()
        if module.claims(source):
            return module.open(source, label=label, path=path)
    raise _unclaimed(source)


def _unclaimed(source: Any) -> BadSource:
    path, name = tree.as_path(source), printable(str(source))
    if isinstance(source, str) and path is None:
        return BadSource("No data source was named", expected=EXPECTED)
    if path is None:
        return BadSource(f"A {type(source).__name__} is no data source", expected=EXPECTED)
    if tree.holds(path.exists):
        return BadSource(f"This file is no data source: {name}", expected=EXPECTED)
    return BadSource(f"There is no file or folder {name}", expected=tree.close(path) or EXPECTED)
