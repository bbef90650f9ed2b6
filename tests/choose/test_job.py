"""A whole fit as a user runs it: what it leaves, that it repeats, that it survives being stopped."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import headstart as hs
from headstart.api.fitting import plan_fit
from headstart.backbones import catalogue, folder
from headstart.base.errors import BadOption, OutputExists, RunError, TrainingError, UnknownName
from headstart.base.progress import Silent
from headstart.base.run import Run


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A backbone to transfer from: small, and at random, for these tests ask about the run and not the score."""
    to = tmp_path_factory.mktemp("source") / "small"
    folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), to, {"source": "random"})
    return f"local:{to}"


@pytest.fixture(scope="module")
def photos(tmp_path_factory, write_shapes):
    return write_shapes(tmp_path_factory.mktemp("photos"), per_class=15)


@pytest.fixture(scope="module")
def many(tmp_path_factory, write_shapes):
    return write_shapes(tmp_path_factory.mktemp("many"), per_class=72)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, photos, source):
    to = tmp_path_factory.mktemp("fitted") / "model"
    return hs.fit(photos, output=to, backbone=source, budget="20s", seed=3)


def test_a_fit_leaves_a_model_with_evidence_and_a_verdict(fitted, photos):
    run = Run(fitted.path / "run")
    names = [row["name"] for row in run.evidence]
    assert {"majority", "pixels", "probe", "probe all stages", "scratch"} <= set(names)
    assert any(name.startswith("partial@") for name in names)
    assert fitted.classes == ("checks", "disc", "stripes")
    assert run.verdict["outcome"] in ("positive", "tie", "negative", "not measured")
    assert run.verdict["sentence"].endswith(".")
    assert run.data["parts"] == {"train": 45, "val": 0, "test": 0}
    assert run.verdict["tested"] is False, "under 200 labels cross-validation replaces the test part"
    pictures = sorted(photos.glob("disc/*.png"))[:4]
    assert len(fitted.predict(pictures)) == 4


def test_majority_stands_at_chance_in_the_evidence(fitted):
    majority = next(row for row in fitted.evidence if row.name == "majority")
    assert majority.scores["accuracy"].value == pytest.approx(1 / 3, abs=0.02)


def test_what_was_written_predicts_the_same_in_a_new_process(fitted, photos):
    pictures = [str(path) for path in sorted(photos.glob("*/*.png"))[::7]]
    command = (
        "import sys, json, headstart as hs; m = hs.load(sys.argv[1]); "
        "print(json.dumps(m.predict_proba(sys.argv[2:]).tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", command, str(fitted.path), *pictures], capture_output=True, text=True, check=True
    )
    np.testing.assert_allclose(np.array(json.loads(done.stdout)), fitted.predict_proba(pictures), atol=1e-5)


def test_a_finished_run_keeps_no_weights_but_the_model(fitted):
    kept = sorted(path.name for path in (fitted.path / "run").rglob("*.safetensors"))
    assert kept == ["predictions.safetensors", "validation.safetensors"]


def test_no_baselines_leaves_them_out_and_measures_no_verdict(photos, source, tmp_path):
    model = hs.fit(photos, output=tmp_path / "m", backbone=source, strategy="probe", baselines=False)
    assert [row.name for row in model.evidence] == ["probe"]
    assert model.verdict["outcome"] == "not measured"


def test_pictures_in_memory_and_a_metric(source, tmp_path, photos):
    pictures = [Image.open(path) for path in sorted(photos.glob("*/*.png"))]
    labels = [path.parent.name for path in sorted(photos.glob("*/*.png"))]
    model = hs.fit(
        pictures, labels, output=tmp_path / "m", backbone=source, strategy="probe", metric="f1_macro", budget="10s"
    )
    assert "f1_macro" in model.evidence[0].scores
    assert model.predict_proba(pictures[:3]).shape == (3, 3)


