"""A sealed model on one item that the user shows it: the last models stay loaded, for the next try is a second away."""

from __future__ import annotations

import fnmatch
import functools
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.base import discovery, manifest
from headstart.base.errors import BadOption, Undecodable
from headstart.base.vocabulary import Wire
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.ship.sealed import Model

LARGEST = 64 * 2**20
"""Bytes of an item."""
FRAME = "image/png"
"""What a browser makes of a camera's frame."""
BEST = 5
"""Classes that are shown with their probability."""
_ONE_AT_A_TIME = threading.Lock()


def answer(path: Path, kind: str, body: bytes) -> dict[str, Any]:
    """What the model says about an item.

    Args:
        path: the model's folder.
        kind: of item: "file", "camera", "text", or "pair": a list of two in JSON.
        body: the item, as the page sent it.

    Returns:
        ``answer`` as the task gives it, ``said`` in a line, ``best``: [[name, probability], ...] where there are
        probabilities, whether the item is ``unfamiliar`` (None where that is not measured) and its ``strangeness``, and
        the ``seconds`` it took.

    Raises:
        Undecodable: the item is nothing that the model reads.
        BadOption: the modality takes other items.
        HeadstartError: when the model cannot be loaded.
    """
    modality = manifest.read(path).modality
    with _ONE_AT_A_TIME:
        model = _loaded(path, (path / manifest.NAME).stat().st_mtime_ns)
        started = time.perf_counter()
        try:
            (prediction,) = model.predict([_item(modality, kind, body)])
        except Undecodable as error:
            raise Undecodable(f"It cannot be read: {error.what}", expected=error.expected) from error
    task = model.task
    probable = "value" not in prediction.answer
    return {
        "answer": task.answer(prediction.scores, min(BEST, len(task.names))),
        "said": printable(prediction.said()),
        "best": prediction.top(BEST) if probable else [],
        "target": task.names[0] if not probable else "",
        "unfamiliar": prediction.unfamiliar,
        "strangeness": prediction.strangeness,
        "seconds": time.perf_counter() - started,
    }


def ways(modality: str) -> dict[str, str]:
    """How a page lets people give one item: a file and of which types, a camera's frame and of which type, a text."""
    wire: Wire = discovery.load("data", modality, kind="modality").WIRE
    found = {"file": ",".join(wire.media)} if wire.media else {}
    if any(fnmatch.fnmatch(FRAME, media) for media in wire.media):
        found["camera"] = FRAME
    return found | ({"text": "A text"} if wire.text else {})


def _item(modality: str, kind: str, body: bytes) -> Any:
    """The item in a request's body, for a modality that takes such items."""
    known = ways(modality)
    if kind not in known and not (kind == "pair" and "text" in known):
        raise BadOption(f"This model takes no {kind}", expected=" or ".join(known) or "items from the command line")
    room = discovery.load("data", modality, kind="modality")
    if kind == "pair":
        return room.received(_pair(body), room.WIRE.most)
    return room.received(body.decode("utf-8", "replace") if kind == "text" else body, room.WIRE.most)


def _pair(body: bytes) -> tuple[str, str]:
    try:
        first, second = json.loads(body)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadOption("This is no pair of texts", expected="a list of two") from error
    if not isinstance(first, str) or not isinstance(second, str):
        raise BadOption("This is no pair of texts", expected="a list of two")
    return first, second


@functools.lru_cache(maxsize=2)
def _loaded(path: Path, changed: int) -> Model:
    # Brings torch; a studio that only starts fits need not wait for it, nor hold it.
    from headstart.api.models import load

    return load(path)
