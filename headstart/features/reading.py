"""Items decoded ahead of the network, in order, by a small pool of threads (decoders release the interpreter lock)."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.base.errors import Undecodable
from headstart.base.vocabulary import Reading


def load_each(
    items: Sequence[Any],
    preprocessing: Reading | None,
    *,
    modality: str = "images",
    ahead: int = 64,
) -> Iterator[np.ndarray | Undecodable]:
    """Each item as the backbone's input, in order; the error itself where an item cannot be read.

    Args:
        items: what the modality decodes.
        preprocessing: the backbone's; None for items as they are kept without one.
        modality: a plug-in of the data room.
        ahead: how many items may wait decoded; bounds memory.
    """
    room = discovery.load("data", modality)

    def one(item: Any) -> np.ndarray | Undecodable:
        try:
            return room.load(item, preprocessing)
        except Undecodable as error:
            return error

    waiting: deque[Future[np.ndarray | Undecodable]] = deque()
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for item in items:
            waiting.append(pool.submit(one, item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
