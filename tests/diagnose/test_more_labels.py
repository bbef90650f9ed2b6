"""What is said of more labels."""

import json

import pytest

from headstart.base.run import Run
from headstart.diagnose import examining, more_labels

FOUND = {
    "metric": "accuracy",
    "title": "Accuracy",
    "percent": True,
    "labels": 500,
    "told": True,
    "sizes": [400, 200, 100],
    "by": "a ridge probe",
    "gain": {"value": 0.018, "low": 0.009, "high": 0.026},
    "share": {"value": 0.3, "low": 0.2, "high": 0.4},
    "sealed": None,
}


def written(folder, **changed):
    (folder / "learning.json").write_text(json.dumps(FOUND | changed))
    return Run(folder)


def test_the_gain_is_told_with_its_interval_and_a_next_move(tmp_path):
    (finding,) = examining.examined(written(tmp_path))
    assert finding.name == "more_labels" and finding.severity == "info"
    said = "Twice the 500 labels are expected to gain 1.8 points of accuracy (0.9 to 2.6) for a probe"
    assert finding.sentence == said
    assert (finding.number, finding.threshold) == (0.3, more_labels.THRESHOLD)
    assert finding.next_move.startswith("label about 500 more items")


def test_a_sealed_network_is_said_to_follow_and_a_number_keeps_its_unit(tmp_path):
    sealed = {"candidate": "full", "kind": "transfer", "gain": {"value": 0.01, "low": 0.005, "high": 0.012}}
    finding = more_labels.examine(written(tmp_path, sealed=sealed))
    assert finding is not None
    assert finding.sentence.endswith("for full to gain 1.0 points of accuracy (0.5 to 1.2), if its errors shrink alike")
    gain = {"value": 0.213, "low": 0.1, "high": 0.3}
    finding = more_labels.examine(written(tmp_path, title="RMSE", percent=False, gain=gain))
    assert finding is not None and "improve the RMSE by 0.213 (0.1 to 0.3)" in finding.sentence


def test_labels_that_hardly_help_are_said_too(tmp_path):
    share, gain = {"value": 0.03, "low": 0.0, "high": 0.06}, {"value": 0.001, "low": 0.0, "high": 0.002}
    finding = more_labels.examine(written(tmp_path, share=share, gain=gain))
    assert finding is not None and finding.sentence.startswith("More labels would hardly help a probe")
    assert finding.number < finding.threshold == more_labels.HARDLY and "backbone" in finding.next_move


@pytest.mark.parametrize("changed", [{"told": False}, {"share": {"value": 0.08, "low": 0.0, "high": 0.2}}])
def test_nothing_is_said_where_nothing_is_known(tmp_path, changed):
    assert more_labels.examine(Run(tmp_path)) is None
    assert more_labels.examine(written(tmp_path, **changed)) is None
