"""Label pictures or texts with a sealed model, or estimate their values.

INPUTS are files, folders (searched through), glob patterns, or - for a list of files on standard input, one a line. For
a model of texts they are text files, folders with them, tables (whose text column is found, or named with --text),
sentences in quotes, or - for standard input, a text a line. One line an item is printed as soon as it is known: the
file or row, then the label and its confidence, the labels with theirs, or the value; of a text that is longer than the
network's window also in how many windows it was read. A model of words takes CoNLL files and sentences; it answers with
the entities of each, or with its tags. A model that answers questions takes SQuAD files, tables with --text
question,context, and a question with its text (or a text file) behind it.

--json prints one JSON object a line: {"file": ..., "label": ..., "confidence": ...}, with --top also "top": [{"label":
..., "confidence": ...}, ...]; a model of several labels gives "labels" and "probabilities", a regression "value", one
of words "entities", "words", "tags" and "confidences", one of answers "answer", its "start" and "end" (characters of
the text), "confidence" and "no_answer"; an unreadable file gives {"file": ..., "error": ...}.
"unfamiliar" is true for an item that is unlike anything in the training data, by its "strangeness", which is above 1
then. With --min-confidence, "unsure" is true for an answer that is less sure than asked; how many held-out items that
would have kept, and how many of them wrong, is said first.
--csv prints a header and one row an item (or a word), with an error column.
Unreadable files are also listed on standard error; the exit code is 1 if no file could be read.

Examples:

    headstart predict flowers a.jpg b.jpg
    headstart predict flowers new/ --json
    headstart predict flowers 'new/*.png' --top 3
    headstart predict flowers new/ --csv > labels.csv
    headstart predict flowers new/ --min-confidence 0.9
    find . -name '*.jpg' | headstart predict flowers -
    headstart predict mood 'What a film!' review.txt
    headstart predict mood new.csv --text review --csv
    headstart predict names 'Ada Lovelace lived in London.' new.conll
    headstart predict reader 'Where did Ada live?' 'Ada Lovelace lived in London.'
"""

from __future__ import annotations

import csv
import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.base.errors import BadOption
from headstart.cli import options
from headstart.cli.reporting import watching
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.base.errors import Undecodable
    from headstart.ship.sealed import Model, Prediction

    Results = Iterator[tuple[Any, Prediction | Undecodable]]
    Write = Callable[[Results, int], tuple[int, int]]

NAMED = 5
"""Unfamiliar items that are named at the end."""
WIDEST = 48
"""Columns beyond which a file name no longer pushes the labels to the right."""


def main(
    model: options.ModelFolder,
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUTS", help="Files, folders, patterns, -, tables or sentences.")
    ],
    *,
    text: options.TextColumn = None,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="The N most probable classes of each item.")] = 1,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    min_confidence: Annotated[
        float | None,
        typer.Option("--min-confidence", metavar="P", help="Mark answers that are less sure than this, from 0 to 1."),
    ] = None,
    precision: options.Precision = "float32",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> int:
    """Parse, predict, print."""
    if as_json and as_csv:
        raise BadOption("--json and --csv exclude each other", expected="one of them")
    from headstart.api.models import load
    from headstart.data.inputs import collected

    loaded = load(model)
    queue = collected(inputs, modality=loaded.manifest.modality, text=text)
    count = min(top, len(loaded.classes))
    if min_confidence is not None and not quiet:
        _say_what_it_costs(loaded, min_confidence)
    counted = _Counted()
    widest = max((len(_name(item)) for item in queue), default=0)
    write: Write = _lines(widest)
    if as_csv:
        write = functools.partial(_csv, loaded.task.header(count), min_confidence)
    elif as_json:
        write = functools.partial(_json, min_confidence)
    # On a terminal the results themselves show the progress; a bar between them would tear the lines apart.
    with watching(quiet=quiet or sys.stdout.isatty(), verbose=verbose) as report:
        results = loaded.stream(queue, precision=precision, min_confidence=min_confidence, report=report)
        readable, unreadable = write(counted.of(results), count)
    if unreadable:
        print(f"{unreadable:,} of {readable + unreadable:,} could not be read", file=sys.stderr)
    if readable and not quiet:
        counted.tell(loaded, readable, min_confidence)
    return 0 if readable else 1


