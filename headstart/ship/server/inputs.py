"""What a request brings: one item as its body, several as parts of a form, or one or more items in JSON.

Nothing that a client names is ever opened: no path, no address. Sizes are counted while the body arrives.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from functools import partial
from types import ModuleType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from headstart.base.errors import Undecodable
from headstart.base.vocabulary import Wire
from headstart.data.printable import printable
from headstart.ship.server import refusals
from headstart.ship.server.admission import Visit
from headstart.ship.server.limits import Limits
from headstart.ship.server.refusals import Refusal

JSON, FORM, BYTES = "application/json", "multipart/form-data", "application/octet-stream"
How = Literal["plain", "base64"]
ENCODINGS = ("utf-8", "utf8", "us-ascii", "ascii", "utf-16")
"""Of texts, as a content type names them; what UTF-16 is begins with a mark."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One item as it arrived, not yet looked at.

    Attributes:
        name: how the answer calls it; empty for a request of one.
        content: bytes of a file, base64 of them, a text, or two texts that belong together.
        how: how the content is written.
    """

    name: str
    content: bytes | str | tuple[str, str]
    how: How = "plain"

    def opened(self, room: ModuleType, most: int) -> Any:
        """The item, as the modality decodes it.

        Raises:
            Undecodable: when it is none, or larger than ``most``.
        """
        if self.how == "plain" or isinstance(self.content, tuple):
            return room.received(self.content, most)
        try:
            content = base64.b64decode(self.content, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Undecodable("its data is not base64", expected="base64 of the file's bytes") from error
        return room.received(content, most)


class Item(BaseModel):
    """An item as base64 of its file's bytes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    data: str = Field(description="Base64 of the file's bytes.", json_schema_extra={"contentEncoding": "base64"})


class Items(BaseModel):
    """Items of a modality whose items are files."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: list[Item] = Field(min_length=1)


class Texts(BaseModel):
    """Items of a modality whose items are texts; two in a list are a pair that belongs together."""

    model_config = ConfigDict(extra="forbid", strict=True)

    items: list[str | tuple[str, str]] = Field(min_length=1)


TEXTS: TypeAdapter[str | Texts] = TypeAdapter(str | Texts)
"""What JSON may bring to a modality whose items are texts: one of them as it is, or several."""


class _InMemory(MultiPartParser):
    """Parts stay in memory: the whole body is bounded, and nobody's pictures belong on the disk."""

    spool_max_size = 2**62
    ended = False

    def on_end(self) -> None:
        """The closing boundary was there."""
        self.ended = True


async def body(request: Request, limits: Limits, visit: Visit) -> bytes:
    """The request's body, cut off as soon as it is too long.

    Raises:
        Refusal: 413, or 503 when too much is held already.
        ClientDisconnect: the client left.
    """
    too_long = partial(
        refusals.too_large, "The request is too large", f"at most {limits.body / 1e6:g} MB", "send less at once"
    )
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limits.body:
        raise too_long()
    read = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        if len(read) + len(chunk) > limits.body:
            raise too_long()
        visit.hold(len(chunk))
        read += chunk
        if not message.get("more_body", False):
            return bytes(read)


async def parcels(headers: Headers, content: bytes, wire: Wire, limits: Limits) -> tuple[list[Parcel], bool]:
    """The items of a request, and whether there could be several of them.

    Raises:
        Refusal: 400, 413, 415 or 422.
    """
    kind = headers.get("content-type", BYTES).split(";", 1)[0].strip().lower()
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refusal(
            415,
            "UnsupportedMediaType",
            "The request is compressed",
            where="content-encoding",
            expected="no content-encoding",
        )
    if kind == JSON:
        found, several = _from_json(content, wire)
        if not several:
            return found, False
    elif kind == FORM:
        found = await _from_form(headers, content, limits)
    elif kind == BYTES or _matches(kind, wire.media):
        _check_encoding(headers, wire)
        if not content:
            raise Refusal(422, "BadRequest", "The request is empty", where="body", expected="an item")
        return [Parcel("", content)], False
    else:
        raise _unsupported(kind, wire)
    if len(found) > limits.items:
        raise _too_many(f"{len(found)} items", limits)
    return found, True


