"""Is the host of a download there? Answered in seconds, where a library would retry for minutes."""

from __future__ import annotations

import socket
import threading
import urllib.request
from urllib.parse import urlsplit

PATIENCE = 4.0
"""Seconds that a host has to answer."""


def unreachable(url: str) -> str:
    """Why the host cannot be reached; "" if it can, or if a proxy stands between and only a real request would tell."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = urllib.request.getproxies()
    if (parts.scheme in proxies or "all" in proxies) and not urllib.request.proxy_bypass(host):
        return ""
    answer = [f"{host} did not answer within {PATIENCE:g} s"]

    def connect() -> None:
        try:
            socket.create_connection((host, parts.port or 443), timeout=PATIENCE).close()
            answer[0] = ""
        except OSError as error:
            answer[0] = f"{host} cannot be reached: {error.strerror or error}"

    # A thread, since looking up a name has no time limit of its own.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answer[0]
