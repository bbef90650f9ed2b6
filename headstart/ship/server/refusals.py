"""Requests that are not done, said in the house's way: what was wrong, where, what was expected, the next move.

Every error that leaves the server has the one shape ``{"error": {"type", "what", "where", "expected", "next"}}``, those
of the framework included; no traceback ever does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from headstart.base.errors import HeadstartError
from headstart.data.printable import printable

LONGEST = 300
"""Letters of what a client sent that are told back to it."""


class Refusal(Exception):
    """A request that is answered with an error; it is raised and caught inside the server.

    Args:
        status: of the HTTP answer.
        type: the kind of error, one word.
        what: what was wrong, one sentence.
        where: the part of the request it was found at.
        expected: what would have been right.
        next_move: what the client can do now.
        headers: of the answer, besides the usual ones.
    """

    def __init__(
        self,
        status: int,
        type: str,
        what: str,
        *,
        where: str = "",
        expected: str = "",
        next_move: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what)
        self.status, self.headers = status, dict(headers or {})
        told = {"type": type, "what": what, "where": where, "expected": expected, "next": next_move}
        self.told = {name: _bounded(text) for name, text in told.items()}

    def body(self) -> bytes:
        """The answer, as JSON."""
        return encoded({"error": self.told})


def encoded(data: Any) -> bytes:
    """JSON as the server writes it.

    Raises:
        ValueError: for a number that is none.
    """
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def of(error: HeadstartError, status: int = 422, *, where: str = "") -> Refusal:
    """An error of the house as an answer."""
    return Refusal(
        status,
        type(error).__name__,
        error.what,
        where=where or error.where,
        expected=error.expected,
        next_move=error.next_move,
    )


def too_large(what: str, expected: str, next_move: str = "send fewer or smaller items") -> Refusal:
    """413."""
    return Refusal(413, "TooLarge", what, expected=expected, next_move=next_move)


def unavailable(type: str, what: str, *, seconds: int, expected: str = "") -> Refusal:
    """503, with the time after which to come again."""
    return Refusal(
        503,
        type,
        what,
        expected=expected,
        next_move=f"try again in {seconds} s",
        headers={"retry-after": str(seconds)},
    )


def late(seconds: float, *, arrived: bool) -> Refusal:
    """408 where the request, 504 where the answer took too long."""
    if not arrived:
        what, expected = "The request took too long to arrive", f"all of it within {seconds:g} s"
        return Refusal(408, "TooSlow", what, expected=expected)
    what, next_move = f"The answer took longer than {seconds:g} s", "send fewer items at once, or try again later"
    return Refusal(504, "TimedOut", what, next_move=next_move)


def unexpected() -> Refusal:
    """500: our own fault; what it was is for the server's log."""
    return Refusal(500, "Unexpected", "The server failed", next_move="its log says more under the request's id")


def malformed(errors: Iterable[Mapping[str, Any]], part: str = "") -> Refusal:
    """422, of what pydantic found; the first fault is told."""
    found = list(errors)
    first = found[0] if found else {"loc": (), "msg": "it does not fit"}
    place = [part, *map(str, first["loc"])] if part else [str(each) for each in first["loc"]]
    text = str(first["msg"])
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return Refusal(
        422,
        "BadRequest",
        f"The request does not fit: {text[:1].lower()}{text[1:]}{more}",
        where=".".join(place),
        expected="what /openapi.json describes",
    )


def _bounded(text: str) -> str:
    shown = printable(str(text)[:LONGEST])
    return shown + "…" if len(str(text)) > LONGEST else shown
