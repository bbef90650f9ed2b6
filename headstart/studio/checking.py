"""The check before a fit: what ``headstart inspect`` found, trimmed for a page, and a few of the items to look at."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.base import discovery, natural
from headstart.base.errors import BadOption, HeadstartError
from headstart.data.opening import open_source
from headstart.data.printable import printable
from headstart.studio import jobs
from headstart.studio.jobs import Job

COLUMNS = ("label", "path", "text", "group")
"""What of a table can be named, and goes to ``inspect`` and ``fit`` alike."""
NAMES = 12
"""Items that a finding names on the page."""
CLASSES = 24
"""Labels of which items are shown."""
EACH = 4
"""Items shown of each."""


@dataclass(frozen=True)
class Shown:
    """An item on the page.

    Attributes:
        item: what the modality renders.
        label: as the source has it.
    """

    item: Any
    label: str


def begin(source: Path, *, task: str, columns: Mapping[str, str], seed: int) -> Job:
    """Start looking at a source.

    Args:
        source: what was chosen.
        task: plug-in of the tasks room, or "auto".
        columns: of a table, those that were named.
        seed: of the split.
    """
    words = ["inspect", str(source), f"--task={task}", f"--seed={seed}", *column_words(columns)]
    title = printable(source.name or str(source))
    return jobs.create("check", words, title=title, source=str(source), task=task, columns=dict(columns), seed=seed)


def column_words(columns: Mapping[str, str]) -> list[str]:
    """The options that name columns."""
    return [f"--{name}={columns[name]}" for name in COLUMNS if columns.get(name)]


def found(job: Job) -> dict[str, Any]:
    """What the check found, with lists that end."""
    told = job.printed()
    findings = told.get("findings")
    counts = told.get("classes")
    return {
        **{name: told.get(name) for name in ("understood", "modality", "items", "parts", "cross_validated", "notes")},
        "task": told.get("task"),
        "classes": [[str(name), size] for name, size in counts.items()] if isinstance(counts, Mapping) else [],
        "findings": [_finding(each) for each in findings] if isinstance(findings, list) else [],
    }


def _finding(told: Mapping[str, Any]) -> dict[str, Any]:
    names = _names(told.get("evidence") or {})
    kept = {name: told.get(name) for name in ("name", "severity", "sentence", "next_move")}
    return {**kept, "names": names[:NAMES], "more": max(0, len(names) - NAMES)}


def _names(evidence: Mapping[str, Any]) -> list[str]:
    """The items that a finding lists: names, or sets of names that belong together."""
    first = next((value for value in evidence.values() if isinstance(value, list)), [])
    plain = [each.get("where", "") if isinstance(each, Mapping) else each for each in first]
    return [" = ".join(map(str, each)) if isinstance(each, list) else str(each) for each in plain]


def columns(source: Path) -> list[str]:
    """The names of a table's columns; none for what is no table, or cannot be read."""
    for plugin in discovery.plugins("data.sources").values():
        module = plugin.load()
        if hasattr(module, "columns") and module.claims(str(source)):
            try:
                return list(module.columns(str(source)))
            except HeadstartError:
                return []
    return []


def samples(job: Job) -> list[Shown]:
    """A few items of each label, in natural order of the labels.

    Raises:
        HeadstartError: when the source cannot be opened any more.
    """
    given = job.about.get("columns") or {}
    return _samples(str(job.about["source"]), tuple(given.get(name) for name in ("label", "path", "text")), job.name)


@functools.lru_cache(maxsize=8)
def _samples(source: str, columns: tuple[str | None, ...], job: str) -> list[Shown]:
    label, path, text = columns
    table = open_source(source, label=label, path=path, text=text)
    by_label: dict[str, list[Any]] = {}
    for item, told in zip(table.items, table.labels, strict=True):
        if item is not None and told is not None:
            name = ", ".join(map(str, told)) if isinstance(told, tuple | list) else str(told)
            by_label.setdefault(name, []).append(item)
    chosen = _spread(natural.ordered(by_label), CLASSES)
    return [Shown(item, printable(name)) for name in chosen for item in _spread(by_label[name], EACH)]


def _spread(items: Sequence[Any], most: int) -> Sequence[Any]:
    """At most so many, evenly spaced: neighbours in a folder are often shots of the same thing."""
    return items if len(items) <= most else [items[place * len(items) // most] for place in range(most)]


def words(job: Job, size: int) -> list[dict[str, Any] | None]:
    """The words of every sample, where its modality shows words; None for pictures, which are asked for singly."""
    room = _room(job)
    found: list[dict[str, Any] | None] = []
    for sample in samples(job):
        try:
            shown = room.render(sample.item, size)
        except HeadstartError:
            found.append(None)
            continue
        if isinstance(shown, bytes):
            # What one is all are, and many would have to be read to no purpose.
            return [None] * len(samples(job))
        found.append(shown.as_dict())
    return found


def picture(job: Job, index: int, size: int) -> bytes:
    """One of the samples as a small PNG.

    Raises:
        HeadstartError: when it cannot be read, or is no picture.
        IndexError: no such sample.
    """
    shown = _room(job).render(samples(job)[index].item, size)
    if not isinstance(shown, bytes):
        raise BadOption("This sample is no picture")
    return shown


def _room(job: Job) -> Any:
    return discovery.load("data", str(job.printed().get("modality") or "images"), kind="modality")
