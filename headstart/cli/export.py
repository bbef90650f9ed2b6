"""Write a sealed model in a format that other programs read.

--to onnx makes one file that takes whole pictures of any size (uint8, RGB, upright) and gives probabilities or values:
cropping, resizing, normalising, network and temperature are in it. Decoding a file and turning it by its EXIF
orientation is left to whoever runs it. Of texts it takes the ids of tokens, and the tokenizer lies beside it. --to hf
makes a folder that timm or transformers loads with one line, with a model card for the Hugging Face hub. --to
safetensors makes a folder of plain weights, a description of how they are used, and a README that shows it.

Whatever is written is read back, run on the model's golden examples and on generated inputs of several shapes, and
compared with the model; an export that gives something else is refused and removed.

--int8 makes the onnx file about a quarter as large. What that costs is measured on the validation items that fit held
out, or on those of --validate: the scores beside the exact export's, the size, and the time.

Examples:

    headstart export flowers --to onnx -o flowers.onnx
    headstart export flowers --to onnx -o flowers-int8.onnx --int8 --validate test/
    headstart export flowers --to hf -o flowers-hf
    headstart export flowers --to safetensors -o flowers-weights --json
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.base import discovery
from headstart.cli import options, tables, values
from headstart.cli.reporting import watching
from headstart.data.printable import listed, printable

if TYPE_CHECKING:
    from headstart.ship.exporting import Exported


def main(
    model: options.ModelFolder,
    *,
    to: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help=f"One of {', '.join(discovery.plugins('ship'))}.",
            autocompletion=values.exports,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="The .onnx file or the folder.")],
    int8: Annotated[bool, typer.Option("--int8", help="Eight-bit integers (onnx); the cost is measured.")] = False,
    validate: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Labelled items to measure --int8 on, as fit takes them."),
    ] = None,
    label: options.Label = None,
    path: options.PathColumn = None,
    text: options.TextColumn = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
) -> int:
    """Parse, export, print."""
    from headstart.api.models import export

    with watching(quiet=quiet, verbose=verbose, progress=progress) as report:
        made = export(
            model,
            output,
            to=to,
            int8=int8,
            validate=validate,
            label=label,
            path=path,
            text=text,
            overwrite=overwrite,
            report=report,
        )
    if as_json:
        print(json.dumps(made.as_dict(), ensure_ascii=False))
    else:
        _show(made)
    return 0


def _show(made: Exported) -> None:
    shown = made.path.relative_to(Path.cwd()) if made.path.is_relative_to(Path.cwd()) else made.path
    exact = "The exact export was" if made.cost else "It was"
    print(f"Written:  {printable(str(shown))} ({tables.size(made.size)})")
    print(
        tables.wrapped(
            f"Checked:  {exact} read back and compared with the model on {made.golden} golden examples and "
            f"{made.items} generated inputs of other shapes; largest difference {made.difference:.1g}, "
            f"allowed {made.tolerance:g}",
            indent="          ",
        )
    )
    for title, notes in (("Cost:", made.cost.notes if made.cost else ()), ("Note:", made.notes)):
        for number, note in enumerate(notes):
            print(tables.wrapped(f"{'' if number else title:<10}{printable(note)}", indent="          "))
    if made.use:
        print(f"\nUse it, with {listed(dict.fromkeys(('numpy', *made.needs)))} installed:\n")
    for line in made.use:
        print(f"    {printable(line)}")
