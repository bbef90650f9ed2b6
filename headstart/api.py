"""The workflows, composed from the rooms: what users and the command line call."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.backbones import bundle, catalogue, cost, fetch, folder
from headstart.backbones.chain import Backbone
from headstart.base import discovery, files, log
from headstart.base.errors import BadOption, DataError, MissingExtra
from headstart.base.machine import here
from headstart.base.progress import Reporter, Silent
from headstart.base.vocabulary import BackboneInfo, Inspected
from headstart.choose import job
from headstart.choose.job import Request
from headstart.choose.planning import Clock
from headstart.data import dataset, looking
from headstart.data.opening import open_source
from headstart.diagnose import examining
from headstart.diagnose.evidence import inspection
from headstart.engine.drive import drive
from headstart.pretrain import card
from headstart.ship import exporting, sealed
from headstart.ship.exporting import Exported
from headstart.ship.report import page
from headstart.ship.sealed import Model
from headstart.track import following

if TYPE_CHECKING:
    from headstart.ship.server.running import Server


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
        source: a folder of class subfolders (or of train/, val/, test/), a CSV or Parquet file, "hf:owner/name", a
            DataFrame, a mapping {label: items}, a list of paths, PIL images or arrays with ``labels``, a Hugging Face
            or PyTorch data set, or {"train": ..., "test": ...} of such data sets.
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
        table = open_source(source, labels, label=label, path=path, group=group, groups=groups)
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
    task: str = "auto",
    seed: int = 0,
    baselines: bool = True,
    drop_rare: bool = False,
    precision: str = "auto",
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    groups: Sequence[Any] | None = None,
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
        task=task,
        seed=seed,
        baselines=baselines,
        precision=precision,
        settings=settings or {},
    )
    clock, options = Clock(request.budget), job.check(request)
    table = open_source(source, labels, label=label, path=path, group=group, groups=groups)
    data = dataset.build(
        table, task=task, seed=seed, drop_rare=drop_rare, near_duplicates=near_duplicates, report=report
    )
    return job.dry_run(request, data, options, clock=clock, report=report)


def inspect(
    source: Any,
    labels: Sequence[Any] | None = None,
    *,
    backbone: str | None = None,
    task: str = "auto",
    seed: int = 0,
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    groups: Sequence[Any] | None = None,
    report: Reporter | None = None,
) -> Inspected:
    """Everything that can be said of a labelled data set before anything is trained.

    Args:
        source, labels, label, path, group, groups: labelled items, as ``fit`` takes them.
        backbone: also compare the items with what this network reads.
        task: what the labels are for, as ``fit`` takes it.
        seed: of the split that ``fit`` would draw.
        report: told of progress.

    Returns:
        How the source was understood, and the findings, the most serious first. Data that ``fit`` would refuse are
        inspected too, and the refusal is a finding.

    Raises:
        HeadstartError: when there is nothing to look at, or the backbone is unknown.
    """
    info = None if backbone is None else catalogue.describe(backbone)
    table = open_source(source, labels, label=label, path=path, group=group, groups=groups)
    looked = looking.look(table, task=task, report=report)
    data, refusal = None, None
    try:
        data = dataset.build(looked, seed=seed)
    except DataError as error:
        refusal = error
    evidence = inspection(looked, data=data, refusal=refusal, backbone=info)
    return Inspected(
        understood=looked.table.understood,
        modality=looked.modality,
        items=len(evidence),
        task=looked.task,
        why=looked.why,
        about=evidence.task.about(evidence.targets) if len(evidence) else "",
        classes=dict(zip(evidence.names, evidence.counts().tolist(), strict=True)),
        parts={} if data is None else data.sizes(),
        cross_validated=data is not None and data.cross_validated,
        findings=tuple(examining.examined(evidence)),
        notes=looked.table.notes if data is None else data.notes,
        backbone="" if info is None else info.name,
    )


def load(path: str | Path) -> Model:
    """Load a sealed model; its golden examples are replayed first.

    Raises:
        ModelFolderError: when the folder is incomplete, edited, unsafe, or does not give its golden answers.
    """
    return sealed.load(path)


def evaluate(
    model: Model | str | Path,
    source: Any,
    labels: Sequence[Any] | None = None,
    *,
    label: str | None = None,
    path: str | None = None,
    precision: str = "float32",
    report: Reporter | None = None,
) -> dict[str, Any]:
    """Score a model on labelled items: every metric with its 95 % interval, and the confusion counts.

    Args:
        model: a model or its folder.
        source, labels, label, path: labelled items, as ``fit`` takes them.
        precision: "float32", "bf16" or "auto".
        report: told of progress.
    """
    ready = model if isinstance(model, Model) else load(model)
    return ready.evaluate(source, labels, label=label, path=path, precision=precision, report=report)


def export(
    model: Model | str | Path,
    output: str | Path,
    *,
    to: str = "onnx",
    int8: bool = False,
    validate: Any = None,
    label: str | None = None,
    path: str | None = None,
    overwrite: bool = False,
    report: Reporter | None = None,
) -> Exported:
    """Write a model in a format that others read; what was written is run and compared with the model first.

    Args:
        model: a model or its folder, which is loaded anew.
        output: the file ("flowers.onnx") or, for the other formats, the folder.
        to: "onnx", "safetensors" or "hf".
        int8: eight-bit integers instead of floats (onnx); what that costs is measured.
        validate: labelled items to measure it on, as ``fit`` takes them; the run's validation items by default.
        label, path: columns of ``validate``, if that is a table.
        overwrite: replace an earlier export.
        report: told of progress.

    Returns:
        Where it lies, how it was checked, the largest difference, and how to use it.

    Raises:
        ExportError: when the model cannot be exported so, or what was written gives something else.
        HeadstartError: its other subclasses say what was wrong and what to do.
    """
    folder = model.path if isinstance(model, Model) else model
    return exporting.export(
        folder,
        output,
        to=to,
        options={"int8": True} if int8 else {},
        validate=validate,
        label=label,
        path=path,
        overwrite=overwrite,
        report=report,
    )


def serve(
    model: Model | str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str = "",
    max_batch: int = 16,
    max_wait: str | float = "5ms",
    max_queue: int = 256,
    max_items: int = 64,
    max_body: float = 20,
    max_size: int | None = None,
    timeout: str | float = "30s",
    precision: str = "float32",
    threads: int = 0,
    started: Callable[[Server], None] | None = None,
    report: Reporter | None = None,
) -> int:
    """Answer over HTTP until SIGTERM or Ctrl-C, then finish what is in flight.

    Args:
        model: a model or its folder.
        host: an address of this machine; where others reach it, clients need a token.
        port: 0 takes any free one.
        token: that clients must send; by default none on this machine alone, and elsewhere one is made.
        max_batch: items in one forward pass.
        max_wait: how long an item waits for others to share it with.
        max_queue: items inside at once; more are answered with 503.
        max_items: items in one request.
        max_body: megabytes of one request.
        max_size: of one item before it is decoded (pixels of a picture); by default what its modality says.
        timeout: from a request's first byte to its answer.
        precision: "float32", "bf16" or "auto".
        threads: of the network; 0 measures how many are fastest.
        started: called with the server, its ``url`` and ``token``, once it answers.
        report: told what happens; every request is a detail.

    Returns:
        How many requests were cut off, which only a second signal does.

    Raises:
        BadOption: an address that cannot be had, or an impossible limit.
        ModelFolderError: when the model cannot be used.
        MissingExtra: when the libraries of the extra ``serve`` are not installed.
    """
    for library in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtra(library.replace("_", "-"), "serve")
    from headstart.ship.server import running
    from headstart.ship.server.limits import MEGABYTE, Limits

    given = {"batch": max_batch, "queue": max_queue, "items": max_items, "body": int(max_body * MEGABYTE)}
    wait = 0.0 if max_wait in (0, "0") else seconds(max_wait, "max_wait")
    limits = Limits(**given, wait=wait, timeout=seconds(timeout, "timeout"))
    here(precision)
    # The address first: a port that is taken should be said before a large model is loaded.
    with contextlib.closing(running.Place(host, port)) as place:
        ready = model if isinstance(model, Model) else load(model)
        most = discovery.load("data", ready.manifest.modality).WIRE.most if max_size is None else max_size
        server = running.Server(
            ready,
            place,
            replace(limits, item=most),
            token=token,
            precision=precision,
            threads=threads,
            report=report,
        )
        return server.run(lambda: started(server) if started else None)


def list_backbones(
    search: str = "", *, local: bool = False, backbones_from: str | Path | None = None
) -> list[BackboneInfo]:
    """The backbones whose name contains ``search``; only those on this machine with ``local``, or those of a bundle."""
    found = cost.known(catalogue.search(search, bundle=backbones_from))
    return [info for info in found if info.local] if local else found


def describe_backbone(name: str, *, backbones_from: str | Path | None = None) -> BackboneInfo:
    """Everything that is known of one backbone; its stages and their cost are found by building it without weights."""
    (info,) = cost.known([catalogue.describe(name, bundle=backbones_from)])
    if info.flops:
        return info
    return cost.complete(info, catalogue.build(info.architecture, info.config).known_as(info))


def pack_backbones(names: Sequence[str], output: str | Path, *, report: Reporter | None = None) -> list[BackboneInfo]:
    """Put backbones with their weights into one folder, for a machine without a network (``backbones_from``).

    Args:
        names: full names; what is not on this machine is downloaded.
        output: a new folder, or a bundle to add to.
        report: told of progress.

    Returns:
        What the bundle holds now.

    Raises:
        HeadstartError: when a backbone cannot be had, or the folder not written; what was packed before stays.
    """
    report = report or Silent()

    def fetched(name: str) -> Backbone:
        report.begin(f"load {name}")
        found = catalogue.load(name)
        report.begin(f"pack {name}")
        return found

    with fetch.telling(report):
        packed = bundle.pack(names, output, fetched)
    report.end()
    return [packed.describe(entry) for entry in packed.index.backbones]


def pretrain_backbone(
    method: str,
    output: str | Path,
    source: Any = None,
    *,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    precision: str = "auto",
    checkpoint_every: str | float = "30s",
    report: Reporter | None = None,
) -> BackboneInfo:
    """Make a source model and write it as a backbone folder, for ``--backbone local:DIR``.

    Args:
        method: a plug-in of the pretrain room: "procedural", "supervised" or "selfsup".
        output: the folder.
        source: what the method learns from, for those that need it: labelled items as ``fit`` takes them, or
            pictures without labels (a folder, a pattern, a list).
        seed: of everything random.
        settings: options of the method, such as {"preset": "cpu-15"}.
        overwrite: replace an existing folder.
        resume: continue in an existing folder.
        precision: "auto", "float32" or "bf16".
        checkpoint_every: time between checkpoints, and thus the most that a killed process loses.
        report: told of progress.

    Raises:
        HeadstartError: its subclasses say what was wrong and what to do.
    """
    plugin = discovery.load("pretrain", method, kind="pretraining method")
    given = discovery.read_options(plugin.plan, settings or {}, kind=f"{method} option")
    taken = [name for name in ("seed", "report") if name in given]
    if taken:
        raise BadOption(f"{taken[0]} is no option of the method", where=f"--set {taken[0]}", expected="--seed")
    words = _source_words(method, plugin.plan, source)
    every = seconds(checkpoint_every, "checkpoint_every")
    machine, to = here(precision), job.settle(Request(output=Path(output), overwrite=overwrite, resume=resume))
    with log.recording(report or Silent()) as recorded:
        plan = plugin.plan(*words, seed=seed, report=recorded, **given)
        named = {"source": str(Path(source).absolute()) if isinstance(source, str | Path) else type(source).__name__}
        config = {"method": method, "seed": seed, "settings": given, "precision": machine.precision} | (
            named if words else {}
        )
        journal = job.begin(to, config, resume=resume, every=every)
        if resume and (to / folder.DESCRIPTION).exists():
            recorded.say(f"The pretraining in {to} has finished already")
            return catalogue.describe(f"local:{to}")
        folder.remove(to)
        (to / card.NAME).unlink(missing_ok=True)
        made = drive(plan, journal, machine=machine, report=recorded)
        for finding in made.card.get("findings", ()):
            recorded.say(finding)
        about = {**made.card, "machine": machine.as_dict()}
        text = card.render(made.backbone.info, about)
        files.write_with(to / card.NAME, lambda path: path.write_text(text, "utf-8"))
        folder.write_folder(made.backbone, to, about, dtype=made.dtype)
        journal.close()
        return catalogue.describe(f"local:{to}")


def _source_words(method: str, plan: Any, source: Any) -> tuple[Any, ...]:
    """The positional arguments of a pretraining method's plan.

    Raises:
        BadOption: a source is missing, or given to a method that makes its own.
    """
    needed = bool(discovery.positional(plan))
    if needed and source is None:
        raise BadOption(
            f"Pretraining {method} needs a SOURCE to learn from",
            expected="a folder of pictures",
            next_move=f"headstart pretrain {method} SOURCE -o FOLDER",
        )
    if not needed and source is not None:
        raise BadOption(f"Pretraining {method} takes no source", where=str(source), expected="nothing after the method")
    return (source,) if needed else ()


def report(model: Model | str | Path, output: str | Path | None = None) -> Path:
    """Write the report of a model: one page of HTML that shows its run, without a network.

    Args:
        model: a model or its folder, also that of a run that was interrupted.
        output: the file; ``report.html`` in the folder by default.

    Returns:
        The file.

    Raises:
        HeadstartError: there is no model and no run, or the page cannot be written.
    """
    return page.write(model.path if isinstance(model, Model) else model, output)


def track_run(model: Model | str | Path, to: str, *, weights: bool = False) -> str:
    """Tell the run of a model to a tracker; what it was told before is not told again.

    Args:
        model: a model or its folder, also that of a run that has not finished.
        to: "tensorboard:FOLDER" or "mlflow:ADDRESS", as ``fit`` takes them.
        weights: also send the weights; the card and the report go with every run.

    Returns:
        Where it can be seen.

    Raises:
        RunError: there is no run, or the tracker does not take it.
    """
    folder = model.path if isinstance(model, Model) else Path(model).expanduser()
    return following.tell(folder.absolute(), to, weights=weights)


def seconds(given: str | float, name: str = "budget") -> float:
    """A duration in seconds from "5ms", "90s", "10m", "1.5h" or a number; ``name`` is the option's, for the error.

    Raises:
        BadOption: for anything else, or nothing at all.
    """
    text = str(given).strip().lower()
    unit = next((name for name in ("ms", "s", "m", "h") if text.endswith(name)), "")
    try:
        value = float(text.removesuffix(unit)) * {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}[unit]
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise BadOption(
            f"{name.capitalize().replace('_', ' ')} cannot be {given!r}",
            expected="a duration above 0, such as 90s, 10m or 1.5h",
        )
    return value
