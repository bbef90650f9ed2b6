"""What a source model is made from when it is the user's own: the pictures, checked and decoded once, and the network.

A labelled source is opened and split as ``fit`` does it. Its test part is left alone, so that a later ``fit`` on the
same source and seed still has a test part that nothing was trained on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from headstart.base import discovery, hashes
from headstart.base.errors import BadOption, DataError, Undecodable
from headstart.base.progress import Reporter
from headstart.base.vocabulary import Skipped
from headstart.data import dataset
from headstart.data.dataset import Dataset
from headstart.data.inputs import inputs
from headstart.data.opening import open_source
from headstart.data.printable import count, printable, where

MOST_BAD = dataset.MOST_BAD
LICENCE = "your own"
"""Of weights made from nothing but the user's data: headstart has no say in it."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures without labels, each different one once.

    Attributes:
        items: paths or in-memory values.
        digests: of their contents.
        skipped: what was left out, and why.
        copies: exact duplicates that were left out besides.
        origin: what the user named first.
    """

    items: tuple[Any, ...]
    digests: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    copies: int
    origin: str

    @property
    def digest(self) -> str:
        """SHA-256 of the contents, order included."""
        return hashes.of_texts(self.digests)


def labelled(
    source: Any,
    *,
    label: str | None,
    path: str | None,
    group: str | None,
    drop_rare: bool,
    near_duplicates: bool,
    seed: int,
    report: Reporter,
) -> Dataset:
    """Open, check and split a labelled source; every argument means what it means to ``fit``.

    Raises:
        HeadstartError: whatever ``fit`` would say of the source.
    """
    table = open_source(source, label=label, path=path, group=group)
    data = dataset.build(
        table,
        task="classification",
        seed=seed,
        drop_rare=drop_rare,
        near_duplicates=near_duplicates,
        report=report,
    )
    report.say(data.understood)
    for note in data.notes:
        report.say(note)
    _say_skipped(data.skipped, report)
    return data


def unlabelled(source: Any, *, report: Reporter, modality: str = "images") -> Pictures:
    """All pictures in and below a folder (or of a pattern, or in a list), whatever subfolders they lie in.

    Raises:
        BadSource: there is no picture.
        DataError: over a tenth of them cannot be read.
    """
    named = [source] if isinstance(source, str | Path) else list(source)
    paths = all(isinstance(one, str | Path) for one in named)
    items: Sequence[Any] = inputs([str(one) for one in named]) if paths else named
    origin = str(named[0]) if paths and named else "memory"
    room = discovery.load("data", modality, kind="modality")

    def verdict(item: Any) -> tuple[str, str]:
        try:
            room.check(item) if hasattr(room, "check") else room.decode(item)
            return room.digest(item), ""
        except Undecodable as error:
            return "", error.what

    found: dict[str, Any] = {}
    skipped, copies = list[Skipped](), 0
    report.begin(f"Checking {count(len(items), 'picture')}", len(items))
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="check") as pool:
        for position, (digest, why) in enumerate(pool.map(verdict, items)):
            if why:
                skipped.append(Skipped(where(items[position], position), why))
            elif digest in found:
                copies += 1
            else:
                found[digest] = items[position]
            report.advance()
    report.end()
    judge_skipped(skipped, len(items), origin, "picture", report)
    return Pictures(tuple(found.values()), tuple(found), tuple(skipped), copies, origin)


def judge_skipped(skipped: Sequence[Skipped], total: int, origin: str, noun: str, report: Reporter) -> None:
    """Say what was left out of ``total`` items, each of them a ``noun``.

    Raises:
        DataError: over a tenth of them cannot be read.
    """
    if len(skipped) <= MOST_BAD * total:
        _say_skipped(skipped, report)
        return
    first = "; ".join(f"{one.where}: {one.why}" for one in skipped[:3])
    raise DataError(
        f"{len(skipped):,} of {count(total, noun)} cannot be read: {first}",
        where=origin,
        expected=f"at most {MOST_BAD:.0%} of them unreadable",
        next_move="mend or remove them, or check that the right folder was named",
    )


def _say_skipped(skipped: Sequence[Skipped], report: Reporter, most: int = 5) -> None:
    if skipped:
        report.say(f"{len(skipped)} left out:")
        for one in skipped[:most]:
            report.say(f"  {one.where}: {one.why}")
        if len(skipped) > most:
            report.say(f"  and {len(skipped) - most} more")


def origin_name(origin: str) -> str:
    """The last part of a path that the user named: a card travels, and need not carry the paths of its machine."""
    path = Path(origin).expanduser()
    return printable(path.absolute().name) if os.path.lexists(path) else "memory"


def named(backbone: Backbone, method: str, origin: str, what: str) -> Backbone:
    """The trained network under its own name, as ``what`` (pictures, in words) of this origin made it."""
    name = origin_name(origin)
    info = replace(
        backbone.info,
        name=f"{method}/{name}",
        licence=LICENCE,
        source=f"{what}, from {name}",
        local=True,
        prior=None,
    )
    return backbone.eval().known_as(info)


def network(architecture: str, *, size: int | None, seed: int) -> Backbone:
    """An untrained network for pictures of ``size`` pixels a side; None takes the size it was designed for.

    Raises:
        UnknownName: nothing builds the architecture.
        BadOption: it is a path, or cannot read pictures of that size.
    """
    if architecture.startswith("local:"):
        raise BadOption("An architecture is a name, not a path", where="architecture", expected="such as timm/resnet18")
    if size is not None and not 16 <= size <= 1024:
        raise BadOption(f"Pictures cannot be {size} pixels a side", where="size", expected="16 to 1024")
    backbone = catalogue.load(architecture, weights=False, seed=seed)
    info = backbone.info
    if size is None or size == info.preprocessing.size:
        return backbone
    backbone = backbone.known_as(replace(info, preprocessing=info.preprocessing.resized(size)))
    try:
        with torch.inference_mode():
            backbone(torch.zeros(1, 3, size, size, dtype=torch.uint8))
    except Exception as error:  # every library has errors of its own for a size that does not fit
        raise BadOption(
            f"{architecture} cannot read pictures of {size} pixels",
            where="size",
            expected=f"{info.preprocessing.size}, what it was designed for",
        ) from error
    return backbone
