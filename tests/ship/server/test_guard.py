"""Who may ask, and a polite end for requests that are refused before they were read."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.ship.server.conftest import Here, Process, Starter
from tests.ship.server.test_app import fault

TOKEN = "sixteen-letters-and-more"


def raw(url: str, data: bytes, *, seconds: float = 20) -> bytes:
    """What a server answers to bytes, until it closes the connection."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=seconds) as stream:
        stream.sendall(data)
        found = b""
        while piece := stream.recv(65536):
            found += piece
        return found


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]:80"])
def test_a_name_that_was_made_to_point_here_is_refused(client: httpx.Client, host: str) -> None:
    for path in ("/model", "/predict", "/docs", "/health"):
        assert fault(client.get(path, headers={"host": host}), 400)["type"] == "WrongHost"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8000", "localhost."])
def test_its_own_names_are_not(client: httpx.Client, host: str) -> None:
    assert client.get("/model", headers={"host": host}).status_code == 200


@pytest.fixture
def guarded(here: Callable[..., Here]) -> Iterator[str]:
    with here(token=TOKEN).running() as server:
        yield server.url


def test_the_token_opens_and_nothing_else_does(guarded: str, picture: bytes) -> None:
    for path in ("/model", "/metrics", "/example", "/nowhere"):
        refused = httpx.get(guarded + path)
        assert fault(refused, 401)["type"] == "Unauthorized" and refused.headers["www-authenticate"] == "Bearer"
    for given in ("", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer", "Bearer \xe9"):
        headers = {"authorization": given.encode("latin-1")}
        fault(httpx.post(f"{guarded}/predict", content=picture, headers=headers), 401)
    fault(httpx.get(f"{guarded}/model?token={TOKEN}"), 401)
    for given in (f"Bearer {TOKEN}", f"bearer  {TOKEN}"):
        answer = httpx.post(f"{guarded}/predict", content=picture, headers={"authorization": given})
        assert answer.status_code == 200


def test_probes_and_the_description_need_no_token_and_tell_nothing(guarded: str) -> None:
    for path in ("/health", "/ready", "/docs", "/openapi.json"):
        answer = httpx.get(guarded + path)
        assert answer.status_code == 200 and "stripes" not in answer.text
    assert httpx.get(f"{guarded}/openapi.json").json()["paths"]["/predict"]["post"]["security"] == [{"token": []}]


def test_an_address_that_others_reach_makes_a_token(start: Starter, picture: bytes) -> None:
    server = start("--host", "0.0.0.0")
    assert len(server.token) >= 24 and server.command.output.count(server.token) == 1
    with server.client() as client:
        fault(client.post("/predict", content=picture), 401)
        headers = {"authorization": f"Bearer {server.token}", "host": "any.name"}
        assert client.post("/predict", content=picture, headers=headers).status_code == 200
    assert server.end() == 0


def test_a_body_is_cut_off_while_it_is_read(shared: Process) -> None:
    # Nine megabytes are promised in pieces without a length; one is allowed.
    head = b"POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    answer = raw(shared.url, head + piece * 140 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ") and b'"TooLarge"' in answer and b"connection: close" in answer


def test_a_body_that_is_announced_too_long_is_not_waited_for(shared: Process) -> None:
    began = time.monotonic()
    head = b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999999999999\r\n\r\nx"
    assert raw(shared.url, head).startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - began < 10
    expecting = head[:-3] + b"expect: 100-continue\r\n\r\n"
    assert raw(shared.url, expecting.replace(b"999999999999\r", b"999999999999\r\n", 1)).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_dawdles_is_told_so(here: Callable[..., Here]) -> None:
    with here(timeout=0.5).running() as server:
        answer = raw(server.url, b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nx")
        assert answer.startswith(b"HTTP/1.1 408 ") and b'"TooSlow"' in answer


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_our_words(shared: Process, data: bytes) -> None:
    answer = raw(shared.url, data)
    assert answer.startswith(b"HTTP/1.1 400 ") and b'{"error":{"type":"BadRequest"' in answer


def test_every_answer_says_what_kind_it_is(client: httpx.Client) -> None:
    for path in ("/model", "/nowhere", "/docs", "/metrics"):
        assert client.get(path).headers["x-content-type-options"] == "nosniff"
