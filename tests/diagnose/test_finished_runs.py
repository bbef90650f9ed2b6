"""Every finding of a finished run: on runs in which the defect is planted, and on healthy ones."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.base.run import Run
from headstart.cli.shell import run as shell
from headstart.diagnose import class_left_behind, finished, miscalibration, shifted_test
from headstart.engine.journal import Journal
from headstart.measure import chance, intervals
from tests.diagnose.planted import CLASSES, Candidate, answers, found, kept, write

HELD, TESTED = np.arange(200) % 4, np.arange(400) % 4
HOSTILE = ("</script><img src=x onerror=alert(1)>", "a\x1b[31m b", "{name}", "%s")


@pytest.fixture(autouse=True)
def no_failure(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A diagnosis that fails is logged and left out, which no test of it may miss."""
    with caplog.at_level(logging.ERROR):
        yield
    assert not [one for one in caplog.records if "diagnosis" in one.getMessage()], caplog.text


def candidate(held: float, tested: float | None = None, *, seed: int = 0, **given: Any) -> Candidate:
    """A candidate that is right for these shares of the held-out and of the test items."""
    tests = None if tested is None else answers(TESTED, tested, seed=seed)
    return Candidate(answers(HELD, held, seed=seed), tests, **given)


def healthy() -> dict[str, Candidate]:
    """What a ladder looks like that has nothing to be said against."""
    return {
        "pixels": candidate(0.6, 0.6, seed=1, kind="baseline", trainable=0, serving=0.0),
        "probe": candidate(0.86, seed=2, trainable=2000, options={"stages": "last"}),
        "partial@3": candidate(0.88, seed=3, strategy="partial", trainable=900_000, options={"depth": 3, "rate": 1e-3}),
        "full": candidate(0.9, 0.9, seed=4, strategy="full", trainable=2_000_000, options={"rate": 1e-3}),
        "scratch": candidate(0.75, 0.75, seed=5, kind="scratch", strategy="scratch", trainable=2_000_000),
    }


MODELS = {"transfer": "full", "scratch": "scratch", "baseline": "pixels"}


def healthy_run(folder: Path, **given: Any) -> Run:
    ladder = healthy() | given.pop("changed", {})
    models = given.pop("models", MODELS)
    learnt = given.pop("learnt", 0.95)
    shown = np.arange(256) % 4
    kept = None if learnt is None else (answers(shown, learnt), shown)
    return write(
        folder, ladder, HELD, TESTED, winner=given.pop("winner", "transfer"), models=models, learnt=kept, **given
    )


def test_a_healthy_run_has_no_findings(tmp_path: Path) -> None:
    assert found(healthy_run(tmp_path)) == {}


def test_a_run_without_a_verdict_has_none_either(tmp_path: Path) -> None:
    assert found(Run(tmp_path)) == {}
    run = healthy_run(tmp_path)
    (tmp_path / "verdict.json").unlink()
    assert found(run) == {}


@pytest.mark.parametrize("gone", ["comparisons.json", "fitted.json", "plan.json", "held_out.json", "evidence.json"])
def test_an_older_run_that_lacks_a_file_is_read_all_the_same(gone: str, tmp_path: Path) -> None:
    run = healthy_run(tmp_path, changed={"scratch": candidate(0.95, 0.97, kind="scratch", strategy="scratch")})
    (tmp_path / gone).unlink()
    assert "negative_transfer" in found(run)
    for name in ("predictions", "validation"):
        (tmp_path / f"{name}.safetensors").unlink()
    assert set(found(run)) == {"negative_transfer"}


def test_a_source_that_hurt_is_serious(tmp_path: Path) -> None:
    worse = {"scratch": candidate(0.95, 0.97, seed=5, kind="scratch", strategy="scratch")}
    (one,) = found(healthy_run(tmp_path, changed=worse, winner="scratch", learnt=None)).values()
    assert (one.name, one.severity) == ("negative_transfer", "serious")
    assert one.number == pytest.approx(-0.07) and one.evidence["gap"]["high"] < 0
    assert "full is 7.0 points below (" in one.sentence and "scratch is sealed" in one.sentence


