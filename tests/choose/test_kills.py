"""Killed with SIGKILL at random moments of the whole job: ``--resume`` ends where the uninterrupted run ended."""

import hashlib
import json
import random
import re

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import headstart as hs
from headstart.backbones import catalogue, folder
from headstart.base.run import Run
from tests.processes import Command

KILLS = 5
"""Of one run, at most."""
AUTO = ["--strategy", "auto"]
PARTIAL = ["--strategy", "partial", "--depth", "2", "--no-baselines"]
TASKS = {"extraction": "decode|features of|activations", "training": " train ", "sealing": "seal the model"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    to = tmp_path_factory.mktemp("source") / "small"
    folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), to, {"source": "random"})
    return f"local:{to}"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Real digits, enough for a test part and one split."""
    to, data = tmp_path_factory.mktemp("digits"), load_digits()
    for digit in range(3):
        (to / str(digit)).mkdir()
        for number, i in enumerate(np.flatnonzero(data.target == digit)[:86]):
            Image.fromarray((data.images[i] * 255 / 16).astype(np.uint8)).save(to / str(digit) / f"{number:03d}.png")
    return to


def short_plan(words, to):
    """A run that was killed as soon as it had its plan; the plan is then cut to a few epochs."""
    started = Command([*words, "-o", to, "--budget", "1h"], to.with_suffix(".told"), HEADSTART_CACHE=f"{to}.cache")
    assert started.wait_for(to / "run" / "log.txt", "Plan: ", 0), started.output
    assert started.kill()
    path = to / "run" / "plan.json"
    plan = json.loads(path.read_text())
    for rung in plan["rungs"].values():
        rung["options"]["epochs"] = 2
    plan["random_copies"] = 1
    if plan.get("keep", 0) > 1:  # of "auto": halving and a search are killed too
        plan |= {"keep": 2, "trials": 4}
    path.write_text(json.dumps(plan))


def numbers(to):
    """Everything of a finished run that a clock has no part in."""
    run, model = Run(to / "run"), hs.load(to)
    rows = [
        (row["name"], row["kind"], row["scores"], row["trainable"], row["status"], row["detail"])
        for row in run.evidence
    ]
    fits = {row["name"]: (row["epoch"], row["scores"], row["trainable"]) for row in run.journal}
    verdict = {name: value for name, value in run.verdict.items() if name != "openings"}
    weights = hashlib.sha256((to / "weights.safetensors").read_bytes()).hexdigest()
    depth = model.manifest.backbone.depth if model.manifest.backbone else None
    return {"rows": rows, "fits": fits, "verdict": verdict, "weights": weights, "depth": depth}


def frozen(to, source):
    """Digests of the stages that stayed frozen, in the sealed model and in the source it came from."""
    record, network = hs.load(to).manifest.backbone, hs.load(to)._scorer.network
    assert record.depth > 0
    return network.backbone.digest(record.depth), catalogue.load(source).digest(record.depth)


def moments(draw, kills):
    """Where a run is killed, in the order in which a job comes there: a task, how often it has begun, a delay."""
    tasks = ["extraction", *draw.choices(list(TASKS), weights=(2, 5, 1), k=kills - 2), "sealing"]
    order = list(TASKS)
    # Sealing a small network is over within the longer delays.
    return [
        (task, draw.randint(1, 4) if task == "training" else 1, draw.uniform(0, 0.02 if task == "sealing" else 0.25))
        for task in sorted(tasks, key=order.index)
    ]


def killed(words, to, draw, kills):
    """Kill the command wherever the draw says, resume it each time, let it finish; the tasks it was killed in."""
    log, hit = to / "run" / "log.txt", []
    command = [*words, "-o", to, "--checkpoint-every", "0.02s"]
    cache = to.with_suffix(".cache")
    for task, times, delay in moments(draw, kills):
        resume = ["--resume"] if (to / "run" / "config.json").exists() else []
        since = log.stat().st_size if log.exists() else 0
        running = Command([*command, *resume], to.with_suffix(".told"), HEADSTART_CACHE=cache)
        if running.wait_for(log, TASKS[task], since, times):
            running.process.join(delay)
        if not running.kill():
            assert running.process.exitcode == 0, running.output
            break
        last = [line for line in log.read_text().splitlines() if re.search("|".join(TASKS.values()), line)][-1]
        hit.append(next(name for name, pattern in TASKS.items() if re.search(pattern, last)))
    last = Command([*command, "--resume"], to.with_suffix(".told"), HEADSTART_CACHE=cache)
    assert last.wait() == 0, last.output
    return hit, re.findall(r"continued from epoch \d+, step (\d+)", log.read_text())


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "kills"), [(AUTO, 10), (PARTIAL, 20)], ids=["auto", "partial"])
def test_thirty_kills_change_nothing(strategy, kills, source, photos, tmp_path):
    words = ["fit", photos, "--backbone", source, "--seed", "1", "--quiet", *strategy]
    short_plan(words, tmp_path / "planned")
    words += ["--replay", tmp_path / "planned"]
    whole = Command([*words, "-o", tmp_path / "whole"], tmp_path / "told", HEADSTART_CACHE=tmp_path / "cache")
    assert whole.wait() == 0, whole.output
    wanted, draw = numbers(tmp_path / "whole"), random.Random(2)
    hits, steps = [], []
    # A run may be over before its last kill; then further ones are killed until every part has been.
    for number in range(kills):
        if len(hits) >= kills and set(hits) == set(TASKS):
            break
        to = tmp_path / f"cut{number}"
        hit, continued = killed(words, to, draw, min(KILLS, max(2, kills - len(hits))))
        hits, steps = hits + hit, steps + continued
        assert numbers(to) == wanted
    assert set(hits) == set(TASKS), "a kill in every part of the job"
    assert any(int(step) > 0 for step in steps), "no kill fell between two steps of an epoch"
    if strategy is PARTIAL:
        kept, was = frozen(to, source)
        assert kept == was
