"""Small pieces of HTML for objects that show themselves in a notebook.

Styles are inline and colours are the notebook's own, more or less transparent, so the pieces are readable on light and
on dark pages and need nothing beside them. There are no scripts, and every text is escaped.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_LINE = "1px solid rgba(128,128,128,0.35)"
_FAINT = "opacity:0.7"
_COLOURS = {"serious": "#d1495b", "warning": "#c77d0a", "info": "#3d85c6"}
"""Of severities; each has a contrast of at least 3 : 1 to white and to near black."""
_ACCENT = "#3d85c6"


class Piece(str):
    """HTML that is finished: it is not escaped again."""

    __slots__ = ()


def text(value: Any) -> Piece:
    """A value as escaped text; a piece stays as it is."""
    return value if isinstance(value, Piece) else Piece(html.escape(str(value)))


def panel(title: Any, *parts: Piece) -> Piece:
    """A titled group of pieces; empty ones are left out."""
    inside = "".join(part for part in parts if part)
    head = f'<div style="font-weight:600;margin-bottom:4px">{text(title)}</div>'
    return Piece(
        f'<div style="font-family:sans-serif;font-size:13px;line-height:1.5;margin:4px 0">{head}{inside}</div>'
    )


def line(value: Any, *, faint: bool = False) -> Piece:
    """A line of text; "" for nothing."""
    return (
        Piece(f'<div style="margin:2px 0{";" + _FAINT if faint else ""}">{text(value)}</div>') if value else Piece("")
    )


def table(heads: Sequence[Any], rows: Iterable[Sequence[Any]], *, bold: int | None = None) -> Piece:
    """A table whose first column names the rows; "" without rows.

    Args:
        heads: titles of the columns; none are shown if all are empty.
        rows: their cells, texts or pieces.
        bold: number of the row that stands out.
    """
    cell = f"padding:2px 14px 2px 0;border-bottom:{_LINE};text-align:left;vertical-align:middle;white-space:normal"
    top = "".join(f'<th style="{cell};font-weight:600">{text(head)}</th>' for head in heads)
    body = []
    for number, row in enumerate(rows):
        weight = ";font-weight:600" if number == bold else ""
        cells = "".join(f'<td style="{cell}{weight}">{text(each)}</td>' for each in row)
        body.append(f'<tr style="background:transparent">{cells}</tr>')
    if not body:
        return Piece("")
    style = "border-collapse:collapse;border:none;margin:6px 0;font-size:13px"
    head = f"<thead><tr>{top}</tr></thead>" if any(heads) else ""
    return Piece(f'<table style="{style}">{head}<tbody>{"".join(body)}</tbody></table>')


def picture(png: bytes, what: str) -> Piece:
    """A small picture within the page; ``what`` stands for it where it cannot be seen."""
    data = base64.b64encode(png).decode("ascii")
    style = f"max-width:96px;max-height:96px;min-width:48px;image-rendering:auto;border:{_LINE};margin:0"
    return Piece(f'<img src="data:image/png;base64,{data}" alt="{html.escape(what)}" style="{style}">')


def words(said: str) -> Piece:
    """The words of an item, whichever way they are written."""
    style = f"max-width:420px;overflow-wrap:anywhere;border-left:{_LINE};padding-left:8px;font-size:13px"
    return Piece(f'<div dir="auto" style="{style}">{html.escape(said)}</div>')


def bar(share: float) -> Piece:
    """A share of 1 as a bar, beside its number in percent."""
    width = 100 * min(1.0, max(0.0, share))
    track = "display:inline-block;width:90px;height:8px;background:rgba(128,128,128,0.25);margin-right:8px"
    inside = f'<span style="display:block;width:{width:.1f}%;height:8px;background:{_ACCENT}"></span>'
    return Piece(f'<span style="{track}">{inside}</span>{100 * share:.1f} %')


def beside(*parts: Piece) -> Piece:
    """Pieces side by side, below each other where there is no room."""
    shown = "".join(f"<div>{part}</div>" for part in parts if part)
    return Piece(f'<div style="display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start">{shown}</div>')


def finding(severity: str, name: str, sentence: str, next_move: str) -> Piece:
    """A finding: its severity in colour and in words, what was found, what to do."""
    edge = _COLOURS.get(severity, _ACCENT)
    head = f'<span style="color:{edge};font-weight:600">{text(severity)}</span> {text(name.replace("_", " "))}'
    style = f"border-left:3px solid {edge};padding-left:8px;margin:6px 0"
    return Piece(f'<div style="{style}">{line(Piece(head))}{line(sentence)}{line(next_move, faint=True)}</div>')


def evidence(rows: Sequence[Mapping[str, Any]], *, best: str = "") -> Piece:
    """The evidence table of a run directory, in the scores' own units; ``best`` stands out."""
    names = list(dict.fromkeys(name for row in rows for name in row["scores"]))
    heads = ["Candidate", "Kind", *(name.replace("_", " ") for name in names), "Seconds"]
    shown = []
    for row in rows:
        scores = [_score(row["scores"].get(name)) for name in names]
        what = row["kind"] if row["status"] == "measured" else f"{row['kind']} ({row['status']})"
        shown.append([row["name"], what, *scores, f"{row['seconds']:,.1f}"])
    position = next((number for number, row in enumerate(rows) if row["name"] == best), None)
    return table(heads, shown, bold=position)


def _score(score: Mapping[str, float] | None) -> str:
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]" if score else "-"