def test_a_gap_that_may_be_chance_is_none(tmp_path: Path) -> None:
    level = {"scratch": candidate(0.9, 0.905, seed=5, kind="scratch", strategy="scratch")}
    assert "negative_transfer" not in found(healthy_run(tmp_path, changed=level))


def test_what_a_fair_comparison_would_take_is_said(tmp_path: Path) -> None:
    plan = {"rungs": {"scratch": {"least_seconds": 81.0}}}
    run = healthy_run(tmp_path, fair=False, plan=plan)
    one = found(run)["not_measured"]
    assert one.severity == "info" and one.number == 60 and one.threshold == pytest.approx(150)
    assert one.next_move == "fit again with --budget 3m" and "a budget of 60s had no room" in one.sentence
    probed = {**MODELS, "transfer": "probe"}
    changed = {"probe": candidate(0.9, 0.9, seed=2)}
    run = healthy_run(tmp_path, fair=False, plan={"extraction_seconds": 2.0}, models=probed, changed=changed)
    one = found(run)["not_measured"]
    assert one.threshold == pytest.approx(80) and "3 random copies" in one.sentence
    assert "not_measured" not in found(healthy_run(tmp_path, fair=False, baselines=False))


def test_a_strategy_that_the_budget_had_no_room_for_is_a_warning(tmp_path: Path) -> None:
    ladder = {
        "pixels": healthy()["pixels"],
        "full": Candidate(strategy="full", status="over budget: 3 epochs need 38 s"),
    }
    plan = {"rungs": {"full": {"least_seconds": 36.0}, "scratch": {"least_seconds": 180.0}}}
    one = found(write(tmp_path, ladder, HELD, TESTED, winner="baseline", plan=plan, strategy="full"))["not_measured"]
    assert one.severity == "warning" and one.threshold == pytest.approx(300)
    assert one.sentence.endswith("a budget of 60s had no room for full") and one.next_move.endswith("--budget 5m")
    ladder["full"] = Candidate(strategy="full", status="collapsed to one class")
    assert "not_measured" not in found(write(tmp_path, ladder, HELD, TESTED, winner="baseline", strategy="full"))


@pytest.mark.parametrize(("right", "sealed", "severity"), [(0.9, False, "info"), (0.96, True, "warning")])
def test_a_simple_model_that_is_as_good_is_named(right: float, sealed: bool, severity: str, tmp_path: Path) -> None:
    simple = {"pixels": candidate(right, right, seed=1, kind="baseline", trainable=0)}
    winner = "baseline" if sealed else "transfer"
    one = found(healthy_run(tmp_path, changed=simple, winner=winner, learnt=None))["simple_baseline_wins"]
    assert one.severity == severity and one.number == pytest.approx(0.9 - right, abs=1e-6)
    assert "pixels" in one.sentence and ("is sealed" in one.sentence) == sealed


def test_a_simple_model_that_validation_preferred_and_the_test_does_not_is_no_win(tmp_path: Path) -> None:
    simple = {"pixels": candidate(0.95, 0.6, seed=1, kind="baseline", trainable=0)}
    names = found(healthy_run(tmp_path, changed=simple, winner="baseline", learnt=None))
    assert "simple_baseline_wins" not in names and names["shifted_test"].severity == "serious"


def test_nothing_learnt_is_serious_and_silences_what_would_be_nonsense(tmp_path: Path) -> None:
    """Labels that say nothing, of which a network can learn every one by heart."""
    chance = {name: replace(one, held=answers(HELD, 0.26, seed=i)) for i, (name, one) in enumerate(healthy().items())}
    for name in MODELS.values():
        chance[name].tested = answers(TESTED, 0.26, stated=0.9)
    (one,) = found(healthy_run(tmp_path, changed=chance, learnt=1.0)).values()
    assert (one.name, one.severity) == ("nothing_learnt", "serious")
    assert one.number == pytest.approx(0.01) and one.evidence["gain"]["low"] <= 0
    assert "full reaches 26.0 % accuracy" in one.sentence and "1.0 points above (" in one.sentence


