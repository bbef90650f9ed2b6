"""The panels about labels and about the source show what a run wrote, and nothing where it wrote nothing."""

import json

import pytest

from headstart.ship.panels import labels, similarity
from headstart.ship.report.blocks import Chart, Pairs, Prose, plain
from headstart.ship.report.gather import gather

AT = {"value": 0.9, "low": 0.85, "high": 0.94}
LEARNING = {
    "metric": "accuracy",
    "title": "Accuracy",
    "percent": True,
    "labels": 500,
    "told": True,
    "why": "",
    "by": "a ridge probe",
    "sizes": [400, 200, 100],
    "scores": [AT, AT, AT],
    "curve": [{"labels": n, **AT} for n in (100, 500, 1000)],
    "now": AT,
    "doubled": AT,
    "gain": {"value": 0.018, "low": 0.009, "high": 0.026},
    "share": {"value": 0.3, "low": 0.2, "high": 0.4},
    "sealed": None,
}
NEAR = {
    "score": "accuracy",
    "title": "Accuracy",
    "items": 400,
    "probe_strength": AT,
    "best_stage": 2,
    "stages": [{"stage": 1, "name": "stem", **AT}, {"stage": 2, "name": "</script><img onerror=x>", **AT}],
    "over_random": {"value": 0.126, "low": 0.108, "high": 0.143, "against": "random features, probe"},
    "over_raw": None,
    "slope": 0.32,
    "distances": {
        "items": 400,
        "frechet": {"value": 1.01, "source_itself": 0.09, "excess": 0.92},
        "mmd": {"value": 0.1, "noise": 0.001, "p": 0.002},
        "proxy_a": {"value": 1.98, "low": 1.95, "high": 2.0, "error": 0.005, "saturated": True},
    },
}


def facts(folder, **written):
    (folder / "run").mkdir(exist_ok=True)
    for name, data in {"config": {}, **written}.items():
        (folder / "run" / f"{name}.json").write_text(json.dumps(data))
    return gather(folder)


def test_the_curve_and_the_gain(tmp_path):
    panel = labels.show(facts(tmp_path, learning=LEARNING))
    chart, words = panel.blocks
    assert isinstance(chart, Chart) and chart.x.high is None and "1,000" in chart.alt
    assert [series.name for series in chart.series][-2:] == ["now: 500 labels", "twice: 1,000"]
    assert words.text == "Twice the 500 labels are expected to bring the probe 1.8 points (0.9 to 2.6) of accuracy."
    assert "not of the sealed network" in panel.lead


def test_a_sealed_network_is_anchored_at_its_own_error(tmp_path):
    sealed = {"candidate": "full", "kind": "transfer", "gain": {"value": 0.01, "low": 0.005, "high": 0.012}}
    panel = labels.show(facts(tmp_path, learning=LEARNING | {"sealed": sealed}))
    assert panel.blocks[1].text.endswith("and full 1.0 points (0.5 to 1.2) if its errors shrink alike.")


@pytest.mark.parametrize("known", [{"told": False, "why": "9 images are too few"}, {}])
def test_what_cannot_be_told_is_said(tmp_path, known):
    panel = labels.show(facts(tmp_path, learning=known))
    assert (panel is None) == (not known)
    if panel is not None:
        assert panel.blocks[0].text == "What more labels would bring cannot be told: 9 images are too few."


def test_strength_gains_and_distances(tmp_path):
    panel = similarity.show(facts(tmp_path, similarity=NEAR))
    chart, pairs = panel.blocks
    assert isinstance(chart, Chart) and isinstance(pairs, Pairs) and len(chart.series[0].points) == 2
    rows = dict(pairs.rows)
    assert rows["Over random weights"] == "12.6 points (10.8 to 14.3), against random features, probe"
    assert rows["Over no network"] == "not measured"
    assert rows["Fréchet distance"] == "1.01 of the source's variance; 0.09 for new items of the source"
    assert "a larger value would mean nothing" in rows["Proxy A-distance"]
    assert json.dumps(plain(panel)), "plain data: a stage's name stays text"


def test_without_statistics_the_reason_is_shown(tmp_path):
    without = {"missing": "timm/x brings no statistics of its source"}
    panel = similarity.show(facts(tmp_path, similarity=NEAR | {"distances": without}))
    assert isinstance(panel.blocks[-1], Prose) and without["missing"] in panel.blocks[-1].text
    assert similarity.show(facts(tmp_path / "..", similarity={})) is None
