"""Label pictures with a sealed model.

INPUTS are files, folders (searched through), glob patterns, or - for a list of files on standard input, one a line.
One line a picture is printed as soon as it is known: file, label, confidence.

--json prints one JSON object a line: {"file": ..., "label": ..., "confidence": ...}, with --top also "top": [{"label":
..., "confidence": ...}, ...]; an unreadable file gives {"file": ..., "error": ...}. --csv prints a header and one row a
picture, with an error column. Unreadable files are also listed on standard error; the exit code is 1 if no file
could be read.

Examples:

    headstart predict flowers a.jpg b.jpg
    headstart predict flowers new/ --json
    headstart predict flowers 'new/*.png' --top 3
    headstart predict flowers new/ --csv > labels.csv
    find . -name '*.jpg' | headstart predict flowers -
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
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
    from headstart.api import load
    from headstart.data.inputs import inputs as collected

    queue = collected(inputs)
    loaded = load(model)
    count = min(top, len(loaded.classes))
    write = _json if as_json else _csv if as_csv else _lines(max((len(_name(item)) for item in queue), default=0))
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
            said = ", ".join(f"{printable(label)} {100 * share:.1f} %" for label, share in result.top(top))
            print(f"{_name(item):<{pad}}  {said}", flush=True)
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
            row |= {"label": result.label, "confidence": round(result.confidence, 6)}
            if top > 1:
                row["top"] = [{"label": label, "confidence": round(share, 6)} for label, share in result.top(top)]
        print(json.dumps(row, ensure_ascii=False), flush=True)
    return readable, unreadable


def _csv(results: Results, top: int) -> tuple[int, int]:
    readable = unreadable = 0
    writer = csv.writer(sys.stdout, lineterminator="\n")
    more = [f"{word}_{place}" for place in range(2, top + 1) for word in ("label", "confidence")]
    writer.writerow(["file", "label", "confidence", *more, "error"])
    for item, result in results:
        if isinstance(result, Exception):
            unreadable += 1
            _complain(item, result)
            writer.writerow([str(item), *[""] * (2 * top), result.what])
        else:
            readable += 1
            pairs = [cell for label, share in result.top(top) for cell in (label, f"{share:.6f}")]
            writer.writerow([str(item), *pairs, ""])
    return readable, unreadable