def test_overfitting_names_the_gap_and_a_smaller_candidate_that_is_as_good(tmp_path: Path) -> None:
    less = {name: replace(one, held=answers(HELD, 0.7, seed=i)) for i, (name, one) in enumerate(healthy().items())}
    less["full"].tested = answers(TESTED, 0.7)
    one = found(healthy_run(tmp_path, changed=less, learnt=1.0))["overfitting"]
    assert one.severity == "info" and one.number == pytest.approx(0.3) and one.threshold == 0.1
    assert "100.0 % accuracy on those, 70.0 % on held-out ones, 30.0 points less (" in one.sentence
    assert "probe, which moves 2.0k weights instead of 2.0M" in one.next_move and "--strategy probe" in one.next_move


def test_overfitting_without_a_smaller_candidate_asks_for_variety(tmp_path: Path) -> None:
    alone = {"full": candidate(0.5, 0.5, strategy="full", trainable=2_000_000)}
    shown = np.arange(256) % 4
    run = write(tmp_path, alone, HELD, TESTED, winner="transfer", learnt=(answers(shown, 1.0), shown))
    one = found(run)["overfitting"]
    assert one.severity == "warning" and "augmentation.strength=2" in one.next_move
    run = write(tmp_path, alone, HELD, TESTED, winner="transfer", learnt=(answers(shown, 0.6), shown))
    assert "overfitting" not in found(run), "10 points of 256 items against 200 may be 1 point"


def test_fine_tuning_that_hurt_is_told_from_a_source_that_hurt(tmp_path: Path) -> None:
    changed = {
        "probe": candidate(0.95, 0.95, trainable=2000, options={"stages": "4"}),
        "full": candidate(0.8, strategy="full", trainable=2_000_000, seed=4),
        "partial@3": candidate(0.82, strategy="partial", trainable=900_000, seed=3),
    }
    names = found(healthy_run(tmp_path, changed=changed, models={**MODELS, "transfer": "probe"}, learnt=None))
    one = names["frozen_too_little"]
    assert "negative_transfer" not in names and one.number == pytest.approx(0.15) and one.evidence["gain"]["low"] > 0
    assert one.sentence.startswith("Fine-tuning hurt: full, which moves 2.0M weights, is 15.0 points below (")
    assert one.next_move.endswith("--strategy probe --set strategy.stages=4")


def test_freezing_less_that_hurt_is_said_of_partial_too(tmp_path: Path) -> None:
    changed = {"full": candidate(0.7, strategy="full", trainable=2_000_000, seed=9), "partial@3": partial(0.93, 0.93)}
    one = found(healthy_run(tmp_path, changed=changed, models={**MODELS, "transfer": "partial@3"}))["frozen_too_little"]
    assert one.sentence.startswith("Moving all of it hurt") and "--strategy partial --depth 3" in one.next_move


def partial(held: float, tested: float | None = None) -> Candidate:
    return candidate(held, tested, seed=3, strategy="partial", trainable=900_000, options={"depth": 3, "rate": 1e-3})


def test_a_ladder_that_still_rose_when_the_budget_ended_asks_for_more(tmp_path: Path) -> None:
    changed = {
        "partial@3": partial(0.97, 0.97),
        "full": Candidate(strategy="full", status="over budget: 3 epochs need 90 s"),
    }
    plan = {"rungs": {"full": {"least_seconds": 90.0}}}
    given = {"models": {**MODELS, "transfer": "partial@3"}, "plan": plan, "learnt": None}
    one = found(healthy_run(tmp_path, changed=changed, **given))["frozen_too_much"]
    assert one.severity == "warning" and one.number == pytest.approx(0.11) and "full had no room" in one.sentence
    assert one.next_move == "fit again with --budget 3m"
    level = changed | {"partial@3": partial(0.88, 0.88)}
    assert "frozen_too_much" not in found(healthy_run(tmp_path, changed=level, **given))


def test_a_better_earlier_stage_says_where_to_cut(tmp_path: Path) -> None:
    ladder = {
        "probe": candidate(0.7, trainable=2000, options={"stages": "last"}),
        "probe stage 2": candidate(0.85, 0.85, trainable=900, options={"stages": "2"}),
    }
    run = write(tmp_path, ladder, HELD, TESTED, winner="transfer", models={"transfer": "probe stage 2"})
    one = found(run)["frozen_too_much"]
    assert one.number == pytest.approx(0.15) and "behind stage 2" in one.sentence
    assert one.next_move.endswith("--strategy partial --depth 2")
    ladder["full"] = candidate(0.8, strategy="full", trainable=10**6)
    run = write(tmp_path, ladder, HELD, TESTED, winner="transfer", models={"transfer": "probe stage 2"})
    assert "frozen_too_much" not in found(run), "moving more was tried, and did not help"


