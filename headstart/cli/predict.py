"""Label pictures with a sealed model, or estimate their values.

INPUTS are files, folders (searched through), glob patterns, or - for a list of files on standard input, one a line.
One line a picture is printed as soon as it is known: the file, then the label and its confidence, the labels with
theirs, or the value.

--json prints one JSON object a line: {"file": ..., "label": ..., "confidence": ...}, with --top also "top": [{"label":
..., "confidence": ...}, ...]; a model of several labels gives "labels" and "probabilities", a regression "value"; an
unreadable file gives {"file": ..., "error": ...}. --csv prints a header and one row a picture, with an error column.
Unreadable files are also listed on standard error; the exit code is 1 if no file could be read.

Examples:

    headstart predict flowers a.jpg b.jpg
    headstart predict flowers new/ --json
    headstart predict flowers 'new/*.png' --top 3
    headstart predict flowers new/ --csv > labels.csv
    find . -name '*.jpg' | headstart predict flowers -
"""

from __future__ import annotations

import csv
import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.base.errors import BadOption
from headstart.cli import options
from headstart.cli.reporting import watching
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.base.errors import Undecodable
    from headstart.ship.sealed import Prediction

    Results = Iterator[tuple[Any, Prediction | Undecodable]]

WIDEST = 48
"""Columns beyond which a file name no longer pushes the labels to the right."""


def main(
    model: options.ModelFolder,
    inputs: Annotated[list[str], typer.Argument(metavar="INPUTS", help="Files, folders, patterns, or -.")],
    *,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="The N most probable classes of each picture.")] = 1,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    precision: options.Precision = "float32",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> int:
    """Parse, predict, print."""
    if as_json and as_csv:
        raise BadOption("--json and --csv exclude each other", expected="one of them")
    from headstart.api.models import load
    from headstart.data.inputs import inputs as collected

    queue = collected(inputs)
    loaded = load(model)
    count = min(top, len(loaded.classes))
    table = functools.partial(_csv, loaded.task.header(count))
    write = _json if as_json else table if as_csv else _lines(max((len(_name(item)) for item in queue), default=0))
    # On a terminal the results themselves show the progress; a bar between them would tear the lines apart.
    with watching(quiet=quiet or sys.stdout.isatty(), verbose=verbose) as report:
        readable, unreadable = write(loaded.stream(queue, precision=precision, report=report), count)
    if unreadable:
        print(f"{unreadable:,} of {readable + unreadable:,} could not be read", file=sys.stderr)
    return 0 if readable else 1


def _name(item: Any) -> str:
    return printable(str(item))


def _complain(item: Any, error: Undecodable) -> None:
    print(f"{_name(item)}: {printable(error.what)}", file=sys.stderr)


def _lines(widest: int) -> Callable[[Results, int], tuple[int, int]]:
    pad = min(widest, WIDEST)

    def write(results: Results, top: int) -> tuple[int, int]:
        readable = unreadable = 0
        for item, result in results:
            if isinstance(result, Exception):
                unreadable += 1
                _complain(item, result)
                continue
            readable += 1
            print(f"{_name(item):<{pad}}  {printable(result.said(top))}", flush=True)
        return readable, unreadable

    return write


def _json(results: Results, top: int) -> tuple[int, int]:
    readable = unreadable = 0
    for item, result in results:
        row: dict[str, Any] = {"file": str(item)}
        if isinstance(result, Exception):
            unreadable += 1
            _complain(item, result)
            row["error"] = result.what
        else:
            readable += 1
            row |= result.task.answer(result.scores, top)
        print(json.dumps(row, ensure_ascii=False), flush=True)
    return readable, unreadable


def _csv(header: Sequence[str], results: Results, top: int) -> tuple[int, int]:
    readable = unreadable = 0
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", *header, "error"])
    for item, result in results:
        if isinstance(result, Exception):
            unreadable += 1
            _complain(item, result)
            writer.writerow([str(item), *[""] * len(header), result.what])
        else:
            readable += 1
            writer.writerow([str(item), *result.task.cells(result.scores, top), ""])
    return readable, unreadable
