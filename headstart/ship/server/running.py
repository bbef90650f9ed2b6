"""A server from its socket to its end: the address, the token, the threads, and a stop that loses no request."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import secrets
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import uvicorn

from headstart.base import manifest as manifests
from headstart.base.errors import BadOption, HeadstartError
from headstart.base.machine import kept_threads, use_threads
from headstart.base.progress import Reporter, Silent
from headstart.data.printable import count
from headstart.engine import threads as counting
from headstart.ship import golden
from headstart.ship.sealed import Model
from headstart.ship.server import app as routes
from headstart.ship.server import pages
from headstart.ship.server.admission import Door
from headstart.ship.server.batching import Batcher, Round
from headstart.ship.server.connection import Connection
from headstart.ship.server.guard import Guard, Visitors
from headstart.ship.server.limits import Limits
from headstart.ship.server.metrics import Metrics

SHORTEST_TOKEN = 16
"""Letters; anything shorter could be found by trying."""
BACKLOG = 2048
KEPT = 75
"""Connections that wait to be accepted; seconds that an idle one is kept."""
_LINGER = 0.5
"""Seconds in which a stopping server still answers 503, so that clients hear it instead of a reset connection."""
_TRIED = 4
"""Items of the forward pass by which the number of threads is chosen."""
_HEAVY = 0.01
"""Seconds of an item's forward pass on one thread from which on the network may have every core; a lighter one leaves
one core to reading, decoding and answering, which take about a millisecond an item."""


class Place:
    """The address that a server listens on.

    Args:
        host: a name or an address of this machine.
        port: 0 takes any free one.

    Raises:
        BadOption: when it cannot be had.
    """

    def __init__(self, host: str, port: int) -> None:
        if not 0 <= port <= 65535:
            raise BadOption(f"There is no port {port}", where="port", expected="0 to 65535")
        self.host = host
        self.socket = _bound(host, port)
        self.address, self.port = self.socket.getsockname()[:2]
        self.loopback = ipaddress.ip_address(self.address.split("%")[0]).is_loopback

    @property
    def url(self) -> str:
        """Where to find it; a server on every address is shown by one that works here."""
        anywhere = ipaddress.ip_address(self.address.split("%")[0]).is_unspecified
        host = ("[::1]" if ":" in self.address else "127.0.0.1") if anywhere else self.host
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"

    def close(self) -> None:
        """Give it up."""
        self.socket.close()

    def hosts(self) -> frozenset[str]:
        """The names that a browser on this machine may call it by; empty for any."""
        if not self.loopback:
            return frozenset()
        return frozenset({"localhost", "127.0.0.1", "[::1]", self.host.lower(), self.address})


class Server:
    """A model that answers at a place until it is told to stop.

    Args:
        model: sealed.
        place: where.
        limits: what is allowed.
        token: that clients must know; "" for none, which only a place on loopback may do without: elsewhere one is
            made.
        precision: "float32", "bf16" or "auto".
        threads: of the network's forward pass; 0 measures which number is fastest.
        report: told what happens; every request is a detail.

    Attributes:
        token: that clients must know; may be empty.
        url: where it answers.
        wire: how items travel to it.
        example: an item to try, and its content type; None where it has none to give away.

    Raises:
        BadOption: a token that can be guessed, or threads below 0.
    """

    def __init__(
        self,
        model: Model,
        place: Place,
        limits: Limits,
        *,
        token: str = "",
        precision: str = "float32",
        threads: int = 0,
        report: Reporter | None = None,
    ) -> None:
        if threads < 0:
            raise BadOption(f"The network cannot have {threads} threads", where="threads", expected="0 or more")
        self.model, self.place, self.limits, self.url = model, place, limits, place.url
        self.token = _token(token, loopback=place.loopback)
        self._report, self._threads, self._cut = report or Silent(), threads, 0
        task = model.task
        self._door = Door(limits)
        names = tuple(task.probabilities(np.full(len(task.names), 0.5)))
        metrics = Metrics(lambda: self._door.items, names)
        judge = model.scorer.judging(precision)
        self._batcher = Batcher(
            routes.decoder(model, limits), judge, limits, observe=self._observed(metrics), first=self._warm(judge)
        )
        service = routes.Service(model, limits, self._batcher, door=self._door, metrics=metrics, failed=self._failed)
        self.wire, self.example = service.wire, service.example()
        api = routes.build(service, secured=bool(self.token))
        self._guard = Guard(
            routes.shortcut(api, service),
            paths=routes.paths(api),
            visitors=Visitors(self.token, place.hosts(), (pages.PREFIX, "/openapi.json")),
            metrics=metrics,
            log=self._report.detail,
            failed=self._failed,
        )

    def run(self, started: Callable[[], None] = lambda: None) -> int:
        """Answer until SIGTERM or SIGINT, then finish what is in flight; a second signal stops at once.

        Args:
            started: called once requests are taken.

        Returns:
            How many requests were cut off.
        """
        with kept_threads():
            asyncio.run(self._serve(started))
        return self._cut

    def stop(self) -> None:
        """What a signal does, from any thread: finish what is in flight; at once when called again."""
        self._loop.call_soon_threadsafe(self._told)

    async def _serve(self, started: Callable[[], None]) -> None:
        self._loop, self._uvicorn = asyncio.get_running_loop(), _Uvicorn(_configured(self._guard))
        await self._batcher.start()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.add_signal_handler(number, self._told)
        serving = asyncio.create_task(self._uvicorn.serve(sockets=[self.place.socket]))
        try:
            while not (self._uvicorn.started or serving.done()):
                await asyncio.sleep(0.005)
            started()
            await serving
        finally:
            self._cut = self._guard.in_flight
            self._batcher.close()

    def _told(self) -> None:
        """Somebody wants the server to stop."""
        if self._door.closing:
            self._uvicorn.should_exit = self._uvicorn.force_exit = True
            return
        self._door.closing = self._guard.closing = True
        waiting = self._guard.in_flight
        self._report.say("Stopping" + (f"; {count(waiting, 'request')} in flight" if waiting else ""))
        self._ending = self._loop.create_task(self._end())

    async def _end(self) -> None:
        if self._guard.in_flight:
            while self._guard.in_flight:
                await asyncio.sleep(0.01)
            # First no new connections, then a while for those that are open: what they ask now is answered with 503.
            # One turn of the loop takes those in that the system has for us already, for closing would reset them.
            await asyncio.sleep(0)
            for listening in self._uvicorn.servers:
                listening.close()
            await asyncio.sleep(_LINGER)
        self._uvicorn.should_exit = True

    def _observed(self, metrics: Metrics) -> Callable[[Round], None]:
        def observe(done: Round) -> None:
            metrics.ran(done)
            pace = done.seconds / done.items
            self._door.pace += 0.1 * (pace - self._door.pace) if self._door.pace else pace

        return observe

    def _warm(self, judge: Callable[[Sequence[np.ndarray]], Any]) -> Callable[[], None]:
        """Run the network once before anybody waits for it, and find how many threads it is fastest with."""
        examples = golden.read(self.model.path / manifests.GOLDEN, columns=len(self.model.task.names)).inputs

        def warm() -> None:
            if self.model.manifest.kind != "network":
                return
            inputs = [examples[i % len(examples)] for i in range(min(_TRIED, self.limits.batch))]
            use_threads(self._threads or 1)
            judge(inputs)
            if self._threads:
                return
            began = time.perf_counter()
            judge(inputs)
            heavy = (time.perf_counter() - began) / len(inputs) > _HEAVY
            most = os.cpu_count() or 1
            found = counting.fastest(lambda: judge(inputs), sorted({1, most if heavy else max(1, most - 1)}))
            self._report.detail(f"The network has {count(found, 'thread')} of {most}")

        return warm

    def _failed(self, identity: str, error: BaseException) -> None:
        self._report.say(f"Request {identity} failed: {type(error).__name__}: {error}")
        self._report.detail("".join(traceback.format_exception(error)))


def _configured(app: Guard) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEPT,
        backlog=BACKLOG,
    )


class _Uvicorn(uvicorn.Server):
    """Without uvicorn's own signal handlers: they would end the process by the signal, and not by an exit code."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        """Change nothing."""
        return contextlib.nullcontext()