def test_errors_on_what_it_learnt_from_are_no_matter_of_seeing_too_little(tmp_path: Path) -> None:
    alone, shown = {"probe": candidate(0.7, 0.7)}, np.arange(256) % 4
    run = write(
        tmp_path, alone, HELD, TESTED, winner="transfer", learnt=(answers(shown, 0.71), shown), strategy="probe"
    )
    one = found(run)["frozen_too_much"]
    assert one.severity == "info" and one.number == pytest.approx(0.29 / 0.3, abs=0.01)
    assert "71.1 % accuracy on the items that it learnt from, and 70.0 % on others" in one.sentence
    run = write(tmp_path, alone, HELD, TESTED, winner="transfer", learnt=(answers(shown, 0.9), shown))
    assert "frozen_too_much" not in found(run)


def test_a_rung_that_collapsed_is_named_with_its_rate(tmp_path: Path) -> None:
    tried = [{"rate": 0.03, "collapsed": True, "diverged": False}, {"rate": 0.01, "collapsed": True, "diverged": True}]
    gone = candidate(0.25, strategy="full", status="collapsed to one class", options={"rate": 0.03}, tried=tried)
    run = healthy_run(
        tmp_path, changed={"full": gone, "partial@3": partial(0.9, 0.9)}, models={**MODELS, "transfer": "partial@3"}
    )
    one = found(run)["one_class_collapse"]
    assert one.severity == "info" and "full at rate 0.03 collapsed to one class" in one.sentence
    assert one.evidence["rates"] == {"full": "0.03 collapsed, 0.01 diverged"}
    assert "--strategy full --set strategy.rate=0.003" in one.next_move
    run = write(
        tmp_path, {"full": gone, "pixels": healthy()["pixels"]}, HELD, TESTED, winner="baseline", strategy="full"
    )
    assert found(run)["one_class_collapse"].severity == "warning", "it is what the user asked for"


def test_a_cheaper_candidate_within_noise_is_offered(tmp_path: Path) -> None:
    changed = {"probe": replace(healthy()["probe"], held=answers(HELD, 0.9, seed=4), serving=0.125)}
    one = found(healthy_run(tmp_path, changed=changed))["cost"]
    assert one.severity == "info" and one.number == pytest.approx(8) and "8.0 times faster" in one.sentence
    slow = {"probe": replace(changed["probe"], serving=1.0), "full": replace(healthy()["full"], seconds=400.0)}
    one = found(healthy_run(tmp_path, changed=slow))["cost"]
    assert one.number == pytest.approx(400 / 1.2) and "1.2 s to fit instead of 400 s" in one.sentence
    assert "cost" not in found(healthy_run(tmp_path, changed={"probe": replace(healthy()["probe"], serving=0.1)}))


def test_a_test_part_of_another_kind_is_serious(tmp_path: Path) -> None:
    changed = {"full": replace(healthy()["full"], tested=answers(TESTED, 0.78))}
    names = found(healthy_run(tmp_path, changed=changed))
    one = names["shifted_test"]
    assert one.severity == "serious" and one.number == pytest.approx(0.12) and one.threshold == 0.03
    assert "78.0 % accuracy there, 90.0 % on held-out items" in one.sentence
    assert "shifted_test" not in found(healthy_run(tmp_path, changed=changed, has_test=False))


@pytest.mark.parametrize(("held", "tested"), [(50, 1700), (100, 60), (1000, 4000)])
def test_choosing_the_best_of_a_dozen_does_not_make_the_test_part_look_different(held: int, tested: int) -> None:
    """Twelve candidates that are right for 85 % of everything, as independent as none are; the luckiest is sealed."""
    draw, alarms = np.random.default_rng(0), 0
    for _ in range(1000):
        lucky = int(draw.binomial(held, 0.85, 12).max())
        on_test = intervals.wilson(int(draw.binomial(tested, 0.85)), tested)
        alarms += chance.difference(intervals.wilson(lucky, held), on_test).low >= shifted_test.THRESHOLD
    assert alarms / 1000 <= 0.05


