"""What a run keeps for people to look at, after real fits: rows in order, pictures that open, labels that are wrong."""

import json
import shutil
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import headstart as hs
from headstart.base import hashes
from headstart.base.errors import RunError
from headstart.base.run import Run
from headstart.choose import doubts, pictures
from tests.processes import Command

QUICK = {
    "backbone": "embedded/resnet10-procedural",
    "strategy": "probe",
    "baselines": False,
    "budget": "60s",
    "precision": "float32",
}


def write_digits(folder, per_class, classes=4, wrong=()):
    """Real digits as files, a folder a class; the files named in ``wrong`` lie in the next class's folder."""
    data = load_digits()
    for digit in range(classes):
        for number, i in enumerate(np.flatnonzero(data.target == digit)[:per_class]):
            name = f"{digit}-{number:03d}.png"
            home = folder / str((digit + 1) % classes if name in wrong else digit)
            home.mkdir(parents=True, exist_ok=True)
            Image.fromarray((data.images[i] * 255 / 16).astype(np.uint8)).save(home / name)
    return folder


WRONG = ("0-003.png", "1-010.png", "2-020.png", "3-040.png", "3-050.png")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_digits(tmp_path_factory.mktemp("digits") / "photos", 80, wrong=WRONG)


@pytest.fixture(scope="module")
def model(source, tmp_path_factory):
    return hs.fit(source, output=tmp_path_factory.mktemp("model") / "m", **QUICK)


@pytest.fixture(scope="module")
def run(model):
    return Run(model.path / "run")


@pytest.mark.parametrize("part", ["tested", "validation"])
def test_rows_lie_in_the_order_of_their_predictions(part, model, run, source):
    rows = run.held_out[part]
    arrays = run.arrays("predictions" if part == "tested" else "validation")
    kept = arrays["transfer" if part == "tested" else "winner"]
    assert len(rows) == len(kept) == len(arrays["targets"]) > 0
    for row, target in zip(rows, arrays["targets"], strict=True):
        assert row["path"] == str(source / row["where"]), "shown as seen from the source"
        assert row["where"].split("/")[0] == model.classes[int(target)]
        assert row["digest"] == hashes.of_file(row["path"])
    if part == "tested":
        np.testing.assert_allclose(model.predict_proba([row["path"] for row in rows]), kept, atol=1e-4)


def test_wrong_labels_are_found_wherever_they_train(run):
    suspects = run.exhibits["suspects"]
    tested = {row["where"].split("/")[1] for row in run.held_out["tested"]}
    developed = [name for name in WRONG if name not in tested]
    assert developed, "the draw left none to find"
    found = [each["where"].split("/")[1] for each in suspects]
    assert len(set(found[: len(developed)]) & set(developed)) >= len(developed) - 1
    for each in suspects:
        if each["where"].split("/")[1] not in WRONG:
            continue
        assert each["likely"] == each["where"].split("/")[1][0] and each["said"] == each["where"].split("/")[0]
        assert each["likely_probability"] > each["said_probability"] + 0.5
        assert each["part"] in ("training", "validation")
        if each["part"] == "validation":
            assert run.held_out["validation"][each["row"]]["path"] == each["path"]
    suspicion = run.exhibits["suspicion"]
    assert suspicion["found"] == len(suspects) and suspicion["of"] == 320 - len(tested)
    assert "ridge probe" in suspicion["by"] and "all others" in suspicion["by"]


def test_suspects_are_a_finding_that_is_sealed(model, run):
    finding = next(each for each in run.findings if each["name"] == "suspected_labels")
    suspects = run.exhibits["suspects"]
    assert finding["evidence"]["items"] == [each["where"] for each in suspects]
    assert suspects[0]["where"] in finding["sentence"]
    assert any("probably wrong" in each for each in model.manifest.data["findings"])


def test_pictures_are_small_and_are_of_their_rows(run):
    shown = run.exhibits["pictures"]
    assert {"tested", "validation", "training"} == set(shown)
    assert 0 < run.pictures <= pictures.MOST
    for part in ("tested", "validation"):
        for row, name in shown[part].items():
            with Image.open(run.path / name) as small, Image.open(run.held_out[part][int(row)]["path"]) as whole:
                assert max(small.size) <= 96
                assert np.array_equal(np.asarray(small.convert("L")), np.asarray(whole.convert("L")))
    on_disk = {f"shown/{path.name}" for path in (run.path / "shown").iterdir() if not path.name.startswith("heat-")}
    assert on_disk == {name for part in shown.values() for name in part.values()}


def test_mistakes_and_suspects_have_pictures(run):
    shown, kept = run.exhibits["pictures"], run.arrays("predictions")
    wrong = np.flatnonzero(kept["transfer"].argmax(axis=1) != kept["targets"])
    assert {str(row) for row in wrong[: pictures.MISTAKES]} <= set(shown["tested"])
    for each in run.exhibits["suspects"]:
        assert str(each["row"]) in shown[each["part"]]