@dataclass
class _Counted:
    """Which items are unfamiliar and how many unsure, counted while their predictions pass."""

    unfamiliar: list[str] = field(default_factory=list)
    strange: int = 0
    unsure: int = 0

    def of(self, results: Results) -> Results:
        for item, result in results:
            if not isinstance(result, Exception):
                self.unsure += result.unsure
                if result.unfamiliar:
                    self.strange += 1
                    if len(self.unfamiliar) < NAMED:
                        self.unfamiliar.append(_name(item))
            yield item, result

    def tell(self, model: Model, readable: int, asked: float | None) -> None:
        if asked is not None:
            print(f"{self.unsure:,} of {readable:,} are unsure: less than {asked:g}", file=sys.stderr)
        if model.doubt.line is None:
            print(f"Whether {_items(model)} are unfamiliar is not said: {model.doubt.missing}", file=sys.stderr)
        elif self.strange:
            more = f" and {self.strange - NAMED:,} more" if self.strange > NAMED else ""
            look = "looks" if self.strange == 1 else "look"
            print(
                f"{self.strange:,} of {readable:,} {look} unlike anything in the training data: "
                f"{', '.join(self.unfamiliar)}{more}",
                file=sys.stderr,
            )


def _items(model: Model) -> str:
    return model.manifest.modality


def _say_what_it_costs(model: Model, asked: float) -> None:
    """What a least confidence did to the items that were held out when the model was made."""
    known = model.doubt.keeping(asked)
    if known is None:
        return
    share, wrong = known
    print(
        f"Of held-out {_items(model)}, {100 * share:.0f} % were answered at least so surely; of these "
        f"{100 * wrong.value:.1f} % were wrong (95 % interval {100 * wrong.low:.1f} to {100 * wrong.high:.1f})",
        file=sys.stderr,
    )


def _name(item: Any) -> str:
    return printable(str(item))


def _complain(item: Any, error: Undecodable) -> None:
    print(f"{_name(item)}: {printable(error.what)}", file=sys.stderr)


def _lines(widest: int) -> Write:
    pad = min(widest, WIDEST)

    def write(results: Results, top: int) -> tuple[int, int]:
        readable = unreadable = 0
        for item, result in results:
            if isinstance(result, Exception):
                unreadable += 1
                _complain(item, result)
                continue
            readable += 1
            said = printable(result.said(top))
            said = f"unsure, perhaps {said}" if result.unsure else said
            marks = "".join(f"  {word}" for word in ("unfamiliar" * bool(result.unfamiliar), result.remark) if word)
            print(f"{_name(item):<{pad}}  {said}{marks}", flush=True)
        return readable, unreadable

    return write


def _json(asked: float | None, results: Results, top: int) -> tuple[int, int]:
    from headstart.ship import doubt

    readable = unreadable = 0
    for item, result in results:
        row: dict[str, Any] = {"file": str(item)}
        if isinstance(result, Exception):
            unreadable += 1
            _complain(item, result)
            row["error"] = result.what
        else:
            readable += 1
            row |= result.answered(top) | doubt.marks(result.strangeness)
            row |= {"remark": result.remark} if result.remark else {}
            if asked is not None:
                row["unsure"] = result.unsure
        print(json.dumps(row, ensure_ascii=False), flush=True)
    return readable, unreadable


def _csv(header: Sequence[str], asked: float | None, results: Results, top: int) -> tuple[int, int]:
    from headstart.ship import doubt

    readable = unreadable = 0
    writer = csv.writer(sys.stdout, lineterminator="\n")
    blank = [""] * (len(header) + len(doubt.HEADER))
    unsure = ["unsure"] if asked is not None else []
    writer.writerow(["file", *header, *doubt.HEADER, *unsure, "error"])
    for item, result in results:
        if isinstance(result, Exception):
            unreadable += 1
            _complain(item, result)
            writer.writerow([str(item), *blank, *[""] * len(unsure), result.what])
        else:
            readable += 1
            marked = [str(result.unsure).lower()] * len(unsure)
            for cells in result.rows(top):
                writer.writerow([str(item), *cells, *doubt.cells(result.strangeness), *marked, ""])
    return readable, unreadable
