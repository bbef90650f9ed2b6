"""The loop: it learns, freezes for certain, keeps the best epoch, and continues to the same numbers."""

import math
import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from headstart.base.errors import BadOption, Interrupted, TrainingError
from headstart.base.machine import here
from headstart.base.work import Batch, Fit, Group, HeldOut, Phase
from headstart.engine.drive import drive
from headstart.engine.journal import Journal
from headstart.engine.loop import train

CPU = here("float32", "cpu")


class Points:
    """Two noisy clouds; the order of each epoch depends on (seed, epoch) alone."""

    def __init__(self, n=96, batch=16, seed=0, shuffle=True, pause=0.0):
        draw = torch.Generator().manual_seed(seed)
        self.y = torch.arange(n) % 2
        self.x = torch.randn(n, 3, 8, 8, generator=draw) + (self.y * 0.6 - 0.3).view(-1, 1, 1, 1)
        self.batch, self.seed, self.shuffle, self.pause = batch, seed, shuffle, pause

    def __len__(self):
        return math.ceil(len(self.y) / self.batch)

    def batches(self, epoch, start=0):
        order = torch.arange(len(self.y))
        if self.shuffle:
            order = torch.randperm(len(self.y), generator=torch.Generator().manual_seed(self.seed * 1000 + epoch))
        for step in range(start, len(self)):
            time.sleep(self.pause)
            index = order[step * self.batch : (step + 1) * self.batch]
            yield Batch(self.x[index], self.y[index], index)


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.3),
        nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2),
    )  # fmt: skip


def cross_entropy(model, batch):
    return {"cross_entropy": F.cross_entropy(model(batch.inputs), batch.targets)}


def judge(outputs, targets):
    log_p = torch.log_softmax(torch.from_numpy(outputs), 1).numpy()
    return {
        "log_loss": float(-log_p[np.arange(len(targets)), targets].mean()),
        "accuracy": float((outputs.argmax(1) == targets).mean()),
    }


def fit(model, names=None, *, epochs=4, pause=0.0, **phase):
    names = tuple(names if names is not None else dict(model.named_parameters()))
    phases = [Phase(cross_entropy, (Group(names, 0.02, 0.01),), epochs, **phase)]
    held_out = HeldOut(Points(64, seed=9, shuffle=False), judge)
    return Fit("toy", model, Points(pause=pause), phases, held_out, seed=3)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns_and_reports_every_term():
    outcome = train(fit(network(), epochs=8), machine=CPU)
    assert outcome.scores["accuracy"] > 0.9
    assert outcome.curve[-1]["cross_entropy"] < outcome.curve[0]["cross_entropy"]
    assert [row["epoch"] for row in outcome.curve] == list(range(1, 9))


def test_same_seed_same_numbers():
    first, second = network(), network()
    train(fit(first), machine=CPU)
    train(fit(second), machine=CPU)
    assert same(weights(first), weights(second))


def test_what_is_in_no_group_does_not_move_batch_norm_included():
    model = network()
    before = weights(model)
    train(fit(model, ["9.weight", "9.bias"]), machine=CPU)
    after = weights(model)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"9.weight", "9.bias"}


def test_a_trained_batch_norm_does_update_its_statistics():
    model = network()
    before = weights(model)
    names = [name for name in dict(model.named_parameters()) if name.split(".")[0] in ("4", "5", "9")]
    train(fit(model, names), machine=CPU)
    after = weights(model)
    assert not torch.equal(before["5.running_mean"], after["5.running_mean"])
    assert torch.equal(before["1.running_mean"], after["1.running_mean"])


def test_a_norm_that_stays_still_keeps_its_statistics_while_its_scale_moves():
    model = network()
    before = weights(model)
    train(fit(model, still=("1", "5")), machine=CPU)
    after = weights(model)
    for name in ("1", "5"):
        assert torch.equal(before[f"{name}.running_mean"], after[f"{name}.running_mean"])
        assert not torch.equal(before[f"{name}.weight"], after[f"{name}.weight"])


def test_still_statistics_that_move_are_an_error():
    model = network()

    def meddling(network, batch):
        network[1].running_mean.add_(1e-3)
        return cross_entropy(network, batch)

    plan = fit(model, still=("1", "5"))
    plan.phases = [replace(plan.phases[0], objective=meddling)]
    with pytest.raises(TrainingError, match="frozen"):
        train(plan, machine=CPU)


def test_a_frozen_tensor_that_moves_is_an_error():
    model = network()

    def meddling(network, batch):
        with torch.no_grad():
            network[0].weight.add_(1e-3)
        return cross_entropy(network, batch)

    work = fit(model, ["9.weight", "9.bias"])
    work.phases = [Phase(meddling, work.phases[0].groups, 1)]
    with pytest.raises(TrainingError, match="frozen"):
        train(work, machine=CPU)


def test_a_later_phases_tensors_may_not_move_before_it():
    model = network()
    head, all_of_it = ["9.weight", "9.bias"], list(dict(model.named_parameters()))

    def meddling(network, batch):
        with torch.no_grad():
            network[0].weight.add_(1e-3)
        return cross_entropy(network, batch)

    work = fit(model)
    work.phases = [Phase(meddling, (Group(tuple(head), 0.02),), 1), Phase(cross_entropy, (Group(all_of_it, 0.02),), 1)]
    with pytest.raises(TrainingError, match="frozen"):
        train(work, machine=CPU)


