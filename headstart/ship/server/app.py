"""The routes of a server, and how a request becomes a prediction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from headstart.base import discovery
from headstart.base.errors import Undecodable
from headstart.base.manifest import GOLDEN
from headstart.base.vocabulary import Wire
from headstart.ship import card, golden
from headstart.ship.sealed import Model
from headstart.ship.server import answers, inputs, pages, refusals, schema
from headstart.ship.server.admission import Door
from headstart.ship.server.batching import Batcher, Outcome
from headstart.ship.server.connection import WAITING
from headstart.ship.server.guard import LEFT, App, Receive, Send
from headstart.ship.server.inputs import Parcel
from headstart.ship.server.limits import Limits
from headstart.ship.server.metrics import CONTENT_TYPE, Metrics
from headstart.ship.server.refusals import Refusal

MOST_NAMES = 1000
"""Of the most probable names that a client may ask for."""


class Service:
    """A model, and everything that its routes share.

    Args:
        model: sealed, its golden examples replayed.
        limits: of the server.
        batcher: judges; started by whoever runs the server.
        door: who is inside.
        metrics: counts.
        failed: told of an error that nobody foresaw, with the request's id.
    """

    def __init__(
        self,
        model: Model,
        limits: Limits,
        batcher: Batcher,
        *,
        door: Door,
        metrics: Metrics,
        failed: Callable[[str, BaseException], None],
    ) -> None:
        self.model, self.limits, self.batcher, self.door, self.metrics = model, limits, batcher, door, metrics
        self._failed = failed
        self.wire = wire_of(model)
        self.which = {"name": model.path.resolve().name, "digest": model.manifest.seal}

    async def predict(self, request: Request, top: int, probabilities: bool) -> Response:
        """Read a request, have its items judged, and answer."""
        form = answers.Form(answers.preferred(request.headers.get("accept", "")), top, probabilities)
        arrived = False
        with self.door.enter() as visit:
            try:
                async with asyncio.timeout(self.limits.timeout):
                    content = await inputs.body(request, self.limits, visit)
                    arrived = True
                    parcels, several = await inputs.parcels(request.headers, content, self.wire, self.limits)
                    visit.bring(len(parcels) - 1)
                    outcomes = await self._judged(parcels, request)
            except TimeoutError as error:
                raise refusals.late(self.limits.timeout, arrived=arrived) from error
            results = [self._result(outcome, form, request.state.id) for outcome in outcomes]
        if several:
            names = [parcel.name for parcel in parcels]
            content = answers.several(names, results, self.model.task, form, self.which)
        else:
            content = answers.one(results[0], self.model.task, form, self.which)
        return Response(content, media_type=form.kind)

    async def _judged(self, parcels: Sequence[Parcel], request: Request) -> Sequence[Outcome]:
        """The outcomes of a request's items; they are dropped when the client leaves or the time is over."""
        found = self.batcher.submit(parcels).outcomes
        request.scope["state"][WAITING] = found
        try:
            return await found
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise ClientDisconnect from None
        finally:
            found.cancel()

    def _result(self, outcome: Outcome, form: answers.Form, identity: str) -> answers.Result:
        """What an item is told; counted, and logged if nobody foresaw it."""
        result = answers.result(outcome, self.model.task, form)
        if isinstance(result, answers.Said):
            self.metrics.said(result.names, unfamiliar=result.unfamiliar)
        elif isinstance(outcome, Exception) and not isinstance(outcome, Undecodable):
            self._failed(identity, outcome)
        return result

    def example(self) -> tuple[bytes, str] | None:
        """One of the generated golden examples as a client would send it, and its content type; None where they are
        the owner's own items."""
        if self.model.manifest.golden.origin != "generated":
            return None
        inputs = golden.read(self.model.path / GOLDEN, columns=len(self.model.classes)).inputs
        reading = getattr(self.model.scorer, "preprocessing", None)
        found: tuple[bytes, str] = discovery.load("data", self.model.manifest.modality).example(inputs[-1], reading)
        return found

    def about(self) -> dict[str, Any]:
        """What the model is, without anything of where it lies or what it was made from."""
        manifest, model = self.model.manifest, self.model
        return {
            **self.which,
            "task": manifest.task,
            "kind": manifest.kind,
            "modality": manifest.modality,
            "names": list(model.classes),
            "backbone": manifest.backbone.name if manifest.backbone else None,
            "baseline": manifest.baseline.name if manifest.baseline else None,
            "licence": manifest.backbone.licence if manifest.backbone else None,
            "familiar": manifest.familiar.model_dump() if manifest.familiar else None,
            "verdict": manifest.verdict.get("sentence"),
            "scores": {name: score.model_dump() for name, score in manifest.metrics.items()},
            "created": manifest.created,
            "headstart": manifest.headstart,
            "limits": {
                "body_bytes": self.limits.body,
                "items": self.limits.items,
                f"item_{self.wire.unit}": self.limits.item,
                "seconds": self.limits.timeout,
            },
        }


