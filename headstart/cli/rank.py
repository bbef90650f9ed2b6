"""Compare pretrained networks on your data, without fine-tuning any of them.

SOURCE is what fit takes; its test part is not looked at. A closed-form probe is judged on items that it was not fitted
to (leave-one-out), on a few items first and on up to 2,000 for the networks that go on; where it cannot tell two of
them apart, reputation, k-NN, shrinkage H-score and LogME vote. Without --backbones, --family and --all-local the
networks on this machine are compared, and the usual kinds from the hub if it answers.

Examples:

    headstart rank photos/
    headstart rank photos/ --backbones timm/resnet50,timm/vit_small_patch16_224,local:my-backbone
    headstart rank photos/ --family resnet --budget 10m
    headstart rank photos/ --all-local --json
    headstart rank photos/ --from bundle
    headstart rank labels.csv --label species --scores knn,logme,sfda
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.base import discovery
from headstart.base.errors import UnknownName
from headstart.base.manifest import plain
from headstart.base.ranked import percent
from headstart.base.vocabulary import Interval
from headstart.cli import options, tables, values
from headstart.cli.reporting import watching
from headstart.data.printable import listed, printable

if TYPE_CHECKING:
    from headstart.base.ranked import Rank, Ranking
    from headstart.tasks.task import Task

_SHORT = {
    "knn": "k-NN",
    "shrinkage_h": "Shr. H",
    "h_score": "H",
    "logme": "LogME",
    "nleep": "N-LEEP",
    "leep": "LEEP",
    "nce": "NCE",
    "transrate": "TransRate",
    "gbc": "GBC",
    "parc": "PARC",
    "sfda": "SFDA",
    "loo_ridge": "Ridge",
    "linear_probe": "Logistic",
}
_NONE = "-"


def main(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A folder or a table of labelled pictures or texts.")],
    *,
    backbones: Annotated[
        str,
        typer.Option(
            metavar="A,B,C", help="Networks, with commas between; local:PATH too.", autocompletion=values.backbones
        ),
    ] = "",
    family: Annotated[str, typer.Option(metavar="TEXT", help="Networks with TEXT in their name, such as resnet.")] = "",
    all_local: Annotated[bool, typer.Option("--all-local", help="Every network on this machine.")] = False,
    backbones_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Take backbones from this bundle (headstart backbones pack)."),
    ] = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="Wall time: 90s, 10m, 1h, or seconds.")] = "5m",
    scores: Annotated[
        str,
        typer.Option(metavar="NAMES", help=f"all, or some of {', '.join(discovery.plugins('rank'))}."),
    ] = "knn,shrinkage_h,logme,nleep,leep,nce",
    task: options.Task = "auto",
    seed: options.Seed = 0,
    drop_rare: Annotated[
        bool, typer.Option("--drop-rare", help="Leave out classes with under 3 items instead of stopping.")
    ] = False,
    precision: options.Precision = "auto",
    label: options.Label = None,
    path: options.PathColumn = None,
    text: options.TextColumn = None,
    group: options.Group = None,
    no_near_duplicates: Annotated[
        bool, typer.Option("--no-near-duplicates", help="Let near duplicates lie on both sides of a split.")
    ] = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
) -> int:
    """Parse, rank, print."""
    wanted = list(discovery.plugins("rank")) if scores.strip() == "all" else _names(scores)
    # Imported here: it brings torch, which --help and a misspelt option should not wait for.
    from headstart.api.ranking import rank_backbones

    with watching(quiet=quiet or as_json, verbose=verbose, progress=progress) as report:
        found = rank_backbones(
            source,
            backbones=backbones,
            family=family,
            all_local=all_local,
            backbones_from=backbones_from,
            budget=budget,
            scores=wanted,
            task=task,
            seed=seed,
            drop_rare=drop_rare,
            precision=precision,
            label=label,
            path=path,
            text=text,
            group=group,
            near_duplicates=not no_near_duplicates,
            report=report,
        )
    if as_json:
        print(json.dumps(plain(as_data(found)), ensure_ascii=False))
    else:
        show(found, wanted, source)
    return 0


def _names(text: str) -> list[str]:
    """Names of scores, with commas between.

    Raises:
        UnknownName: for one that is none, before anything heavy is imported.
    """
    known = discovery.plugins("rank")
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise UnknownName("transferability score", name, known)
    return wanted


def as_data(found: Ranking) -> dict[str, object]:
    """Everything, as one JSON object."""
    return {"best": found.best, "sentence": found.sentence, "prior": found.about_prior, **found.as_dict()}


def show(found: Ranking, scores: Sequence[str], source: str) -> None:
    """Print the table, what it says, and how to go on."""
    task = _task(found)
    where = f"{found.items:,} of {found.development:,} development {found.modality}"
    print(f"Networks on {where}, best first:\n")
    _show_table(found, task, scores)
    _show_rest(found)
    print("\n" + tables.wrapped(printable(f"{found.sentence}.")))
    print(tables.wrapped(printable(f"{found.about_prior}.")))
    for note in found.notes:
        print(tables.wrapped(printable(f"Note: {note}"), indent="  "))
    if len(found.measured) == 1:
        more = "--backbones and --family name others, --from takes them from a bundle (headstart backbones pack)"
        print(tables.wrapped(f"To compare it with more: {more}."))
    print(f"\nFit:  headstart fit {printable(source)} --backbone {printable(found.best)}")


def _task(found: Ranking) -> type[Task]:
    """The class of the task, for the words and units of its scores."""
    from headstart.tasks.task import Task

    room = discovery.load("tasks", found.task)
    kinds = [each for each in vars(room).values() if isinstance(each, type) and issubclass(each, Task)]
    return next(each for each in kinds if vars(each).get("kind") == found.task)


def _show_table(found: Ranking, task: type[Task], scores: Sequence[str]) -> None:
    """One row a network; in two tables where one has no room. A column in which nothing is known is left out."""
    loss, score = task.metrics[found.loss], task.metrics[found.score]
    columns: dict[str, list[str]] = {
        "": [f"{row.place}{' =' if row.tied else ''}" for row in found.measured],
        "Backbone": [row.name for row in found.measured],
        loss.title: [tables.score(loss, _point(row.loss), interval=False) for row in found.measured],
        score.title: [tables.score(score, _point(row.score), interval=False) for row in found.measured],
        "Best stage": [_stage(row) for row in found.measured],
        "ms": [f"{row.latency_ms:.1f}" for row in found.measured],
        "Beats next": [_NONE if row.beats_next is None else percent(row.beats_next) for row in found.measured],
    }
    besides = {
        "Items": [f"{row.items:,}" for row in found.measured],
        "Prior": [_NONE if row.prior is None else f"{row.prior:.1f} %" for row in found.measured],
        "Params": [tables.count(row.parameters) for row in found.measured],
    }
    besides |= {_SHORT.get(name, name): [_number(row.scores.get(name)) for row in found.measured] for name in scores}
    columns, besides = (
        {head: cells for head, cells in each.items() if set(cells) != {_NONE}} for each in (columns, besides)
    )
    left = ("", "Backbone", "Best stage")
    fits = tables.natural_width(*_turned(columns | besides)) <= tables.room()
    numbered = {"": columns[""], **besides}
    for number, shown in enumerate([columns | besides] if fits else [columns, numbered]):
        if number:
            print()
        heads, rows = _turned(shown)
        right = [index for index, head in enumerate(heads) if head not in left]
        tables.show(heads, rows, right=right, fold=[heads.index(head) for head in left[1:] if head in heads])


def _turned(columns: Mapping[str, Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def _show_rest(found: Ranking) -> None:
    """What the table's marks mean, and the networks and scores that are not in it."""
    said = []
    if any(row.tied for row in found.measured):
        said.append("= does not differ beyond noise from the one above it.")
    if len(found.measured) > 1:
        said.append("Beats next: how probably its probe would be the better one on other items like these.")
    missing: dict[str, list[str]] = {}
    for row in found.measured:
        for name, why in row.missing.items():
            names = missing.setdefault(why, [])
            names += [_SHORT.get(name, name)] if _SHORT.get(name, name) not in names else []
    for why, names in missing.items():
        said.append(f"Where {listed(names)} {'is' if len(names) == 1 else 'are'} missing: {why}.")
    print()
    for line in said:
        print(tables.wrapped(printable(line), indent="  "))
    for row in found.rows:
        if not row.place:
            print(tables.wrapped(printable(f"{row.name} is not among them: {row.status}"), indent="  "))


def _point(value: float | None) -> Interval | Mapping[str, float] | None:
    return None if value is None else Interval(value, value, value)


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.3f}"


def _stage(row: Rank) -> str:
    if not row.best_stage:
        return _NONE
    name = row.stages[row.best_stage - 1] if len(row.stages) >= row.best_stage else ""
    return f"{row.best_stage}/{len(row.stage_losses)} {name}".rstrip()
