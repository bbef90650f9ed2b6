"""Sentence encoders as sentence-transformers saves them (Reimers and Gurevych, Sentence-BERT, 2019).

``modules.json`` names the parts: a text network, what stands for a text, and what comes behind that. The network's own
limit is in ``sentence_bert_config.json``. What comes behind the pooling (``Normalize``, ``Dense``) is left out: it was
made for comparing texts, and the head that is trained here takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.backbones import snapshot as snapshots
from headstart.backbones.snapshot import Snapshot
from headstart.base.errors import WeightsError

MODULES = "modules.json"
LIMITS: tuple[str, ...] = (
    *("sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json"),
    *("sentence_camembert_config.json", "sentence_albert_config.json", "sentence_xlm-roberta_config.json"),
)
"""Where the network's own limit is, the usual place first."""
POOLINGS: Mapping[str, str] = {"mean_tokens": "mean", "mean": "mean", "cls_token": "first", "cls": "first"} | {
    "lasttoken": "last"
}
"""Their names of poolings -> ours."""
BEHIND: tuple[str, ...] = ("Dense", "Dropout", "LayerNorm", "Normalize")
"""Parts behind the pooling that may be left out."""
_SAID: tuple[str, ...] = ("Dense", "LayerNorm")
_PLACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")


def is_one(path: Path) -> bool:
    """Does the folder look like a sentence encoder?"""
    return (path / MODULES).is_file()


def opened(snapshot: Snapshot) -> Snapshot:
    """The text network of a sentence encoder, with what its other parts say of it.

    Raises:
        WeightsError: when a file cannot be read, or it has a part that is not known here.
    """
    parts = _parts(snapshot)
    (_, place), (pooling, where), *behind = parts
    inner = _within(snapshot, place)
    limits = next((_said(inner, file) for file in LIMITS if inner.get(file) is not None), {})
    left_out = [kind for kind, _ in behind if kind in _SAID]
    return replace(
        inner,
        pooling=_pooling(snapshots.read(_within(snapshot, where), snapshots.CONFIG), snapshot.name, pooling),
        longest=limits.get("max_seq_length"),
        lower=limits.get("do_lower_case") is True,
        notes=(
            f"What its pooling gives is taken; the {' and '.join(left_out)} layer behind it, made for comparing texts, "
            "is left out",
        )
        if left_out
        else snapshot.notes,
    )


def _parts(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Kind and place of each part: the network, its pooling, and whatever is behind."""
    listed = snapshots.read(snapshot, MODULES, list)
    found = [
        (str(part.get("type", "")).rpartition(".")[2], str(part.get("path", "")))
        for part in listed
        if isinstance(part, Mapping)
    ]
    kinds = [kind for kind, _ in found]
    strange = [kind for kind in kinds[2:] if kind not in BEHIND]
    if kinds[:2] != ["Transformer", "Pooling"] or len(found) != len(listed) or strange:
        odd = strange[0] if strange else next((kind for kind in kinds[:1] if kind != "Transformer"), "")
        raise WeightsError(
            f"{snapshot.name} is made of {', '.join(kinds) or 'nothing'}"
            + (f"; {odd} is not known here" if odd else ""),
            where=MODULES,
            expected="a Transformer, its Pooling, and behind them nothing but " + ", ".join(BEHIND),
            next_move="choose another sentence encoder",
        )
    for _, place in found:
        if place and not _PLACE.fullmatch(place):
            raise WeightsError(f"{MODULES} names {place!r}, which is no folder in it", where=snapshot.name)
    return found


def _within(snapshot: Snapshot, place: str) -> Snapshot:
    """The same, of a folder in it; its card stays where it is."""
    if not place:
        return snapshot

    def inside(file: str) -> str:
        return file if file == snapshots.CARD else f"{place}/{file}"

    get, has = snapshot.get, snapshot.has
    return replace(snapshot, get=lambda file: get(inside(file)), has=lambda file: has(inside(file)))


def _said(snapshot: Snapshot, file: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = snapshots.read(snapshot, file)
    return found


def _pooling(config: Mapping[str, Any], name: str, kind: str) -> str:
    """Our name of the pooling.

    Raises:
        WeightsError: for one that is not known here, or for several side by side.
    """
    told = config.get("pooling_mode")
    modes = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    prefix = "pooling_mode_"
    modes = modes or [key.removeprefix(prefix) for key, on in config.items() if key.startswith(prefix) and on is True]
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise WeightsError(
            f"The pooling of {name} is {' and '.join(map(str, modes)) or 'not said'}",
            where=f"config.json of {kind}",
            expected="one of " + ", ".join(dict.fromkeys(POOLINGS)),
            next_move="choose another sentence encoder, or take the mean with hf/ in front of its name",
        )
    return POOLINGS[modes[0]]
