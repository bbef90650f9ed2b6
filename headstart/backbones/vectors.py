"""Word vectors in a file: word2vec (binary, text), GloVe and fastText's .vec, as vectors/PATH, or vectors/PATH@mean.

Behind an @ stand how a text's words become one vector (sif, which is the default, or mean) and how many words are
kept, the most frequent first (400000 unless told otherwise; ``all``): vectors/crawl-300d-2M.vec.gz@mean,100000.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headstart.backbones import bags, vectorfile
from headstart.backbones.chain import Backbone, seeded, untrained
from headstart.base import hashes
from headstart.base.errors import BadOption, UnknownName, WeightsError
from headstart.base.vocabulary import BackboneInfo, Tokenization

KEPT = 400_000
"""Words that are kept unless somebody asks for more: of English running text they are all but a few in a thousand."""
LENGTH = 512
"""Words in a window; what a text is made into does not depend on it."""
MOST = 2**31
"""Numbers in a table, at most: 7 million words of 300."""


def names() -> tuple[str, ...]:
    """None: a path is its own name."""
    return ()


def describe(name: str) -> BackboneInfo:
    """What the beginning of a file says; the vocabulary itself is not read.

    Raises:
        WeightsError: when it is no file of word vectors.
        BadOption: when what stands behind the @ makes no sense.
    """
    path, pooling, most = _asked(name)
    header = vectorfile.peek(path)
    words = None if header.words is None else min(header.words, most or header.words)
    return BackboneInfo(
        name=f"vectors/{name}",
        architecture=f"vectors/{pooling}",
        parameters=(words or 0) * header.width,
        stages=("words", pooling),
        width=header.width,
        # Which words they are is known once the file has been read.
        preprocessing=replace(_reading(b""), digest=""),
        source=f"{path.name} ({header.kind})" + (f", {words:,} words" if words else ""),
        local=True,
        modality="texts",
        # Said here, so that nobody has to build a table to learn that there is nothing to compute but a sum.
        flops=LENGTH * header.width,
        stage_flops=(0, LENGTH * header.width),
    )


def load(name: str, *, weights: bool = True, seed: int = 0, architecture: str | None = None) -> Backbone:
    """Read word vectors.

    Args:
        name: path of the file, with ``@`` and options or without.
        weights: False for random vectors of the same words.
        seed: of those.
        architecture: must not be given.

    Raises:
        BadOption: when an architecture is given, or what stands behind the @ makes no sense.
        WeightsError: when the file is damaged, or something else.
    """
    if architecture is not None:
        raise BadOption(f"vectors/{name} says its architecture itself", where="architecture", expected="none")
    path, pooling, most = _asked(name)
    found = vectorfile.read(path, most)
    config = {"words": len(found.words), "width": found.header.width}
    _bounded(config)
    info = BackboneInfo(
        name=f"vectors/{name}",
        architecture=f"vectors/{pooling}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=_reading("\n".join(found.words).encode()),
        source=_source(path, found),
        local=True,
        modality="texts",
        config=config,
    )
    rebuild = partial(_fresh, config, pooling)
    if not weights:
        return Backbone(rebuild(seed), untrained(info), rebuild=rebuild)
    return Backbone(bags.Bag(torch.from_numpy(found.table), pooling), info, rebuild=rebuild)


def build(name: str, config: Mapping[str, Any], *, seed: int = 0) -> Backbone:
    """Random vectors for as many words, without the file that they came from.

    Args:
        name: "sif" or "mean".
        config: words and width.
        seed: of the vectors.

    Raises:
        UnknownName: for another name.
        WeightsError: when the configuration is damaged.
    """
    if name not in bags.POOLINGS:
        raise UnknownName("backbone", f"vectors/{name}", [f"vectors/{each}" for each in bags.POOLINGS])
    _bounded(config)
    rebuild = partial(_fresh, dict(config), name)
    info = BackboneInfo(
        name=f"vectors/{name}",
        architecture=f"vectors/{name}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=_reading(b""),
        modality="texts",
        config=dict(config),
    )
    return Backbone(rebuild(seed), untrained(info), rebuild=rebuild)


def _asked(name: str) -> tuple[Path, str, int | None]:
    """Path, pooling, and how many words at most."""
    path, mark, rest = name.rpartition("@")
    if not mark or "/" in rest or Path(name).expanduser().exists():
        path, rest = name, ""
    pooling = bags.POOLINGS[0]
    kept: int | None = KEPT
    for option in rest.split(",") if rest else ():
        if option in bags.POOLINGS:
            pooling = option
        elif option == "all":
            kept = None
        elif option.isdigit() and int(option) > 0:
            kept = int(option)
        else:
            raise BadOption(
                f"vectors/{name}: {option!r} behind the @ is no option",
                expected="sif or mean, and a number of words or all, such as vectors/glove.txt@mean,100000",
            )
    return Path(path).expanduser(), pooling, kept


def _reading(vocabulary: bytes) -> Tokenization:
    # Windows that share words would count those twice.
    return Tokenization(LENGTH, hashes.of_bytes(vocabulary), reader="words", overlap=0, content=vocabulary)


def _source(path: Path, found: vectorfile.Vectors) -> str:
    """What was read, in words; nothing is left out silently."""
    promised = "" if found.header.words is None else f" of {found.header.words:,}"
    kept = "" if found.whole else f", the most frequent{promised}"
    lost = ", ".join(f"{count:,} {reason}" for reason, count in sorted(found.left_out.items()))
    return f"{path.name} ({found.header.kind}), {len(found.words):,} words{kept}" + (
        f"; left out: {lost}" if lost else ""
    )


def _bounded(config: Mapping[str, Any]) -> None:
    words, width = (value if isinstance(value := config.get(key), int) else 0 for key in ("words", "width"))
    if words < 1 or not 0 < width <= vectorfile.WIDEST or words * width > MOST:
        raise WeightsError(
            f"A table of {words} word vectors with {width} numbers cannot be built",
            expected=f"words and width above 0, and at most {MOST:,} numbers",
            next_move="keep fewer words: vectors/PATH@100000",
        )


def _fresh(config: Mapping[str, Any], pooling: str, seed: int) -> nn.Module:
    words, width = int(config["words"]), int(config["width"])
    return seeded(seed, lambda: bags.Bag(torch.randn(words, width).mul_(width**-0.5), pooling))
