"""Which legal cuts become the numbered stages, and what the stages are called.

A network that works at falling resolution gets one stage a resolution level, its stem apart (ResNet-50: stem, layer1 to
layer4); one that keeps its resolution gets one stage a block (ViT), neighbours joined where there are more than fit.
Names are the library's own module paths.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import fx

from headstart.backbones.cut import Unit

MOST = 16
"""Most numbered stages a backbone may have."""
FALL = 1.5
"""A resolution level ends where the side shrinks by this factor; unpadded convolutions shrink it by less."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A numbered stage: its printable name and the graph node whose value leaves it."""

    name: str
    end: fx.Node


@dataclass(frozen=True, slots=True)
class _Piece:
    """A unit with weights and the weightless ones behind it.

    Attributes:
        units: the unit with weights first (the leading weightless ones before it, at the very start).
        side: resolution at which the unit with weights works, before any pooling behind it; 1 without space.
    """

    units: tuple[Unit, ...]
    side: float

    @property
    def main(self) -> Unit:
        return max(self.units, key=lambda unit: unit.weights)


def number(units: Sequence[Unit]) -> list[Stage]:
    """Group the pieces between legal cuts into at most ``MOST`` named stages, input first."""
    pieces = _pieces(units)
    groups = _levels(pieces) if _falls(pieces) >= 2 else _blocks(pieces)
    groups = _join(groups)
    return [Stage(name, group[-1].units[-1].end) for name, group in zip(_names(groups), groups, strict=True)]


def side(shape: Sequence[int]) -> float:
    """Resolution of an activation: the side of a map (n, c, h, w) or (n, h, w, c), or of the square of n tokens."""
    if len(shape) == 4:
        sides = sorted(shape[1:])
        return float(shape[2] if shape[2] == shape[3] else shape[1] if shape[1] == shape[2] else sides[0])
    return math.sqrt(shape[1]) if len(shape) == 3 else 1.0


def _pieces(units: Sequence[Unit]) -> list[_Piece]:
    first = next((i for i, unit in enumerate(units) if unit.weights), len(units) - 1)
    starts = [first, *(i for i in range(first + 1, len(units)) if units[i].weights)]
    pieces = []
    for start, end in itertools.pairwise([*starts, len(units)]):
        members = tuple(units[0 if start == first else start : end])
        pieces.append(_Piece(members, side(units[start].shape)))
    return pieces


def _stem(pieces: Sequence[_Piece]) -> int:
    """How many leading pieces make the stem: the plain layers before the first block, or else one embedding block."""
    plain = list(itertools.takewhile(lambda piece: not piece.main.block, pieces))
    if _falls(plain) >= 2:
        # Plain layers all the way down (VGG): only its first level is a stem.
        plain = [piece for piece in plain if piece.side * FALL > plain[0].side]
    return max(len(plain), 1)


def _falls(pieces: Sequence[_Piece]) -> int:
    sides = [piece.side for piece in pieces if piece.side > 1]
    return sum(after * FALL <= before for before, after in itertools.pairwise(sides))


def _levels(pieces: list[_Piece]) -> list[list[_Piece]]:
    stem = _stem(pieces)
    groups = [pieces[:stem]]
    for piece in pieces[stem:]:
        before = groups[-1][0].side if len(groups) > 1 else None
        if before is None or piece.side * FALL <= before:
            groups.append([piece])
        else:
            groups[-1].append(piece)
    return groups


def _blocks(pieces: list[_Piece]) -> list[list[_Piece]]:
    stem = _stem(pieces)
    groups = [pieces[:stem]]
    for piece in pieces[stem:]:
        if piece.main.block or len(groups) == 1:
            groups.append([piece])
        else:
            groups[-1].append(piece)
    return groups


def _join(groups: list[list[_Piece]]) -> list[list[_Piece]]:
    """At most ``MOST`` groups: the stem, then equally many neighbours each."""
    if len(groups) <= MOST:
        return groups
    each = math.ceil((len(groups) - 1) / (MOST - 1))
    rest = groups[1:]
    joined = [rest[start : start + each] for start in range(0, len(rest), each)]
    return [groups[0], *([piece for group in some for piece in group] for some in joined)]


def _names(groups: Sequence[Sequence[_Piece]]) -> list[str]:
    paths = [_paths(group) for group in groups]
    names: list[str] = []
    for index, own in enumerate(paths):
        others = [path for i, some in enumerate(paths) if i != index for path in some]
        plain = index == 0 and len(groups) > 1 and not groups[0][0].main.block and groups[1][0].main.block
        names.append("stem" if plain else _name(own, others))
    return list(_distinct(names))


def _paths(group: Sequence[_Piece]) -> list[str]:
    """The module paths that name a group: its blocks if it has any, of the container with most weights."""
    members = [piece.main for piece in group if piece.main.block] or [piece.main for piece in group]
    tops = [unit.path.split(".")[0] for unit in members]
    top = max(tops, key=lambda name: sum(unit.weights for unit in members if unit.path.split(".")[0] == name))
    return [unit.path for unit in members if unit.path.split(".")[0] == top]


def _name(own: Sequence[str], others: Sequence[str]) -> str:
    parts = [path.split(".") for path in own]
    common = [level[0] for level in itertools.takewhile(lambda level: len(set(level)) == 1, zip(*parts, strict=False))]
    prefix = ".".join(common)
    if _alone(prefix, others):
        while _alone(prefix.rpartition(".")[0], others):
            prefix = prefix.rpartition(".")[0]
        return prefix
    nexts = [part[len(common)] for part in parts if len(part) > len(common)]
    if not nexts:
        return prefix or "all"
    low, high = nexts[0], nexts[-1]
    if low != high and low.isdigit() and high.isdigit():
        return ".".join([*common, f"{low}-{high}"])
    return ".".join([*common, high if low == high else low])


def _alone(prefix: str, others: Sequence[str]) -> bool:
    """Does the module belong to one stage only?"""
    return bool(prefix) and not any(other == prefix or other.startswith(prefix + ".") for other in others)


def _distinct(names: Sequence[str]) -> Iterator[str]:
    for index, name in enumerate(names):
        yield name if names.index(name) == index else f"{name}+{index}"
