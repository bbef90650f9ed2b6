"""``headstart fit``: what is parsed is what the workflow gets, and what it finds is what is shown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from headstart.api import fitting as api
from headstart.base.errors import BadOption, Interrupted
from headstart.base.vocabulary import Evidence, Interval
from headstart.cli import outcome
from headstart.cli.fit import default_output, parse_depth, parse_settings
from headstart.cli.shell import run
from headstart.features.network import Network
from headstart.ship.sealed import load
from headstart.tasks import classification
from tests.ship.conftest import sealed_to

Captured = pytest.CaptureFixture[str]

TASK = classification.learn(["a", "b"])


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, model_folder: Path) -> list[tuple[Any, dict[str, Any]]]:
    """What ``api.fit`` was called with; it answers with a sealed model at once."""
    found: list[tuple[Any, dict[str, Any]]] = []

    def fit(source: Any, **given: Any) -> Any:
        found.append((source, given))
        given["report"].say("a folder was understood")
        return load(model_folder)

    monkeypatch.setattr(api, "fit", fit)
    return found


def test_every_option_reaches_the_workflow(calls: list[tuple[Any, dict[str, Any]]]) -> None:
    words = (
        "fit photos -o out --backbone timm/resnet18 --architecture timm/x --strategy partial --depth 3 --budget 90s"
        " --metric f1_macro --task classification --seed 7 --no-baselines --drop-rare --precision float32"
        " --golden own --label kind --text review"
        " --path file --set strategy.rate=0.01 --set strategy.epochs=3 --overwrite --quiet --json"
        " --replay before --checkpoint-every 5s --group patient --no-near-duplicates --from bundle --no-pictures"
        " --max-latency 5ms --max-size 20MB"
    )
    assert run(words.split()) == 0
    ((source, given),) = calls
    assert source == "photos"
    given.pop("report")
    assert given == {
        "output": Path("out"),
        "backbone": "timm/resnet18",
        "architecture": "timm/x",
        "strategy": "partial",
        "depth": 3,
        "budget": "90s",
        "metric": "f1_macro",
        "task": "classification",
        "seed": 7,
        "baselines": False,
        "drop_rare": True,
        "precision": "float32",
        "text": "review",
        "golden": "own",
        "label": "kind",
        "path": "file",
        "group": "patient",
        "near_duplicates": False,
        "max_latency": "5ms",
        "max_size": "20MB",
        "backbones_from": Path("bundle"),
        "settings": {"strategy.rate": "0.01", "strategy.epochs": "3"},
        "overwrite": True,
        "resume": False,
        "replay": Path("before"),
        "checkpoint_every": "5s",
        "pictures": False,
        "track": [],
    }


def test_defaults_are_the_workflows_own(calls: list[tuple[Any, dict[str, Any]]]) -> None:
    import inspect

    assert run(["fit", "photos", "--quiet"]) == 0
    ((_, given),) = calls
    wanted = {name: each.default for name, each in inspect.signature(_REAL_FIT).parameters.items()}
    for name, value in given.items():
        if name not in ("output", "settings", "report"):
            # typer gives a list for an option that may come again; none is none.
            assert (tuple(value) if isinstance(value, list) else value) == wanted[name], name
    assert given["output"] == Path("photos-model") and given["settings"] == {}


_REAL_FIT = api.fit


def test_the_result_is_shown_in_80_columns(
    calls: list[tuple[Any, dict[str, Any]]], model_folder: Path, capsys: Captured
) -> None:
    assert run(["fit", "photos"]) == 0
    told = capsys.readouterr()
    assert "a folder was understood" in told.err and "\x1b" not in told.err
    assert "probe" in told.out and "90.0 [80.0, 97.0]" in told.out
    assert "Transfer helped." in told.out
    assert f"headstart predict {model_folder}" in told.out


def test_json_is_one_object_and_nothing_else(calls: list[tuple[Any, dict[str, Any]]], capsys: Captured) -> None:
    assert run(["fit", "photos", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["evidence"][0]["name"] == "probe"
    assert found["verdict"]["sentence"] == "Transfer helped."
    assert found["metrics"]["accuracy"]["value"] == 0.9 and found["backbone"]


def test_a_dry_run_prints_the_plan_and_fits_nothing(
    calls: list[tuple[Any, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(api, "plan_fit", lambda source, **given: {"data": source, "budget": given["budget"]})
    assert run(["fit", "photos", "--dry-run", "--budget", "5m"]) == 0
    assert capsys.readouterr().out == "data: photos\nbudget: 5m\n"
    assert run(["fit", "photos", "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"data": "photos", "budget": "10m"}
    assert calls == []


def test_an_interrupted_fit_exits_with_1_and_its_hint(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def fit(source: Any, **_: Any) -> Any:
        raise Interrupted("Stopped at epoch 3", next_move="the same command with --resume")

    monkeypatch.setattr(api, "fit", fit)
    assert run(["fit", "photos"]) == 1
    assert "--resume" in capsys.readouterr().err


def test_the_finalists_are_shown_with_the_one_that_was_sealed(
    network: Network, tmp_path: Path, capsys: Captured
) -> None:
    accuracy = {"value": 0.9, "low": 0.8, "high": 0.95}
    verdict = {
        "sentence": "Transfer helped.",
        "winner": "transfer",
        "metric": "accuracy",
        "models": {"transfer": "partial@3", "baseline": "pixels"},
        "tests": {"transfer": {"accuracy": accuracy}, "baseline": {"accuracy": accuracy}},
    }
    model = sealed_to(tmp_path / "m", network, verdict=verdict)
    (model.path / "run").mkdir(exist_ok=True)
    (model.path / "run" / "ladder.json").write_text('{"draws": "On 5 draws of the folds partial@3 was the best"}')
    outcome.show_model(model, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert "On 5 draws of the folds partial@3 was the best." in lines
    assert any(line.startswith("partial@3, transferred") and line.endswith("yes") for line in lines)
    assert any(line.startswith("pixels, no network") and not line.endswith("yes") for line in lines)
    shutil.rmtree(tmp_path / "m")


def test_a_wide_evidence_table_still_fits(capsys: Captured) -> None:
    interval = Interval(0.92, 0.88, 0.953)
    scores = {"accuracy": interval, "log_loss": Interval(0.41, 0.3, 0.5)}
    rows = [
        Evidence("partial@layer3 with a long name", "transfer", scores, 123.4, 11_200_000),
        Evidence("scratch", "scratch", {}, 0, 0, status="over budget: 300 s were needed"),
    ]
    outcome.show_evidence(rows, TASK)
    told = capsys.readouterr().out
    assert all(len(line) <= 80 for line in told.splitlines())
    assert "11.2M" in told and "92.0 [88.0, 95.3]" in told
    assert "scratch: over budget: 300 s were needed" in told


def test_notes_stand_beside_the_figures_where_there_is_room(capsys: Captured) -> None:
    scores = {"accuracy": Interval(0.92, 0.88, 0.953), "log_loss": Interval(0.41, 0.3, 0.5)}
    rows = [Evidence("full", "transfer", scores, status="cut short"), Evidence("probe", "transfer")]
    outcome.show_evidence(rows, TASK)
    told = capsys.readouterr().out
    assert "Note" in told and "cut short" in told and "full: cut short" not in told


def test_plans_are_indented_lines() -> None:
    plan = {
        "data": {"items": 3, "classes": ["a", "b"], "skipped": []},
        "rungs": {"partial@3": {"epochs": 5, "batch_size": 8}},
        "steps": [{"name": "probe", "seconds": 2}],
        "estimated_seconds": 2.5,
        "flips": False,
        "notes": None,
    }
    assert outcome.plan_lines(plan) == [
        "data:",
        "  items: 3",
        "  classes: a, b",
        "  skipped: none",
        "rungs:",
        "  partial@3: epochs 5, batch size 8",
        "steps:",
        "  name: probe",
        "  seconds: 2",
        "estimated seconds: 2.5",
        "flips: no",
        "notes: none",
    ]


def test_sentences_in_a_plan_have_a_line_each() -> None:
    findings = ["Warning: all are small; larger pictures, or another backbone", "Info: 12 are near duplicates"]
    assert outcome.plan_lines({"findings": findings}) == ["findings:", *(f"  {finding}" for finding in findings)]


def test_a_long_plan_line_is_wrapped(capsys: Captured) -> None:
    outcome.show_plan({"classes": [f"class {i}" for i in range(40)]}, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 3 and all(len(line) <= 80 for line in lines)


def test_the_default_output_is_named_after_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my.photos").mkdir()
    monkeypatch.chdir(tmp_path / "my.photos")
    assert default_output("photos/") == Path("photos-model")
    assert default_output("data/labels.csv") == Path("labels-model")
    assert default_output(str(tmp_path / "my.photos")) == Path("my.photos-model")
    assert default_output(".") == Path("my.photos-model")


def test_depth_is_a_number_or_a_name() -> None:
    assert (parse_depth(None), parse_depth("3"), parse_depth("layer3")) == (None, 3, "layer3")
    with pytest.raises(BadOption):
        parse_depth("-1")


@pytest.mark.parametrize("texts", [["rate"], ["=1"], ["a=1", "a=2"]])
def test_a_setting_without_name_or_value_is_refused(texts: list[str]) -> None:
    with pytest.raises(BadOption):
        parse_settings(texts)


def test_a_setting_may_hold_an_equals_sign() -> None:
    assert parse_settings(["a.b = c=d"]) == {"a.b": "c=d"}
