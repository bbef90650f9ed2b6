"""Large arrays in files: equal to those in memory, without a name, no weight in RssAnon, safe on a full disk."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from headstart.base import scratch


@pytest.fixture
def everything_is_large(monkeypatch, tmp_path):
    monkeypatch.setattr(scratch, "LARGE", 1)
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    return tmp_path


def test_rows_come_as_if_they_had_been_computed_at_once(everything_is_large):
    values = np.random.default_rng(0).normal(size=(3 * scratch.ROWS + 7, 5))
    assert np.array_equal(scratch.by_rows(len(values), lambda rows: values[rows] * 2), values * 2)
    index = np.random.default_rng(1).permutation(len(values))
    assert np.array_equal(scratch.take(values, index), values[index])
    assert scratch.take(values, []).shape == (0, 5)


def test_no_file_is_left_to_see_and_the_array_can_be_written(everything_is_large):
    found = scratch.empty((1000, 10), np.float32)
    found[:] = 3
    assert found.sum() == 30_000
    assert list((everything_is_large / "scratch").iterdir()) == []


def test_without_room_the_array_is_in_memory(everything_is_large, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    found = scratch.empty((10, 10))
    found[:] = 1
    assert found.sum() == 100


MEASURED = """
import re, sys
from pathlib import Path
import numpy as np
from headstart.base import scratch
from headstart.measure import logistic, ridge

def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1)) / 1000

import threading, time
peak, going = [0.0], [True]
def watch():
    while going[0]:
        peak[0] = max(peak[0], anonymous())
        time.sleep(0.005)

n = int(sys.argv[1])
draw = np.random.default_rng(0)
y = draw.integers(0, 3, n)
X = scratch.by_rows(n, lambda rows: (draw.normal(size=(len(y[rows]), 256)) + y[rows, None]).astype(np.float32))
threading.Thread(target=watch, daemon=True).start()
logistic.fit(X, y, classes=3, penalty=1e-3, standardise=True)
ridge.classify(X, y, classes=3)
going[0] = False
print(peak[0])
"""


def peak(items, cache):
    given = {**os.environ, "HEADSTART_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(items)], env=given, capture_output=True, text=True, check=True
    )
    return float(re.findall(r"[\d.]+", done.stdout)[-1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="RssAnon is Linux's")
def test_ten_times_the_items_take_little_more_memory(tmp_path):
    """Features of 20,000 items (256 numbers each) are 41 MB in float64; four copies of them were in memory once."""
    assert peak(20_000, tmp_path) - peak(2_000, tmp_path) < 60
