"""Every strategy that is discovered: it learns, it moves what it says and nothing else, it refits."""

from dataclasses import replace

import numpy as np
import pytest
import small
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from headstart.base import discovery
from headstart.base.errors import BadOption, UnknownName
from headstart.base.machine import here
from headstart.base.work import Outcome
from headstart.engine.drive import drive
from headstart.features.store import Store
from headstart.measure.calibration import softmax
from headstart.measure.linear import Linear
from headstart.tasks.classification import Classification
from headstart.tune import finetune, limits, probe

CPU = here("float32", "cpu")
LEAN = ("bitfit", "norm")
STRATEGIES = sorted(discovery.plugins("tune"))
STEPWISE = [name for name in STRATEGIES if name != "probe"]


@pytest.fixture
def setting(tmp_path):
    return small.setting(Store(tmp_path / "store"), CPU)


def tune(strategy, setting, **options):
    return drive(discovery.load("tune", strategy).plan(setting, **options), machine=CPU)


def few(strategy):
    if strategy == "probe":
        return {}
    # What moves little has to move fast, and longer.
    lean = {"epochs": 20, "rate": 0.03} if strategy in LEAN else {"epochs": 3} if strategy == "setfit" else {}
    return {"epochs": 10, "rate": 0.01, "batch_size": 8} | lean


def least(strategy):
    """As few steps as still show that the same is done twice."""
    return few(strategy) | ({} if strategy == "probe" else {"epochs": 2})


def tensors(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_the_strategies_are_there():
    assert set(STRATEGIES) >= {"probe", "partial", "full", "scratch"}
    assert set(STRATEGIES) >= {"gradual", "l2sp", "layerwise", "bitfit", "norm", "lora", "wise"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_learns_and_leaves_the_source_alone(strategy, setting):
    before = tensors(setting.frozen.backbone)
    tuned = tune(strategy, setting, **few(strategy))
    accuracy = (tuned.outputs.argmax(1) == setting.targets[setting.held]).mean()
    assert accuracy > 0.5, "chance is 0.25"
    after = setting.frozen.backbone.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert tuned.trainable > 0 and not tuned.collapsed


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_network_gives_the_outputs_that_were_judged(strategy, setting):
    tuned = tune(strategy, setting, **least(strategy))
    inputs = setting.frozen.pixels[setting.held]
    with torch.inference_mode():
        direct = tuned.network.eval()(inputs).numpy()
    scale = np.abs(direct).max()
    assert np.abs(direct - tuned.outputs).max() <= 1e-3 * scale


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_its_options_refit_it_without_a_held_out_part(strategy, setting):
    tuned = tune(strategy, setting, **few(strategy))
    everything = replace(setting, train=np.arange(len(setting.targets)), held=np.array([], dtype=np.int64), name="all/")
    refitted = tune(strategy, everything, **tuned.options)
    assert refitted.outputs.shape == (0, 4)
    with torch.inference_mode():
        outputs = refitted.network.eval()(setting.frozen.pixels[everything.train])
    assert (outputs.argmax(1).numpy() == setting.targets).mean() > 0.7


@pytest.mark.parametrize("strategy", STEPWISE)
def test_the_step_that_is_timed_moves_all_that_the_strategy_ever_moves(strategy, setting):
    def names(phases):
        return {name for phase in phases for group in phase.groups for name in group.names}

    plan = discovery.load("tune", strategy).plan
    timed = next(plan(setting, epochs=1, batch_size=8))
    whole = next(plan(setting, epochs=20, batch_size=8, rate=0.01))
    assert names(timed.phases[-1:]) == names(whole.phases)


@pytest.mark.parametrize("strategy", [name for name in STEPWISE if name != "scratch"])
def test_a_transformer_moves_too_and_its_prefix_stays(strategy, tmp_path):
    net = small.transformer()
    setting = small.setting(Store(tmp_path / "store"), CPU, net=net)
    cut = {} if strategy == "full" else {"depth": 1}
    tuned = tune(strategy, setting, **least(strategy), **cut, **({"mix": 0.5} if strategy == "wise" else {}))
    found = small.moved(net, tuned.network.backbone)
    assert found and not found & set(net.tensors(cut.get("depth", 0)))
    with torch.inference_mode():
        direct = tuned.network.eval()(setting.frozen.pixels[setting.held]).numpy()
    assert np.abs(direct - tuned.outputs).max() <= 1e-3 * np.abs(direct).max()


@pytest.mark.parametrize("strategy", STEPWISE)
def test_what_the_plan_and_the_verdict_read_is_among_its_options(strategy, setting):
    tuned = tune(strategy, setting, **least(strategy))
    assert tuned.options["rate"] > 0, "a refit that sweeps again would not be the model that was judged"
    assert 1 <= tuned.options["epochs"] == tuned.epoch <= tuned.epochs, "scratch has to have five times as many"
    assert tuned.options.keys() <= discovery.options(discovery.load("tune", strategy).plan).keys()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_gives_the_same_numbers(strategy, tmp_path):
    first = tune(strategy, small.setting(Store(tmp_path / "a"), CPU), **least(strategy))
    second = tune(strategy, small.setting(Store(tmp_path / "b"), CPU), **least(strategy))
    assert np.array_equal(first.outputs, second.outputs)


@pytest.mark.parametrize("depth", [1, 3])
def test_partial_moves_the_stages_behind_the_cut_and_no_others(setting, depth):
    backbone = setting.frozen.backbone
    tuned = tune("partial", setting, depth=depth, statistics="updated", **few("partial"))
    before, after = backbone.tensors(), tuned.network.backbone.tensors()
    prefix = set(backbone.tensors(depth))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved and not moved & prefix
    assert any("running_mean" in name for name in moved), "BatchNorm behind the cut follows the target"
    assert any("running_mean" in name for name in prefix), "and there is BatchNorm in front of it"


@pytest.mark.parametrize("depth", [0, 5, -1, 99])
def test_a_depth_that_is_not_partial_is_refused(setting, depth):
    assert setting.frozen.backbone.depth == 5
    with pytest.raises(BadOption, match="not partial"):
        tune("partial", setting, depth=depth)


def test_the_probe_is_scikit_learns_logistic_regression(setting):
    tuned = tune("probe", setting, penalty=0.5)
    features = setting.frozen.pooled(setting.frozen.backbone.depth)
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, tol=1e-8, max_iter=5000))
    reference.fit(features[setting.train], setting.targets[setting.train])
    expected = reference.predict_proba(features[setting.held])
    assert np.abs(softmax(tuned.outputs) - expected).max() < 1e-3