def neighbours_agree(points, labels, k=5):
    """Share of the k nearest points that have the same label."""
    points = np.asarray(points)
    near = np.linalg.norm(points[:, None] - points[None], axis=2).argsort(axis=1)[:, 1 : k + 1]
    return float((labels[near] == labels[:, None]).mean())


def test_the_map_shows_what_pretraining_brought_a_probe(write_shapes, tmp_path):
    photos = write_shapes(tmp_path / "photos", per_class=60)
    compared = QUICK | {"baselines": True, "budget": "2s", "pictures": False}
    run = Run(hs.fit(photos, output=tmp_path / "m", **compared).path / "run")
    found, kept = run.exhibits["map"], run.arrays("predictions")
    assert found["part"] == "tested" and found["rows"] == list(range(len(kept["targets"])))
    assert np.shape(found["before"]) == np.shape(found["after"]) == (len(found["rows"]), 2)
    assert found["before_is"] == "the same network with random weights"
    assert "moved nothing" in found["after_is"] and found["method"] == "t-SNE"
    assert neighbours_agree(found["after"], kept["targets"]) > max(
        0.9, neighbours_agree(found["before"], kept["targets"])
    )


def test_without_a_comparison_the_map_is_of_the_pretrained_network_alone(run):
    found, kept = run.exhibits["map"], run.arrays("predictions")
    assert np.shape(found["before"]) == (len(kept["targets"]), 2) and not found["after"]
    assert "pretrained" in found["before_is"] and "moved nothing" in found["before_is"] and not found["after_is"]
    assert neighbours_agree(found["before"], kept["targets"]) > 0.9


@pytest.mark.slow
def test_the_map_shows_what_fine_tuning_changed(source, tmp_path):
    tuned = QUICK | {"strategy": "partial", "depth": 3, "settings": {"strategy.epochs": 1}}
    run = Run(hs.fit(source, output=tmp_path / "m", **tuned).path / "run")
    found, labels = run.exhibits["map"], run.arrays("predictions")["targets"]
    assert "pretrained" in found["before_is"] and "fine-tuned" in found["after_is"]
    before, after = (neighbours_agree(found[side], labels) for side in ("before", "after"))
    assert after > 0.9 and before > 0.8
    assert found["before"] != found["after"]


