"""What ``Model.predict`` may be given: one item, many, or a folder of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from headstart.base import discovery
from headstart.base.errors import BadSource
from headstart.data.inputs import inputs


def listed(items: Any, modality: str = "images") -> Sequence[Any]:
    """The items as a list.

    A path that is a folder or a pattern stands for what is in it. An array stands for many items when it has one
    dimension more than a picture: (n, H, W, channels), or (n, H, W) where the last is no number of channels.

    Of texts a string is the text itself, and a path (or a name that ends as a text file's) is read.

    Raises:
        BadSource: when there is nothing to predict, or a single path leads nowhere.
    """
    own = getattr(discovery.load("data", modality, kind="modality"), "listed", None)
    if own is not None:
        return list(own(items))
    if isinstance(items, str | os.PathLike):
        text = os.fsdecode(items)
        return inputs([text]) if text != "-" else [text]
    found: Sequence[Any]
    dimensions = getattr(items, "ndim", None)
    if dimensions is not None:
        single = dimensions == 2 or (dimensions == 3 and items.shape[2] in (1, 3, 4))
        found = [items] if single else list(items)
    elif isinstance(items, Iterable) and not isinstance(items, bytes | bytearray):
        found = items if isinstance(items, list | tuple) else list(items)
    else:
        found = [items]
    if not found:
        raise BadSource("There is nothing to predict", expected="at least one path, picture or array")
    return found
