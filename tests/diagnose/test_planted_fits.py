"""Findings of real fits: on real digits in which a defect is planted, and on the same ones without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

import headstart as hs
from headstart.base.run import Run
from headstart.base.vocabulary import Finding

pytestmark = pytest.mark.slow

Found = tuple[Run, dict[str, Finding]]


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Found]:
    """A function that fits a network to digits under so much noise: its run and what is found in it."""
    home = tmp_path_factory.mktemp("planted")

    def run(name: str, noise: float, items: int, classes: int, **given: Any) -> Found:
        draw, data = np.random.default_rng(0), load_digits(n_class=classes)
        pictures = [0.5 * image * 255 / 16 + 60 + draw.normal(0, noise, (8, 8)) for image in data.images[:items]]
        model = hs.fit(
            [picture.clip(0, 255).astype(np.uint8) for picture in pictures],
            data.target[:items].tolist(),
            output=home / name,
            backbone="embedded/resnet10-procedural",
            baselines=False,
            budget="60s",
            pictures=False,
            precision="float32",
            **given,
        )
        return Run(home / name / "run"), {one.name: one for one in hs.findings(model)}

    return run


TRAINED: dict[str, Any] = {"strategy": "full", "settings": {"strategy.rate": 1e-3, "strategy.epochs": 6}}


def test_a_network_that_learns_noise_by_heart_is_overfitted(fit: Callable[..., Found]) -> None:
    run, found = fit("noisy", 120, 300, 4, **TRAINED)
    one = found["overfitting"]
    learnt, held = run.fitted["scores"]["accuracy"]["value"], run.evidence[0]["scores"]["accuracy"]["value"]
    assert learnt > 0.8 and held < 0.7 and one.number == pytest.approx(learnt - held)
    assert one.severity == "warning" and not {"nothing_learnt", "frozen_too_much"} & set(found)


def test_the_same_network_on_clean_digits_is_not(fit: Callable[..., Found]) -> None:
    run, found = fit("clean", 5, 300, 4, **TRAINED)
    assert run.fitted["scores"]["accuracy"]["value"] > 0.95
    assert not {"overfitting", "frozen_too_much", "one_class_collapse", "class_left_behind", "miscalibration"} & set(
        found
    )


def test_a_probe_of_the_first_stage_alone_keeps_too_much_frozen(fit: Callable[..., Found]) -> None:
    run, found = fit("frozen", 62, 900, 10, strategy="probe", settings={"strategy.stages": "1"})
    one = found["frozen_too_much"]
    learnt, held = run.fitted["scores"]["accuracy"]["value"], run.evidence[0]["scores"]["accuracy"]["value"]
    assert one.number == pytest.approx((1 - learnt) / (1 - held)) and one.number > one.threshold
    assert one.next_move.endswith("--strategy partial") and "overfitting" not in found
