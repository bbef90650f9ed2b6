"""The outermost layer: who may ask, what every answer carries, and that no error leaves unsaid.

Around the application stand an id for each request, the check of the Host header (a page on the web can make a name of
its own point to this machine, and would then be the same origin), the token, the time, the counting, and a polite end
for requests that are refused before they were read.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from headstart.ship.server import refusals
from headstart.ship.server.metrics import Metrics
from headstart.ship.server.refusals import Refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

OPEN = ("/health", "/ready")
"""Answered without a token: probes have none, and the answers say nothing of the model."""

_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_UNREAD = 64 * 2**20
_LINGER = 1.0
"""Bytes and seconds of a refused request that are still taken in, so that its client comes to read the answer."""
LEFT = 499
"""What a request is counted as whose client left: a status that nobody was sent."""


@dataclass(frozen=True, slots=True)
class Visitors:
    """Who may ask.

    Attributes:
        token: what they have to know; empty if nothing.
        hosts: names under which the server may be addressed; empty for any.
        open: paths that need no token besides ``OPEN``.
    """

    token: str = ""
    hosts: frozenset[str] = frozenset()
    open: tuple[str, ...] = ()

    def check(self, path: str, headers: dict[bytes, bytes]) -> None:
        """Let a request pass.

        Raises:
            Refusal: 400 for a wrong host, 401 without the token.
        """
        if self.hosts and _name(headers.get(b"host", b"")) not in self.hosts:
            raise Refusal(
                400,
                "WrongHost",
                "This server does not answer to that name",
                where="host",
                expected=" or ".join(sorted(self.hosts)),
            )
        if not self.token or path in OPEN or path.startswith(self.open):
            return
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self.token.encode()):
            raise Refusal(
                401,
                "Unauthorized",
                "The token is wrong" if given else "This server asks for a token",
                where="authorization",
                expected="Authorization: Bearer TOKEN",
                next_move="the token was shown when the server started",
                headers={"www-authenticate": "Bearer"},
            )


class Guard:
    """An ASGI application around another.

    Args:
        app: answers.
        paths: that are counted by name; all others are counted together.
        visitors: who may ask.
        metrics: counts.
        log: told of every request, in a line.
        failed: told of an error that nobody foresaw, with the request's id.

    Attributes:
        in_flight: requests that are being answered.
        closing: connections are ended with their answer.
    """

    def __init__(
        self,
        app: App,
        *,
        paths: frozenset[str],
        visitors: Visitors,
        metrics: Metrics,
        log: Callable[[str], None],
        failed: Callable[[str, BaseException], None],
    ) -> None:
        self._app, self._paths, self._visitors, self._metrics = app, paths, visitors, metrics
        self._log, self._failed = log, failed
        self.in_flight, self.closing = 0, False
        # Random once, then counted: the kernel's randomness for every request was a tenth of what a request costs.
        self._series, self._numbers = secrets.token_hex(4), itertools.count(1)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        exchange = _Exchange(receive, send, self._identity(headers), lambda: self.closing)
        scope.setdefault("state", {})["id"] = exchange.id
        path = scope["path"] if scope["path"] in self._paths else "other"
        self.in_flight += 1
        self._metrics.in_flight.inc()
        try:
            await self._answer(scope, headers, exchange)
        finally:
            self.in_flight -= 1
            self._metrics.in_flight.dec()
            seconds = time.perf_counter() - started
            self._metrics.answered(path, exchange.status, seconds)
            if exchange.status == LEFT:
                self._metrics.abandoned()
            self._log(f"{scope['method']} {scope['path']} {exchange.status} {1000 * seconds:.1f} ms {exchange.id}")

    def _identity(self, headers: dict[bytes, bytes]) -> str:
        """The id that the client gave if it can stand in a log, else a new one."""
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        return given if _ID.fullmatch(given) else f"{self._series}-{next(self._numbers)}"

    async def _answer(self, scope: MutableMapping[str, Any], headers: dict[bytes, bytes], exchange: _Exchange) -> None:
        try:
            self._visitors.check(scope["path"], headers)
            await self._app(scope, exchange.receive, exchange.send)
        except Refusal as refusal:
            await exchange.refuse(refusal)
        except Exception as error:  # our own fault: told to the log in full, and to the client in a sentence
            self._failed(exchange.id, error)
            await exchange.refuse(refusals.unexpected())


class _Exchange:
    """One request and its answer, on their way through the guard."""

    def __init__(self, receive: Receive, send: Send, identity: str, closing: Callable[[], bool]) -> None:
        self._receive, self._send, self._closing = receive, send, closing
        self.id, self.status = identity, LEFT
        self._read = self._left = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._left = True
        elif not message.get("more_body", False):
            self._read = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self._left or message["status"] == LEFT:
                return
            self.status = message["status"]
            added = [(b"x-request-id", self.id.encode()), (b"x-content-type-options", b"nosniff")]
            if (self.status >= 400 and not self._read) or self._closing():
                added.append((b"connection", b"close"))
            message["headers"] = [*message.get("headers", ()), *added]
            await self._send(message)
            return
        if self.status == LEFT:
            return
        last = not message.get("more_body", False)
        if last and self.status >= 400 and not self._read:
            # A connection that is closed over unread bytes is reset, and the client may never see the answer.
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    async def _linger(self) -> None:
        left, until = _UNREAD, time.monotonic() + _LINGER
        while left > 0 and not (self._read or self._left):
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    message = await self.receive()
            except TimeoutError:
                return
            left -= len(message.get("body", b""))

    async def refuse(self, refusal: Refusal) -> None:
        if self.status != LEFT:  # an answer has begun; a second one would be nonsense
            return
        content = refusal.body()
        headers = {"content-type": "application/json", "content-length": str(len(content)), **refusal.headers}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": content, "more_body": False})


def _name(host: bytes) -> str:
    """The name in a Host header, without its port."""
    text = host.decode("latin-1").lower().strip()
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text.partition(":")[0].rstrip(".")
