"""Who may talk to the studio: the browser that was given its address, and nothing that merely runs in that browser.

The address that is printed holds a random token. The first visit turns it into a cookie that scripts cannot read and
that other sites do not send. Beyond that, each request must name the studio's own host (a page of another site may have
its name resolve to this machine: DNS rebinding), and must not have been made by a page of another origin, another port
of this machine included. What comes back may load nothing from elsewhere, and cannot be framed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http import cookies
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_READING = ("GET", "HEAD")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}
DENIED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>headstart studio</title>
<p>This page opens with the whole address that <code>headstart studio</code> printed, the part behind the question mark
included.</p></html>"""


def policy(*inline: str) -> str:
    """The content security policy of the studio's own page, with inline scripts that may run."""
    allowed = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
    )
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; media-src 'self' blob:; frame-src 'self'; font-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


REPORT = (
    "sandbox allow-scripts allow-modals; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Of a report: its own scripts run, without an origin, so they reach neither the studio nor anything else."""


@dataclass(frozen=True)
class Keys:
    """What this studio is reached by.

    Attributes:
        port: it listens to.
        token: in its address.
    """

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie(self) -> str:
        """The cookie's name; cookies know no ports, so that two studios would share one."""
        return f"headstart-studio-{self.port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a request may call this machine."""
        return tuple(f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    @property
    def address(self) -> str:
        """What the user opens."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def fits(self, given: str) -> bool:
        """True for the token."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


class Guard:
    """Lets through what may pass, and answers the rest.

    Args:
        app: what is guarded.
        keys: of this studio.
        csp: content security policy of answers that bring none of their own.
    """

    def __init__(self, app: App, keys: Keys, csp: str) -> None:
        self.app, self.keys, self.csp = app, keys, csp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

        async def protected(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                extra = {"content-security-policy": self.csp, **_HEADERS}
                added = [(name.encode(), text.encode()) for name, text in extra.items() if name.encode() not in own]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        why = self._foreign(scope, headers)
        if why:
            await _answer(protected, 403, f"Refused: {why}.", "text/plain; charset=utf-8")
        elif scope["path"] == "/" and scope["method"] == "GET" and self._given(scope):
            cookie = f"{self.keys.cookie}={self.keys.token}; Path=/; HttpOnly; SameSite=Strict"
            await _answer(protected, 303, "", "text/plain", (b"location", b"/"), (b"set-cookie", cookie.encode()))
        elif not self._known(headers):
            await _answer(protected, 403, DENIED, "text/html; charset=utf-8")
        else:
            await self.app(scope, receive, protected)

    def _foreign(self, scope: Scope, headers: MutableMapping[str, str]) -> str:
        """Why a request does not come from the studio's own page; "" if it may."""
        if headers.get("host") not in self.keys.hosts:
            return "this host name is not the studio's"
        own = f"http://{headers['host']}"
        origin = headers.get("origin")
        if origin is not None and origin != own:
            return "it comes from a page of another origin"
        if origin is None and scope["method"] not in _READING:
            return "a change needs an Origin, which every browser sends"
        # A report in its frame has no origin; nothing but the frame's own document is given to it.
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and scope["path"] != "/":
            return "it was asked for by a page of another origin"
        return ""

    def _given(self, scope: Scope) -> bool:
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        return any(self.keys.fits(token) for token in tokens)

    def _known(self, headers: MutableMapping[str, str]) -> bool:
        try:
            found = cookies.SimpleCookie(headers.get("cookie", "")).get(self.keys.cookie)
        except cookies.CookieError:
            return False
        return found is not None and self.keys.fits(found.value)


async def _answer(send: Send, status: int, text: str, kind: str, *more: tuple[bytes, bytes]) -> None:
    body = text.encode()
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
