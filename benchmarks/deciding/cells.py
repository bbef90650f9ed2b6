"""What is planned: cells, the strategies that run in each, and units of work with their names and keys.

A unit is one strategy in one cell with one seed. What does not look at the source (pixels, random features, training
from scratch) is one unit for all cells of a target and a number of labels. A unit's result is one file that appears
whole or not at all; a file whose key is that of the unit is never measured again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.deciding import sources, targets
from headstart.base import discovery, files

ALL = 0
"""Stands for as many labels as there are: ``MOST`` a class."""
MOST = 60
SHOTS = (5, 20, ALL)
SEEDS, SEEDS_QUICK = 10, 3
AUTO, COVERAGE, CROSSED = "auto", "coverage", "coverage of cross-validation"
BUDGET_SHARE = 0.5
"""Budget of ``auto``, as a share of the processor seconds that all fixed strategies took in its cell and seed."""
NONE = "none"
"""In the place of a source, where none is looked at."""
SOURCELESS: Mapping[str, Mapping[str, Any]] = {
    "pixels": {"baseline": "pixels"},
    "pixels_svm": {"baseline": "pixels_svm"},
    "random features": {"strategy": "probe"},
    "scratch": {"strategy": "scratch"},
}
NETWORKS = ("random features", "scratch")
"""The same network without a source."""
TRANSFERRED: Mapping[str, Mapping[str, Any]] = {
    "probe": {"strategy": "probe"},
    "probe all stages": {"strategy": "probe", "strategy.stages": "all"},
    "bitfit": {"strategy": "bitfit"},
    "partial@4": {"strategy": "partial", "strategy.depth": 4},
    "partial@2": {"strategy": "partial", "strategy.depth": 2},
    "full": {"strategy": "full"},
}
FIXED = {**SOURCELESS, **TRANSFERRED}
"""Every fixed strategy, with what it is asked for."""
RELATED = {"glyphs": "lower case", "digits": "lower case", "shapes": "kinds of shape", "textures": "other textures"}
UNRELATED = {"glyphs": "other textures", "digits": "other textures", "shapes": "lower case", "textures": "lower case"}
RELATIONS = ("related", "patterns", "unrelated", *sources.HARMFUL)
LEARNT = ("digits", "letters", "corrupted letters", "shifted letters", "count", "position", "orientation", "size")
TARGETS = (*LEARNT, "textures")


@dataclass(frozen=True, order=True)
class Cell:
    """A target with so many labels a class, and a source in a relation to it."""

    target: str
    shots: int
    relation: str

    @property
    def source(self) -> str:
        """Which trained network it is."""
        family = targets.TARGETS[self.target].family
        return {"related": RELATED, "unrelated": UNRELATED}.get(self.relation, {}).get(family, self.relation)

    @property
    def per_class(self) -> int:
        """Labelled pictures a class."""
        return self.shots or MOST

    def __str__(self) -> str:
        return f"{self.target}, {self.shots or 'all'} a class, {self.relation}"


QUICK = (
    Cell("letters", 5, "related"),
    Cell("letters", 20, "patterns"),
    Cell("letters", 20, "dead units"),
    Cell("orientation", 5, "related"),
    Cell("textures", 20, "unrelated"),
    Cell("digits", 5, "permuted labels"),
    Cell("count", ALL, "patterns"),
    Cell("count", ALL, "dead units"),
)
_ROTA = [Cell(t, s, RELATIONS[(i + j) % len(RELATIONS)]) for i, t in enumerate(TARGETS) for j, s in enumerate(SHOTS)]
_DEAD = [Cell(target, ALL, "dead units") for target in TARGETS]
CELLS = tuple(dict.fromkeys((*QUICK, *_ROTA, *_DEAD)))
"""The whole suite: every target at every number of labels with sources in turn, and all labels after a broken one."""


@dataclass(frozen=True)
class Unit:
    """One piece of work.

    Attributes:
        kind: a strategy's name, ``AUTO``, or what of the intervals is measured: ``COVERAGE``, ``CROSSED``.
        source: a network of ``sources``, or "none".
        seed: of the labelled pictures, the split and the training.
    """

    kind: str
    target: str
    shots: int
    source: str
    seed: int

    @property
    def per_class(self) -> int:
        """Labelled pictures a class."""
        return self.shots or MOST

    @property
    def name(self) -> str:
        """Of its file, without the ending."""
        words = (self.target, self.shots or "all", self.source, self.kind, self.seed)
        return "_".join(str(word).replace(" ", "-") for word in words)

    @property
    def key(self) -> dict[str, Any]:
        """Everything that decides the result but the code: a strategy's defaults too, which are what it sweeps."""
        asked: dict[str, Any] = {"most": MOST, "size": targets.POPULATION, "version": targets.VERSION}
        asked["source"] = sources.recipe(sources.RANDOM if self.source == NONE else self.source)
        how = {AUTO: {"budget share": BUDGET_SHARE}, **FIXED}.get(self.kind, {})
        asked |= {"how": how, "defaults": _defaults(str(how["strategy"])) if "strategy" in how else {}}
        return json.loads(json.dumps({**asdict(self), **asked}))


def _defaults(strategy: str) -> dict[str, Any]:
    options = discovery.options(discovery.load("tune", strategy).plan)
    return {name: option.default for name, option in options.items()}


def units(cell: Cell, seeds: int) -> Iterable[Unit]:
    """A cell's fixed strategies, seed by seed, then ``auto``, then the coverage of the intervals."""
    for seed in range(seeds):
        for kind in SOURCELESS:
            yield Unit(kind, cell.target, cell.shots, NONE, seed)
        for kind in TRANSFERRED:
            yield Unit(kind, cell.target, cell.shots, cell.source, seed)
    for kind in (AUTO, COVERAGE):
        for seed in range(seeds):
            yield Unit(kind, cell.target, cell.shots, cell.source, seed)
    if crossed(cell):
        yield Unit(CROSSED, cell.target, cell.shots, cell.source, 0)


def crossed(cell: Cell) -> bool:
    """True where a run is cross-validated, and fresh labelled pictures can be drawn as often as one likes."""
    few = cell.per_class * targets.TARGETS[cell.target].classes < 200
    return few and targets.TARGETS[cell.target].render is not None


def planned(chosen: Iterable[Cell], seeds: int) -> list[Unit]:
    """Every unit of some cells once: the fixed strategies of all cells first, seed by seed, ``auto`` at the end."""
    every = dict.fromkeys(unit for cell in chosen for unit in units(cell, seeds))
    return sorted(every, key=lambda unit: (_turn(unit), unit.seed if unit.kind in FIXED else 0))


def _turn(unit: Unit) -> int:
    return 0 if unit.kind in FIXED else 2 if unit.kind == AUTO else 1


class Results:
    """The folder of finished units."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, unit: Unit) -> dict[str, Any] | None:
        """The result of a unit, if it was measured with the same key; what cannot be read was not measured."""
        try:
            found = json.loads((self.folder / f"{unit.name}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.get("key") == unit.key else None

    def put(self, unit: Unit, found: Mapping[str, Any]) -> None:
        """Keep a result."""
        self.folder.mkdir(parents=True, exist_ok=True)
        files.write_json(self.folder / f"{unit.name}.json", {"key": unit.key, **found})