def wire_of(model: Model) -> Wire:
    """How the model's items travel."""
    wire: Wire = discovery.load("data", model.manifest.modality).WIRE
    return wire


def build(service: Service, *, secured: bool) -> FastAPI:
    """The application: routes, errors, and a description of both."""
    limit = card.limit(service.model.task, service.model.manifest.modality)
    api = FastAPI(
        title="headstart",
        version=version("headstart"),
        description=f"A sealed model that answers over HTTP. {limit}",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    _errors(api)
    _predict(api, service)
    _states(api, service)
    _about(api, service)
    pages.add(api)
    _described(api, service, secured=secured)
    return api


def shortcut(api: FastAPI, service: Service) -> App:
    """The application, but a prediction without options does not go through the framework, which has nothing to do.

    It halves what a request costs besides decoding and the network: 0.6 ms and 0.3 ms were measured.
    """

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        plain = scope["type"] == "http" and scope["path"] == "/predict" and scope["method"] == "POST"
        if not plain or scope["query_string"]:
            await api(scope, receive, send)
            return
        with contextlib.suppress(ClientDisconnect):
            answer = await service.predict(Request(scope, receive), 1, True)
            await answer(scope, receive, send)

    return app


def _predict(api: FastAPI, service: Service) -> None:
    responses = schema.problems(400, 401, 406, 408, 413, 415, 422, 500, 503, 504)
    responses[200] = schema.predicted(service.model.task)

    @api.post(
        "/predict",
        tags=["model"],
        summary="What the model says of one item, or of each of several",
        response_class=Response,
        responses=responses,
        openapi_extra={"requestBody": schema.request(service.wire, service.limits.items)},
    )
    async def predict(
        request: Request,
        top: Annotated[int, Query(ge=1, le=MOST_NAMES, description="How many of the most probable names.")] = 1,
        probabilities: Annotated[bool, Query(description="The probability of every name.")] = True,
    ) -> Response:
        """One item as the body, several as parts of a form, or items in JSON.

        Each of several has an answer or an error of its own. Nothing that a request names is opened.
        """
        return await service.predict(request, top, probabilities)


def _states(api: FastAPI, service: Service) -> None:
    @api.get("/health", tags=["server"], summary="Is the process alive?", responses=schema.problems(400))
    async def health() -> schema.State:
        return schema.State(status="alive")

    @api.get("/ready", tags=["server"], summary="Does it take requests?", responses=schema.problems(400, 503))
    async def ready() -> schema.State:
        """True once the model's golden examples were replayed, and until the server is told to stop."""
        if service.door.closing:
            raise refusals.unavailable("Stopping", "The server is stopping", seconds=5)
        return schema.State(status="ready")


def _about(api: FastAPI, service: Service) -> None:
    about = refusals.encoded(service.about())
    text: schema.Responses = {
        200: {"description": "Counters.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }

    @api.get(
        "/model", tags=["model"], summary="What the model is", response_class=Response, responses=_described_model()
    )
    async def model() -> Response:
        return Response(about, media_type="application/json")

    example = service.example()
    kind = "application/octet-stream" if example is None else example[1]
    shape = {"type": "string"} if kind.startswith("text/") else {"type": "string", "format": "binary"}
    file: schema.Responses = {200: {"description": "An item.", "content": {kind.partition(";")[0]: {"schema": shape}}}}

    @api.get(
        "/example",
        tags=["model"],
        summary="An item to try: one of the model's golden examples",
        response_class=Response,
        responses={**schema.problems(400, 401, 404), **file},
    )
    async def an_example() -> Response:
        if example is None:
            raise Refusal(404, "NotFound", "The golden examples are the owner's own items", where="path")
        return Response(example[0], media_type=example[1])

    @api.get(
        "/metrics",
        tags=["server"],
        summary="Counters for Prometheus",
        response_class=Response,
        responses={**schema.problems(400, 401), **text},
    )
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)


def _described_model() -> Any:
    shape = {"type": "object", "required": ["name", "digest", "task", "names", "limits"]}
    return {
        200: {"description": "What it is, and how good.", "content": {"application/json": {"schema": shape}}},
        **schema.problems(400, 401),
    }


def _errors(api: FastAPI) -> None:
    """Every error, the framework's own included, in the one shape."""

    @api.exception_handler(Refusal)
    async def refused(request: Request, error: Exception) -> Response:
        return _told(error if isinstance(error, Refusal) else refusals.unexpected())

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: Exception) -> Response:
        return _told(refusals.malformed(error.errors() if isinstance(error, RequestValidationError) else []))

    @api.exception_handler(HTTPException)
    async def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = dict((error.headers if isinstance(error, HTTPException) else None) or {})
        return _told(_plain(api, request, status, headers))

    @api.exception_handler(ClientDisconnect)
    async def left(request: Request, error: Exception) -> Response:
        return Response(status_code=LEFT)

    @api.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        return _told(refusals.unexpected())


def _told(refusal: Refusal) -> Response:
    return Response(refusal.body(), refusal.status, refusal.headers, media_type="application/json")


def _plain(api: FastAPI, request: Request, status: int, headers: dict[str, str]) -> Refusal:
    path = request.url.path
    if status == 404:
        known = sorted(route.path for route in api.routes if getattr(route, "include_in_schema", False))  # type: ignore[attr-defined]
        return Refusal(404, "NotFound", f"There is nothing at {path}", where="path", expected=" or ".join(known))
    if status == 405:
        allowed = {name.lower(): text for name, text in headers.items()}.get("allow", "")
        return Refusal(
            405,
            "MethodNotAllowed",
            f"{path} does not take {request.method}",
            where="method",
            expected=allowed,
            headers=headers,
        )
    return Refusal(status, "BadRequest", "The request cannot be answered", headers=headers)


def _described(api: FastAPI, service: Service, *, secured: bool) -> None:
    made = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema:
            return api.openapi_schema
        found = made()
        schemas = found["components"]["schemas"]
        for shape in (schema.Which, schema.Fault, inputs.Item):
            schemas.setdefault(shape.__name__, shape.model_json_schema())
        if secured:
            found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            for path in ("/predict", "/model", "/example", "/metrics"):
                for operation in found["paths"][path].values():
                    operation["security"] = [{"token": []}]
        return found

    api.openapi = openapi  # type: ignore[method-assign]


def paths(api: FastAPI) -> frozenset[str]:
    """Every path of an application."""
    return frozenset(route.path for route in api.routes if hasattr(route, "path"))


def decoder(model: Model, limits: Limits) -> Any:
    """A function from parcels to prepared items."""
    return partial(_decoded, discovery.load("data", model.manifest.modality), limits.item, model.scorer.prepare)


def _decoded(room: Any, most: int, prepare: Any, parcel: Parcel) -> np.ndarray:
    found: np.ndarray = prepare(parcel.opened(room, most))
    return found