def _token(given: str, *, loopback: bool) -> str:
    if not given:
        return "" if loopback else secrets.token_urlsafe(24)
    if len(given) < SHORTEST_TOKEN or not given.isascii() or not given.isprintable() or " " in given:
        raise BadOption(
            "The token can be guessed" if len(given) < SHORTEST_TOKEN else "The token cannot stand in a header",
            where="token",
            expected=f"at least {SHORTEST_TOKEN} letters, digits or signs without spaces",
            next_move="leave it out, and on a host that others reach one is made",
        )
    return given


def _bound(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise BadOption(
            f"There is no host {host!r}", where="host", expected="a name or address of this machine"
        ) from error
    # IPv4 first: it is what people type into other programs.
    family, kind, protocol, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise _unbound(host, port, error) from error
    listening.setblocking(False)
    return listening


def _unbound(host: str, port: int, error: OSError) -> HeadstartError:
    if error.errno == errno.EADDRINUSE:
        return BadOption(
            f"Port {port} is taken",
            where=f"{host}:{port}",
            expected="a free port",
            next_move="--port 0 takes any free one",
        )
    if error.errno == errno.EACCES:
        return BadOption(f"Port {port} is not yours to take", where=f"{host}:{port}", expected="a port above 1023")
    return BadOption(f"Nothing can listen at {host}", where=f"{host}:{port}", expected="an address of this machine")
