"""Options that several verbs share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headstart.base import discovery
from headstart.cli import values

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; warnings and results only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Details, and full tracebacks.")]
Label = Annotated[
    str | None,
    typer.Option("--label", "--target", metavar="COLUMN", help="The table's label column; or A,B,C of 0 and 1."),
]
Task = Annotated[
    str,
    typer.Option(
        "--task",
        metavar="NAME",
        autocompletion=values.tasks,
        help=f"auto (by the labels), or one of {', '.join(discovery.plugins('tasks'))}.",
    ),
]
PathColumn = Annotated[str | None, typer.Option("--path", metavar="COLUMN", help="The table's column of image paths.")]
TextColumn = Annotated[
    str | None,
    typer.Option("--text", metavar="COLUMN", help="The table's text column; or A,B whose texts belong together."),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        metavar="COLUMN",
        help="Column whose equal values (a patient, a video) stay on one side of every split; "
        "of a folder: folder, or a regular expression that finds the group in a path.",
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        "--precision",
        metavar="NAME",
        help="auto, float32 or bf16; auto is bf16 where it is native.",
        autocompletion=values.precisions,
    ),
]
Progress = Annotated[
    Path | None,
    typer.Option(
        "--progress",
        metavar="FILE",
        help="Also append progress to this file, as JSON lines.",
        autocompletion=values.paths,
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="NUMBER", help="Of everything random.")]
ModelFolder = Annotated[
    Path, typer.Argument(metavar="MODEL", help="The folder that fit wrote.", autocompletion=values.models)
]