def test_copies_that_flatter_the_score_are_counted(tmp_path: Path) -> None:
    twin = np.arange(400) < 80
    right = np.where(twin, True, np.arange(400) % 5 != 0)
    changed = {"full": replace(healthy()["full"], tested=answers(TESTED, right, seed=1))}
    listed = [{"where": f"{i}.png"} | ({"twin": f"t{i}.png"} if so else {}) for i, so in enumerate(twin)]
    one = found(healthy_run(tmp_path, changed=changed, listed=listed))["memorised_copies"]
    assert one.severity == "serious" and one.number == pytest.approx(0.04)
    assert "80 of 400 test items" in one.sentence and "100.0 % accuracy on those, 80.0 % (" in one.sentence
    assert one.evidence["items"][0] == "0.png like t0.png"
    level = {"full": replace(healthy()["full"], tested=answers(TESTED, 0.9))}
    assert "memorised_copies" not in found(healthy_run(tmp_path, changed=level, listed=listed))


def left_behind(recall: float) -> np.ndarray:
    """400 items of four classes, of which the last is found in this share and the others in nine of ten."""
    return np.where(TESTED == 3, np.arange(400) % 100 < 100 * recall, np.arange(400) % 40 >= 4)


@pytest.mark.parametrize("names", [CLASSES, HOSTILE])
def test_a_class_that_is_left_behind_is_named_whatever_it_is_called(names: tuple[str, ...], tmp_path: Path) -> None:
    changed = {"full": replace(healthy()["full"], tested=answers(TESTED, left_behind(0.2)))}
    one = found(healthy_run(tmp_path, changed=changed, names=names))["class_left_behind"]
    assert one.severity == "warning" and one.number == pytest.approx(0.2) and 0.44 < one.threshold < 0.46
    assert f"{names[3]} is left behind: 20 of its 100 tested items" in one.sentence
    fine = {"full": replace(healthy()["full"], tested=answers(TESTED, left_behind(0.6)))}
    assert "class_left_behind" not in found(healthy_run(tmp_path, changed=fine, names=names))


def test_confidences_that_mislead_are_measured_against_chance(tmp_path: Path) -> None:
    changed = {"full": replace(healthy()["full"], tested=answers(TESTED, 0.8, stated=0.95))}
    one = found(healthy_run(tmp_path, changed=changed))["miscalibration"]
    assert (
        one.severity == "warning"
        and one.number == pytest.approx(0.15)
        and "too high, off by 15.0 points" in one.sentence
    )
    assert "says 95.0 %, and 80.0 % comes true" in one.sentence
    changed = {"full": replace(healthy()["full"], tested=answers(TESTED, 0.95, stated=0.7))}
    assert "too low, off by" in found(healthy_run(tmp_path, changed=changed))["miscalibration"].sentence


def false_alarms(draw_one: Any, kind: str, names: tuple[str, ...], diagnosis: Any, folder: Path) -> float:
    """How often a diagnosis says something of 200 runs whose every stated confidence is true."""
    hits, draws = 0, 200
    for number in range(draws):
        given, truth = draw_one(np.random.default_rng(number))
        if not number:
            write(folder, {"probe": Candidate(given, given)}, truth, truth, winner="transfer", kind=kind, names=names)
        Journal(folder).keep("predictions", {"transfer": kept(given), "targets": truth})
        hits += diagnosis.examine(Run(folder)) is not None
    return hits / draws


