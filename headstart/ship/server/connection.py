"""HTTP on one connection: uvicorn's own, but malformed requests are refused in our words, and silence has an end."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from headstart.ship.server.refusals import Refusal

SILENCE = 20.0
"""Seconds until a connection must have brought the head of its first request."""
MOST = 1000
"""Connections at once; more are closed as they come."""


WAITING = "waiting"
"""Key of a request's state under which lies the future that nobody waits for any more once its client has left."""


class Gathering:
    """A transport that sends together what is written in one turn of the loop: the head of an answer and its body.

    Every call of the system lets the other threads take the interpreter, and it may be a while until they give it back.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send soon."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def close(self) -> None:
        """Send what waits, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        data, self._waiting = b"".join(self._waiting), []
        if data and not self._transport.is_closing():
            self._transport.write(data)


class Connection(H11Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many."""
        super().connection_made(Gathering(transport, self.loop))  # type: ignore[arg-type]
        if len(self.connections) > MOST:
            transport.abort()
            return
        self._patience = self.loop.call_later(SILENCE, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if patience := getattr(self, "_patience", None):
            patience.cancel()
        waiting = self.scope["state"].get(WAITING) if self.scope else None
        if waiting is not None:
            waiting.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        body = Refusal(400, "BadRequest", "This is no HTTP request", expected="HTTP/1.1").body()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _give_up(self) -> None:
        if self.cycle is None:
            self.transport.close()
