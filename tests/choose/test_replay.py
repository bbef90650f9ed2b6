"""Following the plan of an earlier run: what is taken over, and what is refused."""

import json
import shutil

import pytest

import headstart as hs
from headstart.backbones import catalogue, folder
from headstart.base.errors import RunError
from headstart.base.progress import Silent
from headstart.base.run import Run
from headstart.choose import replay

TUNED = {
    "strategy": "partial",
    "depth": 2,
    "baselines": False,
    "settings": {"strategy.rate": "0.01", "strategy.epochs": "2"},
}


class Stopping(Silent):
    """Stops the job when training begins."""

    def begin(self, task, total=None):
        if task.startswith("train"):
            raise RuntimeError("stop here")


@pytest.fixture(scope="module")
def given(tmp_path_factory, write_shapes):
    to = tmp_path_factory.mktemp("source") / "small"
    folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), to, {"source": "random"})
    return {"source": write_shapes(tmp_path_factory.mktemp("photos"), per_class=72), "backbone": f"local:{to}"}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory, given):
    """A run that was stopped after planning, with one more epoch in its plan than the command asks for."""
    to = tmp_path_factory.mktemp("earlier") / "model"
    with pytest.raises(RuntimeError, match="stop here"):
        hs.fit(**given, **TUNED, output=to, report=Stopping())
    path = to / "run" / "plan.json"
    plan = json.loads(path.read_text())
    plan["rungs"]["partial@2"]["options"]["epochs"] = 3
    path.write_text(json.dumps(plan))
    return to


def evidence(to):
    return [(row["name"], row["scores"], row["detail"]) for row in Run(to / "run").evidence]


@pytest.mark.slow
def test_a_replay_follows_the_recorded_epochs_and_not_the_clock(given, earlier, tmp_path):
    for name, budget in (("a", "1h"), ("b", "0.01s")):
        hs.fit(**given, **TUNED, output=tmp_path / name, replay=earlier, budget=budget)
    assert evidence(tmp_path / "a") == evidence(tmp_path / "b")
    assert evidence(tmp_path / "a")[0][2]["epochs"] == 3
    assert Run(tmp_path / "a" / "run").threads == Run(earlier / "run").threads


@pytest.mark.slow
def test_a_run_may_replay_itself(given, earlier, tmp_path):
    shutil.copytree(earlier, tmp_path / "m")
    hs.fit(**given, **TUNED, output=tmp_path / "m", replay=tmp_path / "m", overwrite=True)
    assert Run(tmp_path / "m" / "run").plan == Run(earlier / "run").plan


@pytest.mark.parametrize(
    "other",
    [
        {"depth": 1},
        {"strategy": "full", "depth": None},
        {"baselines": True},
        {"settings": {**TUNED["settings"], "augmentation.strength": "0.5"}},
    ],
)
def test_a_plan_for_something_else_is_refused_before_anything_is_written(other, given, earlier, tmp_path):
    with pytest.raises(RunError, match="had another"):
        hs.fit(**given, **{**TUNED, **other}, output=tmp_path / "m", replay=earlier)
    assert not (tmp_path / "m").exists()


def test_there_must_be_a_run_with_a_plan(given, earlier, tmp_path):
    with pytest.raises(RunError, match="no run"):
        replay.find(tmp_path)
    shutil.copytree(earlier / "run", tmp_path / "run")
    (tmp_path / "run" / "plan.json").unlink()
    with pytest.raises(RunError, match="before it made its plan"):
        replay.find(tmp_path)


@pytest.mark.parametrize("plan", ['{"rungs": {"partial@2": 3}}', '{"rungs": []}', '{"rungs": {}}', "[1", "[1]", "3"])
def test_an_edited_plan_ends_in_words(plan, given, earlier, tmp_path):
    shutil.copytree(earlier, tmp_path / "edited")
    (tmp_path / "edited" / "run" / "plan.json").write_text(plan)
    with pytest.raises(RunError, match="plan"):
        hs.fit(**given, **TUNED, output=tmp_path / "m", replay=tmp_path / "edited")


def test_what_a_run_leaves_that_was_killed_at_once_is_no_obstacle(given, tmp_path):
    (tmp_path / "m" / "run").mkdir(parents=True)
    (tmp_path / "m" / "run" / ".config.json.x7.part").write_text("{")
    model = hs.fit(**given, output=tmp_path / "m", strategy="probe", baselines=False)
    assert model.path == tmp_path / "m"
