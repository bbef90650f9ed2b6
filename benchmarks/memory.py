"""How much memory grows with the data: RssAnon of the real process, from 2,000 to 20,000 pictures of 64 pixels.

    python benchmarks/memory.py

For each size the command line runs in a process of its own, with a cache of its own, and /proc/PID/status is read fifty
times a second; its peak of RssAnon (memory that no file stands behind, MB = 10^6 bytes) is what counts. Three commands:
``fit`` with a probe alone, ``fit`` as it comes (baselines, fine-tuning, verdict) and ``predict`` with the model of the
first. The result, with the growth of each and what the process was doing at its peak, goes to
benchmarks/results/memory.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from headstart.base import files

RESULTS = Path(__file__).parent / "results" / "memory.json"
LIMIT = 150.0
"""Megabytes that each command may take more for ten times the pictures."""
CLASSES = 10


def write_pictures(to: Path, count: int, side: int = 64) -> Path:
    """Coloured gratings, a direction for each class, with noise: ``count`` JPEG files in ten class folders."""
    draw = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] / side
    for number in range(count):
        label = number % CLASSES
        angle, waves = np.pi * (label + draw.normal(0, 0.1)) / CLASSES, draw.uniform(3, 8)
        wave = np.sin(2 * np.pi * (waves * (x * np.cos(angle) + y * np.sin(angle)) + draw.uniform()))
        picture = 128 + 60 * wave[..., None] * draw.uniform(0.4, 1, 3) + draw.normal(0, 25, (side, side, 3))
        folder = to / f"class{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{number:05d}.jpg", quality=85)
    return to


def anonymous(pid: int) -> float:
    """RssAnon of a process in megabytes; 0 when it has ended."""
    try:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except OSError:
        return 0.0
    return int(found.group(1)) * 1024 / 1e6 if found else 0.0


def measured(words: Sequence[str], cache: Path, log: Path | None = None) -> dict[str, Any]:
    """Peak of RssAnon while the command runs, and the last line of its run's log at that moment."""
    started, peak, doing = time.perf_counter(), 0.0, ""
    environment = {**os.environ, "HEADSTART_CACHE": str(cache)}
    command = [sys.executable, "-m", "headstart", *words]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        while process.poll() is None:
            now = anonymous(process.pid)
            if now > peak + 1:
                peak, doing = now, _last_line(log)
            time.sleep(0.02)
        errors.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{errors.read().decode()}")
    return {"megabytes": round(peak, 1), "at_peak": doing, "seconds": round(time.perf_counter() - started, 1)}


def _last_line(log: Path | None) -> str:
    if log is None or not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8").splitlines()
    return lines[-1].split(" ", 1)[1][:100] if lines else ""


def one_size(count: int, folder: Path, backbone: str, budget: str, verbs: Sequence[str]) -> dict[str, Any]:
    """Every command at one size."""
    pictures, found = write_pictures(folder / f"pictures{count}", count), {}
    probe, whole = folder / f"probe{count}", folder / f"whole{count}"
    common = [str(pictures), "--backbone", backbone, "--quiet"]
    commands = {
        "fit probe": (["fit", *common, "-o", str(probe), "--strategy", "probe", "--no-baselines"], probe),
        "fit": (["fit", *common, "-o", str(whole), "--budget", budget], whole),
        "predict": (["predict", str(probe), str(pictures), "--quiet", "--json"], None),
    }
    for verb in verbs:
        words, to = commands[verb]
        log = None if to is None else to / "run" / "log.txt"
        found[verb] = measured(words, folder / f"cache {count} {verb}", log)
        print(f"{count:,} pictures, {verb}: {found[verb]['megabytes']} MB, {found[verb]['seconds']} s", flush=True)
    return found


def main() -> int:
    """Measure and write the result; the exit code is 1 if a command grows by more than the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs=2, default=(2_000, 20_000))
    parser.add_argument("--backbone", default="embedded/resnet10-procedural")
    parser.add_argument("--budget", default="3m")
    parser.add_argument("--verbs", nargs="+", default=["fit probe", "fit", "predict"])
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headstart-memory-") as folder:
        few, many = (
            one_size(size, Path(folder), arguments.backbone, arguments.budget, arguments.verbs)
            for size in arguments.sizes
        )
    growth = {verb: round(many[verb]["megabytes"] - few[verb]["megabytes"], 1) for verb in few}
    result = {
        "command": "python benchmarks/memory.py " + " ".join(sys.argv[1:]),
        "sizes": list(arguments.sizes),
        "backbone": arguments.backbone,
        "python": platform.python_version(),
        "few": few,
        "many": many,
        "growth_megabytes": growth,
        "limit_megabytes": LIMIT,
    }
    files.write_json(arguments.results, result)
    print(json.dumps(growth))
    return 0 if max(growth.values()) <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
