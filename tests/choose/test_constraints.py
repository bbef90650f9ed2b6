"""``--max-latency`` and ``--max-size``: what does not fit is measured, said, and never sealed."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import headstart as hs
from headstart.backbones import catalogue, folder
from headstart.base.errors import BadOption
from headstart.base.run import Run
from headstart.base.vocabulary import Evidence
from headstart.choose.constraints import Allowed, Bounds
from headstart.choose.trial import Trial
from headstart.engine.journal import Journal


@pytest.fixture(scope="module")
def given(tmp_path_factory, write_shapes):
    to = tmp_path_factory.mktemp("source") / "small"
    folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), to, {"source": "random"})
    photos = write_shapes(tmp_path_factory.mktemp("photos"), per_class=8)
    return {"source": photos, "backbone": f"local:{to}", "strategy": "probe", "budget": "20s", "pictures": False}


def test_the_reasons_are_said_with_both_numbers():
    allowed = Allowed(latency_ms=5.0, size=20e6)
    assert allowed and allowed.why_not(4.9, 19e6) == ""
    assert allowed.why_not(7.123, 45e6) == (
        "too slow: 7.12 ms an item, more than 5 ms; too large: 45.0 MB, more than 20.0 MB"
    )
    assert allowed.options == "--max-latency 5ms and --max-size 20.0 MB"
    assert not Allowed() and Allowed().why_not(1e9, 1e12) == "" and Allowed().as_dict() == {}


def test_what_is_too_large_stays_in_the_table_and_a_baseline_is_sealed(given, tmp_path):
    model = hs.fit(**given, output=tmp_path / "m", max_size="15kB")
    rows = {row.name: row for row in model.evidence}
    assert rows["probe"].status.startswith("too large: ") and rows["probe"].scores
    assert model.manifest.baseline is not None
    ladder = Run(tmp_path / "m" / "run").ladder
    decisions = {rung["name"]: rung["decision"] for rung in ladder["rungs"]}
    assert decisions["probe"] == decisions["scratch"] == "does not fit"
    assert ladder["constraints"] == {"max_latency_ms": None, "max_size": 15000.0}


def test_what_fits_is_chosen_as_without_limits(given, tmp_path):
    free = hs.fit(**given, output=tmp_path / "free", baselines=False)
    bound = hs.fit(**given, output=tmp_path / "bound", baselines=False, max_latency="10s", max_size="1GB")
    named = [model.manifest.training["candidate"] for model in (free, bound)]
    assert named == ["probe", "probe"]


def test_nothing_that_fits_is_an_error_before_anything_is_trained(given, tmp_path):
    with pytest.raises(BadOption, match="Nothing fits --max-size 10 B") as caught:
        hs.fit(**given | {"strategy": "full"}, output=tmp_path / "m", baselines=False, max_size=10)
    assert "at least" in caught.value.expected
    assert not (tmp_path / "m" / "run" / "journal.jsonl").exists()


def test_what_was_measured_is_written_down_and_decides_again(tmp_path):
    """A clock never measures the same twice, so that a resumed or replayed run takes the number of the first."""
    journal = Journal(tmp_path / "run")
    journal.begin({"id": "x"})
    ground = SimpleNamespace(journal=journal)
    row = Evidence("probe", "transfer", {}, serving_ms=2.0)
    one = Trial(row, np.zeros((2, 2)), "probe", size=100)
    first = Bounds(ground, Allowed(latency_ms=5.0)).checked(one)
    assert not first.unfit and journal.written("constraints") == {"probe": {"serving_ms": 2.0, "bytes": 100}}
    slower = replace(one, row=replace(row, serving_ms=9.0))
    again = Bounds(ground, Allowed(latency_ms=5.0)).checked(slower)
    assert not again.unfit and again.row.serving_ms == 2.0
    assert Bounds(ground, Allowed(latency_ms=1.0)).checked(one).row.status == "too slow: 2 ms an item, more than 1 ms"


def test_one_from_scratch_stays_comparable_and_is_only_marked(tmp_path):
    journal = Journal(tmp_path / "run")
    journal.begin({"id": "x"})
    one = Trial(Evidence("scratch", "scratch", {}, serving_ms=9.0), np.zeros((2, 2)), "scratch", size=100)
    found = Bounds(SimpleNamespace(journal=journal), Allowed(latency_ms=5.0)).checked(one)
    assert found.row.status == "measured" and found.unfit.startswith("too slow")


def test_limits_that_are_none_are_refused_before_anything_is_read(given, tmp_path):
    for wrong, says in (({"max_latency": "soon"}, "Max latency"), ({"max_size": "big"}, "Max size")):
        with pytest.raises(BadOption, match=says):
            hs.fit(**given, output=tmp_path / "m", **wrong)
    assert not (tmp_path / "m").exists()
