"""Two networks that a probe cannot tell apart: both are fine-tuned a little, and what came of it is kept and said."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headstart.backbones import catalogue, folder
from headstart.base import ranked
from headstart.base.machine import here
from headstart.base.progress import Silent
from headstart.base.ranked import Finalist, Rank, Ranking
from headstart.choose import backbone, finalists, planning
from headstart.data import dataset
from headstart.data.dataset import Dataset
from headstart.data.opening import open_source
from headstart.features.store import Store

SMALL = "embedded/resnet10-8-12-16-24"


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory, write_shapes: Callable[..., Path]) -> Dataset:
    return dataset.build(open_source(str(write_shapes(tmp_path_factory.mktemp("shapes"), per_class=6))))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few epochs as a plan ever gives where there is all the time in the world."""
    monkeypatch.setattr(planning, "STEPS", 1)


def compared(data: Dataset, names: list[str], store: Path, budget: float = math.inf) -> tuple[Finalist, ...]:
    pair = [catalogue.load(name, weights=name != SMALL) for name in names]
    given: dict[str, Any] = {"machine": here("float32", "cpu"), "store": Store(store), "report": Silent()}
    return finalists.compare(data, pair, metric="log_loss", budget=budget, **given)


@pytest.mark.slow
def test_the_better_one_after_a_little_fine_tuning_comes_first(shapes: Dataset, tmp_path: Path) -> None:
    first, second = compared(shapes, [SMALL, "embedded/resnet10-procedural"], tmp_path)
    assert (first.name, second.name) == ("embedded/resnet10-procedural", SMALL)
    assert first.metric == "log_loss" and first.rung.startswith("partial@")
    assert first.value is not None and (second.value is None or first.value < second.value) and first.seconds > 0


def test_without_time_for_both_neither_is_tuned(shapes: Dataset, tmp_path: Path) -> None:
    assert compared(shapes, [SMALL, SMALL], tmp_path, budget=1e-3) == ()


def test_without_room_to_try_them_the_comparison_before_stands(
    shapes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    assert compared(shapes, [SMALL, SMALL], tmp_path) == ()


@pytest.mark.slow
def test_auto_takes_the_better_finalist_and_so_does_a_run_that_replays_it(
    shapes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network and a copy of it are level, so that the first stays; then the second is made to be the better one."""
    net = catalogue.load("embedded/resnet10-procedural")
    for name in ("one", "two"):
        folder.write_folder(net, tmp_path / name, {"source": "procedural"})
    names = [f"local:{tmp_path / name}" for name in ("one", "two")]
    monkeypatch.setattr(backbone, "_candidates", lambda *given: (list(map(catalogue.load, names)), []))
    machine, store = here("float32", "cpu"), Store(tmp_path / "s")
    given: dict[str, Any] = {"architecture": None, "machine": machine, "store": store, "report": Silent()}
    probed = backbone.choose(shapes, "auto", **given).ranking
    assert probed is not None and probed.rows[1].tied and probed.finalists == ()
    real = finalists.compare
    monkeypatch.setattr(finalists, "compare", lambda *given, **named: tuple(reversed(real(*given, **named))))
    tuned = backbone.choose(shapes, "auto", tuned=True, metric="log_loss", budget=600.0, **given)
    assert tuned.ranking is not None and len(tuned.ranking.finalists) == 2
    first, second = tuned.ranking.finalists
    assert first.value == second.value, "a network and its copy are level"
    assert tuned.backbone.info.name == tuned.ranking.best == first.name == probed.rows[1].name
    assert any("level on held-out images" in note for note in tuned.notes)
    monkeypatch.setattr(finalists, "compare", lambda *given, **named: pytest.fail("tuned again"))
    again = backbone.choose(shapes, "auto", tuned=True, recorded=tuned.ranking.as_dict(), **given)
    assert again.backbone.info.name == first.name and again.ranking == tuned.ranking


ROWS = (Rank("a", place=1, loss=0.5, score=0.8, beats_next=0.6), Rank("b", place=2, tied=True, loss=0.51, score=0.79))


def ranking(*values: float | None) -> Ranking:
    kept = tuple(Finalist(name, "partial@4", "log_loss", value, 1.0) for name, value in zip("ba", values, strict=False))
    return Ranking(ROWS, "classification", "log_loss", "accuracy", by_prior="a", finalists=kept)


def test_what_came_of_it_is_said_in_words() -> None:
    assert ranking().about_finalists == "" and ranking().best == "a"
    better = ranking(0.3, 0.4)
    assert better.best == "b" and better.first == "a"
    assert better.about_finalists == (
        "Both fine-tuned a little, b does better on held-out images: "
        "log loss 0.300 (partial@4) against 0.400 (partial@4)"
    )
    assert "would have chosen a" in better.about_prior
    assert ranking(0.3, None).about_finalists.endswith("where the other learned nothing")
    assert "level" in ranking(0.3, 0.3).about_finalists and "level" in ranking(None, None).about_finalists


def test_it_survives_being_written_and_read() -> None:
    better = ranking(0.3, None)
    assert ranked.read(better.as_dict()) == better
    older = {name: value for name, value in better.as_dict().items() if name != "finalists"}
    assert ranked.read(older).finalists == ()
    assert "fine-tuned a little" in better._repr_html_()
