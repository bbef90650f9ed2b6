"""Texts that say nearly the same, found by the runs of five words that they share.

A text is the set of its runs of five words, as in Broder, On the resemblance and containment of documents (1997); how
near two texts are is the share of all their runs that they have in common (Jaccard). A set is kept as its 128 smallest
hashes, from which the share follows exactly for texts of up to 128 runs and nearly for longer ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.measure.arrays import Floats, Ints

RUN = 5
"""Words of a run."""
KEPT = 128
"""Hashes that are kept of a text."""
NOTHING = np.uint32(0xFFFFFFFF)
"""Stands behind the last hash of a text with fewer runs."""
_BUCKET = 256
"""Texts with one rare run in common beyond which only so many others of them are looked at for each."""
_AT_ONCE = 1 << 16

Sketch = NDArray[np.uint32]


def sketch(words: Sequence[str]) -> Sketch:
    """The smallest hashes (128,) of a text's runs, in ascending order, ``NOTHING`` behind them.

    Args:
        words: of the text; one of fewer than five words is one run.
    """
    kept = np.full(KEPT, NOTHING, dtype=np.uint32)
    if not words:
        return kept
    known: dict[str, int] = {}
    for word in words:
        if word not in known:
            known[word] = zlib.crc32(word.encode("utf-8", "surrogatepass"))
    hashes = np.array([known[word] for word in words], dtype=np.uint64)
    run, runs = min(RUN, len(words)), max(1, len(words) - RUN + 1)
    mixed = np.full(runs, run, dtype=np.uint64)
    for place in range(run):
        mixed = _scrambled(mixed + hashes[place : place + runs])
    found = np.unique((mixed >> np.uint64(32)).astype(np.uint32))
    found = found[found != NOTHING][:KEPT]
    kept[: len(found)] = found
    return kept


def _scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea and Flood 2014): near numbers become far ones, the same on every machine."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def distance(first: Sketch, second: Sketch) -> Floats:
    """1 minus the share of runs in common (p,), of sketches (p, 128) row by row; 1 where one has none.

    Of two texts of more than 128 runs together, the 128 smallest hashes of both are a fair sample.
    """
    both = np.sort(np.concatenate([first, second], axis=1), axis=1)
    there = both != NOTHING
    repeated = np.zeros_like(there)
    repeated[:, 1:] = there[:, 1:] & (both[:, 1:] == both[:, :-1])
    # The union in ascending order: what is behind its 128th hash was not seen of one of the two.
    rank = np.cumsum(there & ~repeated, axis=1)
    seen = rank <= KEPT
    union = (there & ~repeated & seen).sum(axis=1)
    shared = (repeated & seen).sum(axis=1)
    return np.where(union > 0, 1 - shared / np.maximum(union, 1), 1.0)


def pairs(sketches: Sketch, threshold: float, crowd: int) -> tuple[Ints, Ints, Floats, NDArray[np.bool_]]:
    """All pairs within a distance, except those of texts that have more than ``crowd`` such neighbours.

    Two sets that share over a part s of their union share one of the rarest 1 - s of each, so only texts that have a
    rare run in common are compared (prefix filtering: Chaudhuri, Ganti and Kaushik 2006).

    Args:
        sketches: (n, 128).
        threshold: largest distance, below 1.
        crowd: neighbours beyond which a text stands in a crowd.

    Returns:
        Two arrays of positions, the distances, and (n,) True for texts in a crowd.
    """
    n = len(sketches)
    left, right = _candidates(sketches, threshold)
    apart = np.zeros(len(left))
    for start in range(0, len(left), _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        apart[block] = distance(sketches[left[block]], sketches[right[block]])
    within = apart <= threshold
    left, right, apart = left[within], right[within], apart[within]
    neighbours = np.bincount(left, minlength=n) + np.bincount(right, minlength=n)
    crowded = neighbours > crowd
    alone = ~(crowded[left] | crowded[right])
    return left[alone], right[alone], apart[alone], crowded


def _candidates(sketches: Sketch, threshold: float) -> tuple[Ints, Ints]:
    """Pairs (i < j) of texts that have one of their rarer runs in common, each once."""
    n = len(sketches)
    _, place, count = np.unique(sketches, return_inverse=True, return_counts=True)
    # The rarest runs first; what stands behind a short text is rarer than nothing.
    rarity = np.where(sketches == NOTHING, np.iinfo(np.int64).max, count[place.reshape(sketches.shape)])
    order = np.lexsort((sketches, rarity), axis=1)
    sizes = (sketches != NOTHING).sum(axis=1)
    # Rounded so that a share of exactly 1 - threshold is still found.
    prefix = np.minimum(sizes, np.floor(threshold * sizes + 1e-9).astype(np.int64) + 1)
    wanted = np.arange(KEPT)[None] < prefix[:, None]
    keys = np.take_along_axis(place.reshape(sketches.shape), order, axis=1)[wanted]
    owners = np.repeat(np.arange(n), prefix)
    by_key = np.lexsort((owners, keys))
    keys, owners = keys[by_key], owners[by_key]
    ends = np.append(np.flatnonzero(np.diff(keys)) + 1, len(keys))
    last = np.repeat(ends, np.diff(ends, prepend=0))
    found: list[Ints] = []
    # Each text of a bucket with the next ones in it; in a very large one, which is a crowd, with some of them.
    for step in range(1, _BUCKET + 1):
        near = np.flatnonzero(np.arange(len(owners)) + step < last)
        if not len(near):
            break
        found.append(np.unique(owners[near] * np.int64(n) + owners[near + step]))
    codes = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
    return codes // max(n, 1), codes % max(n, 1)