def test_a_probe_that_names_one_class_is_still_its_own_best_answer(setting):
    tuned = tune("probe", replace(setting, weights=np.array([9.0, 1, 1, 1])), penalty=1e-9)
    assert len(np.unique(tuned.outputs.argmax(axis=1))) == 1
    assert not tuned.collapsed


def test_a_solved_head_draws_nothing():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    probe.as_head(Linear(np.ones((2, 5)), np.zeros(2)))
    assert torch.equal(torch.rand(4), expected)


def test_a_fit_has_a_title_for_people_beside_its_name(setting):
    titled = replace(setting, title="bitfit, fold 2 of 5")
    first = next(discovery.load("tune", "bitfit").plan(titled, depth=1))
    assert first.name == "test/bitfit@1/sweep-0.001-kept" and first.said == "bitfit, fold 2 of 5, trying rate 0.001"
    last = next(discovery.load("tune", "bitfit").plan(setting, depth=1, rate=0.003))
    assert last.said == "bitfit@1, rate 0.003"


def test_a_probe_reads_any_stage(setting):
    backbone = setting.frozen.backbone
    assert probe.read_taps(backbone, "all") == tuple(range(1, backbone.depth + 1))
    assert probe.read_taps(backbone, "2") == probe.read_taps(backbone, backbone.info.stages[1]) == (2,)
    with pytest.raises(BadOption):
        probe.read_taps(backbone, "0")
    with pytest.raises(UnknownName):
        probe.read_taps(backbone, "layer9")
    assert tune("probe", setting, stages="all").network.head.in_features > backbone.info.width


