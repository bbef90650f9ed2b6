"""Seeds derived by name, so that one user seed gives every draw its own reproducible stream.

A draw is named by words and numbers (``derive(seed, "split")``, ``derive(seed, "fit", 3, 17)``); the same name
always gives the same stream, and adding a draw somewhere never shifts another one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def derive(seed: int, *name: str | int) -> int:
    """A 63-bit seed for the draw called ``name``."""
    text = "\x1f".join([str(seed), *map(str, name)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *name: str | int) -> np.random.Generator:
    """A numpy generator for the draw called ``name``."""
    import numpy as np

    return np.random.default_rng(derive(seed, *name))
