"""A served model under load: is it as fast as the same model offline, does it lose a request, does its memory grow?

    python benchmarks/serving.py
    python benchmarks/serving.py --seconds 20 --backbone torchvision/resnet50 --size 224 --results FILE

Two real server processes on loopback (one as it comes, one with ``--max-batch 1``), clients in a process of their own
that write and read bytes on 64 connections, and a process that calls ``Model.predict`` with 16 pictures at a time. In
turn, many times, each is measured alone for a moment: offline, 64 clients, one client without batches; ratios are of
one turn, and their medians are reported. Then 64 clients ask for ``--seconds`` without a break, while the server's
resident memory is read. All of them see the same JPEG files in the same order. Processor seconds are counted as well:
clients and server share the machine, and what the clients take, the server cannot have. A backbone other than the
embedded one has random weights, which cost as much as trained ones.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "serving.json"
EMBEDDED = "embedded/resnet10-procedural"
BATCH = 16
KINDS = ("offline", "served", "one_by_one")
WANTED = {"of_offline": 0.8, "of_one_by_one": 3.0}
"""Times the offline throughput, and times that of one client without batches (asked of the embedded backbone)."""


def write_pictures(to: Path, count: int, side: int) -> Path:
    """Coloured gratings, a direction for each of ten classes, with noise, as JPEG files in class folders."""
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] / side
    for number in range(count):
        label = number % 10
        angle, waves = np.pi * (label + draw.normal(0, 0.1)) / 10, draw.uniform(3, 8)
        wave = np.sin(2 * np.pi * (waves * (x * np.cos(angle) + y * np.sin(angle)) + draw.uniform()))
        picture = 128 + 60 * wave[..., None] * draw.uniform(0.4, 1, 3) + draw.normal(0, 25, (side, side, 3))
        folder = to / f"class{label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{number:05d}.jpg", quality=85)
    return to


def sealed(backbone: str, size: int, pictures: Path, to: Path) -> Path:
    """A model to serve: a probe on the embedded backbone, or random weights of any other."""
    if backbone == EMBEDDED:
        command = [sys.executable, "-m", "headstart", "fit", str(pictures), "-o", str(to), "--strategy", "probe"]
        subprocess.run([*command, "--no-baselines", "--backbone", backbone, "--quiet"], check=True, capture_output=True)
        return to
    import dataclasses

    import torch

    from headstart.backbones import catalogue
    from headstart.features.network import Network
    from headstart.ship.sealing import seal
    from headstart.tasks import classification

    torch.manual_seed(0)
    net = catalogue.load(backbone, weights=False, seed=0)
    seal(
        to,
        network=Network(net, torch.nn.Linear(net.info.width, 10)),
        predictor=None,
        info=net.info,
        preprocessing=dataclasses.replace(net.info.preprocessing, size=size),
        temperature=1.0,
        modality="images",
        task=classification.learn([f"class{each}" for each in range(10)]),
        evidence=[],
        verdict={},
        data={},
        depth=0,
        extra={},
    )
    return to


# The clients: the standard library alone, for what they take the server cannot have.


async def ask(at: tuple[str, int], requests: Sequence[bytes], place: int, until: float, found: dict[str, Any]) -> None:
    """One client: a request after the other on one connection, from one of them on."""
    reader, writer = await asyncio.open_connection(*at)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(requests[place % len(requests)])
        place += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length.group(1)) if length else 0)
        except (OSError, asyncio.IncompleteReadError) as error:
            found["answers"][type(error).__name__] += 1
            return
        found["seconds"].append(time.perf_counter() - began)
        found["answers"][head[9:12].decode()] += 1
    writer.close()


def clients(host: str, port: int, count: int, seconds: float, pictures: str) -> dict[str, Any]:
    """Many clients for a while: answers by status, and how long they took."""
    requests = []
    for path in sorted(Path(pictures).rglob("*.jpg")):
        body = path.read_bytes()
        head = (
            f"POST /predict HTTP/1.1\r\nhost: {host}\r\ncontent-type: image/jpeg\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    found: dict[str, Any] = {"answers": Counter(), "seconds": []}

    async def all_of_them() -> float:
        began = time.perf_counter()
        until, apart = began + seconds, max(1, len(requests) // count)
        await asyncio.gather(*(ask((host, port), requests, i * apart, until, found) for i in range(count)))
        return time.perf_counter() - began

    before = os.times()
    took, times = asyncio.run(all_of_them()), sorted(found["seconds"])
    used = os.times()
    return {
        "clients": count,
        "seconds": round(took, 2),
        "answers": dict(found["answers"]),
        "per_second": round(found["answers"]["200"] / took, 1),
        "milliseconds": {
            name: round(1000 * times[min(len(times) - 1, int(share * len(times)))], 1)
            for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
        },
        "client_cores": round((used.user + used.system - before.user - before.system) / took, 3),
    }


# Offline: a process that predicts when it is told to.


def offline(model: str, pictures: str) -> None:
    """For each number of seconds on standard input, predict for so long, 16 pictures at a time."""
    from headstart.base.machine import use_threads
    from headstart.engine import threads
    from headstart.ship.sealed import load

    loaded = load(model)
    data = [path.read_bytes() for path in sorted(Path(pictures).rglob("*.jpg"))]
    groups = [data[start : start + BATCH] for start in range(0, len(data) - BATCH + 1, BATCH)]
    for line in sys.stdin:
        seconds, place = float(line), 0
        if not seconds:
            # What is faster right now: with other work on the machine, fewer threads may be.
            found = threads.fastest(lambda: loaded.predict(groups[0]), sorted({1, os.cpu_count() or 1}))
            use_threads(found)
            print(json.dumps({"threads": found}), flush=True)
            continue
        began, used = time.perf_counter(), time.process_time()
        while time.perf_counter() - began < seconds:
            loaded.predict(groups[place % len(groups)])
            place += 1
        took = time.perf_counter() - began
        cores = (time.process_time() - used) / took
        print(json.dumps({"per_second": round(BATCH * place / took, 1), "cores": round(cores, 3)}), flush=True)


class Child:
    """This script in a process of its own, answering lines with JSON."""

    def __init__(self, *words: str) -> None:
        command = [sys.executable, str(Path(__file__).resolve()), *words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line: object) -> dict[str, Any]:
        """A line to it, its answer back."""
        if self.process.stdin is None or self.process.stdout is None:
            raise SystemExit("the child has no pipes")
        print(line, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)


class Served:
    """``headstart serve`` in a process of its own."""

    def __init__(self, model: Path, *words: str) -> None:
        command = [sys.executable, "-m", "headstart", "serve", str(model), "--port", "0", "--json", "--quiet", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if self.process.stdout is None:
            raise SystemExit("the server has no output")
        self.url = json.loads(self.process.stdout.readline())["url"]

    def load(self, count: int, seconds: float, pictures: Path) -> dict[str, Any]:
        """Clients on it, from a process of their own."""
        host, port = self.url.removeprefix("http://").split(":")
        before = self.used()
        words = ("clients", host, port, str(count), str(seconds), str(pictures))
        done = subprocess.run([sys.executable, __file__, *words], check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        return {**found, "server_cores": round((self.used() - before) / found["seconds"], 3)}

    def used(self) -> float:
        """Processor seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """Megabytes in memory."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii"))
        return int(found.group(1)) * 1024 / 1e6 if found else 0.0

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(60)


def turns(servers: tuple[Served, Served], child: Child, pictures: Path, given: argparse.Namespace) -> Any:
    """Offline, many clients, and one client without batches, in turn."""
    found = []
    for _ in range(given.rounds):
        turn = {
            "offline": child.ask(given.turn),
            "served": servers[0].load(given.clients, given.turn, pictures),
            "one_by_one": servers[1].load(1, given.turn, pictures),
            "load_average": round(os.getloadavg()[0], 2),
        }
        served = turn["served"]["per_second"]
        turn["of_offline"] = round(served / turn["offline"]["per_second"], 3)
        turn["of_one_by_one"] = round(served / turn["one_by_one"]["per_second"], 3)
        # Items per processor second do not depend on what else the machine does in these few seconds.
        work = {
            name: turn[name].get("server_cores", turn[name].get("cores")) / turn[name]["per_second"] for name in KINDS
        }
        turn["of_offline_work"] = round(work["offline"] / work["served"], 3)
        turn["of_one_by_one_work"] = round(work["one_by_one"] / work["served"], 3)
        print(json.dumps(turn), flush=True)
        found.append(turn)
    return found


def endurance(one: Served, pictures: Path, seconds: float, count: int) -> dict[str, Any]:
    """Many clients without a break, and the server's memory meanwhile."""
    import threading

    memory: list[tuple[float, float]] = []
    over = threading.Event()

    def watch() -> None:
        began = time.perf_counter()
        while not over.wait(0.5):
            memory.append((round(time.perf_counter() - began, 1), round(one.resident(), 1)))

    thread = threading.Thread(target=watch)
    thread.start()
    found = one.load(count, seconds, pictures)
    over.set()
    thread.join()
    settled = [size for at, size in memory if at >= min(10, seconds / 3)]
    return {
        **found,
        "memory_megabytes": {
            "early": settled[0],
            "end": settled[-1],
            "most": max(settled),
            "growth": round(settled[-1] - settled[0], 1),
        },
    }


