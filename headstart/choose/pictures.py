"""Small pictures of the items that are worth showing, or their words, made by their modality and kept beside the run.

Suspected labels, confident mistakes and a few of every kind of answer come first; the rest of the room goes to items
spread over what was tested, so that a map of them can show what a point is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from headstart.base import discovery, files
from headstart.base.errors import Undecodable
from headstart.base.excerpt import Shown
from headstart.base.run import SHOWN
from headstart.choose.parts import HELD_OUT, Part
from headstart.data.dataset import Dataset
from headstart.tasks.task import Task

MOST = 400
"""Different items that are shown."""
MISTAKES = 60
"""Most confident mistakes of a part."""
OF_A_KIND = 4
"""Items of every kind of answer, such as a cell of the confusion counts."""
_GOLDEN = 0.6180339887498949
KINDS = 160
"""Items of all kinds of answers together."""


def worth(parts: Mapping[str, Part], first: Iterable[int], points: Sequence[int], task: Task) -> list[int]:
    """Positions in the data set worth showing, the worthiest first; each occurs once.

    Args:
        parts: what there is.
        first: positions that must be among them, such as those whose label is in doubt.
        points: rows of the tested part that lie on the map.
        task: which answers are wrong, and how.
    """
    chosen = list(first)
    for part in (parts[name] for name in HELD_OUT):
        chosen += part.rows[mistakes(part, task)[:MISTAKES]].tolist()
        chosen += part.rows[of_every_kind(part, task)].tolist()
    chosen += parts["tested"].rows[np.asarray(points, dtype=np.int64)[_spread(len(points))]].tolist()
    return list(dict.fromkeys(int(position) for position in chosen))[:MOST]


def mistakes(part: Part, task: Task) -> np.ndarray:
    """Rows of a part whose answer is wrong, the furthest from the truth first."""
    wrong = task.mistaken(part.predictions, part.targets)
    order = np.argsort(-wrong, kind="stable")
    return order[wrong[order] > 0]


def of_every_kind(part: Part, task: Task) -> np.ndarray:
    """A few rows of every kind of answer, one of each kind before the second of any."""
    kinds = task.kinds(part.predictions, part.targets)
    order = np.argsort(kinds, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(kinds[order]) != 0]) if len(order) else order
    turn = np.empty(len(order), dtype=np.int64)
    turn[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    few = np.flatnonzero(turn < OF_A_KIND)
    return few[np.argsort(turn[few], kind="stable")][:KINDS]


def _spread(n: int) -> np.ndarray:
    """The numbers below n in an order in which every beginning is spread over all of them."""
    return np.argsort(np.arange(n) * _GOLDEN % 1, kind="stable")


def draw(data: Dataset, positions: Sequence[int], to: Path) -> dict[int, str]:
    """Keep what stands for some items: position -> file name within the run; one that cannot be read has none.

    Raises:
        DiskFull, HeadstartError: when they cannot be written.
    """
    room = discovery.load("data", data.modality)
    (to / SHOWN).mkdir(parents=True, exist_ok=True)
    found: dict[int, str] = {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="show") as pool:
        small = pool.map(lambda position: _small(room, data.items[position]), positions)
        for position, picture in zip(positions, small, strict=True):
            if picture is not None:
                found[position] = write(to, data.digests[position][:20], picture)
    return found


def _small(room: ModuleType, item: Any) -> Shown | None:
    try:
        shown: Shown = room.render(item)
    except Undecodable:
        return None  # gone since the fit began, which is no reason to show nothing at all
    return shown


def write(to: Path, name: str, shown: Shown) -> str:
    """Keep a picture, or words, in a run directory; the name of the file within it."""
    picture = isinstance(shown, bytes)
    content = shown if isinstance(shown, bytes) else json.dumps(shown.as_dict(), ensure_ascii=True).encode("ascii")
    file = f"{SHOWN}/{name}{'.png' if picture else '.json'}"
    with files.whole(to / file, len(content)) as temporary:
        temporary.write_bytes(content)
    return file


def by_row(parts: Mapping[str, Part], pictures: Mapping[int, str]) -> dict[str, dict[str, str]]:
    """The pictures of each part, by row."""
    return {
        name: {str(row): pictures[int(i)] for row, i in enumerate(part.rows) if int(i) in pictures}
        for name, part in parts.items()
    }
