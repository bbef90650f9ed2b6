"""Make a source model of your own, for fit --backbone local:FOLDER.

METHOD supervised learns the classes of labelled pictures of your own (SOURCE is what fit takes) and throws the head
away: for a small task that has a larger relative. METHOD selfsup learns from pictures without labels (SOURCE is a
folder of them). METHOD mlm learns from texts without labels (SOURCE is a folder of .txt files, one .txt file, or a
table) by hiding words: with --set backbone=NAME an encoder goes on learning from them, else a small one is trained on
nothing else, with a tokenizer of its own; its presets are sizes: tiny, mini and small. METHOD procedural trains a small
network on generated patterns (fractals, contours, strokes, leaves, textures): no photographs, no download, no SOURCE.
Its presets name about the minutes they take on two cores with native bf16: smoke (seconds, a test of the plumbing),
cpu-5, cpu-15 and cpu-60.

Examples:

    headstart pretrain supervised plankton/ -o plankton-backbone
    headstart pretrain supervised labels.csv --label species -o source --set architecture=timm/resnet18 --set size=96
    headstart pretrain selfsup unlabelled/ -o own-backbone --set epochs=200
    headstart pretrain mlm notes/ -o notes-backbone --set backbone=hf/distilbert-base-uncased
    headstart pretrain mlm reports.csv --text body -o reports-backbone --preset tiny
    headstart pretrain procedural --preset cpu-60 --seed 1 -o patterns --resume
    headstart fit photos/ --backbone local:plankton-backbone
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.base.errors import BadOption
from headstart.cli import options, tables, values
from headstart.cli.fit import parse_settings
from headstart.cli.reporting import watching
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.base.vocabulary import BackboneInfo


def main(
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD", help="How: supervised, selfsup, mlm or procedural.", autocompletion=values.methods
        ),
    ],
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="What supervised, selfsup and mlm learn from.")
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Of the backbone.", autocompletion=values.paths)
    ],
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How long procedural takes (cpu-5, cpu-15, cpu-60), how large mlm is (tiny, mini, small).",
        ),
    ] = None,
    label: options.Label = None,
    path: options.PathColumn = None,
    text: options.TextColumn = None,
    group: options.Group = None,
    drop_rare: Annotated[
        bool, typer.Option("--drop-rare", help="Leave out classes with under 3 items instead of stopping.")
    ] = False,
    no_near_duplicates: Annotated[
        bool, typer.Option("--no-near-duplicates", help="Let near duplicates lie on both sides of a split.")
    ] = False,
    seed: options.Seed = 0,
    precision: options.Precision = "auto",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An option of the method; repeatable.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in the output folder.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted pretraining.")] = False,
    checkpoint_every: Annotated[
        str, typer.Option(metavar="TIME", help="Between checkpoints: the most that a killed pretraining loses.")
    ] = "30s",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> int:
    """Parse, pretrain, print."""
    if overwrite and resume:
        raise BadOption("--overwrite and --resume exclude each other", expected="one of them")
    named = {
        "preset": preset,
        "label": label,
        "path": path,
        "text": text,
        "group": group,
        "drop_rare": drop_rare or None,
        "near_duplicates": False if no_near_duplicates else None,
    }
    given = parse_settings(settings or []) | {name: value for name, value in named.items() if value is not None}
    from headstart.api.backbones import pretrain_backbone

    with watching(quiet=quiet, verbose=verbose) as report:
        info = pretrain_backbone(
            method,
            output,
            source,
            seed=seed,
            settings=given,
            overwrite=overwrite,
            resume=resume,
            precision=precision,
            checkpoint_every=checkpoint_every,
            report=report,
        )
    _show(info, output, as_json=as_json)
    return 0


_WORDS = {"images": "PICTURES", "texts": "TEXTS"}


def _show(info: BackboneInfo, output: Path, *, as_json: bool) -> None:
    if as_json:
        facts = {"path": str(output), "architecture": info.architecture, "parameters": info.parameters}
        print(json.dumps({**facts, "size": info.preprocessing.size, "source": info.source, "licence": info.licence}))
        return
    count = tables.count(info.parameters)
    print(f"Backbone: {printable(str(output))} ({info.architecture}, {count} parameters; {info.source})")
    words = _WORDS.get(info.modality, "SOURCE")
    print(f"Use it:   headstart fit {words} --backbone local:{printable(shlex.quote(str(output)))}")
