"""Entities in sequences of tags: which are there, which were said, and the best sequence that says something possible.

An entity is right if its kind, its first and its last word are (conlleval, of the CoNLL-2000 and CoNLL-2003 shared
tasks); F1 is 2 x right / (there + said). Tags are IOB2; as conlleval does, an I- that continues nothing begins an
entity where tags are read. Where they are decided on, it is impossible: the most probable sequence without such tags is
taken (Viterbi, Error bounds for convolutional codes and an asymptotically optimum decoding algorithm, 1967).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headstart.measure.arrays import Floats, Ints

SMALLEST = 1e-12
"""Probabilities below this count as this."""
_IMPOSSIBLE = -1e9


@dataclass(frozen=True)
class Tags:
    """What the columns of predictions mean.

    Attributes:
        names: of the tags, C.
    """

    names: tuple[str, ...]

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Of entities, in the order of the tags."""
        return tuple(dict.fromkeys(name[2:] for name in self.names if name[:2] in ("B-", "I-")))

    @cached_property
    def kind(self) -> Ints:
        """(C,) number of each tag's kind, -1 outside of entities."""
        order = {kind: number for number, kind in enumerate(self.kinds)}
        return np.array([order.get(name[2:], -1) if name[:2] in ("B-", "I-") else -1 for name in self.names])

    @cached_property
    def begins(self) -> np.ndarray:
        """(C,) True for a tag that always begins an entity."""
        return np.array([name.startswith("B-") for name in self.names])

    @cached_property
    def follows(self) -> np.ndarray:
        """(C, C) True where the tag of the column may follow that of the row."""
        loose = (self.kind >= 0) & ~self.begins
        return ~loose[None, :] | ((self.kind[:, None] == self.kind[None, :]) & (self.kind[None, :] >= 0))

    @cached_property
    def opens(self) -> np.ndarray:
        """(C,) True for a tag that a sequence may begin with."""
        return (self.kind < 0) | self.begins


@dataclass(frozen=True, slots=True)
class Order:
    """Rows of several sequences, put in order.

    Attributes:
        rows: (n,) the rows, sequence by sequence, each by place.
        first: (n,) True where a sequence begins, or goes on behind a gap.
    """

    rows: Ints
    first: np.ndarray

    @classmethod
    def of(cls, sequence: Ints, place: Ints) -> Order:
        """Of rows that lie at these places (n,) of these sequences (n,)."""
        rows = np.lexsort((place, sequence))
        inside = (np.diff(sequence[rows]) == 0) & (np.diff(place[rows]) == 1)
        return cls(rows, np.concatenate([[True], ~inside]) if len(rows) else np.zeros(0, dtype=bool))


@dataclass(frozen=True, slots=True)
class Entities:
    """Entities of ordered rows.

    Attributes:
        start, end: (m,) the first row of each in the order, and the one behind its last.
        kind: (m,) numbers of their kinds.
    """

    start: Ints
    end: Ints
    kind: Ints


def entities(said: Ints, order: Order, tags: Tags) -> Entities:
    """The entities that tags (n,), in the order of the rows, say."""
    ordered = np.asarray(said)[order.rows]
    kind = tags.kind[ordered] if len(ordered) else np.zeros(0, dtype=np.int64)
    before = np.concatenate([[-1], kind[:-1]]) if len(kind) else kind
    changes = order.first | (kind != before) | (tags.begins[ordered] if len(ordered) else np.zeros(0, dtype=bool))
    edges = np.flatnonzero(changes)
    ends = np.append(edges[1:], len(ordered))
    inside = kind[edges] >= 0
    return Entities(edges[inside], ends[inside], kind[edges][inside])


def right(there: Entities, said: Entities) -> np.ndarray:
    """(m,) True for each entity that was said and is there with the same words and kind."""
    known = set(zip(there.start.tolist(), there.end.tolist(), there.kind.tolist(), strict=True))
    each = zip(said.start.tolist(), said.end.tolist(), said.kind.tolist(), strict=True)
    return np.array([one in known for one in each], dtype=bool)


def counts(predictions: Floats, targets: Ints, order: Order, tags: Tags) -> tuple[Ints, Ints, Ints]:
    """What each row adds to the entities that are right, there and said: three times (n, K kinds), where they begin."""
    found = decoded(predictions, order, tags)
    there, said = entities(targets, order, tags), entities(found, order, tags)
    hit = right(there, said)
    shape = (len(order.rows), len(tags.kinds))
    result = tuple(np.zeros(shape, dtype=np.int64) for _ in range(3))
    result[0][order.rows[said.start[hit]], said.kind[hit]] = 1
    result[1][order.rows[there.start], there.kind] = 1
    result[2][order.rows[said.start], said.kind] = 1
    return result[0], result[1], result[2]


def decoded(predictions: Floats, order: Order, tags: Tags) -> Ints:
    """The most probable possible tags (n,), of probabilities (n, C).

    Sequences whose own most probable tags are possible keep them; they are the most probable sequence too.
    """
    given = np.asarray(predictions, dtype=np.float64)
    said = given.argmax(axis=1).astype(np.int64)
    if not len(said) or not len(tags.kinds):
        return said
    ordered = said[order.rows]
    fine = np.where(order.first, tags.opens[ordered], tags.follows[np.roll(ordered, 1), ordered])
    number = np.cumsum(order.first) - 1
    wrong = np.unique(number[~fine])
    if not len(wrong):
        return said
    starts = np.flatnonzero(order.first)
    lengths = np.diff(np.append(starts, len(ordered)))
    # Of about one length together, for a batch takes as many steps as its longest has.
    for some in np.array_split(wrong[np.argsort(lengths[wrong], kind="stable")], max(1, len(wrong) // 256)):
        rows = [order.rows[starts[one] : starts[one] + lengths[one]] for one in some]
        for places, best in zip(rows, _viterbi([given[places] for places in rows], tags), strict=True):
            said[places] = best
    return said


def _viterbi(sequences: Sequence[Floats], tags: Tags) -> list[Ints]:
    """The best possible tags of each sequence of probabilities (l, C)."""
    longest, width = max(map(len, sequences)), len(tags.names)
    scores = np.zeros((len(sequences), longest, width))
    for row, one in zip(scores, sequences, strict=True):
        row[: len(one)] = np.log(np.maximum(one, SMALLEST))
    moves = np.where(tags.follows, 0.0, _IMPOSSIBLE)
    best = scores[:, 0] + np.where(tags.opens, 0.0, _IMPOSSIBLE)
    back = np.zeros((len(sequences), longest, width), dtype=np.int64)
    lengths = np.array([len(one) for one in sequences])
    for step in range(1, longest):
        ways = best[:, :, None] + moves
        back[:, step] = ways.argmax(axis=1)
        going = step < lengths
        best[going] = ways.max(axis=1)[going] + scores[going, step]
    found = []
    for number, length in enumerate(lengths.tolist()):
        path = [int(best[number].argmax())]
        for step in range(length - 1, 0, -1):
            path.append(int(back[number, step, path[-1]]))
        found.append(np.array(path[::-1], dtype=np.int64))
    return found
