"""The textbook's rule: which cell the data are in, what it advises, and whether the measurement agrees."""

from types import SimpleNamespace

import numpy as np
import pytest

from headstart.base.vocabulary import Evidence, Interval
from headstart.choose import textbook
from headstart.choose.textbook import Measured
from headstart.choose.trial import Trial
from headstart.tasks import classification

N = 200
TASK = classification.learn(["a", "b"])


def one(name, right, kind="transfer", strategy="probe", **options):
    share = right / N
    scores = {"accuracy": Interval(share, share, share)}
    predictions = np.array([[0.9, 0.1]] * right + [[0.1, 0.9]] * (N - right))
    return Trial(Evidence(name, kind, scores), predictions, strategy, options)


def ground(width=10):
    """200 items, all of class a but the last forty, which are held out with the others."""
    targets = np.zeros(N, dtype=np.int64)
    frozen = SimpleNamespace(width=lambda stage: width, backbone=SimpleNamespace(depth=5))
    folds = [(np.arange(N), np.arange(N))]
    return SimpleNamespace(task=TASK, targets=targets, held=np.arange(N), folds=folds, frozen=frozen, seed=0)


@pytest.mark.parametrize(
    ("strength", "each", "items", "width", "cell"),
    [
        (0.9, 10, 100, 50, ("small", "similar")),
        (0.9, 100, 1000, 2048, ("small", "similar")),
        (0.9, 100, 3000, 512, ("large", "similar")),
        (0.3, 10, 100, 50, ("small", "different")),
        (-0.2, 500, 9000, 512, ("large", "different")),
    ],
)
def test_the_four_cells(strength, each, items, width, cell):
    assert Measured(strength, each, items, width).cell == cell
    assert cell in textbook.ADVICE


def test_the_strength_of_a_probe_is_its_way_from_the_commonest_answer_to_no_mistake():
    stand = ground()
    stand.targets[150:] = 1
    found = textbook.measured(stand, one("probe", 170))
    assert found.strength == pytest.approx((0.85 - 0.75) / (1 - 0.75))
    assert (found.each, found.items, found.width) == (50, 200, 10)


def test_advice_that_was_also_the_best_agrees():
    probe = one("probe", 190)
    found = textbook.compared(ground(), [probe], probe)
    assert found["agreed"] is True or found["cell"].startswith("large")


def test_a_clear_lead_disagrees_and_a_small_one_cannot_tell():
    probe = one("probe", 100)
    clear, close = (
        one("partial@4", 190, strategy="partial", depth=4),
        one("partial@4", 101, strategy="partial", depth=4),
    )
    wide = ground(width=4096)
    advised = one("probe stage 2", 100, stages="2")
    found = textbook.compared(wide, [probe, advised, clear], clear)
    assert found["agreed"] is False and "points above" in found["why"]
    found = textbook.compared(wide, [probe, advised, close], close)
    assert found["agreed"] is None and "too close" in found["why"]


def test_what_was_not_measured_cannot_be_told():
    probe = one("probe", 100)
    found = textbook.compared(ground(width=4096), [probe], probe)
    assert found["agreed"] in (None, True)
    assert textbook.compared(ground(), [one("full", 150, strategy="full")], probe) == {}
