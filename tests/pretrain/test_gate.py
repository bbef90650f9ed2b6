"""Benchmarks of the embedded backbones: fair draws, a gate that can fail, scripts that still fit the product."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import embedded, recipes
from benchmarks.embedded import ALL, Bank, Bench, Record
from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from tests.pretrain.heldout import scenes


@pytest.fixture(scope="module")
def small() -> Bank:
    pictures, labels = scenes(12, 5)
    keep = labels < 4
    return Bank(pictures[keep].transpose(0, 2, 3, 1), labels[keep], np.arange(keep.sum()), 0.4)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return catalogue.load("embedded/resnet10-8-12-16", weights=False, seed=1)


@pytest.mark.parametrize("shots", [1, 5, ALL])
def test_no_side_of_a_split_is_on_both(shots: int) -> None:
    rng = np.random.default_rng(0)
    labels, fonts = np.repeat(np.arange(6), 40), rng.integers(9, size=240)
    bank = Bank(np.zeros((240, 4, 4, 3), np.uint8), labels, fonts, 0.4)
    tested_once = set()
    for seed in range(8):
        taught, tested = bank.draw(shots, seed)
        assert not set(fonts[taught]) & set(fonts[tested])
        counts = np.bincount(labels[taught], minlength=6)
        assert (counts == shots).all() if shots else counts.sum() + len(tested) == 240
        tested_once |= set(fonts[tested].tolist())
    assert tested_once == set(range(9))


def test_a_draw_depends_on_its_seed_alone(small: Bank) -> None:
    for first, second in zip(small.draw(5, 3), small.draw(5, 3), strict=True):
        assert np.array_equal(first, second)
    few, many = small.draw(1, 3), small.draw(5, 3)
    assert np.array_equal(few[1], many[1])
    assert set(few[0].tolist()) <= set(many[0].tolist())
    assert not np.array_equal(small.draw(5, 4)[1], many[1])


def test_pictures_for_tuning_are_never_measured_on(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 40

    class Data:
        images = np.random.default_rng(0).integers(0, 17, (count, 8, 8)).astype(float)
        target = np.arange(count) % 10

    monkeypatch.setattr(embedded, "load_digits", Data)
    tuning, measured = embedded.digits("tuning"), embedded.digits("measured")
    assert len(tuning.labels) + len(measured.labels) == count
    seen = [{picture.tobytes() for picture in bank.pictures} for bank in (tuning, measured)]
    assert not seen[0] & seen[1]


def test_squares_of_the_photographs_keep_their_distance() -> None:
    bank = embedded.photographs("measured", per_class=3)
    assert bank.pictures.shape == (48, 64, 64, 3)
    assert np.bincount(bank.labels).tolist() == [6] * 8
    taught, tested = bank.draw(1, 0)
    assert set(bank.sides[taught]) != set(bank.sides[tested])


@pytest.mark.parametrize("arm", ["pixels", "random", "frozen"])
def test_arms_that_solve_run(
    arm: str, small: Bank, backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "bank", lambda *_: small)
    bench = Bench(backbone, "small", "measured", tmp_path)
    assert 0 <= bench.accuracy(arm, 5, 0, None) <= 100


@pytest.mark.parametrize("arm", ["tuned", "scratch"])
def test_arms_that_train_find_their_rate(
    arm: str, small: Bank, backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "bank", lambda *_: small)
    monkeypatch.setattr(embedded.planning, "STEPS", 8)
    monkeypatch.setattr(embedded, "LONGER", 1)
    record = Record(tmp_path / "results.json", backbone)
    rate = embedded.best_rate(record, Bench(backbone, "small", "tuning", tmp_path), "small", 1, arm)
    tried = record.own["rates"][embedded.key("small", 1, arm, "rates")]
    assert tried[f"{rate:g}"] == max(tried.values())
    assert len(tried) >= 3


def filled(path: Path, backbone: Backbone, gain: float, spread: float) -> Record:
    record, rng = Record(path, backbone), np.random.default_rng(0)
    for target in embedded.FINAL:
        for shots in embedded.SHOTS:
            for seed in range(embedded.SEEDS if shots else embedded.SEEDS_FEW):
                base = 60 + rng.normal(0, 5)
                for arm, value in (("scratch", base), ("tuned", base + gain + spread * rng.normal())):
                    record.own["cells"][embedded.key(target, shots, arm, seed)] = {"accuracy": value, "seconds": 1.0}
    return record


@pytest.mark.parametrize(
    ("gain", "spread", "holds"), [(8.0, 1.0, True), (0.2, 6.0, False), (-3.0, 0.5, False), (0.0, 0.0, False)]
)
def test_the_gate_holds_only_where_the_paired_interval_is_above_zero(
    gain: float, spread: float, holds: bool, backbone: Backbone, tmp_path: Path
) -> None:
    assert embedded.summarise(filled(tmp_path / "results.json", backbone, gain, spread), embedded.FINAL) is holds


def test_a_gate_with_missing_cells_is_not_decided(backbone: Backbone, tmp_path: Path) -> None:
    record = filled(tmp_path / "results.json", backbone, 8.0, 1.0)
    record.own["cells"].pop(embedded.key("digits", 1, "scratch", 4))
    assert embedded.summarise(record, embedded.FINAL) is None


def test_every_run_on_the_final_targets_is_counted(backbone: Backbone, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for _ in range(3):
        Record(path, backbone).opened()
    counted = Record(path, backbone).data["openings"]
    assert [one["continues"] for one in counted] == [False, True, True]


def test_a_recipe_is_asked_through_the_product(
    small: Bank, backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "bank", lambda *_: small)
    monkeypatch.setattr(recipes, "TUNING", {"rate": 1e-3, "epochs": 1, "batch_size": 8})
    monkeypatch.setattr(recipes.development, "TAUGHT", 6)
    frozen = Bench(backbone, "small", "measured", tmp_path).frozen
    for ask in (recipes.probe, recipes.tune):
        assert 0 <= ask(frozen, small.labels, 0) <= 100


def test_variants_differ_from_the_base_in_one_thing() -> None:
    for name, (_, changed, seed) in recipes.VARIANTS.items():
        different = set(changed) - {"ramp"} if "epochs" in changed else set(changed)
        assert len(different) + (seed != 0) == (0 if name == "base" else 1), name
