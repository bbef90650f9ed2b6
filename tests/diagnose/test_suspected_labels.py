"""Suspected labels as a finding of a run."""

import json

import pytest

from headstart.base.run import Run
from headstart.diagnose import examining, suspected_labels

ONE = {"where": "cat/7.png", "said": "cat", "likely": "dog", "because": "97 % against 1 %"}


def written(folder, found, of, suspects):
    exhibits = {"suspects": suspects, "suspicion": {"found": found, "of": of, "by": "a probe"}, "notes": []}
    (folder / "exhibits.json").write_text(json.dumps(exhibits))
    return Run(folder)


@pytest.mark.parametrize(("of", "severity"), [(30, "warning"), (400, "info")])
def test_the_worst_one_is_named_and_the_share_decides_how_serious_it_is(tmp_path, of, severity):
    (finding,) = examining.examined(written(tmp_path, 1, of, [ONE]))
    assert finding.name == "suspected_labels" and finding.severity == severity
    assert finding.number == pytest.approx(1 / of)
    assert "cat/7.png: labelled cat, likely dog (97 % against 1 %)" in finding.sentence
    assert "1 of" in finding.sentence and " is probably wrong" in finding.sentence
    assert finding.next_move.startswith("look at it")
    assert finding.evidence == {"by": "a probe", "items": ["cat/7.png"]}


def test_many_are_counted_and_some_named(tmp_path):
    many = [ONE | {"where": f"{i}.png"} for i in range(100)]
    finding = suspected_labels.examine(written(tmp_path, 250, 5000, many))
    assert finding is not None and "250 of 5,000 labels are probably wrong" in finding.sentence
    assert len(finding.evidence["items"]) == 12


def test_nothing_is_said_where_there_is_nothing(tmp_path):
    assert suspected_labels.examine(Run(tmp_path)) is None
    assert suspected_labels.examine(written(tmp_path, 0, 100, [])) is None
