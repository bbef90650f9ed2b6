"""The data: how the source was understood, what lies in which part, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headstart.ship.report.blocks import Cell, Drawn, Fold, Pairs, Panel, Prose, Table
from headstart.ship.report.facts import Facts

PLACE = 140
PARTS = {"train": "train", "val": "validation", "test": "test"}
FEW = 12
"""Names up to which their items are listed openly."""
SKIPPED = 100


def show(facts: Facts) -> Panel | None:
    """Sizes, counts and skipped items, as the run describes its data."""
    data = facts.data
    if not data:
        return None
    blocks: list[Any] = [Pairs(tuple(_pairs(data)))]
    counts = data.get("counts")
    if isinstance(counts, Mapping) and facts.task is not None and facts.task.words.counted:
        table = _counts(counts, facts)
        one, many = facts.task.words.noun
        title = f"Items of the {len(counts):,} {one if len(counts) == 1 else many}"
        blocks.append(table if len(counts) <= FEW else Fold(title, (table,)))
    skipped = [row for row in data.get("skipped") or () if isinstance(row, Mapping)]
    if skipped:
        rows = [(str(row.get("where", "")), str(row.get("why", ""))) for row in skipped[:SKIPPED]]
        more = f"{len(skipped) - SKIPPED:,} more are in run/data.json." if len(skipped) > SKIPPED else ""
        title = f"{len(skipped):,} left out, and why"
        blocks.append(Fold(title, (Table(("Item", "Why"), rows, title, note=more),)))
    else:
        blocks.append(Prose("Nothing was left out.", tone="quiet"))
    return Panel("Data", PLACE, tuple(blocks), span=6)


def _pairs(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if data.get("understood"):
        yield "Source", str(data["understood"])
    parts = data.get("parts")
    if isinstance(parts, Mapping):
        known = {str(name): size for name, size in parts.items() if isinstance(size, int) and size}
        sizes = [f"{PARTS.get(name, name)} {size:,}" for name, size in known.items()]
        how = "; cross-validated in five folds" if data.get("cross_validated") else ""
        yield "Parts", ", ".join(sizes) + how
    if data.get("targets"):
        yield "Targets", str(data["targets"])
    for note in data.get("notes") or ():
        yield "Note", str(note)


def _counts(counts: Mapping[str, Any], facts: Facts) -> Table:
    sizes = {str(name): int(size) for name, size in counts.items() if isinstance(size, int)}
    most = max([*sizes.values(), 1])
    rows = [
        (name, f"{size:,}", Cell("", drawn=Drawn(0.0, round(size / most, 4), round(size / most, 4), "baseline")))
        for name, size in sizes.items()
    ]
    one = facts.task.words.noun[0].capitalize() if facts.task is not None else "Name"
    return Table((one, "Items", ""), rows, "Items of each name", (1,))
