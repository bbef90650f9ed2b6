"""How the studio answers: plain data as JSON, and every error with its four parts, as the command line's ``--json``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from headstart.base.errors import HeadstartError, UsageError


def answer(data: Any, status: int = 200) -> Response:
    """Plain data as JSON; names of files may hold bytes that are no text, which only escapes can carry."""
    return Response(json.dumps(data, ensure_ascii=True).encode("ascii"), status, media_type="application/json")


def tell_errors(app: FastAPI) -> None:
    """Let an application answer with our errors instead of tracebacks."""
    app.add_exception_handler(HeadstartError, _foreseen)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(Exception, _unforeseen)


async def limited(request: Request, most: int, refuse: Callable[[], HeadstartError]) -> AsyncIterator[bytes]:
    """A request's body in pieces.

    Raises:
        HeadstartError: what ``refuse`` gives, once it is longer than ``most`` bytes.
    """
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise refuse()
        yield chunk


async def _foreseen(_: Request, error: Exception) -> Response:
    told = error.as_dict() if isinstance(error, HeadstartError) else {"what": str(error)}
    return answer(told, 400 if isinstance(error, UsageError | ValueError) else 409)


async def _misread(_: Request, error: Exception) -> Response:
    parts = error.errors() if isinstance(error, RequestValidationError) else []
    where = ", ".join(".".join(map(str, part["loc"])) for part in parts)
    return answer({"what": "This request is not what the studio expects", "where": where}, 422)


async def _unforeseen(_: Request, error: Exception) -> Response:
    what = f"The studio failed unexpectedly: {type(error).__name__}: {error}".split("\n", 1)[0]
    return answer({"what": what, "next": "Please report this; what was computed is not lost"}, 500)
