"""What ``/openapi.json`` says: the shapes of requests, answers and errors, made from the model that is served."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from headstart.base.vocabulary import Wire
from headstart.ship.server import answers, inputs
from headstart.tasks.task import Task

Schema = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]


class Fault(BaseModel):
    """What was wrong."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="The kind of error.")
    what: str = Field(description="What was wrong, one sentence.")
    where: str = Field(description="The part of the request it was found at; may be empty.")
    expected: str = Field(description="What would have been right; may be empty.")
    next: str = Field(description="What can be done now; may be empty.")


class Problem(BaseModel):
    """The shape of every error."""

    model_config = ConfigDict(extra="forbid")

    error: Fault


class State(BaseModel):
    """How the server is."""

    model_config = ConfigDict(extra="forbid")

    status: str


class Which(BaseModel):
    """The model that answered."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Name of the model's folder.")
    digest: str = Field(description="SHA-256 that stands for the whole sealed model.")


_SAID = {
    400: "The request cannot be read.",
    401: "The token is missing or wrong.",
    404: "There is nothing here.",
    405: "Not with this method.",
    406: "No such answer is made.",
    408: "The request took too long to arrive.",
    413: "The request is too large.",
    415: "The content type is not read.",
    422: "The request, or its one item, cannot be understood.",
    500: "The server failed.",
    503: "The server is full or stopping.",
    504: "The answer took too long.",
}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}},
    503: {"Retry-After": {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds.", "required": True}},
}


def problems(*codes: int) -> Responses:
    """The error responses of a route."""
    return {
        code: {"model": Problem, "description": _SAID[code]} | ({"headers": _HEADERS[code]} if code in _HEADERS else {})
        for code in codes
    }


def request(wire: Wire, most: int) -> Schema:
    """The body of a request, in every form it may have."""
    binary = {"type": "string", "format": "binary"}
    one = {"type": "string", "minLength": 1} if wire.text else binary
    files = {
        "type": "object",
        "properties": {"file": {"type": "array", "items": binary, "minItems": 1, "maxItems": most}},
        "required": ["file"],
        "additionalProperties": False,
    }
    kind = inputs.Texts if wire.text else inputs.Items
    shape = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    shape.pop("$defs", None)
    shape["properties"]["items"]["maxItems"] = most
    content: Schema = {each: {"schema": one} for each in wire.media} | {inputs.BYTES: {"schema": binary}}
    content[inputs.FORM] = {"schema": files}
    content[inputs.JSON] = {"schema": {"anyOf": [one, shape]} if wire.text else shape}
    return {"required": True, "content": content}


def predicted(task: Task) -> Schema:
    """A successful answer, in every form it may have."""
    one, item = _answer(task), _answer(task)
    one["properties"]["model"] = {"$ref": "#/components/schemas/Which"}
    one["required"].append("model")
    item["properties"]["item"] = {"type": "string", "description": "The file's name, or the item's place."}
    item["required"].append("item")
    broken = {
        "type": "object",
        "properties": {"item": {"type": "string"}, "error": {"$ref": "#/components/schemas/Fault"}},
        "required": ["item", "error"],
        "additionalProperties": False,
    }
    several = {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": {"oneOf": [item, broken]}, "minItems": 1},
            "model": {"$ref": "#/components/schemas/Which"},
        },
        "required": ["results", "model"],
        "additionalProperties": False,
    }
    text: Schema = {"schema": {"type": "string"}}
    return {
        "description": "What the model says: of one item, or of each of several.",
        "content": {
            answers.JSON: {"schema": {"oneOf": [one, several]}},
            answers.TABLE: text,
            answers.TEXT: text,
        },
    }


def _answer(task: Task) -> Schema:
    """The task's own answer, read off one."""
    row = np.linspace(0.2, 0.8, len(task.names))
    least, most = task.answer(row), task.answer(row, 2)
    numbers = {"type": "object", "additionalProperties": {"type": "number"}}
    properties = {name: numbers if isinstance(value, dict) else _shape(value) for name, value in most.items()}
    if task.probabilities(row):
        properties["probabilities"] = numbers
    properties["unfamiliar"] = {
        "type": ["boolean", "null"],
        "description": "Whether the item is unlike anything in the training data; null where that is not measured.",
    }
    properties["strangeness"] = {
        "type": ["number", "null"],
        "minimum": 0,
        "description": "How far it lies from the nearest training item; above 1 it is unfamiliar.",
    }
    return {
        "type": "object",
        "properties": properties,
        "required": [*(name for name in least if name != "probabilities"), "unfamiliar", "strangeness"],
        "additionalProperties": False,
    }


def _shape(value: Any) -> Schema:
    if isinstance(value, dict):
        properties = {name: _shape(each) for name, each in value.items()}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    if isinstance(value, list):
        return {"type": "array", "items": _shape(value[0]) if value else {}}
    return {"type": "number" if isinstance(value, int | float) else "string"}
