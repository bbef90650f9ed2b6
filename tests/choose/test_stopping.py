"""When climbing stops: the upper end of what the last two trained rungs gained, and nothing else."""

from types import SimpleNamespace

import numpy as np

from headstart.base.vocabulary import Evidence, Interval
from headstart.choose.stopping import flat
from headstart.choose.trial import Trial
from headstart.tasks import classification

N = 4000
GROUND = SimpleNamespace(
    task=classification.learn(["a", "b"]), targets=np.zeros(N, dtype=np.int64), held=np.arange(N), seed=0
)


def one(name, right, strategy="full", kind="transfer"):
    predictions = np.array([[0.9, 0.1]] * right + [[0.1, 0.9]] * (N - right))
    share = right / N
    return Trial(Evidence(name, kind, {"accuracy": Interval(share, share, share)}), predictions, strategy)


PROBE = one("probe", 3600, "probe")


def test_two_rungs_that_gained_nothing_end_the_climb_and_say_over_what():
    found = flat(GROUND, [PROBE, one("norm@2", 3500), one("partial@4", 3550)])
    assert found is not None and found.rungs == ("norm@2", "partial@4") and found.over == "probe"
    assert (
        found.gain.high < 0.003 and "lost at least" in found.why and "another rung would need 0.30 points" in found.why
    )


def test_one_rung_is_not_enough():
    assert flat(GROUND, [PROBE, one("norm@2", 3000)]) is None
    assert flat(GROUND, [one("norm@2", 3000), one("partial@4", 3000)]) is None, "nothing stood before them"


def test_a_gain_that_may_be_worth_it_is_climbed_on():
    assert flat(GROUND, [PROBE, one("norm@2", 3500), one("partial@4", 3620)]) is None
    few = SimpleNamespace(**{**vars(GROUND), "targets": np.zeros(20, dtype=np.int64), "held": np.arange(20)})

    def small(name, right, strategy="full"):
        found = one(name, right, strategy)
        return Trial(found.row, found.predictions[np.r_[:right, N - (20 - right) : N]], strategy)

    # On 20 items nothing is certain, so that the upper end of a loss of one item still allows for a gain.
    assert flat(few, [small("probe", 18, "probe"), small("norm@2", 17), small("partial@4", 17)]) is None


def test_scratch_and_baselines_have_no_say():
    others = [one("scratch", 3999, "scratch", "scratch"), one("pixels", 3999, "pixels", "baseline")]
    assert flat(GROUND, [PROBE, *others, one("norm@2", 3500), one("partial@4", 3550)]) is not None