def calibrated(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    given = draw.dirichlet(np.full(4, 0.3), 60)
    return given, (given.cumsum(1) > draw.random((60, 1))).argmax(1)


def calibrated_together(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Five labels that one draw an item decides: as many answers, and five times less to go by."""
    given = draw.beta(0.6, 0.6, (60, 1)).repeat(5, axis=1)
    return given, (given > draw.random((60, 1))).astype(np.float32)


@pytest.mark.parametrize("diagnosis", [miscalibration, class_left_behind])
def test_true_confidences_raise_few_alarms(diagnosis: Any, tmp_path: Path) -> None:
    assert false_alarms(calibrated, "classification", CLASSES, diagnosis, tmp_path) <= 0.05


def test_true_confidences_of_labels_that_go_together_raise_few_alarms(tmp_path: Path) -> None:
    assert false_alarms(calibrated_together, "multilabel", tuple("abcde"), miscalibration, tmp_path) <= 0.05


def test_labels_have_what_applies_to_them(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    truth = (draw.random((300, 3)) < 0.4).astype(np.float32)
    given = np.where(truth > 0, 0.95, 0.05)
    given[:, 2] = np.where(draw.random(300) < 0.9, 0.05, given[:, 2])
    one = {"probe": Candidate(given, given)}
    given_names: dict[str, Any] = {"kind": "multilabel", "names": ("a", "b", "c"), "baselines": False}
    names = found(write(tmp_path, one, truth, truth, winner="transfer", **given_names))
    assert set(names) == {"class_left_behind", "miscalibration"}
    assert names["class_left_behind"].sentence.startswith("The label c is left behind")


def test_numbers_have_what_applies_to_them(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    truth = draw.normal(50, 10, 200)
    near, far = truth + draw.normal(0, 1, 200), truth + draw.normal(0, 7, 200)
    number: dict[str, Any] = {"winner": "transfer", "kind": "regression", "names": ("weight",)}
    ladder = {
        "probe": Candidate(far[:, None], far[:, None]),
        "scratch": Candidate(near[:, None], near[:, None], kind="scratch", strategy="scratch"),
    }
    run = write(tmp_path, ladder, truth, truth, learnt=(near[:, None], truth), **number)
    names = found(run)
    assert set(names) == {"negative_transfer", "overfitting"}
    assert " higher (" in names["negative_transfer"].sentence and "an R² of 0.9" in names["overfitting"].sentence
    lost = {"probe": Candidate(draw.normal(50, 10, (200, 1)), draw.normal(50, 10, (200, 1)))}
    run = write(tmp_path, lost, truth, truth, baselines=False, **number)
    assert set(found(run)) == {"nothing_learnt"}


def test_next_moves_can_be_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of runs on files, in a folder whose name needs quotes: options are read before the empty folder is refused."""
    photos = tmp_path / "my photos"
    photos.mkdir()
    worse = answers(HELD, 0.7)
    slow: dict[str, Any] = {"serving": 0.1, "strategy": "probe", "options": {"stages": "4"}}
    ladders: list[dict[str, Any]] = [
        {
            "changed": {
                "probe": candidate(0.95, 0.95, options={"stages": "4"}),
                "full": Candidate(worse, strategy="full"),
            }
        },
        {"changed": {"probe": candidate(0.9, seed=4, **slow)}, "learnt": 1.0, "models": MODELS},
        {"changed": {"full": candidate(0.6, 0.6, strategy="full", options={"rate": 0.1})}, "models": MODELS},
        {"fair": False, "models": MODELS},
        {"changed": {"scratch": candidate(0.99, 0.99, kind="scratch", strategy="scratch")}, "models": MODELS},
        {
            "changed": {"scratch": candidate(0.2, kind="scratch", strategy="scratch", status="diverged")},
            "models": MODELS,
        },
    ]
    seen = set()
    for number, given in enumerate(ladders):
        models = given.pop("models", {**MODELS, "transfer": "probe"})
        if number == 5:  # what diverged met no test item
            models = {"transfer": "full", "baseline": "pixels"}
        run = healthy_run(tmp_path / str(number), models=models, origin=str(photos), **given)
        for one in found(run).values():
            start = one.next_move.find("headstart ")
            if start < 0:
                continue
            move = one.next_move[start:].partition(" says which")[0].partition("; if")[0]
            words = [word.replace("RATE", "0.001") for word in shlex.split(move)]
            assert words[2] == str(photos), move
            if words[1] == "fit":
                assert words[3:5] == ["-o", finished.NEW], move
                words[4] = str(tmp_path / "new")
            assert shell(words[1:]) == 1 and "The folder has nothing in it" in capsys.readouterr().err, move
            seen.add(one.name)
    assert seen >= {
        "frozen_too_little",
        "cost",
        "overfitting",
        "not_measured",
        "negative_transfer",
        "one_class_collapse",
    }
