"""Networks in the order in which they are worth fine-tuning: what decides, what is said, what a budget does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from headstart.backbones import bundle, catalogue, usual
from headstart.base.errors import BadOption, UnknownName, WeightsError
from headstart.base.machine import here
from headstart.base.progress import Silent
from headstart.base.ranked import Ranking
from headstart.base.vocabulary import BackboneInfo, Preprocessing
from headstart.choose import candidates, ranking, scoring
from headstart.choose.candidates import Candidate
from headstart.choose.contender import Contender
from headstart.data import dataset
from headstart.data.dataset import Dataset
from headstart.data.opening import open_source
from headstart.features.store import Store
from headstart.rank import knn, leep, logme, loo_ridge, shrinkage_h
from headstart.tasks import classification, multilabel, regression
from tests.backbones import published

OURS = "embedded/resnet10-procedural"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two random networks as timm publishes them, heads included."""
    root = tmp_path_factory.mktemp("nets")
    for name in ("test_resnet.r160_in1k", "test_efficientnet.r160_in1k"):
        published.timm_network(root / name.split(".")[0], name, config=True)
    return [f"local:{path}" for path in sorted(root.iterdir())]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory, write_shapes: Callable[..., Path]) -> Dataset:
    folder = write_shapes(tmp_path_factory.mktemp("shapes"), per_class=40)
    return dataset.build(open_source(str(folder)))


def compared(data: Dataset, names: list[str], store: Path, **given: Any) -> tuple[Ranking, list[Contender]]:
    wanted = [Candidate(name, catalogue.describe(name)) for name in names]
    return ranking.compare(data, wanted, machine=here("float32", "cpu"), store=Store(store), report=Silent(), **given)


@pytest.mark.slow
def test_a_table_of_everything_and_the_best_first(shapes: Dataset, folders: list[str], tmp_path: Path) -> None:
    found, order = compared(shapes, [*folders, OURS], tmp_path)
    assert found.best == OURS == order[0].name
    assert [row.place for row in found.rows] == [1, 2, 3]
    first, second, last = found.rows
    assert (first.loss or 9) < min(second.loss or 0, last.loss or 0)
    assert first.beats_next is not None and first.beats_next > 0.975 and not second.tied
    assert "beyond noise" in found.sentence
    assert last.beats_next is None
    assert found.items == found.development == len(shapes.development)
    for row in found.rows:
        assert set(scoring.VOTES) | {"nleep"} <= set(row.scores)
        assert len(row.stage_losses) == len(row.stages) and 1 <= row.best_stage <= len(row.stages)
        assert row.latency_ms > 0 and row.parameters > 0
    assert first.missing == {"leep": "no source head", "nce": "no source head"}
    assert {"leep", "nce"} <= set(second.scores) and second.scores["leep"] <= 0


def test_its_numbers_are_those_of_the_pure_scores(shapes: Dataset, folders: list[str], tmp_path: Path) -> None:
    found, (one,) = compared(shapes, folders[:1], tmp_path)
    (row,) = found.rows
    frozen = one._frozen(row.items)
    features, y = frozen.pooled(one.load().depth), shapes.targets[one.arena.rows]
    assert row.loss == pytest.approx(-loo_ridge.score(features, y))
    for name, module in (("knn", knn), ("logme", logme), ("shrinkage_h", shrinkage_h)):
        assert row.scores[name] == pytest.approx(module.score(features, y))
    head = one.load().source_head
    assert head is not None
    asked = softmax(features.astype(np.float64) @ head[0].T.astype(np.float64) + head[1], axis=1)
    assert row.scores["leep"] == pytest.approx(leep.score(asked, y))
    assert row.stage_losses[-1] == pytest.approx(row.loss)
    assert row.best_stage == 1 + int(np.argmin(row.stage_losses))
    assert "only network" in found.sentence


