"""What stays on one side of every split, put together: exact copies, groups that the user named, near duplicates.

Groups are a must: what no split can keep together is an error. Near duplicates are a guess about pictures, and must
never make a fit fail: those that a split cannot keep together are reported and left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.base import discovery, natural
from headstart.data import groups as grouping
from headstart.data import near, splitting
from headstart.data.looking import Looked, Rows
from headstart.data.near import Cluster, Near
from headstart.data.printable import count, listing
from headstart.tasks.task import text

FAR = 1.0
"""Standard deviations of all the numbers that two near duplicates may differ by and still be said to agree."""


@dataclass(frozen=True, slots=True)
class Tied:
    """Items and what they are drawn with.

    Attributes:
        units: n names; equal ones are drawn together.
        mixed: units may hold items of several classes, because there are groups.
        near: the near duplicates.
        notes: what to say about all this.
    """

    units: list[str]
    mixed: bool
    near: Near
    notes: tuple[str, ...]


def tie(looked: Looked, rows: Rows, strata: np.ndarray, targets: np.ndarray, *, near_duplicates: bool = True) -> Tied:
    """Find out what belongs together.

    Args:
        looked: what was seen of the items.
        rows: those of them that are used, n.
        strata: (n,) class indices, or whatever else parts should have equal shares of; (n, L) truths are no classes.
        targets: what the items are said to be, one row an item: whole numbers, truths (n, L), or amounts (n,).
        near_duplicates: False leaves near duplicates alone.

    Raises:
        DataError, TooFewExamples: groups that no split can keep together.
    """
    mixed, notes = bool(looked.table.groups), list[str]()
    strata = strata if strata.ndim == 1 else np.zeros(len(strata), dtype=np.int64)
    names = _names(rows)
    if mixed:
        grouping.check(rows.groups, rows.parts, names, origin=looked.table.origin)
        notes += grouping.notes(rows.groups)
    found = Near()
    if near_duplicates and looked.fingerprints is not None:
        prints = looked.fingerprints[rows.places]
        clusters, crowds = near.find(
            prints, rows.digests, strata.tolist(), threshold=looked.near, compare=_compare(looked.modality)
        )
        kept, loose = _possible(clusters, rows, strata, mixed)
        found = Near(looked.near, tuple(kept), tuple(sorted([*crowds, *loose])), torn=_torn(kept, targets))
        found = replace(found, listed=_listed(found, rows))
        notes += _notes(found, crowds, loose, names)
    return Tied(_units(rows, found.clusters), mixed, found, tuple(notes))


def _compare(modality: str) -> near.Pairs | None:
    """How a modality compares its fingerprints, where it does so in a way of its own."""
    return getattr(discovery.load("data", modality, kind="modality"), "pairs", None)


def _names(rows: Rows) -> list[str]:
    """The class of each item; where labels are no names of classes, all are of one that has no name."""
    return rows.labels if all(isinstance(label, str) for label in rows.labels) else [""] * len(rows.labels)


def across(found: Near, parts: np.ndarray, rows: Rows) -> Near:
    """The same with the clusters that lie in several parts, as only given parts can make them.

    Args:
        found: the near duplicates.
        parts: (n,) parts after the split.
        rows: the items.
    """
    torn = tuple(cluster for cluster in found.clusters if len(set(parts[list(cluster)].tolist())) > 1)
    places = [[f"{rows.wheres[i]} ({parts[i]})" for i in cluster] for cluster in torn]
    return replace(found, across=torn, listed={**found.listed, "across_given_parts": places} if torn else found.listed)


def _units(rows: Rows, clusters: Sequence[Cluster]) -> list[str]:
    tied: list[int | None] = [None] * len(rows.digests)
    for number, cluster in enumerate(clusters):
        for position in cluster:
            tied[position] = number
    if not clusters and all(group is None for group in rows.groups):
        return rows.digests
    return grouping.units(rows.digests, rows.groups, tied)


def _possible(
    clusters: list[Cluster], rows: Rows, strata: np.ndarray, mixed: bool
) -> tuple[list[Cluster], list[Cluster]]:
    """The clusters that a split can keep together, and the others."""
    free = np.array([part in (None, "train") for part in rows.parts])
    kept, loose = clusters, list[Cluster]()
    while kept:
        units = splitting.groups_of(_units(rows, kept))
        short = _short(units[free], strata[free], mixed)
        hit = {cluster for cluster in kept if not short.isdisjoint(strata[list(cluster)].tolist())}
        if not hit and mixed and _lopsided(units[free]):
            hit = set(kept)
        if not hit:
            break
        kept = [cluster for cluster in kept if cluster not in hit]
        loose += hit
    return kept, sorted(loose)


def _short(units: np.ndarray, strata: np.ndarray, mixed: bool) -> set[int]:
    """Classes with fewer units than a split needs."""
    held = np.unique(np.stack([units, strata]), axis=1)[1] if mixed else splitting.owners(units, strata)
    number = Counter(held.tolist())
    return {label for label in np.unique(strata).tolist() if number[label] < grouping.LEAST}


def _lopsided(units: np.ndarray) -> bool:
    sizes = np.unique(units, return_counts=True)[1]
    return len(sizes) < splitting.FOLDS or bool(sizes.max() > grouping.MOST_IN_ONE * len(units))


def _torn(clusters: Sequence[Cluster], targets: np.ndarray) -> tuple[Cluster, ...]:
    """The clusters whose items are said to be different things; amounts of one thing vary a little."""
    amounts = targets.ndim == 1 and targets.dtype.kind == "f"
    most = FAR * float(np.std(targets)) if amounts else 0.0
    return tuple(cluster for cluster in clusters if np.ptp(targets[list(cluster)], axis=0).max() > most)


def _listed(found: Near, rows: Rows) -> dict[str, object]:
    def named(clusters: Sequence[Cluster]) -> list[list[str]]:
        return [[rows.wheres[i] for i in cluster] for cluster in clusters]

    torn = [[f"{rows.wheres[i]} ({text(rows.labels[i]) or 'none'})" for i in cluster] for cluster in found.torn]
    return {
        "threshold": found.threshold,
        "on_one_side": named(found.clusters),
        "alike_but_not_tied": named(found.untied),
        "different_labels": torn,
    }


def _notes(found: Near, crowds: Sequence[Cluster], loose: Sequence[Cluster], classes: Sequence[str]) -> list[str]:
    notes = []
    if found.clusters:
        number = sum(len(cluster) for cluster in found.clusters)
        notes.append(
            f"{number:,} near duplicates in {count(len(found.clusters), 'cluster')} stay on one side of every split "
            f"(distance up to {found.threshold:g}; --no-near-duplicates leaves them alone)"
        )
    if crowds:
        items = [i for cluster in crowds for i in cluster]
        names = listing(list(natural.ordered({classes[i] for i in items} - {""})), 3)
        notes.append(
            f"{count(len(items), 'item')}{f' of {names}' if names else ''} look so much alike that they are a crowd, "
            "not duplicates; they may go anywhere (--group keeps together what belongs together)"
        )
    if loose:
        number = sum(len(cluster) for cluster in loose)
        notes.append(f"{number:,} near duplicates may go anywhere, for their classes have too few others to split")
    return notes
