"""Texts for trackers, in Markdown: whatever a name holds stays text on a page that draws it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

_MARKS = re.compile(r"([\\`*_\[\]|#!~])")


def plain(text: str) -> str:
    """Text that Markdown and HTML take for text."""
    return _MARKS.sub(r"\\\1", html.escape(" ".join(str(text).split()), quote=False))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of text."""
    lines = [heads, ["---"] * len(heads), *rows]
    shown = [[cell if number == 1 else plain(cell) for cell in line] for number, line in enumerate(lines)]
    return "\n".join(f"| {' | '.join(line)} |" for line in shown)


def evidence(rows: Sequence[Mapping[str, Any]]) -> str:
    """The evidence table: every candidate with its scores and their 95 % intervals."""
    names = list(dict.fromkeys(name for row in rows for name in row["scores"]))
    lines = [
        [row["name"], row["kind"], row["status"], *(_score(row["scores"].get(name)) for name in names)] for row in rows
    ]
    return table(["Candidate", "Kind", "Status", *(name.replace("_", " ") for name in names)], lines)


def findings(found: Sequence[Mapping[str, Any]]) -> str:
    """Findings as a list, in the order in which they are."""
    lines = [f"- **{plain(one['severity'])}**: {plain(one['sentence'])}. {plain(one['next_move'])}" for one in found]
    return "\n".join(lines)


def _score(interval: Mapping[str, float] | None) -> str:
    if not interval:
        return "-"
    return f"{interval['value']:.4g} ({interval['low']:.4g} to {interval['high']:.4g})"
