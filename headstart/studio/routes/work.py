"""Jobs: starting a fit, watching, stopping, going on, forgetting."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from headstart.studio import checking, fitting, jobs, models
from headstart.studio.jobs import Job
from headstart.studio.place import Place
from headstart.studio.routes.answers import answer


class Options(BaseModel):
    """What a page can ask of a fit; an empty text leaves it to the default."""

    strategy: str = ""
    budget: str = ""
    backbone: str = ""
    task: str = ""
    metric: str = ""
    seed: int = Field(0, ge=0, lt=2**31)
    pictures: bool = True


class Wanted(BaseModel):
    """A fit."""

    source: str
    output: str
    columns: dict[str, str] = {}
    options: Options = Field(default_factory=lambda: Options(seed=0))


class Stop(BaseModel):
    """How to stop: as Ctrl-C does, or at once."""

    now: bool = False


def router(place: Place) -> APIRouter:
    """The addresses of this subject."""
    routes = APIRouter(prefix="/api")

    @routes.post("/fits")
    def fit(wanted: Wanted) -> Response:
        source, to = place.inside(wanted.source), place.inside(wanted.output)
        choices = {name: str(value) for name, value in wanted.options.model_dump(exclude={"pictures"}).items()}
        pictures = wanted.options.pictures
        return answer(fitting.begin(source, to, choices=choices, columns=wanted.columns, pictures=pictures).view())

    @routes.get("/jobs")
    def listed() -> Response:
        return answer([job.view() for job in jobs.every() if job.kind == "fit"])

    @routes.get("/jobs/{name}")
    def one(name: str) -> Response:
        return answer(_watched(Job(name)))

    @routes.post("/jobs/{name}/stop")
    def stop(name: str, how: Stop) -> Response:
        Job(name).stop(now=how.now)
        return answer(Job(name).view())

    @routes.post("/jobs/{name}/continue")
    def resume(name: str) -> Response:
        Job(name).resume()
        return answer(Job(name).view())

    @routes.delete("/jobs/{name}")
    def forget(name: str) -> Response:
        Job(name).forget()
        return answer({})

    return routes


def _watched(job: Job) -> dict[str, Any]:
    view = {**job.view(), "progress": jobs.progress(job), "error": job.error()}
    if job.kind == "fit" and job.output is not None:
        view |= {"fit": fitting.watched(job), "model": models.identity(job.output), "ahead": jobs.ahead(job)}
        view |= {"columns": job.about.get("columns"), "choices": job.about.get("choices")}
    if job.kind == "check":
        view |= {name: job.about.get(name) for name in ("task", "columns", "seed")}
        view["found"] = checking.found(job) if view["state"] == "done" else None
    return view