@contextlib.contextmanager
def running(model: Path, pictures: Path, words: Sequence[str]) -> Iterator[tuple[Served, Served, Child]]:
    """Both servers and the offline process, warm."""
    one, single = Served(model, *words), Served(model, "--max-batch", "1", *words)
    child = Child("offline", str(model), str(pictures))
    try:
        yield one, single, child
    finally:
        child.end()
        codes = one.end(), single.end()
        if any(codes):
            raise SystemExit(f"the servers ended with {codes}")


def machine() -> dict[str, Any]:
    """Where this was measured."""
    import importlib.metadata

    from headstart.base.machine import processor

    names = ("torch", "fastapi", "starlette", "uvicorn", "pillow", "headstart")
    return {
        "processor": processor()[0],
        "cores": os.cpu_count(),
        "load_average_before": round(os.getloadavg()[0], 2),
        "nice": os.nice(0),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in names},
    }


def main() -> int:
    """Measure and write the result; the exit code is 1 if something that was asked for is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of the endurance run")
    parser.add_argument("--turn", type=float, default=2.0, help="seconds of each measurement of a turn")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--backbone", default=EMBEDDED)
    parser.add_argument("--size", type=int, default=48, help="side of the network's input, for random weights")
    parser.add_argument("--pictures", type=int, default=512)
    parser.add_argument("--side", type=int, default=64, help="side of the pictures that are sent")
    parser.add_argument("--serve", default="", help="further options of headstart serve")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory(prefix="headstart-serving-") as folder:
        pictures = write_pictures(Path(folder) / "pictures", given.pictures, given.side)
        model = sealed(given.backbone, given.size, pictures, Path(folder) / "model")
        with running(model, pictures, given.serve.split()) as (one, single, child):
            threads = child.ask(0)["threads"]
            one.load(given.clients, 2, pictures)
            found = turns((one, single), child, pictures, given)
            lasting = endurance(one, pictures, given.seconds, given.clients)
    result = {
        "command": " ".join(["python benchmarks/serving.py", *sys.argv[1:]]),
        "machine": about,
        "backbone": given.backbone,
        "offline_threads": threads,
        "medians": {name: statistics.median(turn[name] for turn in found) for name in found[0] if name[:3] == "of_"},
        "per_second": {name: statistics.median(turn[name]["per_second"] for turn in found) for name in KINDS},
        "turns": found,
        "endurance": lasting,
    }
    return write(result, given.results)


def write(result: dict[str, Any], to: Path) -> int:
    """Add the result to the file, under its backbone; the exit code."""
    from headstart.base import files

    kept = json.loads(to.read_text("utf-8")) if to.exists() else {}
    files.write_json(to, {**kept, result["backbone"]: result})
    lasting, medians = result["endurance"], result["medians"]
    missed = [name for name, least in WANTED.items() if medians[name] < least]
    if result["backbone"] != EMBEDDED:
        missed = [name for name in missed if name == "of_offline"]
    if set(lasting["answers"]) != {"200"}:
        missed.append(f"answers {lasting['answers']}")
    print(json.dumps({"medians": medians, "endurance": lasting, "missed": missed}, indent=1))
    return int(bool(missed))


if __name__ == "__main__":
    if sys.argv[1:2] == ["clients"]:
        print(json.dumps(clients(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]), sys.argv[6])))
        raise SystemExit(0)
    if sys.argv[1:2] == ["offline"]:
        offline(sys.argv[2], sys.argv[3])
        raise SystemExit(0)
    raise SystemExit(main())