def test_class_weights_move_the_decision_towards_the_rare_class(tmp_path):
    even = small.setting(Store(tmp_path / "s"), CPU)
    weighted = replace(even, weights=np.array([8.0, 1.0, 1.0, 1.0]))
    plain, moved = (softmax(tune("probe", one, penalty=0.01).outputs)[:, 0].mean() for one in (even, weighted))
    assert moved > plain


@pytest.mark.parametrize("strategy", ["partial", "full", "scratch"])
def test_a_fit_that_diverges_says_so_and_has_level_outputs(strategy, setting):
    tuned = tune(strategy, setting, rate=10.0, epochs=2, batch_size=8)
    broken = replace(setting, task=Exploding(setting.task.names))
    tuned = tune(strategy, broken, rate=0.001, epochs=2, batch_size=8)
    assert tuned.diverged and np.array_equal(tuned.outputs, np.zeros((len(setting.held), 4)))


class Exploding(Classification):
    """A task whose loss is not finite."""

    def loss(self, outputs, targets, weights=None):
        return outputs.sum() * float("inf")


def test_items_that_choose_nothing_see_the_last_epoch(setting):
    tuned = tune("full", replace(setting, choose=False), epochs=5, rate=0.01, batch_size=8)
    judged = [row["epoch"] for row in tuned.curve if "held_out_log_loss" in row]
    assert tuned.epoch == tuned.epochs == 5 and judged == [5]


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate", -1.0), ("rate", 0.0), ("epochs", 0), ("batch_size", 1), ("decay", 0.0), ("views", 0), ("patience", -1)],
)
def test_values_that_cannot_be_trained_with_are_refused(name, value):
    with pytest.raises(BadOption, match=name):
        limits.check({name: value})


def answered(setting, scores_of, *, outputs_of=None, diverged=()):
    """Run a sweep against made-up outcomes; returns the rates that were tried and the one that was chosen."""
    recipe = finetune.Recipe(
        label="toy",
        depth=0,
        start=lambda: (setting.frozen.backbone.copy(), torch.nn.Linear(24, 4)),
        rate=None,
        first=1e-3,
        epochs=4,
        batch_size=8,
    )
    plan, tried = finetune.fine_tune(setting, recipe), []
    fit = next(plan)
    while True:
        rate = fit.detail["rate"]
        if "/final" in fit.name:
            return tried, rate
        tried.append(rate)
        n = len(setting.held)
        outputs = np.eye(4, dtype=np.float32)[np.arange(n) % 4] if outputs_of is None else outputs_of(rate, n)
        scores = {"log_loss": scores_of(rate)}
        fit = plan.send(Outcome(fit.name, 1, 4, scores, outputs, [], 1.0, 10, diverged=rate in diverged))


def test_the_sweep_walks_to_the_best_rate(setting):
    tried, chosen = answered(setting, lambda rate: abs(np.log10(rate) + 4.5))
    assert chosen == pytest.approx(10**-4.5) and len(tried) <= 6
    tried, chosen = answered(setting, lambda rate: abs(np.log10(rate) + 2.5))
    assert chosen == pytest.approx(10**-2.5)


def test_a_rate_that_collapses_to_one_class_cannot_win_the_sweep(setting):
    def outputs_of(rate, n):
        return np.eye(4, dtype=np.float32)[np.zeros(n, dtype=int) if rate > 2e-3 else np.arange(n) % 4]

    tried, chosen = answered(setting, lambda rate: 1.0 / rate, outputs_of=outputs_of)
    assert max(tried) > 2e-3, "the collapsing rate had the best score and was tried"
    assert chosen <= 1e-3 + 1e-9


def test_a_rate_that_diverges_cannot_win_the_sweep(setting):
    rates = [rate for rate in finetune.GRID if rate > 2e-3]
    _, chosen = answered(setting, lambda rate: 1.0 / rate, diverged=rates)
    assert chosen <= 1e-3 + 1e-9


def test_one_class_is_told_from_a_right_answer(setting):
    several = np.eye(setting.outputs)[np.arange(len(setting.held)) % setting.outputs]
    assert setting.collapsed(several[:1].repeat(len(setting.held), axis=0))
    assert not setting.collapsed(several)
    assert not setting.collapsed(None)
    alike = replace(setting, targets=np.ones_like(setting.targets))
    assert not alike.collapsed(several[:1].repeat(len(setting.held), axis=0))
