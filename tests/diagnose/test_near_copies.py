"""Findings about near duplicates, on pictures that have them and on the same ones without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from headstart.base.vocabulary import Finding, Table
from headstart.data import looking
from headstart.data.dataset import build
from headstart.diagnose import conflicting_near_copies, leaking_near_copies
from headstart.diagnose.evidence import Inspection, inspection
from tests.data.test_near import scene


def evidence(twin: bool, labels: Sequence[str]) -> Inspection:
    """Thirty scenes in given parts; with a twin, the last (test) is the first (train) made smaller."""
    pictures = [np.asarray(scene(i, 64)) for i in range(30)]
    if twin:
        pictures[29] = np.asarray(scene(0, 64).resize((50, 50)))
    parts = ["train"] * 20 + ["val"] * 5 + ["test"] * 5
    looked = looking.look(Table(tuple(pictures), tuple(labels), tuple(parts), "here", "so"))
    return inspection(looked, data=build(looked))


LABELS = ["a" if i % 2 else "b" for i in range(30)]


def test_leaks_across_a_given_split_are_serious_and_named() -> None:
    found = leaking_near_copies.examine(evidence(True, LABELS))
    assert isinstance(found, Finding)
    assert (found.severity, found.number) == ("serious", 1)
    assert "1 cluster of near duplicates lies on both sides" in found.sentence
    assert "item 1 (train) and item 30 (test)" in found.sentence


def test_two_labels_for_near_duplicates_are_suspicious() -> None:
    found = conflicting_near_copies.examine(evidence(True, LABELS))
    assert isinstance(found, Finding)
    assert "item 1 (b) and item 30 (a)" in found.sentence
    same = [*LABELS[:28], "a", "b"]
    assert conflicting_near_copies.examine(evidence(True, same)) is None


@pytest.mark.parametrize("diagnosis", [leaking_near_copies, conflicting_near_copies])
def test_nothing_is_found_where_nothing_is(diagnosis: object) -> None:
    assert diagnosis.examine(evidence(False, LABELS)) is None  # type: ignore[attr-defined]
