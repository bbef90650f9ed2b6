"""A host is there or it is not; the answer comes in seconds."""

from __future__ import annotations

import socket
import time

import pytest

from headstart.base import reach


def test_a_listening_host_is_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.getproxies", dict)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert reach.unreachable(f"https://127.0.0.1:{server.getsockname()[1]}/file") == ""


def test_a_closed_port_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.getproxies", dict)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    assert "127.0.0.1 cannot be reached" in reach.unreachable(f"https://127.0.0.1:{port}/file")


def test_a_name_server_that_hangs_costs_seconds_not_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr(reach, "PATIENCE", 0.2)

    def hang(*_: object, **__: object) -> None:
        time.sleep(3)
        raise OSError("at last")

    monkeypatch.setattr(socket, "create_connection", hang)
    begun = time.monotonic()
    assert "did not answer within 0.2 s" in reach.unreachable("https://example.org/file")
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "127.0.0.1:{}"])
def test_where_there_is_a_proxy_it_is_the_proxy_that_must_be_there(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": form.format(port)})
        assert "127.0.0.1 cannot be reached" in reach.unreachable("https://no.such.host.invalid/file")
        server.listen()
        assert reach.unreachable("https://no.such.host.invalid/file") == ""
