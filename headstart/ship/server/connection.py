"""HTTP on one connection: uvicorn's own, but malformed requests are refused in our words, and silence has an end."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from headstart.ship.server.refusals import Refusal

SILENCE = 20.0
"""Seconds until a connection must have brought the head of its first request."""
MOST = 1000
"""Connections at once; more are closed as they come."""


class Connection(H11Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.abort()
            return
        self._patience = self.loop.call_later(SILENCE, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if patience := getattr(self, "_patience", None):
            patience.cancel()
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
