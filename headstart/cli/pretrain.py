"""Make a source model of your own, for fit --backbone local:FOLDER.

METHOD procedural trains a small network on generated patterns (fractals, contours, strokes, leaves, textures): no
photographs, no download, no labels. Its presets name about the minutes they take on two cores with native bf16:
smoke (seconds, a test of the plumbing), cpu-5, cpu-15 and cpu-60.

Examples:

    headstart pretrain procedural --preset cpu-15 -o patterns
    headstart pretrain procedural --preset cpu-60 --seed 1 -o patterns-1 --resume
    headstart fit photos/ --backbone local:patterns
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.base.errors import BadOption
from headstart.cli import options, tables
from headstart.cli.fit import parse_settings
from headstart.cli.reporting import watching
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.base.vocabulary import BackboneInfo


def main(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="How: procedural.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Of the backbone.")],
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="How long: smoke, cpu-5, cpu-15, cpu-60.")] = None,
    seed: options.Seed = 0,
    precision: options.Precision = "auto",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An option of the method; repeatable.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in the output folder.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted pretraining.")] = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> int:
    """Parse, pretrain, print."""
    if overwrite and resume:
        raise BadOption("--overwrite and --resume exclude each other", expected="one of them")
    given = parse_settings(settings or []) | ({} if preset is None else {"preset": preset})
    from headstart.api import pretrain_backbone

    with watching(quiet=quiet, verbose=verbose) as report:
        info = pretrain_backbone(
            method,
            output,
            seed=seed,
            settings=given,
            overwrite=overwrite,
            resume=resume,
            precision=precision,
            report=report,
        )
    _show(info, output, as_json=as_json)
    return 0


def _show(info: BackboneInfo, output: Path, *, as_json: bool) -> None:
    if as_json:
        facts = {"path": str(output), "architecture": info.architecture, "parameters": info.parameters}
        print(json.dumps({**facts, "size": info.preprocessing.size, "source": info.source, "licence": info.licence}))
        return
    count = tables.count(info.parameters)
    print(f"Backbone: {printable(str(output))} ({info.architecture}, {count} parameters; {info.source})")
    print(f"Use it:   headstart fit PICTURES --backbone local:{printable(shlex.quote(str(output)))}")
