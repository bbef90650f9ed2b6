"""The page itself and its files, which lie in ``headstart/studio/page`` and come from nowhere else."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from headstart.studio.place import Place

FILES = resources.files("headstart.studio") / "page"
KINDS = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
LIBRARIES = {"preact": "preact.mjs", "preact/hooks": "hooks.mjs", "htm": "htm.mjs"}
IMPORTS = json.dumps({"imports": {name: f"/page/vendor/{file}" for name, file in LIBRARIES.items()}})
"""Where the page's modules find the libraries they name."""


def router(place: Place) -> APIRouter:
    """The page's addresses."""
    routes = APIRouter()

    @routes.get("/")
    def index() -> HTMLResponse:
        return HTMLResponse((FILES / "index.html").read_text(encoding="utf-8").replace("{imports}", IMPORTS))

    @routes.get("/page/{name:path}")
    def file(name: str) -> Response:
        steps, found = name.split("/"), FILES
        if any(step in ("", ".", "..") or "\\" in step or "\0" in step for step in steps):
            return PlainTextResponse("There is no such file", 404)
        for step in steps:
            found = found / step
        kind = KINDS.get(Path(name).suffix)
        if kind is None or not found.is_file():
            return PlainTextResponse("There is no such file", 404)
        return Response(found.read_bytes(), media_type=kind)

    return routes
