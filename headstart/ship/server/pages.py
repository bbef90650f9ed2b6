"""The page that shows ``/openapi.json`` to people: Swagger UI, from this package, so that it needs no network.

Swagger UI 5.35.0 (Apache-2.0, with its licence, notice and those of its parts beside it) is kept as its publisher
built it; ``ASSETS`` states what its files must be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import resources

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response

ASSETS = {
    "swagger-ui-bundle.js": (
        "text/javascript; charset=utf-8",
        "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    ),
    "swagger-ui.css": ("text/css; charset=utf-8", "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d"),
}
"""File -> content type, SHA-256."""

PREFIX = "/docs"

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>headstart: the model's interface</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<main id="swagger-ui">This page needs JavaScript; <a href="openapi.json">openapi.json</a> says the same.</main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/begin.js"></script>
</body>
</html>
"""

_BEGIN = """\
// No validatorUrl: the page asks nobody but this server.
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
});
"""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add(api: FastAPI) -> None:
    """Give an application its page and the files that belong to it."""

    @api.get(PREFIX, include_in_schema=False)
    async def page() -> Response:
        return HTMLResponse(_PAGE, headers={"content-security-policy": _POLICY})

    @api.get(f"{PREFIX}/begin.js", include_in_schema=False)
    async def begin() -> Response:
        return Response(_BEGIN, media_type="text/javascript; charset=utf-8")

    for name, (kind, _) in ASSETS.items():
        api.add_api_route(f"{PREFIX}/{name}", _file(name, kind), include_in_schema=False)


def asset(name: str) -> bytes:
    """A vendored file as it is shipped."""
    return (resources.files(__package__) / "assets" / name).read_bytes()


def _file(name: str, kind: str) -> Callable[[], Awaitable[Response]]:
    content = asset(name)

    async def answer() -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "max-age=3600"})

    return answer
