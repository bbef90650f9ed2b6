"""Open a local web page to do the whole job without a terminal: choose data, fit, read the report, try the model.

FOLDER is what the page may read and write in, with everything below it; the home folder by default. The page answers
on this machine only, at an address with a random token; the browser opens by itself. Large data sets are read where
they lie. A fit goes on when the page, the browser or this command ends, and is found again when it is opened anew.

Examples:

    headstart studio
    headstart studio photos/
    headstart studio /data --port 8800 --no-open
"""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from headstart.cli import values


def main(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]",
            help="What the page may read and write in; home by default.",
            autocompletion=values.paths,
        ),
    ] = None,
    *,
    port: Annotated[int, typer.Option(metavar="NUMBER", help="To listen to; 0 takes any that is free.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address and open no browser.")] = False,
) -> int:
    """Parse, serve."""
    from headstart.studio.server import serve

    def ready(address: str) -> None:
        print(f"Studio:  {address}")
        print("Ctrl-C ends the page; fits that run go on.", flush=True)
        if not no_open:
            webbrowser.open(address)

    serve(folder, port=port, ready=ready)
    return 0
