"""What a server allows: how much a request may bring, how much may wait, how long anything may take."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.base.errors import BadOption

MEGABYTE = 10**6


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that hold for one server.

    Attributes:
        batch: items in one forward pass.
        wait: seconds that an item waits for company while other clients are there.
        queue: items that may be in the house at once; more are answered with 503.
        items: items in one request.
        body: bytes of one request.
        item: size of one item before it is decoded, in the modality's unit (pixels of a picture).
        timeout: seconds from a request's first byte to its answer.
        memory: bytes of requests that are held at once.
    """

    batch: int = 16
    wait: float = 0.005
    queue: int = 256
    items: int = 64
    body: int = 20 * MEGABYTE
    item: int = 50_000_000
    timeout: float = 30.0
    memory: int = 512 * MEGABYTE

    def __post_init__(self) -> None:
        """Refuse bounds that let nothing in.

        Raises:
            BadOption: naming the one that cannot be.
        """
        for name in ("batch", "queue", "items", "body", "item", "memory"):
            if getattr(self, name) < 1:
                raise BadOption(f"The limit {name} cannot be {getattr(self, name)}", expected="1 or more")
        if not 0 <= self.wait <= 1:
            raise BadOption(f"The longest wait cannot be {self.wait:g} s", expected="0 to 1 s, such as 5ms")
        if not 0 < self.timeout <= 3600:
            raise BadOption(f"The timeout cannot be {self.timeout:g} s", expected="up to an hour, such as 30s")
        if self.queue < self.items:
            raise BadOption(
                f"A request of {self.items} items would never fit into a queue of {self.queue}",
                expected="a queue at least as long as the largest request",
            )
        if self.memory < self.body:
            raise BadOption(
                f"A request of {self.body:,} bytes would never fit into {self.memory:,} bytes",
                expected="at least as much memory as the largest request needs",
            )
