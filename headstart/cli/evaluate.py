"""Score a sealed model on labelled pictures it has not seen.

SOURCE is what fit takes: a folder with one subfolder a class, or a table. Where it has a test part, only that part is
used. Every score comes with its 95 % interval; of classes, rows of the confusion matrix are true classes and columns
predicted ones; of several labels, each label is judged by itself.

Examples:

    headstart evaluate flowers test/
    headstart evaluate flowers test/ --json
    headstart evaluate flowers labels.csv --label species --path file
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from headstart.cli import options, tables
from headstart.cli.reporting import watching
from headstart.data.printable import printable

SQUARE = 12
"""Classes beyond which the worst confusions are listed instead of the whole matrix."""
LISTED = 10


def main(
    model: options.ModelFolder,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A folder or a table of labelled pictures.")],
    *,
    label: options.Label = None,
    path: options.PathColumn = None,
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
        found = loaded.evaluate(source, label=label, path=path, precision=precision, seed=seed, report=report)
    for entry in found["skipped"]:
        print(f"skipped {printable(entry['file'])}: {printable(entry['error'])}", file=sys.stderr)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    rows = [(metric.title, tables.score(metric, found[name])) for name, metric in loaded.task.metrics.items()]
    tables.show((f"On {found['n']:,} pictures", "Score with 95 % interval"), rows)
    if "confusion" in found:
        _confusion(found["classes"], found["confusion"])
    if "per_label" in found:
        _per_label(found["per_label"])
    return 0


def _per_label(labels: Mapping[str, Mapping[str, Any]]) -> None:
    print("\nLabel by label:\n")
    rows = [
        (name, str(row["items"]), *(_percent(row[column]) for column in ("recall", "precision", "average_precision")))
        for name, row in labels.items()
    ]
    heads = ("Label", "Items", "Found, %", "Right when said, %", "Average precision, %")
    tables.show(heads, rows, right=(1, 2, 3, 4))


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
