"""What is said of a source that is far away."""

import json

import pytest

from headstart.base.run import Run
from headstart.diagnose import examining, far_from_source

FAR = {"frechet": {"value": 1.01, "source_itself": 0.09, "excess": 0.92}, "items": 400}
HELPS = {"value": 0.126, "low": 0.108, "high": 0.143, "against": "random features, probe"}


def written(folder, **found):
    (folder / "similarity.json").write_text(json.dumps(found))
    return Run(folder)


def test_far_and_of_use_all_the_same_is_worth_knowing(tmp_path):
    (finding,) = examining.examined(written(tmp_path, distances=FAR, over_random=HELPS))
    assert (finding.name, finding.severity) == ("far_from_source", "info")
    assert "Fréchet distance 1.01 of the source's variance, new items of the source 0.09" in finding.sentence
    assert "worth 12.6 points (10.8 to 14.3) over random weights all the same" in finding.sentence
    assert (finding.number, finding.threshold) == (0.92, far_from_source.THRESHOLD)


def test_far_and_of_no_certain_use_is_a_warning(tmp_path):
    finding = far_from_source.examine(written(tmp_path, distances=FAR, over_random=HELPS | {"low": -0.01}))
    assert finding is not None and finding.severity == "warning" and "not surely worth more" in finding.sentence
    assert "headstart rank" in finding.next_move


def test_what_was_not_measured_is_not_said(tmp_path):
    finding = far_from_source.examine(written(tmp_path, distances=FAR, over_random=None))
    assert finding is not None and finding.severity == "info" and finding.sentence.endswith("0.09)")


@pytest.mark.parametrize("found", [{}, {"distances": {"missing": "none"}}, {"distances": {"frechet": {"excess": 0.4}}}])
def test_near_or_unknown_sources_are_not_mentioned(tmp_path, found):
    assert far_from_source.examine(written(tmp_path, **found)) is None
    assert far_from_source.examine(Run(tmp_path / "nothing")) is None
