"""Downloads from a real server: resumed, checked, bounded in time, and never half there."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headstart.backbones import fetch
from headstart.base.errors import WeightsError
from headstart.base.progress import Silent
from tests.backbones import hubserver, published

DATA = np.random.default_rng(0).bytes(3_000_000)
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[published.Server]:
    monkeypatch.setattr("urllib.request.getproxies", dict)
    folder = tmp_path / "hub" / "acme" / "net"
    folder.mkdir(parents=True)
    (folder / "w.pth").write_bytes(DATA)
    with published.hub(tmp_path / "hub") as running:
        yield running


def url(server: published.Server) -> str:
    return f"{server.url}/storage/acme/net/w.pth"


class Counting(Silent):
    def __init__(self) -> None:
        self.tasks: list[tuple[str, int | None]] = []
        self.done = 0

    def begin(self, task: str, total: int | None = None) -> None:
        self.tasks.append((task, total))

    def advance(self, units: int = 1) -> None:
        self.done += units


def test_a_whole_file_with_its_progress(server: published.Server, tmp_path: Path) -> None:
    report = Counting()
    with fetch.telling(report):
        path = fetch.download(url(server), tmp_path / "a" / "w.pth", digest=DIGEST, size=len(DATA))
    assert path.read_bytes() == DATA
    assert report.tasks == [("download w.pth, MB", 3)]
    assert report.done == 3
    assert [entry.name for entry in path.parent.iterdir()] == ["w.pth"]


def test_a_dropped_connection_is_resumed_where_it_broke(server: published.Server, tmp_path: Path) -> None:
    server.behave(cut={"w.pth": 1_100_000})
    path = fetch.download(url(server), tmp_path / "w.pth", digest=DIGEST, size=len(DATA))
    assert path.read_bytes() == DATA
    assert [entry["range"] for entry in server.requests()] == [None, "bytes=1100000-", "bytes=2200000-"]


def test_a_length_that_nobody_gave_beforehand_is_the_servers(server: published.Server, tmp_path: Path) -> None:
    server.behave(cut={"w.pth": 2_000_000})
    assert fetch.download(url(server), tmp_path / "w.pth", digest=DIGEST[:8]).read_bytes() == DATA
    assert [entry["range"] for entry in server.requests()] == [None, "bytes=2000000-"]


def test_what_arrived_before_a_failure_is_kept_for_the_next_try(server: published.Server, tmp_path: Path) -> None:
    part = tmp_path / "w.pth.part"
    part.write_bytes(DATA[:1_000_000])
    server.behave(cut={"w.pth": 0})
    with pytest.raises(WeightsError, match="cannot be downloaded") as caught:
        fetch.download(url(server), tmp_path / "w.pth", digest=DIGEST, size=len(DATA))
    assert "1,000,000 bytes that arrived are kept" in caught.value.next_move
    assert part.stat().st_size == 1_000_000
    server.behave()
    server.requests()
    fetch.download(url(server), tmp_path / "w.pth", digest=DIGEST[:8], size=len(DATA))
    assert [entry["range"] for entry in server.requests()] == ["bytes=1000000-"]


@pytest.mark.parametrize("digest", [DIGEST, DIGEST[:8]])
def test_a_changed_byte_is_refused_and_thrown_away(server: published.Server, tmp_path: Path, digest: str) -> None:
    server.behave(corrupt=["w.pth"])
    with pytest.raises(WeightsError, match="not what was published"):
        fetch.download(url(server), tmp_path / "w.pth", digest=digest, size=len(DATA))
    assert not list(tmp_path.glob("w.pth*"))


def test_a_wrong_size_is_refused(server: published.Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"not 2,000,000"):
        fetch.download(url(server), tmp_path / "w.pth", size=2_000_000)


def test_a_stale_part_that_is_too_long_does_not_end_in_a_wrong_file(server: published.Server, tmp_path: Path) -> None:
    (tmp_path / "w.pth.part").write_bytes(b"x" * 500)
    with pytest.raises(WeightsError, match="digest"):
        fetch.download(url(server), tmp_path / "w.pth", digest=DIGEST, size=len(DATA))
    assert fetch.download(url(server), tmp_path / "w.pth", digest=DIGEST, size=len(DATA)).read_bytes() == DATA


def test_a_server_that_never_answers_costs_seconds(
    server: published.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.behave(silent=True)
    monkeypatch.setattr(fetch, "SILENCE", 0.2)
    begun = time.monotonic()
    with pytest.raises(WeightsError, match="stopped answering"):
        fetch.download(url(server), tmp_path / "w.pth")
    assert time.monotonic() - begun < 3


def test_a_refusal_is_said_at_once(server: published.Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="404"):
        fetch.download(f"{server.url}/nowhere", tmp_path / "w.pth")
    assert len(server.requests()) == 1


def test_two_at_once_fetch_it_once(server: published.Server, tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=fetch.download, args=(url(server), tmp_path / "w.pth"), kwargs={"digest": DIGEST})
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "w.pth").read_bytes() == DATA
    assert len(server.requests()) == 1


def test_the_identity_of_a_git_blob_is_checked_too(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    assert fetch.matches(tmp_path / "a", hubserver.git_digest(b"text"))
    assert not fetch.matches(tmp_path / "a", hubserver.git_digest(b"other"))
