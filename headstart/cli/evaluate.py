"""Score a sealed model on labelled pictures or texts it has not seen.

SOURCE is what fit takes: a folder with one subfolder a class, or a table. Where it has a test part, only that part is
used. Every score comes with its 95 % interval; of classes, rows of the confusion matrix are true classes and columns
predicted ones; of several labels, each label is judged by itself. Items that are unlike anything in the training data
are counted and named, and the score without them is said.

Examples:

    headstart evaluate flowers test/
    headstart evaluate flowers test/ --json
    headstart evaluate flowers labels.csv --label species --path file
    headstart evaluate stars reviews.csv --label stars --text review
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.cli import options, tables
from headstart.cli.reporting import watching
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.ship.sealed import Model

SQUARE = 12
"""Classes beyond which the worst confusions are listed instead of the whole matrix."""
LISTED = 10


def main(
    model: options.ModelFolder,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A folder or a table of labelled pictures or texts.")],
    *,
    label: options.Label = None,
    path: options.PathColumn = None,
    text: options.TextColumn = None,
    precision: options.Precision = "float32",
    seed: options.Seed = 0,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> int:
    """Parse, evaluate, print."""
    from headstart.api.models import load

    with watching(quiet=quiet, verbose=verbose) as report:
        loaded = load(model)
        found = loaded.evaluate(
            source, label=label, path=path, text=text, precision=precision, seed=seed, report=report
        )
    for entry in found["skipped"]:
        print(f"skipped {printable(entry['file'])}: {printable(entry['error'])}", file=sys.stderr)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    rows = [(metric.title, tables.score(metric, found[name])) for name, metric in loaded.task.metrics.items()]
    tables.show((f"On {found['n']:,} {loaded.manifest.modality}", "Score with 95 % interval"), rows)
    if "interval" in found:
        _interval(found["interval"])
    if found["unfamiliar"] is not None:
        _unfamiliar(loaded, found)
    if "confusion" in found:
        _confusion(found["classes"], found["confusion"])
    if "per_label" in found:
        _per_label(found["per_label"])
    if "per_kind" in found:
        _per_kind(found["per_kind"])
    return 0


def _unfamiliar(model: Model, found: Mapping[str, Any]) -> None:
    """How many items are unlike the training data, and how good the answers to the others are."""
    strange, metric = found["unfamiliar"], model.task.metric(model.task.shown[1])
    expected = strange["expected"]
    items = f"{strange['count']:,} of {found['n']:,} look" if strange["count"] != 1 else f"1 of {found['n']:,} looks"
    print(
        f"\n{items} unlike anything in the training data; of familiar ones about {_percent(expected['value'])} % would "
        f"({_percent(expected['low'])} to {_percent(expected['high'])})"
    )
    if metric.name in strange["without"]:
        print(f"{metric.title} without them: {tables.score(metric, strange['without'][metric.name])}")
    for item in strange["items"][:LISTED]:
        print(f"  {printable(item['file'])}  strangeness {item['strangeness']:.2f}")
    if len(strange["items"]) > LISTED:
        print(f"  and {len(strange['items']) - LISTED:,} more (--json lists all)")


def _interval(found: Mapping[str, Any]) -> None:
    share = found["covered"]
    print(
        f"\n{_percent(share['value'])} % of the true values lie in their interval ({_percent(share['low'])} to "
        f"{_percent(share['high'])}); it should hold {_percent(found['coverage'])} %"
    )


def _per_label(labels: Mapping[str, Mapping[str, Any]]) -> None:
    print("\nLabel by label:\n")
    rows = [
        (name, str(row["items"]), *(_percent(row[column]) for column in ("recall", "precision", "average_precision")))
        for name, row in labels.items()
    ]
    heads = ("Label", "Items", "Found, %", "Right when said, %", "Average precision, %")
    tables.show(heads, rows, right=(1, 2, 3, 4))


def _per_kind(kinds: Mapping[str, Mapping[str, Any]]) -> None:
    print("\nKind by kind of entity:\n")
    rows = [
        (
            name,
            str(row["there"]),
            str(row["said"]),
            *(_percent(row[column]) for column in ("precision", "recall", "f1")),
        )
        for name, row in kinds.items()
    ]
    tables.show(("Kind", "There", "Said", "Precision, %", "Recall, %", "F1, %"), rows, right=(1, 2, 3, 4, 5))


def _percent(value: Mapping[str, float] | float | None) -> str:
    if value is None:
        return "-"
    return f"{100 * (value['value'] if isinstance(value, Mapping) else value):.1f}"


def _confusion(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
    if len(classes) <= SQUARE:
        print("\nTrue class by row, predicted class by column:\n")
        rows = [(name, *map(str, row)) for name, row in zip(classes, counts, strict=True)]
        tables.show(("", *_short(classes)), rows, right=range(1, len(classes) + 1))
        return
    wrong = sorted(_mistakes(classes, counts), key=lambda row: -row["count"])[:LISTED]
    print("\nMost frequent mistakes:\n" if wrong else "\nNo mistakes.")
    if wrong:
        tables.show(
            ("True class", "Predicted", "Items"),
            [(row["true"], row["predicted"], str(row["count"])) for row in wrong],
            right=(2,),
        )


def _short(classes: Sequence[str]) -> list[str]:
    """Column titles that leave room for all columns."""
    room = max(3, 60 // len(classes) - len(tables.GAP))
    return [name if len(name) <= room else name[: room - 1] + "…" for name in classes]


def _mistakes(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> list[Mapping[str, Any]]:
    return [
        {"true": classes[true], "predicted": classes[guess], "count": number}
        for true, row in enumerate(counts)
        for guess, number in enumerate(row)
        if true != guess and number
    ]
