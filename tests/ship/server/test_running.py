"""From the socket to the end: addresses that cannot be had, tokens that can be guessed, and a stop under load."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from headstart.base.errors import BadOption
from headstart.ship.sealed import load
from headstart.ship.server.limits import Limits
from headstart.ship.server.running import Place, Server
from tests.ship.server.conftest import Here, Process, Starter


def test_a_port_that_is_taken_is_said(model_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BadOption, match=f"Port {port} is taken") as caught:
            Place("127.0.0.1", port)
    assert "--port 0" in caught.value.next_move


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("203.0.113.7", 0, "Nothing can listen"),
        ("no.such.host.invalid", 0, "no host"),
        ("a" * 70 + ".x", 0, "no host"),
        ("127.0.0.1", 65536, "no port"),
        ("127.0.0.1", -1, "no port"),
    ],
)
def test_an_address_that_cannot_be_had_is_said(host: str, port: int, said: str) -> None:
    with pytest.raises(BadOption, match=said):
        Place(host, port)


def test_only_loopback_is_taken_for_loopback() -> None:
    for host in ("127.0.0.1", "localhost", "127.0.0.2", "::1"):
        place = Place(host, 0)
        assert place.loopback and host in place.hosts() | {"::1"}
        place.close()
    for host in ("0.0.0.0", "::"):
        place = Place(host, 0)
        assert not place.loopback and not place.hosts() and "0.0.0.0" not in place.url
        place.close()


@pytest.mark.parametrize("token", ["short", "spaces in a long token", "umlaut-ä-in-a-long-token"])
def test_a_bad_token_is_refused(model_folder: Path, token: str) -> None:
    place = Place("127.0.0.1", 0)
    with pytest.raises(BadOption, match="token"):
        Server(load(model_folder), place, Limits(), token=token)
    place.close()


class Load:
    """Clients that ask one question after the other until they are sent away; what they were answered."""

    def __init__(self, process: Process, picture: bytes, clients: int) -> None:
        self.process, self.picture = process, picture
        self.answers: Counter[int | str] = Counter()
        self.until = threading.Event()
        self.threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self) -> None:
        with self.process.client() as client:
            while not self.until.is_set():
                try:
                    status = client.post("/predict", content=self.picture).status_code
                    self.answers[status] += 1
                    if status == 503:  # it is told to go elsewhere, and does
                        return
                except httpx.ConnectError:
                    self.answers["nobody there"] += 1
                    return
                except httpx.HTTPError as error:
                    self.answers[type(error).__name__] += 1
                    return

    def wait(self) -> None:
        """Until every client has ended."""
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_loses_no_request(start: Starter, picture: bytes, number: int) -> None:
    process = start("-v")
    load = Load(process, picture, 8)
    until = time.monotonic() + 60
    while load.answers[200] < 40 and time.monotonic() < until:
        time.sleep(0.01)
    assert load.answers[200] >= 40, load.answers
    os.kill(process.pid, number)
    assert process.command.wait(60) == 0, process.command.output
    load.wait()
    # Every request that was taken in was answered, and the answer arrived.
    assert load.answers[200] == process.command.output.count("POST /predict 200 "), load.answers
    # The others were sent away, or found nobody, or a connection that was closed before they had said all.
    assert set(load.answers) <= {200, 503, "nobody there", "ReadError", "WriteError", "RemoteProtocolError"}, (
        load.answers
    )
    assert load.answers[503] <= process.command.output.count("POST /predict 503 "), load.answers
    assert "Stopping" in process.command.output and "Traceback" not in process.command.output


def test_while_it_stops_it_is_not_ready_and_finishes_what_it_began(here: Callable[..., Here], picture: bytes) -> None:
    with here().running() as server:
        server.go.clear()
        found: list[int] = []
        asking = threading.Thread(
            target=lambda: found.append(httpx.post(f"{server.url}/predict", content=picture).status_code)
        )
        with httpx.Client(base_url=server.url) as client:
            client.get("/health")
            asking.start()
            until = time.monotonic() + 20
            while "headstart_queue_items 1.0" not in client.get("/metrics").text and time.monotonic() < until:
                time.sleep(0.01)
            server.server.stop()
            time.sleep(0.2)
            with httpx.Client(base_url=server.url) as probe:
                ready = probe.get("/ready")
                assert ready.status_code == 503 and ready.headers["retry-after"]
                assert probe.get("/health").status_code == 200
                refused = probe.post("/predict", content=picture)
                assert refused.status_code == 503 and refused.json()["error"]["type"] == "Stopping"
            server.go.set()
            asking.join(20)
    assert found == [200] and server.cut == [0]


def test_a_second_signal_stops_at_once(start: Starter) -> None:
    process = start("--timeout", "30s")
    place = httpx.URL(process.url)
    with socket.create_connection((place.host, place.port)) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nx")
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGTERM)
        time.sleep(0.3)
        assert process.command.process.is_alive()
        os.kill(process.pid, signal.SIGTERM)
        assert process.command.wait(20) == 1
    assert "1 request was cut off" in process.command.output
