"""The plan of pretraining on patterns: what it asks of the engine, and that asking it lowers the loss."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from headstart.base.errors import UnknownName
from headstart.base.work import Batch, Outcome
from headstart.engine.drive import drive
from headstart.pretrain import procedural


def first_fit(**options: object):
    return next(procedural.plan(preset="smoke", **options))


def finished(epochs: int) -> Outcome:
    curve = [{"phase": "patterns", "epoch": n + 1, "cross_entropy": 2.0, "seconds": 1.0} for n in range(epochs)]
    return Outcome("procedural-smoke", epochs, epochs, {}, None, curve, 12.34, 5)


def test_an_unknown_preset_is_named_with_its_neighbours() -> None:
    with pytest.raises(UnknownName, match="cpu-15"):
        next(procedural.plan(preset="cpu15"))


def test_the_plan_is_pure_in_its_seed() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    once, again, other = first_fit(seed=1), first_fit(seed=1), first_fit(seed=2)
    assert torch.equal(before, torch.get_rng_state())
    for name, value in once.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name])
    assert not torch.equal(once.model.classifier.weight, other.model.classifier.weight)
    assert torch.equal(next(once.stream.batches(0)).inputs, next(again.stream.batches(0)).inputs)
    assert not torch.equal(next(once.stream.batches(0)).inputs, next(other.stream.batches(0)).inputs)


def test_every_parameter_moves_in_the_one_phase() -> None:
    fit = first_fit()
    (phase,) = fit.phases
    moving = {name for group in phase.groups for name in group.names}
    assert moving == {name for name, _ in fit.model.named_parameters()}
    assert phase.optimiser == "sgd"


def test_the_objective_names_its_two_terms_and_reaches_every_parameter() -> None:
    fit = first_fit()
    terms = fit.phases[0].objective(fit.model, next(fit.stream.batches(0)))
    assert set(terms) == {"cross_entropy", "contrast"}
    sum(terms.values()).backward()
    assert all(parameter.grad is not None for parameter in fit.model.parameters())


def test_an_untrained_learner_guesses() -> None:
    fit = first_fit()
    batch = next(fit.stream.batches(0))
    terms = fit.phases[0].objective(fit.model, Batch(batch.inputs, batch.targets, batch.index))
    assert float(terms["cross_entropy"].detach()) == pytest.approx(2.08, abs=0.8)  # log of 8 classes


def test_the_result_has_no_source_head_and_a_card_that_says_what_it_is() -> None:
    plan = procedural.plan(preset="smoke", seed=4)
    next(plan)
    with pytest.raises(StopIteration) as stop:
        plan.send(finished(2))
    made = stop.value.value
    assert not any("classifier" in name or "projector" in name for name in made.backbone.module.state_dict())
    assert made.backbone.info.preprocessing.size == 32
    assert made.backbone.info.preprocessing.mean == made.backbone.info.preprocessing.std == (0.5, 0.5, 0.5)
    assert made.backbone.info.architecture == "embedded/resnet10-8-16-24-32"
    assert made.backbone.info.source == made.card["source"]
    assert made.card["command"] == "headstart pretrain procedural --preset smoke --seed 4"
    assert made.card["source"] == "generated patterns, no photographs"
    assert made.card["licence"] == "Apache-2.0"
    assert made.card["views"] == procedural.PRESETS["smoke"].views == 320
    assert made.card["recipe_sha256"] == procedural.PRESETS["smoke"].digest
    assert len(made.card["curve"]) == 2


def test_recipes_that_differ_have_other_digests() -> None:
    assert len({recipe.digest for recipe in procedural.PRESETS.values()}) == len(procedural.PRESETS)


@pytest.mark.slow
def test_twenty_steps_through_the_engine_lower_the_loss() -> None:
    made = drive(procedural.plan(preset="smoke", seed=0))
    first, last = made.card["curve"][0], made.card["curve"][-1]
    assert last["cross_entropy"] < first["cross_entropy"] - 0.02
    assert all(torch.isfinite(value).all() for value in made.backbone.module.state_dict().values())
    untrained = first_fit(seed=0).model.network.state_dict()
    assert not torch.equal(made.backbone.module.state_dict()["stem.0.weight"], untrained["stem.0.weight"])


def test_what_trained_is_what_the_backbone_computes() -> None:
    plan = procedural.plan(preset="smoke")
    fit = next(plan)
    views = next(fit.stream.batches(0)).inputs
    with torch.no_grad():
        fit.model.network.stem[0].weight.mul_(1.5)
        fit.model.eval()
        expected = fit.model.network(views.float() / 127.5 - 1)
    with pytest.raises(StopIteration) as stop:
        plan.send(finished(2))
    with torch.no_grad():
        torch.testing.assert_close(stop.value.value.backbone(views), expected, rtol=1e-4, atol=1e-5)


def test_the_code_digest_covers_the_generators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = shutil.copytree(Path(procedural.__file__).parent, tmp_path / "pretrain")
    monkeypatch.setattr(procedural, "__file__", str(room / "procedural.py"))
    before = procedural.code_digest()
    (room / "patterns" / "ifs.py").write_text("changed = True\n")
    assert procedural.code_digest() != before
