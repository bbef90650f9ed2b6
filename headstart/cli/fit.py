"""Fit a model to labelled pictures or texts, judge the transfer, and seal it.

SOURCE is a folder with one subfolder a class (or with train/ val/ test/ that have them), a CSV, JSON lines or
Parquet table of image path (or text) and label, a CoNLL file of words and tags or a SQuAD file of questions and answers
(or a folder with such files as train, dev and test), or a Hugging Face data set: hf:owner/name, or a folder of
save_to_disk.
Candidates are measured cheapest first within the budget, all on the same split; the best becomes the model, and the
verdict compares it with the same network from scratch and with the best simple baseline.

Examples:

    headstart fit photos/ -o flowers
    headstart fit labels.csv --label species --budget 30m
    headstart fit scans.csv --group patient
    headstart fit reviews.csv --text review --label stars
    headstart fit names.conll -o names
    headstart fit squad/ -o reader
    headstart fit photos/ --backbone timm/resnet50.a1_in1k --strategy partial --depth 3
    headstart fit photos/ --strategy gradual --metric f1_macro --set strategy.rate=0.001
    headstart fit photos/ --strategy lora --set strategy.rank=4 --set augmentation.mixup=0.2
    headstart fit photos/ --explain
    headstart fit photos/ --max-latency 5ms --max-size 20MB
    headstart fit photos/ --dry-run
    headstart fit photos/ -o flowers --resume
    headstart fit photos/ -o again --replay flowers
    headstart fit photos/ --track tensorboard --track mlflow:http://127.0.0.1:5000
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.base import discovery
from headstart.base.errors import BadOption
from headstart.cli import options, values
from headstart.cli.reporting import watching

_Text = str | None


def main(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A folder or a table of labelled pictures or texts.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Of the model; SOURCE-model by default.",
            autocompletion=values.paths,
        ),
    ] = None,
    backbone: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="auto, PROVIDER/NAME (see headstart backbones), or local:PATH.",
            autocompletion=values.backbones,
        ),
    ] = "auto",
    architecture: Annotated[
        _Text,
        typer.Option(
            metavar="NAME",
            help="What a local:PATH state_dict belongs to, as timm/resnet50.",
            autocompletion=values.backbones,
        ),
    ] = None,
    backbones_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Take backbones from this bundle (headstart backbones pack)."),
    ] = None,
    strategy: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=f"auto, or one of {', '.join(discovery.plugins('tune'))}.",
            autocompletion=values.strategies,
        ),
    ] = "auto",
    depth: Annotated[
        _Text,
        typer.Option(
            metavar="STAGE", help="Frozen stages, a number or a name. Default: all but the last for partial, else none."
        ),
    ] = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="Wall time: 90s, 10m, 1h, or seconds.")] = "10m",
    metric: Annotated[
        _Text,
        typer.Option(
            metavar="NAME",
            help="What decides: log_loss (default), accuracy, f1_macro ...",
            autocompletion=values.metrics,
        ),
    ] = None,
    max_latency: Annotated[
        _Text, typer.Option(metavar="TIME", help="The most that predicting one item may take here, as 5ms.")
    ] = None,
    max_size: Annotated[
        _Text, typer.Option(metavar="SIZE", help="The most that the model's weights may take, as 20MB.")
    ] = None,
    task: options.Task = "auto",
    seed: options.Seed = 0,
    no_baselines: Annotated[bool, typer.Option("--no-baselines", help="Skip baselines, scratch and verdict.")] = False,
    drop_rare: Annotated[
        bool, typer.Option("--drop-rare", help="Leave out classes with under 3 items instead of stopping.")
    ] = False,
    precision: options.Precision = "auto",
    golden: Annotated[
        str, typer.Option(metavar="KIND", help="Examples sealed for self-tests: generated, or own (your items).")
    ] = "generated",
    label: options.Label = None,
    path: options.PathColumn = None,
    text: options.TextColumn = None,
    group: options.Group = None,
    no_near_duplicates: Annotated[
        bool, typer.Option("--no-near-duplicates", help="Let near duplicates lie on both sides of a split.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="strategy.OPTION or augmentation.OPTION, as in docs/plugins.md; repeatable.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is in the output folder.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted fit.")] = False,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL",
            help="Follow the plan an earlier run recorded, not the clock.",
            autocompletion=values.models,
        ),
    ] = None,
    checkpoint_every: Annotated[
        str, typer.Option(metavar="TIME", help="Between checkpoints: the most that a killed fit loses.")
    ] = "30s",
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", help="Keep no small copies of your pictures for the report.")
    ] = False,
    track: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:PLACE]",
            help=f"Follow the run with {' or '.join(discovery.plugins('track'))}, as mlflow:http://...; repeatable.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why each rung of the ladder was climbed or not, and at what cost.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and write nothing.")] = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
) -> int:
    """Parse, fit, print."""
    if overwrite and resume:
        raise BadOption("--overwrite and --resume exclude each other", expected="one of them")
    given: dict[str, Any] = {
        "backbone": backbone,
        "architecture": architecture,
        "backbones_from": backbones_from,
        "strategy": strategy,
        "depth": parse_depth(depth),
        "budget": budget,
        "metric": metric,
        "max_latency": max_latency,
        "max_size": max_size,
        "task": task,
        "seed": seed,
        "baselines": not no_baselines,
        "drop_rare": drop_rare,
        "precision": precision,
        "label": label,
        "path": path,
        "text": text,
        "group": group,
        "near_duplicates": not no_near_duplicates,
        "settings": parse_settings(settings or []),
    }
    # Imported here: they bring torch, which --help and a misspelt option should not wait for.
    from headstart.api.fitting import fit, plan_fit
    from headstart.cli import outcome

    with watching(quiet=quiet, verbose=verbose, progress=progress) as report:
        if dry_run:
            plan = plan_fit(source, report=report, **given)
        else:
            to = output or default_output(source)
            given |= {"overwrite": overwrite, "resume": resume, "replay": replay, "checkpoint_every": checkpoint_every}
            given["track"] = track or []
            model = fit(source, output=to, golden=golden, pictures=not no_pictures, report=report, **given)
    if dry_run:
        outcome.show_plan(plan, as_json=as_json)
    else:
        outcome.show_model(model, as_json=as_json, explain=explain)
    return 0


def default_output(source: str) -> Path:
    """``photos/`` gives ``photos-model`` in the current folder, a table its name without the ending."""
    path = Path(source).expanduser()
    name = path.resolve().name if path.name in ("", ".", "..") else path.name
    stem = name if path.is_dir() else Path(name).stem
    return Path(f"{stem}-model")


def parse_depth(text: str | None) -> int | str | None:
    """A stage's number or name.

    Raises:
        BadOption: for a negative number.
    """
    if text is None:
        return None
    try:
        number = int(text)
    except ValueError:
        return text
    if number < 0:
        raise BadOption(f"Depth cannot be {number}", where="--depth", expected="0 or more frozen stages")
    return number


def parse_settings(texts: list[str]) -> dict[str, str]:
    """``strategy.rate=0.01`` as {"strategy.rate": "0.01"}.

    Raises:
        BadOption: without an equals sign, or when a name comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise BadOption(f"--set cannot be {text!r}", expected="NAME=VALUE, such as strategy.rate=0.01")
        if name.strip() in found:
            raise BadOption(f"--set {name.strip()} is given twice", expected="one value")
        found[name.strip()] = value.strip()
    return found
