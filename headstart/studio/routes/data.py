"""Choosing data and looking at them: browsing, uploads, checks, samples."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from headstart.base.errors import HeadstartError
from headstart.studio import browsing, checking, fitting, models, uploads
from headstart.studio.jobs import Job
from headstart.studio.place import Place
from headstart.studio.routes.answers import answer, limited

PIXELS = 160
"""Long side of a sample."""
CHARACTERS = 12
"""The same of a text, which takes less room so."""


class Where(BaseModel):
    """A path; the studio's first folder by default."""

    path: str = ""


class Chosen(BaseModel):
    """A source to look at."""

    source: str
    task: str = "auto"
    seed: int = Field(0, ge=0, lt=2**31)
    columns: dict[str, str] = {}


def router(place: Place) -> APIRouter:
    """The addresses of this subject."""
    routes = APIRouter(prefix="/api")
    _browse(routes, place)
    _check(routes, place)
    _upload(routes, place)
    return routes


def _browse(routes: APIRouter, place: Place) -> None:
    @routes.get("/start")
    def start() -> Response:
        from importlib.metadata import version

        told: dict[str, Any] = {"version": version("headstart"), "root": str(place.root), "start": str(place.start)}
        return answer({**told, "upload": {"files": uploads.FILES, "bytes": uploads.BYTES, "words": uploads.limits()}})

    @routes.get("/choices")
    def choices() -> Response:
        return answer(fitting.choices())

    @routes.get("/backbones")
    def backbones() -> Response:
        return answer(fitting.backbones())

    @routes.post("/browse")
    def browse(where: Where) -> Response:
        folder = place.inside(where.path) if where.path else place.start
        found = browsing.listing(folder)
        model = models.identity(folder) if found.model else None
        return answer({**found.as_dict(place.root), "model": model})


def _check(routes: APIRouter, place: Place) -> None:
    @routes.post("/checks")
    def begin(chosen: Chosen) -> Response:
        source = place.inside(chosen.source)
        job = checking.begin(source, task=chosen.task, columns=chosen.columns, seed=chosen.seed)
        return answer(job.view())

    @routes.get("/checks/{name}/more")
    def more(name: str) -> Response:
        """What the check's page offers to choose from, and where a model would go."""
        source = place.inside(str(Job(name).about["source"]))
        return answer({"columns": checking.columns(source), "output": str(fitting.output(place, source))})

    @routes.get("/checks/{name}/samples")
    def samples(name: str) -> Response:
        job = Job(name)
        place.inside(str(job.about["source"]))
        words = checking.words(job, CHARACTERS)
        return answer(
            [{"label": each.label, "words": said} for each, said in zip(checking.samples(job), words, strict=True)]
        )

    @routes.get("/checks/{name}/samples/{index}")
    def sample(name: str, index: int) -> Response:
        job = Job(name)
        place.inside(str(job.about["source"]))
        try:
            return Response(checking.picture(job, index, PIXELS), media_type="image/png")
        except (HeadstartError, IndexError):
            return Response(status_code=404)


def _upload(routes: APIRouter, place: Place) -> None:
    @routes.post("/uploads")
    def begin() -> Response:
        return answer({"id": uploads.begin(place.uploads)})

    @routes.put("/uploads/{name}")
    async def take(name: str, path: str, request: Request) -> Response:
        await uploads.take(place.uploads, name, path, limited(request, uploads.BYTES, uploads.too_much))
        return answer({})

    @routes.post("/uploads/{name}/done")
    def done(name: str) -> Response:
        return answer({"source": str(uploads.done(place.uploads, name))})
