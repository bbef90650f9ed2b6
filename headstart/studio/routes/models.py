"""Models: the list, one of them, comparing, trying, correcting labels."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from headstart.base.errors import BadOption
from headstart.studio import exporting, models, relabelling, security, trying
from headstart.studio.place import Place
from headstart.studio.relabelling import Change
from headstart.studio.routes.answers import answer, limited


class Decided(BaseModel):
    """What a person decided about one suspect; no label leaves it out."""

    path: str
    said: str
    label: str | None = None


class Corrected(BaseModel):
    """Corrections of a model's source."""

    source: str
    columns: dict[str, str] = {}
    changes: list[Decided]


class Export(BaseModel):
    """An export: its format, where it goes, and which of the format's switches are on."""

    to: str
    output: str
    switches: list[str] = []


def router(place: Place) -> APIRouter:
    """The addresses of this subject."""
    routes = APIRouter()
    _look(routes, place)
    _try(routes, place)
    _correct(routes, place)
    _export(routes, place)
    return routes


def _look(routes: APIRouter, place: Place) -> None:
    @routes.get("/api/models")
    def listed() -> Response:
        return answer(models.listed())

    @routes.get("/api/compare")
    def compared(model: Annotated[list[str], Query()], metric: str | None = None) -> Response:
        return answer(models.compared([models.folder(place, each) for each in model], metric or None))

    @routes.get("/api/models/{word}")
    def one(word: str) -> Response:
        return answer(models.shown(models.folder(place, word)))

    @routes.post("/api/models/{word}/report")
    def make_report(word: str) -> Response:
        path = models.folder(place, word)
        models.make_report(path)
        return answer({})

    @routes.get("/report/{word}")
    def report(word: str) -> Response:
        page = models.report(models.folder(place, word))
        return HTMLResponse(page, headers={"content-security-policy": security.REPORT})


def _try(routes: APIRouter, place: Place) -> None:
    @routes.post("/api/models/{word}/try")
    async def tried(word: str, kind: str, request: Request) -> Response:
        body = b"".join([chunk async for chunk in limited(request, trying.LARGEST, _too_large)])
        path = await run_in_threadpool(models.folder, place, word)
        return answer(await run_in_threadpool(trying.answer, path, kind, body))


def _correct(routes: APIRouter, place: Place) -> None:
    @routes.get("/api/models/{word}/suspects")
    def suspects(word: str) -> Response:
        return answer(relabelling.suspects(models.folder(place, word)))

    @routes.get("/api/models/{word}/shown")
    def shown(word: str, name: str) -> Response:
        return Response(relabelling.shown(models.folder(place, word), name), media_type="image/png")

    @routes.post("/api/models/{word}/labels")
    def correct(word: str, corrected: Corrected) -> Response:
        path, source = models.folder(place, word), place.inside(corrected.source)
        changes = [Change(each.path, each.said, each.label) for each in corrected.changes]
        table, task, columns = relabelling.write(place.tables, source, corrected.columns, changes, model=path)
        return answer({"source": str(table), "columns": columns, "task": task})


def _export(routes: APIRouter, place: Place) -> None:
    @routes.get("/api/models/{word}/exports")
    def exports(word: str) -> Response:
        path = models.folder(place, word)
        return answer({"formats": exporting.formats(path), "jobs": exporting.done(path)})

    @routes.post("/api/models/{word}/exports")
    def export(word: str, wanted: Export) -> Response:
        path, output = models.folder(place, word), place.inside(wanted.output)
        return answer(exporting.begin(path, wanted.to, output, wanted.switches).view())


def _too_large() -> BadOption:
    return BadOption("This file is too large to be tried", expected=f"at most {trying.LARGEST // 2**20} MB")