def accepted(wire: Wire) -> tuple[str, ...]:
    """The content types of a request."""
    return (*wire.media, BYTES, FORM, JSON)


def _too_many(what: str, limits: Limits) -> Refusal:
    return Refusal(
        422,
        "TooMany",
        f"{what} are too many for one request",
        where="body",
        expected=f"at most {limits.items}",
        next_move="send several requests",
    )


def _matches(kind: str, media: Sequence[str]) -> bool:
    return any(kind == each or (each.endswith("/*") and kind.startswith(each[:-1])) for each in media)


def _unsupported(kind: str, wire: Wire) -> Refusal:
    name = "text.txt" if wire.text else "picture.jpg"
    return Refusal(
        415,
        "UnsupportedMediaType",
        f"The content type {kind or 'that was given'} is not read",
        where="content-type",
        expected=", ".join(accepted(wire)),
        # What curl sends of itself with --data-binary.
        next_move=f"curl -F file=@{name} sends a file as it should be sent" if "urlencoded" in kind else "",
    )


def _check_encoding(headers: Headers, wire: Wire) -> None:
    """Texts are read as UTF-8, or by the mark that they begin with; another encoding would be read as something else.

    Raises:
        Refusal: 415.
    """
    charset = Message()
    charset["content-type"] = headers.get("content-type", "")
    named = str(charset.get_content_charset() or "utf-8")
    if wire.text and named not in ENCODINGS:
        raise Refusal(
            415,
            "UnsupportedMediaType",
            f"The encoding {printable(named)} is not read",
            where="content-type",
            expected="UTF-8",
            next_move="iconv -t utf-8 writes a file so",
        )


def _from_json(content: bytes, wire: Wire) -> tuple[list[Parcel], bool]:
    """The items, and whether there could be several of them."""
    try:
        if wire.text:
            told = TEXTS.validate_json(content, strict=True)
            if isinstance(told, str):
                return [Parcel("", told)], False
            return [Parcel(_place(i), text) for i, text in enumerate(told.items)], True
        items = Items.model_validate_json(content).items
        return [Parcel(_place(i), item.data, "base64") for i, item in enumerate(items)], True
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        if found and found[0]["type"] == "json_invalid":
            raise Refusal(
                400, "BadRequest", f"The body is no JSON: {found[0]['msg'].removeprefix('Invalid JSON: ')}"
            ) from error
        refusal = refusals.malformed(found[:1] if wire.text else found, "body")
        refusal.told["expected"] = _SHAPES[wire.text]
        raise refusal from error


_SHAPES = {
    False: '{"items": [{"data": BASE64}, ...]}; paths and addresses are not opened',
    True: '"a text", or {"items": ["a text", ["the first of a pair", "the second"], ...]}',
}


async def _from_form(headers: Headers, content: bytes, limits: Limits) -> list[Parcel]:
    async def once() -> Any:
        yield content

    parser = _InMemory(headers, once(), max_files=limits.items, max_fields=limits.items)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError) as error:
        why = getattr(error, "message", "") or str(error)
        if why.startswith("Too many"):
            raise _too_many(f"More than {limits.items} parts", limits) from error
        raise Refusal(400, "BadRequest", f"The form cannot be read: {why}", where="body") from error
    if not parser.ended:
        raise Refusal(400, "BadRequest", "The form ends before its end", where="body", expected="a closing boundary")
    found: list[Parcel] = []
    for field, value in form.multi_items():
        if not isinstance(value, UploadFile):
            raise Refusal(
                422,
                "BadRequest",
                f"The form's field {printable(field)} is no file",
                where=f"body.{field}",
                expected="files only, each a part with a filename",
                next_move="options such as top belong into the address: /predict?top=3",
            )
        name = printable(value.filename or "")[:200] or _place(len(found))
        found.append(Parcel(name, value.file.read()))
        value.file.close()
    if not found:
        raise Refusal(422, "BadRequest", "The form brings no file", where="body", expected="at least one file")
    return found


def _place(position: int) -> str:
    return f"item {position + 1}"
