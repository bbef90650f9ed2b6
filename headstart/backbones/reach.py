"""Is the host of a download there? Answered in seconds, where a library would retry for minutes."""

from __future__ import annotations

import socket
import threading
import urllib.request
from urllib.parse import urlsplit

PATIENCE = 4.0
"""Seconds that a host has to answer."""


def unreachable(url: str) -> str:
    """Why the host cannot be reached; "" if it can. Behind a proxy, it is the proxy that must be there."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    host, port = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
    answer = [f"{host} did not answer within {PATIENCE:g} s"]

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=PATIENCE).close()
            answer[0] = ""
        except OSError as error:
            answer[0] = f"{host} cannot be reached: {error.strerror or error}"

    # A thread, since looking up a name has no time limit of its own.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answer[0]
