"""The account of a climb: each rung with its decision, its reason and its cost, and what the textbook says of it."""

import json

import pytest

import headstart as hs
from headstart.backbones import catalogue, folder
from headstart.backbones.cost import multiply_adds
from headstart.base.run import Run
from headstart.cli.shell import run as command
from headstart.ship.panels import ladder
from headstart.ship.report.gather import gather

DECISIONS = {"climbed", "not climbed", "dropped", "over budget", "left out", "does not fit"}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, write_shapes):
    to = tmp_path_factory.mktemp("source") / "small"
    folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), to, {"source": "random"})
    photos = write_shapes(tmp_path_factory.mktemp("photos"), per_class=8)
    settings = {"strategy.epochs": "2", "strategy.rate": "0.001"}
    given = {"strategy": "full", "settings": settings, "budget": "30s", "pictures": False}
    return hs.fit(photos, output=tmp_path_factory.mktemp("fitted") / "m", backbone=f"local:{to}", **given)


def test_every_row_of_the_table_has_its_decision_and_its_reason(fitted):
    run = Run(fitted.path / "run")
    assert [rung["name"] for rung in run.ladder["rungs"]] == [row["name"] for row in run.evidence]
    for rung in run.ladder["rungs"]:
        assert rung["decision"] in DECISIONS and rung["why"]
    assert sum(rung["sealed"] for rung in run.ladder["rungs"]) == 1
    assert run.ladder["stopped"] and run.ladder["metric"] == "accuracy"


def test_gains_are_paired_and_told_for_every_cost(fitted):
    rungs = {rung["name"]: rung for rung in Run(fitted.path / "run").ladder["rungs"]}
    full = rungs["full"]
    assert full["why"] == "--strategy full asks for it"
    gain = full["gain"]
    assert gain["low"] <= gain["value"] <= gain["high"] and full["over"] in ("majority", "pixels", "pixels_svm")
    row = next(one for one in fitted.evidence if one.name == "full")
    over = next(one for one in fitted.evidence if one.name == full["over"])
    assert gain["value"] == pytest.approx(row.scores["accuracy"].value - over.scores["accuracy"].value)
    assert full["gain_per_second"] == pytest.approx(gain["value"] / row.seconds)
    assert full["gain_per_trainable"] == pytest.approx(gain["value"] / row.trainable)
    # 5 folds of 19 training items, 2 epochs, forward and backward: three passes through the whole network.
    network = catalogue.load("embedded/resnet10-8-12-16-24", weights=False)
    assert full["multiply_adds"] == pytest.approx(5 * 2 * 19.2 * 3 * sum(multiply_adds(network)), rel=0.05)
    assert full["gain_per_flop"] == pytest.approx(gain["value"] / full["multiply_adds"])


def test_a_finished_run_is_explained_in_80_columns(fitted, capsys):
    assert command(["runs", "explain", str(fitted.path)]) == 0
    told = capsys.readouterr().out
    assert "full: climbed" in told and "--strategy full asks for it" in told
    assert "this one is sealed" in told and "Then it stopped" in told
    assert max(map(len, told.splitlines())) <= 80
    assert command(["runs", "explain", str(fitted.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == Run(fitted.path / "run").ladder


def test_a_folder_without_an_account_is_answered_in_plain_words(tmp_path, capsys):
    assert command(["runs", "explain", str(tmp_path)]) == 1
    assert "There is no run in" in capsys.readouterr().err
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    assert command(["runs", "explain", str(tmp_path)]) == 1
    assert "kept no account of its ladder" in capsys.readouterr().err
    assert command(["runs", "explain"]) == 2


def test_the_report_has_a_panel_of_it(fitted):
    panel = ladder.show(gather(fitted.path))
    assert panel is not None and panel.title == "The ladder" and "stopped because" in panel.lead
    names = [row[0].text for row in panel.blocks[0].rows]
    assert names == ["full"]
