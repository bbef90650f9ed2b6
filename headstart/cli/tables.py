"""Tables and numbers on a terminal and off it: rich where there is one, aligned plain text of 80 columns elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headstart.base.vocabulary import Interval
from headstart.cli.shell import WIDTH
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.measure.metric import Metric

NARROWEST = 9
GAP = "  "
_PIECES = re.compile(r"\s+|[^\s/._-]+[/._-]*|[/._-]+")


def score(metric: Metric, value: Interval | Mapping[str, Any] | None, *, interval: bool = True) -> str:
    """A score as people write it: ``92.1 % [88.0, 95.3]``."""
    if value is None:
        return "-"
    found = value if isinstance(value, Interval) else Interval(value["value"], value["low"], value["high"])
    middle, low, high = metric.numbers(found)
    text = f"{middle}{metric.unit}"
    return f"{text} [{low}, {high}]" if interval else text


def count(number: int) -> str:
    """A number of parameters in a few letters: ``11.2M``."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return str(number)


def size(number: float) -> str:
    """Bytes in a few letters: ``1.2 GB``."""
    for unit, letters in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= unit:
            return f"{number / unit:.1f} {letters}"
    return f"{number:.0f} B"


def show(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    fold: Sequence[int] | None = None,
) -> None:
    """Print a table on standard output.

    Args:
        heads: column titles.
        rows: cells as text.
        right: columns that are aligned to the right.
        fold: columns that may be folded to make a line fit, the first one first; by default those aligned to the
            left, the widest first.
    """
    clean = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich(heads, clean, right, fold)
    else:
        print(plain(heads, clean, right=right, fold=fold))


def plain(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    fold: Sequence[int] | None = None,
    width: int = WIDTH,
) -> str:
    """The table as aligned text; columns are folded until a line fits into ``width`` terminal cells."""
    from rich.cells import cell_len

    widths = _widths(heads, rows)
    folding = [index for index in range(len(heads)) if index not in right] if fold is None else fold
    while sum(widths) + len(GAP) * (len(widths) - 1) > width:
        left = [index for index in folding if widths[index] > NARROWEST]
        if not left:
            break
        widths[left[0] if fold is not None else max(left, key=lambda index: widths[index])] -= 1
    lines = []
    for row in (heads, ["-" * each for each in widths], *rows):
        cells = [_folded(cell, widths[index]) for index, cell in enumerate(row)]
        for line in range(max(map(len, cells))):
            parts = [cell[line] if line < len(cell) else "" for cell in cells]
            padded = [_pad(part, widths[i], cell_len(part), right=i in right) for i, part in enumerate(parts)]
            lines.append(GAP.join(padded).rstrip())
    return "\n".join(lines)


def room() -> int:
    """Columns that a line on standard output may take."""
    return max(WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else WIDTH


def natural_width(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Columns that a table takes when nothing in it is folded."""
    return sum(_widths(heads, rows)) + len(GAP) * (len(heads) - 1)


def wrapped(text: str, indent: str = "") -> str:
    """Running text in lines that fit; all but the first are indented."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    return textwrap.fill(text, max(20, min(columns, 100)), subsequent_indent=indent, break_on_hyphens=False)


def coloured(text: str, colour: str) -> str:
    """The text in an ANSI colour, on a terminal whose owner has nothing against it."""
    return f"\x1b[{colour}m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]


def _folded(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` terminal cells, broken at spaces, or behind a mark within a name."""
    from rich.cells import cell_len, chop_cells

    lines = [""]
    for piece in _PIECES.findall(text):
        longer = lines[-1] + piece
        if cell_len(longer.rstrip()) <= width:
            lines[-1] = longer
            continue
        chopped = chop_cells(piece.strip(), width)
        lines = [*lines, *chopped] if lines[-1].strip() else chopped
    return [line.strip() for line in lines if line.strip()] or [""]


def _pad(text: str, width: int, taken: int, *, right: bool) -> str:
    space = " " * max(0, width - taken)
    return space + text if right else text + space


def _rich(
    heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int], fold: Sequence[int] | None
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, head in enumerate(heads):
        whole = fold is not None and index not in fold
        table.add_column(Text(head), justify="right" if index in right else "left", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*map(Text, row))
    Console(width=room(), highlight=False).print(table)
