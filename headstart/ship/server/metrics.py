"""What a server counts, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from headstart.ship.server.batching import Round

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The counters of one server, in a registry of their own: two servers in one process do not mix.

    Args:
        waiting: asked for the number of items that are in the house.
        names: of the model's classes or labels, counted from 0 on.
    """

    def __init__(self, waiting: Callable[[], float], names: tuple[str, ...]) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "headstart_requests", "Requests answered, by path and status.", ("path", "code"), registry=registry
        )
        self._latency = Histogram(
            "headstart_request_seconds",
            "From a request's first byte to the end of its answer.",
            ("path",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._batch = Histogram("headstart_batch_items", "Items in a forward pass.", buckets=_SIZES, registry=registry)
        self._forward = Histogram(
            "headstart_batch_seconds", "Duration of a forward pass.", buckets=_SECONDS, registry=registry
        )
        self._said = Counter("headstart_predictions", "Predictions, by what they say.", ("label",), registry=registry)
        self._strange = Counter(
            "headstart_unfamiliar_items", "Items that are unlike anything in the training data.", registry=registry
        )
        self._gone = Counter("headstart_abandoned_requests", "Requests whose client left early.", registry=registry)
        self.in_flight = Gauge("headstart_requests_in_flight", "Requests being worked on.", registry=registry)
        depth = Gauge("headstart_queue_items", "Items that are waiting or being judged.", registry=registry)
        depth.set_function(waiting)
        for name in names:
            self._said.labels(name)
        self._children: dict[tuple[str, int], tuple[Any, Any]] = {}

    def answered(self, path: str, code: int, seconds: float) -> None:
        """A request was answered; ``path`` must be one of a known few."""
        children = self._children.get((path, code))
        if children is None:
            children = self._requests.labels(path, str(code)), self._latency.labels(path)
            self._children[path, code] = children
        children[0].inc()
        children[1].observe(seconds)

    def abandoned(self) -> None:
        """A client left before its answer."""
        self._gone.inc()

    def ran(self, done: Round) -> None:
        """A forward pass."""
        self._batch.observe(done.items)
        self._forward.observe(done.seconds)

    def said(self, names: tuple[str, ...], *, unfamiliar: bool = False) -> None:
        """A prediction gave these names, of an item that may be unfamiliar."""
        for name in names:
            self._said.labels(name).inc()
        if unfamiliar:
            self._strange.inc()

    def text(self) -> bytes:
        """Everything, in the exposition format."""
        return generate_latest(self._registry)
