"""Full disks, each a small tmpfs: the message says where and how much, nothing is lost, --resume gives the same."""

import re
import subprocess
from contextlib import contextmanager

import pytest

from headstart.backbones import catalogue, folder
from headstart.base.run import Run
from tests.processes import Command

SETTINGS = ["--set", "strategy.rate=0.01", "--set", "strategy.epochs=3", "--set", "strategy.batch_size=16"]
FULL = r"The disk is full \(.*\)\nExpected: [\d.,]+ MB of room, where [\d.,]+ MB are free\nNext: free space there"


@contextmanager
def small_disk(at, megabytes):
    """A file system of its own with so much room."""
    at.mkdir()
    options = f"size={megabytes * 1024:.0f}k"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", at], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def grow(disk, megabytes):
    """More room, as if other files had gone."""
    size = f"remount,size={megabytes * 1024:.0f}k"
    subprocess.run(["mount", "-o", size, disk], check=True)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    to = tmp_path_factory.mktemp("source") / "small"
    folder.write_folder(catalogue.load("embedded/resnet10-8-12-16-24", weights=False), to, {"source": "random"})
    return f"local:{to}"


@pytest.fixture(scope="module")
def photos(tmp_path_factory, write_shapes):
    return write_shapes(tmp_path_factory.mktemp("photos"), per_class=70)


def fit(photos, source, to, *more):
    common = ["--backbone", source, "--strategy", "partial", "--depth", "1", "--no-baselines", "--budget", "1h"]
    return ["fit", photos, "-o", to, *common, *SETTINGS, *more]


def numbers(to):
    run = Run(to / "run")
    rows = [(row["name"], row["scores"], row["detail"]) for row in run.evidence]
    return rows, run.verdict["tests"], [(row["name"], row["scores"]) for row in run.journal]


@pytest.fixture(scope="module")
def whole(photos, source, tmp_path_factory):
    """The numbers of a run with room enough, whose plan the others replay; and its folder."""
    to = tmp_path_factory.mktemp("whole")
    done = Command(fit(photos, source, to / "m"), to / "told", HEADSTART_CACHE=to / "cache")
    assert done.wait() == 0, done.output
    return to / "m", numbers(to / "m")


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [0.1, 0.6, 1.2, 2.5])
def test_a_full_store(megabytes, whole, photos, source, tmp_path):
    """Full while pictures are decoded, while features are extracted, while activations are kept."""
    replayed, wanted = whole
    words = fit(photos, source, tmp_path / "m", "--replay", replayed)
    with small_disk(tmp_path / "disk", megabytes) as disk:
        stopped = Command(words, tmp_path / "told", HEADSTART_CACHE=disk)
        assert stopped.wait() == 1, stopped.output
        assert re.search(FULL, stopped.output) and str(disk) in stopped.output, stopped.output
        assert "HEADSTART_CACHE" in stopped.output and "--resume" in stopped.output
        assert not list(disk.rglob("*.part"))
        grow(disk, 60)
        resumed = Command([*words, "--resume"], tmp_path / "told", HEADSTART_CACHE=disk)
        assert resumed.wait() == 0, resumed.output
    assert numbers(tmp_path / "m") == wanted


@pytest.mark.slow
def test_a_probe_needs_no_room_in_the_store(photos, source, tmp_path):
    """Pictures are decoded anew and features held in memory, which is said; the numbers are the same."""
    words = ["--backbone", source, "--strategy", "probe", "--no-baselines"]
    roomy = Command(
        ["fit", photos, "-o", tmp_path / "a", *words], tmp_path / "told", HEADSTART_CACHE=tmp_path / "cache"
    )
    assert roomy.wait() == 0, roomy.output
    with small_disk(tmp_path / "disk", 0.02) as disk:
        cramped = Command(["fit", photos, "-o", tmp_path / "b", *words], tmp_path / "told2", HEADSTART_CACHE=disk)
        assert cramped.wait() == 0, cramped.output
    assert "these features are in memory, for this run only" in cramped.output
    assert numbers(tmp_path / "a") == numbers(tmp_path / "b")


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [4, 40, 90, 130, 200])
def test_a_full_output(kilobytes, whole, photos, source, tmp_path):
    """Full from the first file on, in the journal, at a checkpoint, when the model is sealed."""
    replayed, wanted = whole
    cache = {"HEADSTART_CACHE": tmp_path / "cache"}
    with small_disk(tmp_path / "disk", kilobytes / 1024) as disk:
        words = fit(photos, source, disk / "m", "--replay", replayed, "--checkpoint-every", "0.1s")
        stopped = Command(words, tmp_path / "told", **cache)
        assert stopped.wait() == 1, stopped.output
        assert re.search(FULL, stopped.output) and str(disk) in stopped.output, stopped.output
        finished = [row["name"] for row in Run(disk / "m" / "run").journal]
        grow(disk, 60)
        again = ["--resume"] if (disk / "m" / "run" / "config.json").exists() else []
        resumed = Command([*words, *again, "--verbose"], tmp_path / "told2", **cache)
        assert resumed.wait() == 0, resumed.output
        assert numbers(disk / "m") == wanted
        recalled = re.findall(r"(\S+): recalled from the journal", resumed.output)
    assert set(finished) <= set(recalled), "what had finished is not trained again"


@pytest.mark.slow
def test_a_full_temporary_folder(whole, photos, source, tmp_path):
    with small_disk(tmp_path / "disk", 0.05) as disk:
        words = fit(photos, source, tmp_path / "m")
        done = Command(words, tmp_path / "told", HEADSTART_CACHE=tmp_path / "cache", TMPDIR=disk)
        assert done.wait() == 0, done.output
        assert list(disk.iterdir()) == []
    assert numbers(tmp_path / "m") == whole[1]
