"""Is the host of a download there? Answered in seconds, where a library would retry for minutes."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

PATIENCE = 4.0
"""Seconds that a host has to answer."""
Answer = TypeVar("Answer")


def unreachable(url: str) -> str:
    """Why the host cannot be reached; "" if it can. Behind a proxy, it is the proxy that must be there."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    host, port = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)

    def connect() -> str:
        try:
            socket.create_connection((host, port), timeout=PATIENCE).close()
        except OSError as error:
            return f"{host} cannot be reached: {error.strerror or error}"
        return ""

    return within(PATIENCE, connect, f"{host} did not answer within {PATIENCE:g} s")


def within(seconds: float, ask: Callable[[], Answer], otherwise: Answer) -> Answer:
    """What ``ask`` answers, or ``otherwise`` when it takes longer; looking up a host's name has no limit of its own."""
    answers = [otherwise]

    def put() -> None:
        answers[0] = ask()

    thread = threading.Thread(target=put, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0]
