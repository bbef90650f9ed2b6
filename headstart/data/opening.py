"""Whatever the user points at, opened by the first source that claims it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from headstart.base import discovery
from headstart.base.errors import BadOption, BadSource
from headstart.base.vocabulary import Table
from headstart.data import layouts, tree
from headstart.data.printable import count, printable
from headstart.data.sources.memory import Values

EXPECTED = (
    "a folder with class subfolders (or train/ val/ test/ of them), a .csv, .tsv, .jsonl or .parquet file, "
    "a .conll file of words and tags, a SQuAD file of questions and answers, "
    "hf:owner/name, "
    "or in Python items with labels, a DataFrame, {label: [items]}, a Hugging Face or PyTorch data set"
)


def open_source(
    source: Any,
    labels: Any = None,
    *,
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    groups: Sequence[Any] | None = None,
    text: str | Sequence[str] | None = None,
) -> Table:
    """Open a source without reading its items.

    Args:
        source: path of a folder or a table; hf:owner/name; or paths, PIL images, arrays or texts; a DataFrame; a dict
            {label: [items]}; a Hugging Face or PyTorch data set, or {"train": ..., "test": ...} of them.
        labels: one label per item, when ``source`` holds items in memory.
        label: name of the label column of a table.
        path: name of the image path column of a table.
        group: name of the column that says what belongs together; for a folder "folder" or a regular expression.
        groups: what each item belongs to, when ``source`` holds items in memory.
        text: name of the text column of a table; two, in a list or with a comma between, are a pair.

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
            given = {**_group(module, group, plugin.name), **_text(module, text, plugin.name)}
            table = module.open(source, label=label, path=path, **given)
            return table if groups is None else _grouped(table, source, group, groups)
    raise _unclaimed(source)


def _group(module: ModuleType, group: str | None, name: str) -> dict[str, str]:
    """The option, for sources that have it; one from another package need not."""
    if group is None:
        return {}
    if "group" not in inspect.signature(module.open).parameters:
        raise BadOption(f"The source {name} knows no groups", expected="--group with a table or a folder")
    return {"group": group}


def _text(module: ModuleType, text: str | Sequence[str] | None, name: str) -> dict[str, Any]:
    """Likewise the text column."""
    if text is None:
        return {}
    if "text" not in inspect.signature(module.open).parameters:
        raise BadOption(f"The source {name} knows no text columns", expected="--text with a table")
    return {"text": text}


def _grouped(table: Table, source: Any, group: str | None, groups: Sequence[Any]) -> Table:
    if group is not None:
        raise BadOption("group and groups are both given", expected="one of the two")
    if tree.as_path(source) is not None:
        raise BadOption(
            f"groups were given for {printable(str(source))}",
            expected="groups only with items in memory; group names the column of a table",
        )
    values = list(groups.tolist() if hasattr(groups, "tolist") else groups)
    if len(values) != len(table.items):
        raise BadOption(
            f"{count(len(table.items), 'item')} but {count(len(values), 'group')}", expected="one group an item"
        )
    return replace(table, groups=tuple(values))


def _unclaimed(source: Any) -> BadSource:
    path, name = tree.as_path(source), printable(str(source))
    if isinstance(source, str) and path is None:
        return BadSource("No data source was named", expected=EXPECTED)
    if path is None:
        return BadSource(f"A {type(source).__name__} is no data source", expected=EXPECTED)
    if tree.holds(path.is_file) and layouts.is_archive(path):
        return BadSource(f"This is an archive: {name}", expected=EXPECTED, next_move=layouts.unpacking(path))
    if tree.holds(path.exists):
        return BadSource(f"This file is no data source: {name}", expected=EXPECTED)
    if tree.holds(path.is_symlink):
        return BadSource(f"This link leads nowhere: {name}", expected=EXPECTED)
    return BadSource(f"There is no file or folder {name}", expected=tree.close(path) or EXPECTED)
