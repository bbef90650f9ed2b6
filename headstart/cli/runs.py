"""List the runs of this machine, compare some, explain one, or tell them to a tracker.

ACTION is ls, compare, explain or track. Without folders, ls lists every run that fit began on this machine and that
is still there; with folders, the runs in them. compare takes models or runs; if they are on the same data and the same
split, it also says how far each is from the first, item by item, with a 95 % interval. explain says why each rung of a
run's ladder was climbed or not, and what its gain cost. track tells runs, finished or not, to TensorBoard or MLflow, as
fit --track does while they go; what was told before is not told again.

Examples:

    headstart runs ls
    headstart runs ls experiments/ --json
    headstart runs compare flowers flowers-vit
    headstart runs compare flowers flowers-vit --metric f1_macro
    headstart runs explain flowers
    headstart runs track flowers --to mlflow:http://127.0.0.1:5000
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.base.errors import BadOption, HeadstartError, UnknownName
from headstart.cli import explaining, options, tables, values
from headstart.data.printable import printable
from headstart.ship import runs

if TYPE_CHECKING:
    from headstart.measure.metric import Metric
    from headstart.ship.runs import Summary

ACTIONS = ("ls", "compare", "explain", "track")
_OUTCOMES = {
    "positive": "helped",
    "negative": "hurt",
    "tie": "tie",
    "not measured": "not measured",
    "not_measured": "not measured",
}


def main(
    action: Annotated[
        str,
        typer.Argument(metavar="ACTION", help="ls, compare, explain or track.", autocompletion=values.among(ACTIONS)),
    ] = "ls",
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FOLDER...", help="Models or runs, or folders that hold them.", autocompletion=values.models
        ),
    ] = None,
    *,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What compare compares item by item; by default what the first verdict is stated in.",
            autocompletion=values.metrics,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="NAME[:PLACE]", help="Of track: tensorboard:FOLDER or mlflow:ADDRESS."),
    ] = None,
    weights: Annotated[bool, typer.Option("--weights", help="Of track: send the model's weights too.")] = False,
    as_json: options.Json = False,
) -> int:
    """Parse, read, print."""
    if action not in ACTIONS:
        raise UnknownName("action", action, ACTIONS, next_move="headstart runs --help")
    given = folders or []
    if action == "track":
        _track(given, to, weights=weights, as_json=as_json)
        return 0
    if action == "explain":
        if len(given) != 1:
            raise BadOption("One run is explained at a time", expected="headstart runs explain MODEL")
        explaining.show(explaining.run_in(given[0]), as_json=as_json)
        return 0
    if action == "ls":
        _list(runs.found(given), as_json=as_json)
        return 0
    if len(given) < 2:
        raise BadOption("Nothing to compare", expected="two models or more: headstart runs compare A B")
    one_each = [_one(folder) for folder in given]
    found = [runs.summary(folder) for folder in one_each]
    _compare(found, runs.metric(found[0], metric), as_json=as_json)
    return 0


def _track(folders: list[Path], to: str | None, *, weights: bool, as_json: bool) -> None:
    if not folders or not to:
        raise BadOption("Nothing to track", expected="headstart runs track MODEL --to mlflow:http://HOST:PORT")
    from headstart.api.models import track_run

    told = [(folder, track_run(folder, to, weights=weights)) for folder in runs.found(folders)]
    if as_json:
        print(json.dumps({"tracked": [{"path": str(folder), "place": place} for folder, place in told]}))
        return
    for folder, place in told:
        print(f"{printable(folder.name)}: {printable(place)}")


def _one(folder: Path) -> Path:
    found = runs.found([folder])
    if len(found) > 1:
        raise BadOption(f"{folder} holds {len(found)} runs", expected="the folder of one of them")
    return found[0]


def _list(found: list[Path], *, as_json: bool) -> None:
    summaries, broken = [], []
    for folder in found:
        try:
            summaries.append(runs.summary(folder))
        except HeadstartError as error:
            broken.append((folder, error.what))
    summaries.sort(key=lambda one: one.when, reverse=True)
    if as_json:
        damaged = [{"path": str(folder), "what": what} for folder, what in broken]
        print(json.dumps({"runs": [one.as_dict() for one in summaries], "damaged": damaged}, ensure_ascii=False))
        return
    if not found:
        print("No run of this machine is left; headstart fit makes one.")
        return
    heads = ("Name", "When", "Data", "Sealed", "Transfer", "Score")
    rows = [
        (_short(one), _day(one), one.data, one.candidate or one.state, _outcome(one), _stated(one)) for one in summaries
    ]
    tables.show(heads, rows, fold=(2, 0, 3, 4))
    for folder, what in broken:
        print(tables.wrapped(f"{printable(str(folder))}: {printable(what)}", indent="  "))


def _compare(found: list[Summary], metric: Metric, *, as_json: bool) -> None:
    same = runs.comparable(found)
    gaps = runs.gaps([one.path for one in found], metric) if same else [None] * (len(found) - 1)
    if as_json:
        plain: list[Any] = [None if gap is None else gap.as_dict() for gap in gaps]
        rows = [one.as_dict() for one in found]
        print(json.dumps({"runs": rows, "same_data": same, "metric": metric.name, "gaps": plain}, ensure_ascii=False))
        return
    named = dict.fromkeys((one.task, name) for one in found for name in one.scores or ())
    metrics = [runs.metrics(task)[name] for task, name in named if name in runs.metrics(task)]
    lines: list[tuple[str, ...]] = [
        ("Data", *(one.data for one in found)),
        ("Items", *(f"{one.items:,} {one.about}" for one in found)),
        ("Backbone", *(one.backbone or "none" for one in found)),
        ("Sealed", *(one.candidate or one.state for one in found)),
        ("Transfer", *(_outcome(one) for one in found)),
        *((metric.title, *(_score(one, metric) for one in found)) for metric in metrics),
        ("Seconds", *(f"{one.seconds:,.0f}" if one.seconds else "-" for one in found)),
    ]
    tables.show(("", *(_short(one) for one in found)), lines, fold=tuple(range(1, len(found) + 1)))
    print()
    for line in runs.sentences(found, gaps, metric, name=_short):
        print(tables.wrapped(line))


def _short(one: Summary) -> str:
    """The folder's name; its path from here where a run of the cache has a name that says nothing."""
    path = one.path
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else path.name


def _day(one: Summary) -> str:
    return one.when[:16].replace("T", " ")


def _outcome(one: Summary) -> str:
    return _OUTCOMES.get(one.outcome, one.outcome or "-")


def _score(one: Summary, metric: Metric) -> str:
    return tables.score(metric, (one.scores or {}).get(metric.name) if metric.name in runs.metrics(one.task) else None)


def _stated(one: Summary) -> str:
    """The score that its verdict is stated in; accuracy needs no name."""
    metric = runs.metric(one, None)
    if metric.name not in (one.scores or {}):
        return "-"
    return _score(one, metric) + ("" if metric.name == "accuracy" else f" {metric.title}")
