"""When an item is unfamiliar: the line holds its rate on fresh items of its kind, and catches what is of another."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import headstart as hs
from headstart.backbones import catalogue, folder
from headstart.base.run import Run
from headstart.choose import unfamiliar
from headstart.choose.unfamiliar import Watch
from headstart.features.store import Store
from headstart.measure import alarm
from tests import small, small_texts

NAMES = ("</script><img onerror=alert(1)>", "b|c")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    to = tmp_path_factory.mktemp("source") / "small"
    folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), to, {"source": "random"})
    return f"local:{to}"


def stripes(rng, n, size=24):
    """Stripes along or across, in many colours and widths; the class is the direction."""
    found, labels = [], rng.integers(0, 2, n)
    for label in labels:
        step, shift = int(rng.integers(3, 6)), int(rng.integers(0, 6))
        ink = ((np.arange(size) + shift) // step % 2)[:, None] * np.ones(size)
        picture = np.where((ink if label else ink.T)[..., None], rng.uniform(140, 250, 3), rng.uniform(0, 90, 3))
        found.append((picture + rng.normal(0, 6, (size, size, 3))).clip(0, 255).astype(np.uint8))
    return found, labels


def blobs(rng, n, size=24):
    """Discs on the left or on the right."""
    y, x = np.mgrid[:size, :size]
    labels = rng.integers(0, 2, n)
    found = []
    for label in labels:
        disc = np.hypot(x - (6 if label else 18) + rng.normal(), y - 12 + 2 * rng.normal()) < rng.uniform(3, 6)
        picture = np.where(disc[..., None], rng.uniform(120, 255, 3), rng.uniform(0, 100, 3))
        found.append((picture + rng.normal(0, 6, (size, size, 3))).clip(0, 255).astype(np.uint8))
    return found, labels


def slopes(rng, n, size=24):
    """Gradients, brighter to the right or to the left."""
    labels = rng.integers(0, 2, n)
    found = []
    for label in labels:
        ramp = np.linspace(0, 1, size)[None, :, None] ** rng.uniform(0.6, 1.6) * np.ones((size, 1, 3))
        picture = (ramp if label else ramp[:, ::-1]) * rng.uniform(120, 250, 3) + rng.normal(0, 6, (size, size, 3))
        found.append(picture.clip(0, 255).astype(np.uint8))
    return found, labels


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["probe", "full"])
@pytest.mark.parametrize("kind", [stripes, blobs, slopes])
def test_fresh_items_raise_about_as_many_false_alarms_as_was_said(kind, strategy, source, tmp_path):
    rng = np.random.default_rng(7)
    pictures, labels = kind(rng, 120)
    settings = {"strategy.rate": "0.003", "strategy.epochs": "3"} if strategy == "full" else {}
    model = hs.fit(
        pictures,
        [NAMES[int(label)] for label in labels],
        output=tmp_path / "m",
        # A network at random is soon tuned, but sees little difference between colours and noise.
        backbone=source if strategy == "full" else "auto",
        strategy=strategy,
        budget="2m",
        baselines=False,
        settings=settings,
    )
    known = model.manifest.familiar
    assert known is not None and known.held_out == 120 and known.rate.value <= 0.01
    fresh, _ = kind(rng, 600)
    share = model.unfamiliar(fresh).mean()
    assert share <= known.rate.high + 0.02, "more false alarms than the interval of their rate allows"
    if strategy == "probe":
        noise = list(rng.integers(0, 256, (40, 24, 24, 3)).astype(np.uint8))
        assert model.unfamiliar(noise).mean() > 0.9
    exhibits = Run(model.path / "run").exhibits["unfamiliar"]
    assert exhibits["held_out"] == 120 and sum(exhibits["held"]) == 120 and "tested" not in exhibits
    assert (model.path / "doubt.safetensors").stat().st_size < 100_000


@pytest.mark.slow
@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_every_task_tells_them_and_says_how_far_to_believe_it(task, source, tmp_path):
    pictures, labels = slopes(np.random.default_rng(1), 60)
    given = (
        labels + np.random.default_rng(2).normal(0, 0.1, 60)
        if task == "regression"
        else [[NAMES[int(label)]] + (["x"] if i % 3 else []) for i, label in enumerate(labels)]
    )
    fit = {"output": tmp_path / "m", "backbone": source, "strategy": "probe", "budget": "1m", "baselines": False}
    model = hs.fit(pictures, list(given), task=task, **fit)
    noise = np.random.default_rng(3).integers(0, 256, (24, 24, 3)).astype(np.uint8)
    one, other = model.predict([pictures[0], noise])
    assert one.unfamiliar is False and other.unfamiliar is True
    found = model.evaluate(pictures, list(given))
    assert found["unfamiliar"]["count"] <= 2
    if task == "regression":
        assert one.answer["low"] < one.answer["value"] < one.answer["high"]
        assert found["interval"]["covered"]["value"] > 0.8
    else:
        assert model.doubt.keeping(0.01) is not None and model.predict([noise], min_confidence=1.0)[0].unsure
    assert "unfamiliar" in json.loads((model.path / "run" / "exhibits.json").read_text())


def test_a_baseline_has_nothing_to_compare():
    found = unfamiliar.watch(SimpleNamespace(), SimpleNamespace(row=SimpleNamespace(name="pixels")), object())
    assert found.known is None and "pixels has no network" in found.missing
    assert found.as_dict() == {"missing": found.missing}


def test_what_fails_is_said_and_costs_nothing():
    from headstart.features.network import Network

    said = []
    report = SimpleNamespace(begin=lambda *a: None, end=lambda: None, say=said.append)
    broken = Network.__new__(Network)
    found = unfamiliar.watch(SimpleNamespace(report=report, folds=[]), SimpleNamespace(row=None), broken)
    assert found.known is None and "could not be measured" in found.missing and "not affected" in said[0]


def test_what_is_shown_counts_every_item():
    held = np.r_[np.linspace(0.1, 1.0, 9), np.nan, 7.0]
    line = alarm.line(np.arange(99.0), 0.01, loosest=0.1)
    ground = SimpleNamespace(task=SimpleNamespace(wrong=lambda p, t: (p.argmax(1) != t).astype(float)))
    said, truth = np.eye(2)[[0, 1, 1]], np.array([0, 1, 0])
    watch = Watch(known=SimpleNamespace(reference=np.zeros((4, 2)), stages=(1,)), line=line, distances=held)
    found = unfamiliar.shown(ground, None, watch, (said, truth, np.array([0.5, 0.9, 2.0])))
    assert sum(found["held"]) == 10 and found["most"][0] == {"row": 10, "strangeness": 7.0}
    assert len(found["most"]) == 10, "an item that was not compared is not among them"
    assert found["tested"]["flagged"] == 1 and found["tested"]["coverage"] == pytest.approx(2 / 3)
    assert found["tested"]["risk"] == 0.0, "the one that was wrong was unfamiliar"


@pytest.mark.parametrize("room", [small, small_texts], ids=["pictures", "texts"])
def test_features_of_a_fine_tuned_network_are_those_of_a_plain_pass(room, tmp_path):
    """What crossed the cut is stored: only what was tuned behind it runs again, and the rows keep their order."""
    setting = room.setting(Store(tmp_path), small.CPU)
    tuned = small.tune("partial", setting, depth=2, epochs=1, rate=0.01).network.backbone
    frozen, stages = setting.frozen, tuple(range(1, tuned.depth + 1))
    assert tuned.digest(2) == frozen.backbone.digest(2) and tuned.digest() != frozen.backbone.digest()
    rows = np.random.default_rng(0).permutation(len(frozen.pixels))[:37]
    with torch.inference_mode():
        plain = [
            torch.cat([tuned.pooled(frozen.pixels[[int(row)]])[stage - 1] for row in rows]).numpy() for stage in stages
        ]
    for depth in (0, 2):
        found = unfamiliar._Seen(frozen, tuned, stages, depth)(rows)
        assert len(found) == len(stages)
        for one, other in zip(found, plain, strict=True):
            np.testing.assert_allclose(one, other, atol=2e-5)
