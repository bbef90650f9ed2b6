"""Write the report of a model: one page of HTML to look at, keep, mail and print.

MODEL is a folder that fit wrote; fit writes the page too, so this is for making it anew, or elsewhere. A run that was
interrupted has a page as well, with what is known so far. The page needs no network and no server, and holds small
pictures of your data unless the fit kept none (fit --no-pictures).

--json prints what the page is made of as one JSON object, and writes nothing.

Examples:

    headstart report flowers --open
    headstart report flowers -o flowers.html
    headstart report flowers --json
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from headstart.base.errors import BadOption
from headstart.cli import options, tables, values
from headstart.data.printable import printable


def main(
    model: options.ModelFolder,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Of the page; report.html in MODEL by default.",
            autocompletion=values.paths,
        ),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the web browser.")] = False,
    as_json: options.Json = False,
) -> int:
    """Parse, write, say where."""
    if as_json and (open_it or output is not None):
        raise BadOption("--json writes no page", expected="--json alone, or -o and --open without it")
    if as_json:
        from headstart.ship.report.gather import gather

        print(json.dumps(gather(model).as_dict(), ensure_ascii=False))
        return 0
    from headstart.ship.report import page

    path = page.write(model, output)
    print(f"Report: {printable(str(path))} ({tables.size(path.stat().st_size)})")
    if open_it:
        _open(path)
    return 0


def _open(path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.absolute().as_uri()):
        print("There is no web browser here that could be started; open the file in one.")