def test_where_the_network_looked_is_shown_for_mistakes_and_right_answers(run, source):
    pytest.importorskip("captum")
    found, kept = run.exhibits["attention"], run.arrays("predictions")
    assert 6 <= len(found) <= 12
    wrong = kept["transfer"].argmax(axis=1) != kept["targets"]
    assert {each["row"] for each in found} >= set(np.flatnonzero(wrong)[: len(found) // 2].tolist()) or wrong.sum() > 6
    assert any(each["predicted"] == each["truth"] for each in found)
    for each in found:
        row = run.held_out[each["part"]][each["row"]]
        assert each["truth"] == row["where"].split("/")[0]
        assert each["picture"] == run.exhibits["pictures"]["tested"][str(each["row"])]
        assert each["about"] == each["predicted"] and each["method"].startswith("Grad-CAM")
        with Image.open(run.path / each["overlay"]) as overlay:
            assert max(overlay.size) == 192


def test_without_captum_nothing_is_said_and_a_note_is_kept(source, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    run = Run(hs.fit(source, output=tmp_path / "m", **QUICK).path / "run")
    assert "attention" not in run.exhibits
    assert any("captum" in note and "headstart[explain]" in note for note in run.exhibits["notes"])
    assert "captum" not in (run.path / "log.txt").read_text()


def test_pictures_belong_to_no_sealed_file_and_are_mentioned(model, run):
    assert not any("shown" in name for name in model.manifest.files)
    assert any("run/shown" in note and "--no-pictures" in note for note in model.manifest.training["notes"])
    assert "run/shown" in (model.path / "MODEL_CARD.md").read_text()


def test_without_pictures_nothing_of_the_kind_is_written(source, tmp_path):
    model = hs.fit(source, output=tmp_path / "m", pictures=False, **QUICK)
    run = Run(model.path / "run")
    assert run.pictures == 0 and "pictures" not in run.exhibits
    assert list(model.path.rglob("*.png")) == []
    assert any("--no-pictures" in note for note in run.exhibits["notes"])
    assert run.exhibits["suspects"] and run.held_out["tested"]
    assert "shown" not in (model.path / "MODEL_CARD.md").read_text()


def test_the_same_fit_keeps_the_same_things(source, model, run, tmp_path):
    again = Run(hs.fit(source, output=tmp_path / "m", **QUICK).path / "run")
    for name in ("held_out.json", "exhibits.json", "validation.safetensors"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()


@pytest.mark.slow
def test_killed_while_it_is_gathered_a_run_ends_with_the_same_things(source, tmp_path):
    words = ["fit", source, "--backbone", "embedded/resnet10-procedural", "--strategy", "probe", "--no-baselines"]
    words += ["--precision", "float32", "--quiet"]
    whole = Command([*words, "-o", tmp_path / "whole"], tmp_path / "told", HEADSTART_CACHE=tmp_path / "cache")
    assert whole.wait() == 0, whole.output
    cut, log = tmp_path / "cut", tmp_path / "cut" / "run" / "log.txt"
    since = 0
    # The first prediction is that of the test part; the one behind it is for the map.
    for moment, times in (("what there is to look at", 1), (r"predict \(", 2)):
        resume = ["--resume"] if (cut / "run" / "config.json").exists() else []
        running = Command([*words, "-o", cut, *resume], tmp_path / "told", HEADSTART_CACHE=tmp_path / "cache")
        assert running.wait_for(log, moment, since, times) and running.kill(), running.output
        since = log.stat().st_size
    last = Command([*words, "-o", cut, "--resume"], tmp_path / "told", HEADSTART_CACHE=tmp_path / "cache")
    assert last.wait() == 0, last.output
    names = {path.name for path in (tmp_path / "whole" / "run" / "shown").iterdir()}
    assert names == {path.name for path in (cut / "run" / "shown").iterdir()}
    for name in ("held_out.json", "exhibits.json", "validation.safetensors", *(f"shown/{each}" for each in names)):
        assert (cut / "run" / name).read_bytes() == (tmp_path / "whole" / "run" / name).read_bytes(), name
    assert not list((cut / "run").rglob("*.part"))


def test_what_fails_is_said_and_costs_no_model(source, tmp_path, monkeypatch):
    monkeypatch.setattr(doubts, "of", lambda *_: 1 / 0)
    model = hs.fit(source, output=tmp_path / "m", **QUICK)
    run = Run(model.path / "run")
    assert any("suspected labels could not be made: ZeroDivisionError" in note for note in run.exhibits["notes"])
    assert run.pictures > 0 and "suspects" not in run.exhibits
    assert "ZeroDivisionError" in (run.path / "log.txt").read_text()
    assert "not affected" in (run.path / "log.txt").read_text()


def test_items_in_memory_have_no_path_and_still_a_picture(tmp_path):
    data = load_digits(n_class=3)
    items = [(image * 255 / 16).astype(np.uint8) for image in data.images[:90]]
    model = hs.fit(items, data.target[:90].tolist(), output=tmp_path / "m", **QUICK)
    run = Run(model.path / "run")
    assert {row["path"] for row in run.held_out["tested"]} == {None}
    assert run.held_out["tested"][0]["where"].startswith("item ")
    # Cross-validated: what was tested is what was held out.
    assert run.held_out["tested"] == run.held_out["validation"]
    assert run.exhibits["pictures"]["tested"] == run.exhibits["pictures"]["validation"] != {}
    assert "cross-validated" in run.exhibits["suspicion"]["by"]


WRONG_ROWS = (5, 60, 200, 333)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["multilabel", "regression"])
def test_other_tasks_have_their_own_suspects(kind, tmp_path):
    data = load_digits(n_class=4)
    items = [(image * 255 / 16).astype(np.uint8) for image in data.images]
    if kind == "multilabel":
        labels = [[name for name, there in (("even", d % 2 == 0), ("high", d > 1)) if there] for d in data.target]
        for wrong in WRONG_ROWS:
            labels[wrong] = [] if labels[wrong] else ["even", "high"]
    else:
        ink = data.images.sum(axis=(1, 2))
        labels = [float(each) + 0.5 for each in ink]
        for wrong in WRONG_ROWS:
            labels[wrong] += 3000.0
    model = hs.fit(items, labels, output=tmp_path / "m", task=kind, **QUICK)
    run = Run(model.path / "run")
    tested = {row["where"] for row in run.held_out["tested"]}
    developed = {f"item {row + 1}" for row in WRONG_ROWS} - tested
    suspects = run.exhibits["suspects"]
    assert developed and {each["where"] for each in suspects[: 2 * len(developed)]} >= developed
    assert (suspects[0]["said_probability"] is None) == (kind == "regression")
    assert len(run.exhibits["attention"]) >= 8 and run.exhibits["notes"] == []
    assert run.pictures > 50


@pytest.mark.slow
def test_a_baseline_that_wins_is_shown_as_well(source, tmp_path, monkeypatch):
    shutil.copytree(source, tmp_path / "photos")
    given = QUICK | {"baselines": True, "metric": "accuracy"}
    from headstart.choose import finish

    monkeypatch.setattr(finish, "preferred", lambda able, *_: next(one for one in able if one.row.kind == "baseline"))
    model = hs.fit(tmp_path / "photos", output=tmp_path / "m", **given | {"budget": "5s"})
    run = Run(model.path / "run")
    assert model.manifest.kind == "baseline"
    kept = run.arrays("predictions")["baseline"]
    np.testing.assert_allclose(model.predict_proba([row["path"] for row in run.held_out["tested"]]), kept, atol=1e-4)
    assert run.exhibits["suspects"] and run.pictures > 0
    assert "attention" not in run.exhibits and "has none" in run.exhibits["notes"][0]
    assert run.exhibits["map"]["after"] == [] and "without a network" in run.exhibits["map"]["before_is"]


def test_a_damaged_list_is_named(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    (tmp_path / "run" / "exhibits.json").write_text(json.dumps([1, 2]))
    with pytest.raises(RunError, match="exhibits"):
        _ = Run(tmp_path / "run").exhibits