def test_a_taken_output_is_refused_and_named(fitted, photos, source, tmp_path):
    with pytest.raises(OutputExists, match="--overwrite") as error:
        hs.fit(photos, output=fitted.path, backbone=source)
    assert "--resume" in str(error.value)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("five years of work")
    with pytest.raises(OutputExists, match="not a headstart folder"):
        hs.fit(photos, output=tmp_path / "mine", backbone=source, overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_overwrite_replaces_a_model(photos, source, tmp_path):
    first = hs.fit(photos, output=tmp_path / "m", backbone=source, strategy="probe", baselines=False)
    second = hs.fit(photos, output=tmp_path / "m", backbone=source, strategy="probe", baselines=False, overwrite=True)
    assert second.manifest.created >= first.manifest.created
    assert hs.load(tmp_path / "m").classes == first.classes


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"strategy": "partail"}, UnknownName, "did you mean partial"),
        ({"backbone": "embeded/resnet10"}, UnknownName, "did you mean|one of"),
        ({"strategy": "probe", "depth": 2}, BadOption, "takes no depth"),
        ({"strategy": "full", "depth": 2}, BadOption, "takes no depth"),
        ({"strategy": "partial", "depth": 9}, BadOption, "Depth 9"),
        ({"strategy": "partial", "depth": "layer9"}, UnknownName, "layer9"),
        ({"budget": "soon"}, BadOption, "soon"),
        ({"budget": "-3m"}, BadOption, "-3m"),
        ({"metric": "acuracy"}, UnknownName, "accuracy"),
        ({"metric": "calibration_error"}, BadOption, "calibrated"),
        ({"strategy": "partial", "depth": 0}, BadOption, "not partial"),
        ({"strategy": "probe", "settings": {"strategy.stages": "layer9"}}, UnknownName, "layer9"),
        ({"strategy": "full", "settings": {"strategy.batch_size": "0"}}, BadOption, "batch_size"),
        ({"strategy": "full", "settings": {"strategy.rate": "-1"}}, BadOption, "rate"),
        ({"precision": "fp8"}, BadOption, "fp8"),
        ({"golden": "mine"}, BadOption, "mine"),
        ({"strategy": "partial", "settings": {"strategy.rtae": "1"}}, UnknownName, "strategy.rate"),
        ({"strategy": "partial", "settings": {"strategy.rate": "fast"}}, BadOption, "fast"),
    ],
)
def test_a_wrong_call_is_named_before_anything_is_written(given, error, says, photos, source, tmp_path):
    with pytest.raises(error, match=says):
        hs.fit(photos, output=tmp_path / "m", **{"backbone": source, **given})
    assert not (tmp_path / "m").exists()


def test_overwriting_and_stopping_does_not_bring_the_old_model_back(photos, source, tmp_path):
    given = {"output": tmp_path / "m", "backbone": source, "baselines": False}
    hs.fit(photos, strategy="probe", **given)
    started = {"strategy": "full", "settings": {"strategy.epochs": "4", "strategy.batch_size": "8"}}
    with pytest.raises(RuntimeError, match="stop here"):
        hs.fit(photos, overwrite=True, report=Stopping("train"), **started, **given)
    with pytest.raises(RunError, match="another strategy"):
        hs.fit(photos, strategy="probe", resume=True, **given)
    model = hs.fit(photos, resume=True, **started, **given)
    assert [row.name for row in model.evidence] == ["full"]


class Stopping(Silent):
    """Stops the job when a task whose name starts so begins."""

    def __init__(self, task):
        self.task = task

    def begin(self, task, total=None):
        if task.startswith(self.task):
            raise RuntimeError("stop here")


def test_a_budget_that_is_too_short_for_anything_is_named(many, source, tmp_path):
    with pytest.raises(TrainingError, match="budget"):
        hs.fit(many, output=tmp_path / "m", backbone=source, strategy="full", baselines=False, budget="0.1s")


def test_a_hopeless_rate_loses_and_the_others_stand(photos, source, tmp_path):
    given = {"output": tmp_path / "m", "backbone": source, "strategy": "full", "budget": "20s"}
    settings = {"strategy.rate": 10.0, "strategy.epochs": 3, "strategy.weight_decay": 10.0}
    model = hs.fit(photos, settings=settings, **given)
    assert model.manifest.training["candidate"] != "full"
    assert model.predict_proba(sorted(photos.glob("*/*.png"))[:2]).shape == (2, 3)
    found = {one.name: one for one in hs.findings(model)}
    assert "full at rate 10 " in found["one_class_collapse"].sentence
    assert found["one_class_collapse"].severity == "warning", "full is what was asked for"


def test_noise_is_not_called_transfer(source, tmp_path):
    """Labels that say nothing: cross-validated scores must stand at chance, whatever was tried on the way."""
    draw = np.random.default_rng(0)
    pictures = [draw.integers(0, 256, (16, 16), dtype=np.uint8) for _ in range(60)]
    labels = [str(label) for label in draw.permutation(np.arange(60) % 2)]
    model = hs.fit(pictures, labels, output=tmp_path / "m", backbone=source, budget="15s")
    assert model.verdict["outcome"] in ("tie", "not measured")
    transfer = model.verdict["tests"]["transfer"]["accuracy"]
    assert transfer["low"] <= 0.5 <= transfer["high"]
    assert "chose the candidates" in model.verdict["sentence"]
    found = {one.name for one in hs.findings(model)}
    assert "nothing_learnt" in found
    assert not {"overfitting", "frozen_too_much", "cost", "miscalibration", "negative_transfer"} & found