def test_a_network_and_its_copy_are_a_tie_and_votes_are_level(
    shapes: Dataset, folders: list[str], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.symlink_to(folders[0].removeprefix("local:"))
    found, _ = compared(shapes, [folders[0], f"local:{copy}"], tmp_path / "store")
    first, second = found.rows
    assert first.beats_next == 0.5 and second.tied and "is a tie" in found.sentence
    assert first.mean_rank == second.mean_rank == 1.5


def test_in_a_tie_reputation_has_a_vote(shapes: Dataset, folders: list[str], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.symlink_to(folders[0].removeprefix("local:"))
    names = [folders[0], f"local:{copy}"]
    wanted = [Candidate(name, catalogue.describe(name)) for name in names]
    loaded = {name: catalogue.load(name) for name in names}
    loaded[names[1]].info = replace(loaded[names[1]].info, prior=80.0)
    machine, store = here("float32", "cpu"), Store(tmp_path / "store")
    found, _ = ranking.compare(shapes, wanted, machine=machine, store=store, report=Silent(), loaded=loaded)
    assert found.best == found.by_prior == names[1] and found.rows[1].tied


def test_what_cannot_be_had_is_a_row_and_not_the_end(shapes: Dataset, folders: list[str], tmp_path: Path) -> None:
    wanted, _ = candidates.find([folders[0], "local:/nowhere/at/all", str(f"local:{tmp_path}")])
    found, _ = ranking.compare(
        shapes, wanted, machine=here("float32", "cpu"), store=Store(tmp_path / "s"), report=Silent()
    )
    assert [bool(row.place) for row in found.rows] == [True, False, False]
    assert {"There is no such file or folder", "The folder holds no backbone"} == {row.status for row in found.rows[1:]}


def test_with_none_of_them_it_ends_in_words(shapes: Dataset, tmp_path: Path) -> None:
    wanted, _ = candidates.find(["local:/nowhere/at/all"])
    with pytest.raises(WeightsError, match="None of the pretrained networks"):
        ranking.compare(shapes, wanted, machine=here("float32", "cpu"), store=Store(tmp_path), report=Silent())


def test_a_hub_that_does_not_answer_is_said_once_and_what_is_here_is_compared(
    shapes: Dataset, folders: list[str], tmp_path: Path
) -> None:
    several = [Candidate(name, catalogue.describe(name), asked=False) for name in usual.kinds("images")]
    wanted = [Candidate(folders[0], catalogue.describe(folders[0])), *several]
    found, _ = ranking.compare(shapes, wanted, machine=here("float32", "cpu"), store=Store(tmp_path), report=Silent())
    assert len(found.rows) == 1
    (note,) = found.notes
    assert usual.kinds("images")[0] in note and "compared is what is on this machine" in note


def test_a_spent_budget_measures_one_and_says_what_the_others_would_take(
    shapes: Dataset, folders: list[str], tmp_path: Path
) -> None:
    found, _ = compared(shapes, [OURS, *folders], tmp_path, budget=1e-6)
    assert [row.name for row in found.measured] == [OURS]
    assert all("over budget" in row.status and "would take about" in row.status for row in found.rows[1:])


@pytest.mark.slow
def test_more_items_are_for_those_that_go_on(
    shapes: Dataset, folders: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An estimate stands in for the clock: two of the three fit into what is left.
    monkeypatch.setattr(Contender, "estimate", lambda self, size: 0.0 if size == 30 else 400.0)
    found, order = compared(shapes, [*folders, OURS], tmp_path, budget=1000.0, sizes=(30, 60))
    assert [row.items for row in found.rows] == [60, 60, 30]
    assert found.items == 60 and found.best == OURS
    assert set(order[0].probes) == {30, 60} and set(order[-1].probes) == {30}


@pytest.mark.slow
def test_what_the_store_holds_is_not_computed_again(
    shapes: Dataset, folders: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = compared(shapes, folders, tmp_path)
    from headstart.backbones.chain import Backbone

    monkeypatch.setattr(Backbone, "pooled", lambda self, x: pytest.fail("computed again"))
    after, _ = compared(shapes, folders, tmp_path)
    assert [(row.name, row.loss, row.scores) for row in after.rows] == [
        (row.name, row.loss, row.scores) for row in before.rows
    ]


def test_the_test_part_is_not_looked_at(write_shapes: Callable[..., Path], tmp_path: Path) -> None:
    write_shapes(tmp_path / "p" / "train", per_class=20)
    write_shapes(tmp_path / "p" / "test", per_class=10, seed=5)
    data = dataset.build(open_source(str(tmp_path / "p")))
    rows = ranking.sample(data, 2000)
    assert sorted(rows) == sorted(data.development) and not set(rows) & set(data.test)


def test_every_beginning_of_the_sample_has_the_classes_own_shares(shapes: Dataset) -> None:
    targets = np.repeat([0, 1, 2], [600, 300, 100])
    many = replace(
        shapes,
        items=tuple(range(1000)),
        digests=tuple(map(str, range(1000))),
        targets=targets,
        parts=np.full(1000, "train"),
    )
    rows = ranking.sample(many, 400)
    for size in (50, 100, 250, 400):
        share = np.bincount(targets[rows[:size]], minlength=3) / size
        assert share == pytest.approx([0.6, 0.3, 0.1], abs=3 / size)
    assert len(set(rows)) == 400


def test_a_network_that_reads_something_else_is_a_row(shapes: Dataset, folders: list[str], tmp_path: Path) -> None:
    text = Candidate("x/text", BackboneInfo("x/text", "x/text", 0, (), 0, Preprocessing(size=8), modality="texts"))
    wanted = [Candidate(folders[0], catalogue.describe(folders[0])), text]
    found, _ = ranking.compare(shapes, wanted, machine=here("float32"), store=Store(tmp_path), report=Silent())
    assert found.rows[-1].status == "It reads texts, not images"


# Which networks are compared.


def test_only_one_way_of_naming_them() -> None:
    with pytest.raises(BadOption, match="exclude each other"):
        candidates.find([OURS], family="resnet")
    with pytest.raises(BadOption, match="exclude each other"):
        candidates.find(family="resnet", all_local=True)


def test_a_name_that_is_none_is_refused_with_the_closest() -> None:
    with pytest.raises(UnknownName, match="resnet10-procedural"):
        candidates.find(["embedded/resnet10-procedurall"])
    with pytest.raises(UnknownName, match="no-such-family"):
        candidates.find(family="no-such-family")


def test_a_family_is_what_is_here_and_then_the_best_known() -> None:
    found, (note,) = candidates.find(family="resnet")
    names = [one.name for one in found]
    assert OURS in names and "timm/resnet50.a1_in1k" in names and len(names) == candidates.MOST
    assert "have 'resnet' in their name" in note and "--backbones" in note


def test_the_cheapest_come_first_and_a_name_counts_once() -> None:
    found, _ = candidates.find(["timm/vit_base_patch16_224.augreg2_in21k_ft_in1k", OURS, OURS])
    assert [one.name for one in found] == [OURS, "timm/vit_base_patch16_224.augreg2_in21k_ft_in1k"]


def test_a_bundle_is_compared_and_no_hub_is_asked(folders: list[str], tmp_path: Path) -> None:
    bundle.pack([folders[0]], tmp_path / "b", catalogue.load)
    found, notes = candidates.find(bundle=tmp_path / "b")
    assert {one.name for one in found} == {folders[0], OURS} and notes == []


def test_reputation_is_published_accuracy_and_then_size() -> None:
    def known(prior: float | None, parameters: int) -> BackboneInfo:
        return BackboneInfo("a/b", "a/b", parameters, (), 8, Preprocessing(size=8), prior=prior)

    order = sorted([known(None, 9), known(70.0, 5), known(80.0, 1), known(None, 99)], key=candidates.reputation)
    assert [(one.prior, one.parameters) for one in order] == [(None, 9), (None, 99), (70.0, 5), (80.0, 1)]


# Every task.


def planted(n: int = 120, d: int = 8) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    y = np.arange(n) % 3
    return draw.normal(size=(n, d)) + 2 * np.eye(3, d)[y], y


def test_scores_of_numbers_are_those_defined_for_numbers() -> None:
    x, y = planted()
    numbers = y.astype(np.float64)
    found = scoring.score(["knn", "logme", "shrinkage_h", "nleep"], x, numbers, head=None)
    assert found.values == {"knn": knn.score(x, numbers), "logme": logme.score(x, numbers)}
    assert set(found.missing.values()) == {"not defined for numbers"}
    probe = scoring.probe(regression.learn([0.0, 1.0, 2.0]).fitted(numbers), x, numbers)
    assert np.sqrt(probe.losses.mean()) == pytest.approx(probe.loss)
    assert 0.3 < probe.score < 1


def test_scores_of_several_labels_are_means_over_them() -> None:
    x, y = planted()
    truths = np.stack([y == 0, y == 1, np.zeros(len(y))], axis=1).astype(np.float32)
    found = scoring.score(["knn", "shrinkage_h"], x, truths, head=None)
    assert found.values["knn"] == pytest.approx(np.mean([knn.score(x, y == 0), knn.score(x, y == 1)]))
    probe = scoring.probe(multilabel.learn([("a", "b", "c")]), x, truths[:, :3])
    assert probe.losses.shape == (len(y),) and probe.losses.mean() == pytest.approx(probe.loss)
    flat = scoring.score(["knn"], x, np.zeros((len(y), 2)), head=None)
    assert flat.missing == {"knn": "no label varies"}


def test_a_probe_of_classes_is_judged_by_its_log_loss() -> None:
    x, y = planted()
    probe = scoring.probe(classification.learn(["a", "b", "c"]), x, y)
    assert probe.losses.mean() == pytest.approx(probe.loss) == pytest.approx(-loo_ridge.score(x, y))
    assert 0.7 < probe.score <= 1


def test_one_class_is_no_ranking() -> None:
    x, _ = planted()
    assert scoring.score(["knn"], x, np.zeros(len(x), dtype=np.int64), head=None).missing == {"knn": "one class only"}
