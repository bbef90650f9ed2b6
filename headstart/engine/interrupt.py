"""Ctrl-C between steps, never inside one: a half-applied update could not be continued to the same numbers.

The first Ctrl-C is remembered until the next step ends; a second one interrupts at once. Outside the main thread,
where Python delivers no signals, nothing is changed.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Request:
    """True once an interruption was asked for."""

    def __init__(self) -> None:
        self.made = False

    def check(self) -> None:
        """Raise what was put off.

        Raises:
            KeyboardInterrupt: if it was asked for.
        """
        if self.made:
            raise KeyboardInterrupt


@contextlib.contextmanager
def deferred() -> Iterator[Request]:
    """Put off SIGINT while the block runs; the block calls ``check`` where stopping is safe."""
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = signal.getsignal(signal.SIGINT)

    def remember(_number: int, _frame: FrameType | None) -> None:
        if request.made:
            raise KeyboardInterrupt
        request.made = True

    signal.signal(signal.SIGINT, remember)
    try:
        yield request
    finally:
        signal.signal(signal.SIGINT, before)
