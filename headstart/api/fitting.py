"""A labelled source becomes a sealed model; or, as a dry run, what that would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.base import log, quantities
from headstart.base.progress import Reporter, Silent
from headstart.choose import job
from headstart.choose.job import Request
from headstart.choose.planning import Clock
from headstart.data import dataset
from headstart.data.opening import open_source
from headstart.ship.sealed import Model
from headstart.track import following

if TYPE_CHECKING:
    pass
from headstart.base.quantities import seconds


def fit(
    source: Any,
    labels: Sequence[Any] | None = None,
    *,
    output: str | Path | None = None,
    backbone: str = "auto",
    architecture: str | None = None,
    backbones_from: str | Path | None = None,
    strategy: str = "auto",
    depth: int | str | None = None,
    budget: str | float = "10m",
    metric: str | None = None,
    max_latency: str | float | None = None,
    max_size: str | float | None = None,
    task: str = "auto",
    seed: int = 0,
    baselines: bool = True,
    drop_rare: bool = False,
    precision: str = "auto",
    golden: str = "generated",
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    groups: Sequence[Any] | None = None,
    text: str | Sequence[str] | None = None,
    near_duplicates: bool = True,
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    replay: str | Path | None = None,
    checkpoint_every: str | float = "30s",
    pictures: bool = True,
    track: str | Sequence[str] = (),
    report: Reporter | None = None,
) -> Model:
    """Get the best model that a pretrained network can give for a small labelled data set.

    Args:
        source: a folder of class subfolders (or of train/, val/, test/) with pictures or .txt files, a CSV, JSON lines
            or Parquet file, "hf:owner/name", a DataFrame, a mapping {label: items}, a list of paths, PIL images, arrays
            or texts with ``labels``, a Hugging Face or PyTorch data set, or {"train": ..., "test": ...} of such sets.
        labels: one label an item, for a list: a class, a list of labels, or a number.
        output: the model's folder; by default a new one in headstart's cache.
        backbone: "provider/name", "local:PATH", or "auto".
        architecture: what a bare state_dict is the weights of.
        backbones_from: a bundle that ``pack_backbones`` wrote: backbones come from there and nothing is downloaded;
            by default the one that the environment's HEADSTART_BACKBONES names.
        strategy: "auto", or a strategy's name.
        depth: number or name of the last frozen stage, for a strategy that has a cut.
        budget: wall time for everything, such as "90s", "10m", "1h" or seconds.
        metric: decides between candidates; log loss by default, balanced accuracy where classes are very unequal,
            the root mean squared error of numbers.
        max_latency: the most time that predicting one item may take on this machine, such as "5ms" or seconds: in
            batches, decoding left out; what takes longer is measured where it can be, and not chosen.
        max_size: the most that the model's weights may take, such as "20MB" or bytes.
        task: "classification", "multilabel" (lists of labels), "regression" (numbers), or "auto", which goes by the
            labels and says what it took them for.
        seed: of the split and of everything random.
        baselines: False leaves out baselines, scratch and the verdict.
        drop_rare: drop classes with fewer than 3 items instead of stopping.
        precision: "auto", "float32" or "bf16".
        golden: "generated", or "own" to keep eight of your own items as golden examples.
        label, path: columns of a table; several label columns of 0 and 1 with commas between.
        group: column of what stays on one side of every split (a patient, a plant, a video); for a folder "folder"
            (the folders inside class folders) or a regular expression that finds the group in a path.
        groups: one an item instead, for a list.
        text: column of a table that holds the texts, where it is not found by itself; two of them, in a list or with a
            comma between, are pairs of texts that belong together.
        near_duplicates: keep near duplicates on one side of every split; False does not look for them.
        settings: options by dotted name, such as {"strategy.rate": 0.001}.
        overwrite: replace an existing output.
        resume: continue the run in an existing output.
        replay: an earlier run (its model folder) of the same command, whose recorded plan is followed instead of the
            clock: same plan, same seed, same kind of machine, same numbers.
        checkpoint_every: time between checkpoints of a running fit, and thus the most that a killed process loses.
        pictures: keep small copies of some of your items beside the model, in ``run/shown``, for the report to show;
            they are no part of the sealed model.
        track: "tensorboard:FOLDER", "mlflow:ADDRESS", or several; the run is told to them while it goes.
        report: told of progress.

    Returns:
        The sealed model, loaded from ``output``.

    Raises:
        HeadstartError: its subclasses say what was wrong and what to do.
    """
    request = Request(
        output=None if output is None else Path(output),
        backbone=backbone,
        architecture=architecture,
        bundle=None if backbones_from is None else Path(backbones_from),
        strategy=strategy,
        depth=depth,
        budget=seconds(budget),
        metric=metric,
        latency=None if max_latency is None else seconds(max_latency, "max_latency"),
        size=None if max_size is None else quantities.size(max_size, "max_size"),
        task=task,
        seed=seed,
        baselines=baselines,
        precision=precision,
        golden=golden,
        settings=settings or {},
        overwrite=overwrite,
        resume=resume,
        replay=None if replay is None else Path(replay),
        checkpoint=seconds(checkpoint_every, "checkpoint_every"),
        pictures=pictures,
    )
    clock, options = Clock(request.budget), job.check(request)
    tracks = [track] if isinstance(track, str) else list(track)
    following.check(tracks)
    to = job.settle(request)
    with (
        log.recording(report or Silent()) as recorded,
        following.followed(to, tracks, resume=resume, report=recorded),
    ):
        table = open_source(source, labels, label=label, path=path, group=group, groups=groups, text=text)
        data = dataset.build(
            table, task=task, seed=seed, drop_rare=drop_rare, near_duplicates=near_duplicates, report=recorded
        )
        return job.run(request, data, to, options, clock=clock, report=recorded)


def plan_fit(
    source: Any,
    labels: Sequence[Any] | None = None,
    *,
    backbone: str = "auto",
    architecture: str | None = None,
    backbones_from: str | Path | None = None,
    strategy: str = "auto",
    depth: int | str | None = None,
    budget: str | float = "10m",
    metric: str | None = None,
    max_latency: str | float | None = None,
    max_size: str | float | None = None,
    task: str = "auto",
    seed: int = 0,
    baselines: bool = True,
    drop_rare: bool = False,
    precision: str = "auto",
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    groups: Sequence[Any] | None = None,
    text: str | Sequence[str] | None = None,
    near_duplicates: bool = True,
    settings: Mapping[str, Any] | None = None,
    report: Reporter | None = None,
) -> dict[str, Any]:
    """What ``fit`` would do with the same arguments, and about how long it would take; nothing is written.

    Returns:
        Plain data: how the data were understood, the backbone, the rungs with their epochs, the estimates.
    """
    report = report or Silent()
    request = Request(
        backbone=backbone,
        architecture=architecture,
        bundle=None if backbones_from is None else Path(backbones_from),
        strategy=strategy,
        depth=depth,
        budget=seconds(budget),
        metric=metric,
        latency=None if max_latency is None else seconds(max_latency, "max_latency"),
        size=None if max_size is None else quantities.size(max_size, "max_size"),
        task=task,
        seed=seed,
        baselines=baselines,
        precision=precision,
        settings=settings or {},
    )
    clock, options = Clock(request.budget), job.check(request)
    table = open_source(source, labels, label=label, path=path, group=group, groups=groups, text=text)
    data = dataset.build(
        table, task=task, seed=seed, drop_rare=drop_rare, near_duplicates=near_duplicates, report=report
    )
    return job.dry_run(request, data, options, clock=clock, report=report)
