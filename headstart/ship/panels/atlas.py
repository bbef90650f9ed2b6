"""The map of features: where the network puts the items before and after it learnt them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headstart.ship.report.blocks import Dot, Map, Panel
from headstart.ship.report.facts import Facts, Held

PLACE = 100
BANDS = 5
"""Bands that numbers are coloured by."""
MOST_GROUPS = 24
"""Names that have a look of their own; the rarer ones share one."""


def show(facts: Facts) -> Panel | None:
    """Two maps of the same items, coloured by label."""
    kept = facts.exhibits.get("map")
    if not isinstance(kept, Mapping) or facts.task is None:
        return None
    part = facts.held.get(str(kept.get("part")))
    views = [name for name in ("before", "after") if _places(kept.get(name))]
    rows = kept.get("rows")
    if part is None or not views or not isinstance(rows, list):
        return None
    sizes = {len(rows), *(len(kept[name]) for name in views)}
    if len(sizes) > 1 or not all(isinstance(row, int) and 0 <= row < len(part) for row in rows):
        return None
    groups, group = _groups(facts, part, rows)
    dots = [_dot(facts, part, row, [kept[name][at] for name in views], group[at]) for at, row in enumerate(rows)]
    titles = [f"{name.capitalize()}: {kept[f'{name}_is']}" if kept.get(f"{name}_is") else name for name in views]
    method = f" by {kept['method']}" if kept.get("method") else ""
    lead = f"{len(rows):,} of the {part.words}, projected to two dimensions{method}. What lies together looks alike to "
    lead += "the network; distances between far groups mean little."
    alt = f"Map of {len(rows):,} items in {len(groups)} groups, {' and '.join(views)} training."
    return Panel(
        "Map of features", PLACE, (Map(f"The {part.words} as the network sees them", alt, titles, dots, groups),), lead
    )


def _places(found: Any) -> bool:
    """True for a list of finite pairs."""
    try:
        places = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return places.ndim == 2 and places.shape[1] == 2 and bool(np.isfinite(places).all())


def _groups(facts: Facts, part: Held, rows: Sequence[int]) -> tuple[list[str], list[int]]:
    """What the dots are coloured by, and each dot's."""
    targets = np.asarray(part.targets)[rows]
    if facts.task is not None and facts.task.estimates:
        edges = np.unique(np.quantile(targets, np.linspace(0, 1, BANDS + 1)))
        band = np.clip(np.searchsorted(edges, targets, side="right") - 1, 0, max(0, len(edges) - 2))
        return [f"{low:.3g} to {high:.3g}" for low, high in itertools.pairwise(edges)], band.tolist()
    words = [facts.task.meant(target) if facts.task is not None else "" for target in targets]
    counted = {name: words.count(name) for name in dict.fromkeys(words)}
    chosen = sorted(counted, key=lambda name: -counted[name])[:MOST_GROUPS]
    order = [name for name in (facts.task.names if facts.task is not None else ()) if name in chosen]
    order += [name for name in chosen if name not in order]
    if len(counted) > len(order):
        order.append("others")
    return order, [order.index(word) if word in order else len(order) - 1 for word in words]


def _dot(facts: Facts, part: Held, row: int, at: Sequence[Any], group: int) -> Dot:
    item = facts.item(part, row)
    lines = (f"{item.truth}, predicted {item.said}", item.where)
    places = [(float(x), float(y)) for x, y in at]
    return Dot(places, group, lines, item.picture, f"{item.where}: {item.truth}, predicted {item.said}")
