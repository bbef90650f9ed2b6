"""Several label columns of 0 and 1 as one column of lists: each row has the labels whose cell says yes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from headstart.base.errors import BadSource, UnknownName
from headstart.data.labels import is_missing
from headstart.data.printable import listing, printable

_YES = frozenset({"1", "1.0", "true", "yes", "x"})
_NO = frozenset({"0", "0.0", "-1", "-1.0", "false", "no"})


def together(
    columns: Mapping[str, Sequence[Any]], label: str | None, origin: str
) -> tuple[Mapping[str, Sequence[Any]], str | None]:
    """The columns with those that ``label`` names with commas between them replaced by one of that name.

    An empty cell is a no beside other answers; a row whose cells are all empty has no label.

    Args:
        columns: name -> values.
        label: the user's; returned as it is if it names one column.
        origin: the table, for messages.

    Raises:
        UnknownName: one of several names is no column.
        BadSource: a cell says neither yes nor no.
    """
    if label is None or label in columns or "," not in label:
        return columns, label
    names = list(dict.fromkeys(name.strip() for name in label.split(",") if name.strip()))
    for name in names:
        if name not in columns:
            known = listing(list(columns), 12)
            raise UnknownName("column", name, columns, next_move=f"the columns of {origin} are {known}")
    answers = {name: [_answer(cell, name, row, origin) for row, cell in enumerate(columns[name])] for name in names}
    rows = [
        None if all(answer is None for answer in row) else tuple(itertools.compress(names, row))
        for row in zip(*answers.values(), strict=True)
    ]
    return {**{name: values for name, values in columns.items() if name not in names}, label: rows}, label


def _answer(cell: Any, name: str, row: int, origin: str) -> bool | None:
    if is_missing(cell) or (isinstance(cell, str) and not cell.strip()):
        return None
    text = str(cell).strip().casefold()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise BadSource(
        f"Column '{printable(name)}' says {printable(str(cell))[:40]!r}, which is neither yes nor no",
        where=f"{origin}, row {row + 1}",
        expected="0 or 1 in each of several label columns",
        next_move="name one column with --label, or leave this one out",
    )
