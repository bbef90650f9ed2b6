"""Pretrained networks are compared on a labelled source, without fine-tuning any of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart.base import discovery, log
from headstart.base.machine import here
from headstart.base.progress import Reporter, Silent
from headstart.base.quantities import seconds
from headstart.base.ranked import Ranking
from headstart.choose import candidates, ranking, reading, scoring
from headstart.data import dataset
from headstart.data.opening import open_source
from headstart.features.store import Store


def rank_backbones(
    source: Any,
    labels: Sequence[Any] | None = None,
    *,
    backbones: Sequence[str] | str = (),
    family: str = "",
    all_local: bool = False,
    backbones_from: str | Path | None = None,
    budget: str | float = "5m",
    scores: Sequence[str] = scoring.SHOWN,
    task: str = "auto",
    seed: int = 0,
    drop_rare: bool = False,
    precision: str = "auto",
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    groups: Sequence[Any] | None = None,
    text: str | Sequence[str] | None = None,
    near_duplicates: bool = True,
    report: Reporter | None = None,
) -> Ranking:
    """Put pretrained networks in the order in which they are worth fine-tuning on a data set.

    All are measured on the same items of the development part, as ``fit`` with the same seed would split it; at most
    2,000 of them, and fewer for those that a short budget leaves behind. See ``choose.ranking`` for the method.

    Args:
        source, labels, label, path, group, groups, text: labelled items, as ``fit`` takes them.
        backbones: full names or ``local:PATH``, in a list or with commas between; one that cannot be loaded is a row
            that says why.
        family: instead: part of a name, such as "resnet".
        all_local: instead: every network on this machine. With none of the three: those on this machine, and the
            usual kinds from the hub if it answers.
        backbones_from: a bundle that ``pack_backbones`` wrote; nothing is then downloaded.
        budget: wall time from here on, such as "90s" or "5m"; one network is measured whatever it takes.
        scores: what is computed besides: names of the rank room's plug-ins.
        task: what the labels are for, as ``fit`` takes it.
        seed: of the split and of everything random.
        drop_rare: drop classes with fewer than 3 items instead of stopping.
        precision: "auto", "float32" or "bf16".
        near_duplicates: keep near duplicates on one side of the split; False does not look for them.
        report: told of progress.

    Returns:
        The table, the best first, with what reputation alone would have chosen.

    Raises:
        HeadstartError: its subclasses say what was wrong and what to do.
    """
    budget, machine = seconds(budget), here(precision)
    for name in scores:
        discovery.load("rank", name, kind="transferability score")
    given = backbones.split(",") if isinstance(backbones, str) else list(backbones)
    names = [name.strip() for name in given if name.strip()]
    bundle = None if backbones_from is None else Path(backbones_from)
    candidates.check(names, family=family, all_local=all_local, bundle=bundle)
    with log.recording(report or Silent()) as recorded:
        table = open_source(source, labels, label=label, path=path, group=group, groups=groups, text=text)
        recorded.begin("look for pretrained networks")
        found, notes = candidates.find(
            names,
            family=family,
            all_local=all_local,
            bundle=bundle,
            modality=reading.backbones(table.modality),
        )
        recorded.end()
        data = dataset.build(
            table, task=task, seed=seed, drop_rare=drop_rare, near_duplicates=near_duplicates, report=recorded
        )
        for line in (data.understood, *data.notes, *notes):
            recorded.say(line)
        return ranking.compare(
            data,
            found,
            machine=machine,
            store=Store(origin=data.origin),
            report=recorded,
            budget=budget,
            scores=scores,
            bundle=bundle,
            notes=notes,
        )[0]