def test_the_threads_of_the_process_are_put_back(fitted, photos, source, tmp_path):
    before = torch.get_num_threads()
    hs.fit(photos, output=tmp_path / "m", backbone=source, strategy="probe", baselines=False)
    assert torch.get_num_threads() == before


def test_there_must_be_something_to_resume(photos, source, tmp_path):
    with pytest.raises(RunError, match="no run"):
        hs.fit(photos, output=tmp_path / "m", backbone=source, resume=True)


def test_resuming_with_other_options_is_refused(photos, source, tmp_path):
    hs.fit(photos, output=tmp_path / "m", backbone=source, strategy="probe", baselines=False)
    (tmp_path / "m" / "manifest.json").unlink()
    with pytest.raises(RunError, match="another seed"):
        hs.fit(photos, output=tmp_path / "m", backbone=source, strategy="probe", baselines=False, seed=5, resume=True)


def test_a_dry_run_plans_and_writes_nothing(many, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = plan_fit(many, backbone=source, budget="10m")
    assert plan["data"]["parts"]["test"] > 0
    assert plan["rungs"]["full"]["epochs"] >= 3 and plan["estimated_seconds"] > 0
    assert list(plan["rungs"]) == ["norm@2", "partial@4", "partial@2", "full", "scratch"]
    assert 1 <= plan["rungs_that_go_on_after_their_sweeps"] <= 4 and plan["trials_of_a_search_within_the_best"] >= 0
    assert list(tmp_path.iterdir()) == []


def test_flips_are_off_for_letters_that_mirroring_changes(source, tmp_path):
    """b, d, p and q are one another's mirror images."""
    shapes = {"b": (0, 0), "d": (0, 1), "p": (1, 0), "q": (1, 1)}
    draw = np.random.default_rng(0)
    for name, (up, side) in shapes.items():
        (tmp_path / "letters" / name).mkdir(parents=True)
        for number in range(16):
            picture = np.zeros((24, 24), dtype=np.uint8)
            left, shift = int(draw.integers(4, 8)), int(draw.integers(-2, 3))
            picture[3:21, left + (9 if side else 0) : left + (12 if side else 3)] = 255
            bowl = slice(3 + shift % 2, 11) if up else slice(13, 21 - shift % 2)
            picture[bowl, left : left + 12] = 200
            Image.fromarray(picture).save(tmp_path / "letters" / name / f"{number}.png")
    model = hs.fit(tmp_path / "letters", output=tmp_path / "m", backbone=source, strategy="probe", baselines=False)
    notes = " ".join(model.manifest.training["notes"])
    assert "Flips are off" in notes and model.manifest.training["flips"] is False


def run_cli(*arguments, **given):
    return subprocess.Popen(
        [sys.executable, "-m", "headstart", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **given,
    )


def numbers(to: Path):
    """Everything of a run that a clock has no part in."""
    run = Run(to / "run")
    rows = [(row["name"], row["scores"], row["detail"].get("options")) for row in run.evidence]
    verdict = {key: value for key, value in run.verdict.items() if key not in ("openings",)}
    return rows, verdict


@pytest.mark.slow
def test_a_stopped_fit_resumes_to_the_uninterrupted_numbers(many, source, tmp_path):
    """Ctrl-C; SIGKILL is in test_kills.py."""
    stop = signal.SIGINT
    given = [
        "fit",
        many,
        "--backbone",
        source,
        "--strategy",
        "partial",
        "--depth",
        "2",
        "--budget",
        "1h",
        "--seed",
        "1",
    ]
    given += ["--set", "strategy.epochs=24", "--no-baselines", "--quiet"]
    whole = run_cli(*given, "-o", tmp_path / "whole")
    assert whole.wait() == 0, whole.stderr.read()
    draw, killed = random.Random(int(stop)), 0
    env = {**os.environ, "HEADSTART_CACHE": str(tmp_path / "cache")}
    for attempt in range(8):
        resume = ["--resume"] if (tmp_path / "cut" / "run" / "config.json").exists() else []
        job = run_cli(*given, "-o", tmp_path / "cut", *resume, env=env)
        try:
            code = job.wait(timeout=draw.uniform(4, 9) if attempt < 4 else 300)
        except subprocess.TimeoutExpired:
            job.send_signal(stop)
            code = job.wait(timeout=60)
            killed += 1
            assert code in (-signal.SIGKILL, 1, -signal.SIGINT), job.stderr.read()
            continue
        assert code == 0, job.stderr.read()
        break
    assert killed >= 2
    assert numbers(tmp_path / "cut") == numbers(tmp_path / "whole")
