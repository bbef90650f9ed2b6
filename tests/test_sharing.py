"""Several processes on one store: nobody reads half of anything, and everybody gets the numbers of a lone run."""

import random
import time

import pytest

from headstart.backbones import catalogue, folder
from headstart.base.run import Run
from headstart.features.store import Store
from tests.processes import Command, Task

SETTINGS = ["--set", "strategy.rate=0.01", "--set", "strategy.epochs=2", "--set", "strategy.batch_size=16"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    to = tmp_path_factory.mktemp("source") / "small"
    folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), to, {"source": "random"})
    return f"local:{to}"


def words(photos, source, to):
    common = ["--backbone", source, "--strategy", "partial", "--depth", "2", "--no-baselines", "--budget", "1h"]
    return ["fit", photos, "-o", to, *common, *SETTINGS, "--quiet"]


def numbers(to):
    run = Run(to / "run")
    rows = [(row["name"], row["scores"], row["detail"]) for row in run.evidence]
    return rows, run.verdict["tests"], [row["scores"] for row in run.journal]


def pruned(root, seconds):
    """Remove every shelf, again and again, whoever is using it."""
    store, until, freed = Store(root), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        freed += store.prune(-1)
        time.sleep(0.05)
    assert freed > 0


@pytest.mark.slow
def test_four_fits_a_killed_one_and_a_pruner_share_a_store(source, write_shapes, tmp_path):
    """Two on the same pictures, two on pictures of which half are the same, while the store is emptied under them."""
    first = write_shapes(tmp_path / "first", per_class=70)
    second = write_shapes(tmp_path / "second", per_class=70, seed=9)
    for path in list(first.glob("*/*.png"))[::2]:
        (second / path.parent.name / f"also-{path.name}").write_bytes(path.read_bytes())
    lone = {}
    for photos in (first, second):
        to, cache = tmp_path / f"lone-{photos.name}", tmp_path / f"cache-{photos.name}"
        done = Command(words(photos, source, to), tmp_path / "told", HEADSTART_CACHE=cache)
        assert done.wait() == 0, done.output
        lone[photos.name] = numbers(to)
    shared, draw = tmp_path / "shared", random.Random(0)
    sharing = {}
    for i, photos in enumerate((first, first, second, second)):
        to = tmp_path / f"{photos.name}-{i}"
        sharing[to] = Command(words(photos, source, to), tmp_path / f"told{i}", HEADSTART_CACHE=shared)
    victim = Command(words(second, source, tmp_path / "victim"), tmp_path / "told4", HEADSTART_CACHE=shared)
    victim.wait_for(tmp_path / "victim" / "run" / "log.txt", "decode|features|activations", 0)
    victim.process.join(draw.uniform(0, 0.3))
    assert victim.kill()
    pruner = Task(pruned, shared / "store", 4.0)
    for command in sharing.values():
        assert command.wait() == 0, command.output
    assert pruner.wait() == 0
    for to in sharing:
        assert numbers(to) == lone[to.name.split("-")[0]]


@pytest.mark.slow
def test_what_two_wrote_at_once_is_read_by_a_third(source, write_shapes, tmp_path):
    photos = write_shapes(tmp_path / "photos", per_class=70)
    given = ["--backbone", source, "--strategy", "probe", "--no-baselines", "--quiet"]
    outs = [tmp_path / f"m{i}" for i in range(3)]
    cache = tmp_path / "cache"
    both = [Command(["fit", photos, "-o", to, *given], tmp_path / "told", HEADSTART_CACHE=cache) for to in outs[:2]]
    assert [command.wait() for command in both] == [0, 0], both[0].output
    third = Command(["fit", photos, "-o", outs[2], *given], tmp_path / "told", HEADSTART_CACHE=cache)
    assert third.wait() == 0, third.output
    assert numbers(outs[0]) == numbers(outs[1]) == numbers(outs[2])
