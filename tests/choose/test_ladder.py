"""Choosing among candidates, and the sentence that follows."""

import numpy as np
import pytest

from headstart.base.vocabulary import Evidence, Interval
from headstart.choose.ladder import Climb, preferred
from headstart.choose.trial import Trial
from headstart.choose.verdict import Comparison, conclude
from headstart.tasks import classification

TASK = classification.learn(["a", "b"])


def one(name, kind="transfer", *, status="measured", trainable=10, strategy="probe", **values):
    scores = {"log_loss": 0.5, "accuracy": 0.9} | values
    row = Evidence(
        name, kind, {key: Interval(v, v, v) for key, v in scores.items()}, trainable=trainable, status=status
    )
    return Trial(row, np.full((4, 2), 0.5), strategy)


def test_the_best_score_wins_whatever_its_price():
    cheap, dear = one("cheap", log_loss=0.5, trainable=1), one("dear", log_loss=0.4, trainable=10**9)
    assert preferred([cheap, dear], TASK, "log_loss") is dear


def test_of_level_candidates_the_surer_wins_and_then_the_cheaper():
    unsure, sure = one("unsure", accuracy=1.0, log_loss=0.3), one("sure", accuracy=0.9995, log_loss=0.1)
    assert preferred([unsure, sure], TASK, "accuracy") is sure
    dear, cheap = one("dear", log_loss=0.1, trainable=99), one("cheap", log_loss=0.1004, trainable=9)
    assert preferred([dear, cheap], TASK, "log_loss") is cheap


def test_a_baseline_that_is_level_is_taken_before_a_network():
    network, simple = one("network", log_loss=0.1, trainable=0), one("pixels", "baseline", log_loss=0.1)
    assert preferred([network, simple], TASK, "log_loss") is simple


def test_what_collapsed_or_diverged_is_never_the_best():
    climb = Climb()
    climb.add(one("fine", log_loss=0.7))
    climb.add(one("collapsed", log_loss=0.1, status="collapsed to one class"))
    assert climb.best(TASK, "log_loss", ("transfer",)).row.name == "fine"
    assert climb.best(TASK, "log_loss", ("scratch",)) is None


RIGHT, WRONG = [0.9, 0.1], [0.1, 0.9]


def compare(with_source, without, simple=None, *, strategy="full", fair=True, tested=True):
    """Models that are right on so many of 200 items, all of class 0."""

    def rows(right):
        return np.array([RIGHT] * right + [WRONG] * (200 - right))

    trials = {"transfer": one("full", strategy=strategy), "scratch": one("scratch", "scratch", strategy="scratch")}
    probabilities = {"transfer": rows(with_source), "scratch": rows(without)}
    if simple is not None:
        trials["baseline"], probabilities["baseline"] = one("pixels", "baseline"), rows(simple)
    return conclude(
        Comparison(
            metric=TASK.metric("accuracy"),
            winner="transfer",
            trials=trials,
            predictions=probabilities,
            targets=np.zeros(200, dtype=np.int64),
            tested=tested,
            scratch_is_fair=fair,
            noun="images",
            seed=0,
        )
    )


@pytest.mark.parametrize(
    ("with_source", "without", "outcome", "says"),
    [
        (190, 150, "positive", "Transfer helped"),
        (150, 190, "negative", "Negative transfer"),
        (180, 179, "tie", "no measurable difference"),
    ],
)
def test_the_outcome_is_read_off_the_paired_interval(with_source, without, outcome, says):
    verdict = compare(with_source, without, 100)
    assert verdict["outcome"] == outcome and says in verdict["sentence"]
    assert verdict["gap"]["value"] == pytest.approx((with_source - without) / 200)
    assert "without a network (pixels)" in verdict["sentence"]


def test_an_unfair_scratch_measures_nothing_and_the_sentence_says_so():
    verdict = compare(190, 100, fair=False)
    assert verdict["outcome"] == "not measured"
    reason, _, scores = verdict["sentence"].partition(": ")
    assert "not measured, for" in reason and "no long enough training" in reason, "the reason stands before the scores"
    assert "reaches" in scores and " for " not in scores


def test_a_lead_is_above_and_a_lag_is_below():
    assert "20.0 points above" in compare(190, 150)["sentence"]
    assert "20.0 points below" in compare(150, 190)["sentence"]


def test_without_a_test_part_the_sentence_says_how_it_was_measured():
    assert "cross-validated images" in compare(190, 150, tested=False)["sentence"]
