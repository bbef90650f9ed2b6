"""What a real run keeps for the diagnoses: gains between candidates, and the sealed network on what it learnt from."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import headstart as hs
from headstart.base.run import Run
from headstart.cli.outcome import show_model
from headstart.cli.shell import run as shell
from headstart.diagnose import examining
from headstart.diagnose.finished import finished
from headstart.measure import scores

QUICK: dict[str, Any] = {"backbone": "embedded/resnet10-procedural", "precision": "float32"}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, write_shapes: Any) -> Any:
    """Cross-validated shapes in many colours, of which pixels alone say little: baselines, a probe, random features."""
    photos = write_shapes(tmp_path_factory.mktemp("compared") / "photos", per_class=16)
    model = hs.fit(photos, output=photos.parent / "m", strategy="probe", budget="2s", **QUICK)
    return model, sorted(photos.glob("*/*.png"))


def test_gains_are_those_of_the_evidence(fitted: Any) -> None:
    run = Run(fitted[0].path / "run")
    rows = {row["name"]: row["scores"] for row in run.evidence if row["status"] == "measured"}
    sealed, kept = fitted[0].manifest.training["candidate"], run.comparisons
    assert kept["metric"] == "accuracy" and kept["items"] == len(run.arrays("validation")["targets"])
    assert {pair["over"] for pair in kept["pairs"] if pair["of"] == sealed} == rows.keys() - {sealed}
    for pair in kept["pairs"]:
        difference = rows[pair["of"]]["accuracy"]["value"] - rows[pair["over"]]["accuracy"]["value"]
        assert pair["gain"]["value"] == pytest.approx(difference, abs=1e-9)
        assert pair["gain"]["low"] <= difference <= pair["gain"]["high"]


def test_the_sealed_network_is_asked_about_what_it_learnt_from(fitted: Any) -> None:
    model, items = fitted
    run, names = Run(model.path / "run"), list(model.classes)
    targets = np.array([names.index(item.parent.name) for item in items])
    own = scores.score("accuracy", model.predict_proba(items), targets)
    assert model.manifest.kind == "network" and run.fitted["candidate"] == "probe"
    assert run.fitted["items"] == run.fitted["of"] == len(items) == 48, "fewer than are asked about"
    assert run.fitted["scores"]["accuracy"]["value"] == pytest.approx(own)
    own = scores.score("log_loss", model.predict_proba(items), targets)
    assert run.fitted["scores"]["log_loss"]["value"] == pytest.approx(own, rel=1e-4), "by stored features"


def test_the_findings_of_a_finished_run_can_be_had_again(fitted: Any) -> None:
    run = Run(fitted[0].path / "run")
    again = [one.name for one in examining.examined(run)]
    assert again == [one["name"] for one in run.findings if one["name"] in again]
    assert "negative_transfer" not in again and "nothing_learnt" not in again
    assert [asdict(one) for one in hs.findings(fitted[0])] == list(run.findings)
    read = finished(run)
    assert read is not None and read.learnt and read.sealed in read.rows
    assert read.tested is not None and read.over_guessing is not None
    own = scores.score("accuracy", *read.tested)
    assert read.over_guessing.value == pytest.approx(own - 1 / 3)


def test_a_model_is_inspected_by_its_run(fitted: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = fitted[0].path
    assert shell(["inspect", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == list(Run(path / "run").findings)
    shutil.copytree(path, tmp_path / "old")
    row = {"name": "unreadable", "severity": "serious", "sentence": "3 are bad\x1b[31m", "number": 3, "threshold": 0}
    (tmp_path / "old" / "run" / "findings.json").write_text(json.dumps([row]))
    assert shell(["inspect", str(tmp_path / "old"), "--strict"]) == 1
    told = capsys.readouterr().out
    assert "SERIOUS  unreadable" in told
    assert "3 are bad\\x1b" in told
    shutil.rmtree(tmp_path / "old" / "run")
    assert shell(["inspect", str(tmp_path / "old")]) == 1
    assert "There is no run in" in capsys.readouterr().err


def test_the_last_lines_of_a_fit_name_what_is_serious(fitted: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = fitted[0].path / "run" / "findings.json"
    before = path.read_text()
    common = {"sentence": "s", "number": 1.0, "threshold": 0.0}
    rows = [("nothing_learnt", "serious"), ("overfitting", "warning"), ("imbalance", "warning"), ("cost", "info")]
    path.write_text(json.dumps([{"name": name, "severity": severity, **common} for name, severity in rows]))
    show_model(fitted[0], as_json=False)
    told = " ".join(capsys.readouterr().out.split())
    assert "Findings: serious: nothing learnt; warning: overfitting and imbalance (in the report)" in told
    path.write_text("[]")
    show_model(fitted[0], as_json=False)
    assert "Findings" not in capsys.readouterr().out
    path.write_text(before)


def test_copies_across_a_given_split_are_kept_with_the_held_out_items(tmp_path: Path) -> None:
    """Twenty test pictures are training pictures, two levels brighter and three pixels larger."""
    data, draw = load_digits(n_class=3), np.random.default_rng(0)
    for part, rows in (("train", range(60)), ("test", range(60, 100))):
        for i in rows:
            folder = tmp_path / "photos" / part / str(data.target[i])
            folder.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray((data.images[i] * 15).astype(np.uint8)).resize((48, 48), Image.Resampling.BICUBIC)
            noisy = np.asarray(picture, dtype=float) + draw.normal(0, 12, (48, 48))
            Image.fromarray(noisy.clip(0, 250).astype(np.uint8)).save(folder / f"{i:03d}.png")
    for path in sorted((tmp_path / "photos" / "train").rglob("*.png"))[::3]:
        twin = Path(str(path).replace("/train/", "/test/")).with_name(f"twin-{path.name}")
        Image.fromarray(np.asarray(Image.open(path)) + np.uint8(2)).resize((51, 51)).save(twin)
    model = hs.fit(tmp_path / "photos", output=tmp_path / "m", strategy="probe", baselines=False, budget="20s", **QUICK)
    listed = Run(model.path / "run").held_out["tested"]
    marked = {one["where"]: one["twin"] for one in listed if "twin" in one}
    assert marked.keys() == {one["where"] for one in listed if "twin-" in one["where"]} and len(marked) == 20
    assert all(where.replace("test", "train").replace("twin-", "") == twin for where, twin in marked.items())
    shutil.rmtree(model.path)