def test_without_phases_the_model_is_judged_as_it_is(tmp_path):
    model = network().eval()
    before = weights(model)
    work = fit(model)
    work.phases = []
    outcome = train(work, machine=CPU)
    with torch.inference_mode():
        expected = judge(model(work.held_out.stream.x).numpy(), work.held_out.stream.y.numpy())
    assert outcome.scores == pytest.approx(expected, rel=1e-5)
    assert outcome.epochs == outcome.epoch == outcome.trainable == 0 and len(outcome.outputs) == 64
    assert same(before, weights(model)), "batch norm statistics included"
    journal = Journal(tmp_path)
    journal.record(work, outcome)
    assert np.array_equal(journal.recall(work).outputs, outcome.outputs)


def test_the_best_epoch_is_kept():
    model = network()
    work = fit(model, epochs=12)
    outcome = train(work, machine=CPU)
    held = [row["held_out_log_loss"] for row in outcome.curve]
    assert outcome.epoch == 1 + int(np.argmin(held))
    with torch.inference_mode():
        again = judge(model(work.held_out.stream.x).numpy(), work.held_out.stream.y.numpy())
    assert again["log_loss"] == pytest.approx(min(held), rel=1e-5)


def test_patience_ends_a_phase_early():
    work = fit(network(), epochs=60, patience=3)
    outcome = train(work, machine=CPU)
    assert outcome.epochs < 60
    assert outcome.epochs == outcome.epoch + 3


def test_a_diverging_fit_ends_and_says_so():
    model = network()

    def explode(network, batch):
        return {"cross_entropy": cross_entropy(network, batch)["cross_entropy"] * float("inf")}

    work = fit(model)
    work.phases = [Phase(explode, work.phases[0].groups, 3)]
    outcome = train(work, machine=CPU)
    assert outcome.diverged and outcome.epochs == 1


def test_phases_follow_one_another_and_averages_replace_the_weights():
    model = network()
    head = Group(("9.weight", "9.bias"), 0.05)
    every = Group(tuple(dict(model.named_parameters())), 0.01)
    phases = [Phase(cross_entropy, (head,), 2, name="head"), Phase(cross_entropy, (every,), 3, average=0.9, name="all")]
    outcome = train(Fit("two", model, Points(), phases, HeldOut(Points(64, seed=9), judge)), machine=CPU)
    assert [row["phase"] for row in outcome.curve] == ["head"] * 2 + ["all"] * 3
    assert outcome.scores["accuracy"] > 0.6


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_ctrl_c_saves_and_resuming_gives_the_uninterrupted_numbers(tmp_path, average):
    at = tmp_path / "c.safetensors"
    whole, stopped, resumed = network(), network(), network()
    expected = train(fit(whole, epochs=6, average=average), machine=CPU)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(Interrupted):
        train(
            fit(stopped, epochs=6, pause=0.03, average=average), machine=CPU, checkpoint_at=tmp_path / "c.safetensors"
        )
    assert at.exists()
    got = train(fit(resumed, epochs=6, average=average), machine=CPU, checkpoint_at=at)
    assert same(weights(whole), weights(resumed))
    assert got.scores == expected.scores and got.epoch == expected.epoch
    assert np.array_equal(got.outputs, expected.outputs)


def test_a_checkpoint_of_another_seed_is_not_continued(tmp_path):
    at = tmp_path / "c.safetensors"
    other = fit(network(), epochs=4, pause=0.03)
    other.seed = 99
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(Interrupted):
        train(other, machine=CPU, checkpoint_at=at)
    model, expected = network(), network()
    train(fit(model), machine=CPU, checkpoint_at=at)
    train(fit(expected), machine=CPU)
    assert same(weights(model), weights(expected))


def test_training_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    train(fit(network_apart()), machine=CPU)
    assert torch.equal(torch.rand(3), expected)


def network_apart():
    with torch.random.fork_rng():
        return network()


def test_a_truncated_checkpoint_is_ignored(tmp_path):
    (tmp_path / "c.safetensors").write_bytes(b"\x10\x00\x00")
    model, other = network(), network()
    train(fit(model), machine=CPU, checkpoint_at=tmp_path / "c.safetensors")
    train(fit(other), machine=CPU)
    assert same(weights(model), weights(other))


def test_unknown_parameter_optimiser_and_schedule_are_named():
    with pytest.raises(BadOption, match="nonsense"):
        train(fit(network(), ["nonsense"]), machine=CPU)
    with pytest.raises(BadOption, match="lion"):
        train(fit(network(), optimiser="lion"), machine=CPU)
    with pytest.raises(BadOption, match="zigzag"):
        train(fit(network(), schedule="zigzag"), machine=CPU)


def two_fits(model, trained):
    first = yield fit(model, epochs=2)
    trained.append(first.name)
    second = fit(model, epochs=1 + int(first.scores["accuracy"] > 0.3))
    second.name = "second"
    outcome = yield second
    return first.epoch, outcome.scores


def test_a_plan_is_journalled_and_replayed_without_training(tmp_path):
    journal = Journal(tmp_path)
    model, again = network(), network()
    result = drive(two_fits(model, []), journal, machine=CPU)
    stamp = (tmp_path / "journal.jsonl").read_bytes()
    replayed = drive(two_fits(again, []), Journal(tmp_path), machine=CPU)
    assert (tmp_path / "journal.jsonl").read_bytes() == stamp
    assert result == replayed and same(weights(model), weights(again))
    assert len(journal.journal) == 2 and not journal.checkpoint.exists()


def test_a_torn_journal_line_is_dropped_and_the_fit_redone(tmp_path):
    result = drive(two_fits(network(), []), Journal(tmp_path), machine=CPU)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    assert len(Journal(tmp_path).journal) == 1
    assert drive(two_fits(network(), []), Journal(tmp_path), machine=CPU) == result
    assert len(Journal(tmp_path).journal) == 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_it_learns_on_a_gpu():
    assert train(fit(network(), epochs=8), machine=here()).scores["accuracy"] > 0.9
