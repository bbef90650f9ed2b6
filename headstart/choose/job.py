"""One fit, from a checked data set to a sealed folder; or, as a dry run, what it would do."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from headstart.backbones.chain import Backbone
from headstart.base import discovery, log
from headstart.base.errors import BadOption, HeadstartError, OutputExists, RunError, UnknownName
from headstart.base.machine import Machine, cache_folder, here, kept_threads, use_threads
from headstart.base.manifest import REPORT
from headstart.base.progress import Reporter
from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Finding
from headstart.baselines import predictor as baselines
from headstart.choose import augmenting, exhibits, finish, ground, ladder, planning, replay, rungs, unfamiliar
from headstart.choose import backbone as backbones
from headstart.choose.constraints import Allowed
from headstart.choose.ground import Ground
from headstart.choose.planning import Clock
from headstart.data import labels
from headstart.data.dataset import Dataset
from headstart.data.printable import count
from headstart.diagnose import examining
from headstart.diagnose.evidence import inspection
from headstart.engine import threads
from headstart.engine.checkpoint import EVERY
from headstart.engine.journal import Journal
from headstart.features import inference
from headstart.features.store import Store
from headstart.ship import runs, sealed, sealing
from headstart.ship.report import page
from headstart.ship.sealed import Model
from headstart.tune import limits

_LOG = logging.getLogger(__name__)
_NOT_COMPARED = ("id", "budget")
_PART = ".part"
LOG = "log.txt"
_BEGUN_WITH = {
    "data": "other data, or split them otherwise",
    "weights": "a backbone with other weights",
    "constraints": "other limits (--max-latency, --max-size)",
    "options": "other options (--set, --depth)",
    "replay": "another run to replay, or none",
}
"""What --resume says of differences that are not to be shown as values."""
UNUSED = 30 * 86400.0
"""Seconds without use after which the store lets go of what it holds: 30 days."""


@dataclass(frozen=True)
class Request:
    """What the user asked for; the meaning of each field is in ``api.fit``."""

    output: Path | None = None
    backbone: str = "auto"
    architecture: str | None = None
    bundle: Path | None = None
    strategy: str = "auto"
    depth: int | str | None = None
    budget: float = 600.0
    metric: str | None = None
    task: str = "auto"
    seed: int = 0
    baselines: bool = True
    precision: str = "auto"
    golden: str = "generated"
    settings: Mapping[str, Any] = field(default_factory=dict)
    overwrite: bool = False
    resume: bool = False
    replay: Path | None = None
    checkpoint: float = EVERY
    pictures: bool = True
    latency: float | None = None
    size: float | None = None

    @property
    def allowed(self) -> Allowed:
        """What the sealed model may take."""
        return Allowed(None if self.latency is None else 1000 * self.latency, self.size)


def check(request: Request) -> dict[str, Any]:
    """The strategy's options, read from ``settings``.

    Raises:
        UnknownName, BadOption: before anything is read or computed.
    """
    if request.task != "auto":
        discovery.load("tasks", request.task)
    if request.metric is not None:
        _check_metric(request.metric, request.task)
    if request.golden not in ("generated", "own"):
        raise BadOption(f"Golden examples cannot be {request.golden!r}", expected="generated or own")
    here(request.precision)
    augmenting.read(request.settings, request.strategy)
    return ladder.read_options(request.strategy, request.settings, has_depth=request.depth is not None)


def _check_metric(name: str, task: str) -> None:
    """A score must be one of the task's, or of any task's as long as the labels have not been seen, and decide."""
    rooms = [plugin.load() for plugin in discovery.plugins("tasks").values()] if task == "auto" else []
    rooms = rooms or [discovery.load("tasks", task)]
    known: dict[str, bool] = {}
    for room in rooms:
        for metric in room.METRICS.values():
            known[metric.name] = known.get(metric.name, False) or metric.decides
    if name not in known:
        raise UnknownName("metric", name, known)
    if not known[name]:
        calibrated = "guessing the class shares is perfectly calibrated"
        what = calibrated if name == "calibration_error" else "it sees nothing but ranks"
        raise BadOption(
            f"{name} cannot decide between models: {what}",
            expected=", ".join(each for each, decides in known.items() if decides),
        )


def settle(request: Request) -> Path:
    """Where the model will lie, once it is certain that it may.

    Raises:
        OutputExists: when the folder is taken, naming --overwrite and --resume.
        RunError: when there is nothing to resume.
    """
    if request.output is None:
        return cache_folder() / "runs" / uuid.uuid4().hex[:12]
    to = Path(request.output).expanduser().absolute()
    begun = (to / "run" / "config.json").exists() or (to / "manifest.json").exists()
    if request.resume:
        if not begun:
            raise RunError(f"There is no run in {to} to resume", next_move="the same command without --resume")
        return to
    taken = to.exists() and not _barely_begun(to)
    if taken and not request.overwrite:
        raise OutputExists(
            f"{to} exists already",
            expected="a new or empty folder",
            next_move="--overwrite to replace it, --resume to continue it, or another -o",
        )
    if taken and not begun:
        raise OutputExists(
            f"{to} is not a headstart folder, so it is not overwritten", next_move="choose another place with -o"
        )
    parent = next(folder for folder in (to, *to.parents) if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK) or (to.is_symlink() and not to.exists()):
        raise OutputExists(f"{to} cannot be written to", expected="a folder with write permission")
    return to


def _barely_begun(to: Path) -> bool:
    """True for an empty folder, or one that a run left which was killed before its first file was whole."""
    if not to.is_dir():
        return False
    inside = list(to.iterdir())
    if [path.name for path in inside] == ["run"] and inside[0].is_dir() and not inside[0].is_symlink():
        inside = list(inside[0].iterdir())
    return all(path.name.startswith(".") and path.suffix == _PART and path.is_file() for path in inside)


def run(
    request: Request, data: Dataset, to: Path, options: Mapping[str, Any], *, clock: Clock, report: Reporter
) -> Model:
    """Choose, climb, finish, seal."""
    machine, store = here(request.precision), Store(origin=data.origin)
    earlier = replay.find(request.replay) if request.replay else None
    store.prune(UNUSED)
    chosen = backbones.choose(
        data,
        request.backbone,
        architecture=request.architecture,
        bundle=request.bundle,
        machine=machine,
        store=store,
        report=report,
        budget=request.budget,
        recorded=Run(to / "run").ranking if request.resume else earlier.records.get("ranking") if earlier else None,
        metric=request.metric,
        tuned=request.strategy == "auto",
        needed=_needs_network(request, data),
    )
    options = _with_depth(request, options, chosen.backbone)
    _check_task(request.strategy, data.task.kind)
    climbing = rungs.chosen(chosen.backbone, request.strategy, options, scratch=request.baselines)
    augmenting.check(chosen.backbone, climbing.heavy, augmenting.read(request.settings, request.strategy))
    config = _config(request, data, options, chosen.backbone.digest(), machine.precision)
    if earlier is not None:
        config["replay"] = replay.check(earlier, config)
    journal = begin(to, config, resume=request.resume, every=request.checkpoint)
    if earlier is not None:
        replay.take_over(earlier, journal)
    if chosen.ranking is not None:
        journal.write("ranking", chosen.ranking.as_dict())
    runs.remember(to, str(journal.config["id"]))
    if not request.resume:
        journal.write("data", {**_described(data), "near_duplicates": data.near.listed})
    if request.resume and (to / "manifest.json").exists():
        report.say(f"The run in {to} has finished already")
        if not (to / REPORT).exists():
            _write_page(to, report)
        return sealed.load(to)
    with kept_threads():
        model = _climb(
            request, data, journal, chosen=chosen, options=options, clock=clock, machine=machine, report=report
        )
    _write_page(to, report)
    return model


def _write_page(to: Path, report: Reporter) -> None:
    """Write the report; the model is sealed by now, and no page is worth losing it."""
    report.begin("write the report")
    try:
        page.write(to)
    except Exception as error:  # whatever a run's files or a disk come up with
        _LOG.exception("the report could not be written")
        why = error.what if isinstance(error, HeadstartError) else f"{type(error).__name__}: {error}"
        report.say(f"The report could not be written: {why}; the model is not affected (headstart report {to})")
    report.end()


def _climb(
    request: Request,
    data: Dataset,
    journal: Journal,
    *,
    chosen: backbones.Choice,
    options: Mapping[str, Any],
    clock: Clock,
    machine: Machine,
    report: Reporter,
) -> Model:
    store = Store(limit=journal.store_limit, origin=data.origin)
    machine = replace(machine, threads=_threads(journal, chosen.backbone, data, machine, store.limit))
    for line in (*_about(data), *chosen.notes):
        report.say(line)
    report.detail(f"Machine: {machine.kind}, {machine.device}, {machine.precision}, {count(machine.threads, 'thread')}")
    findings = _findings(data, chosen.backbone)
    journal.write("findings", [asdict(finding) for finding in findings])
    _tell(findings, report)
    stand = ground.prepare(
        data, chosen.backbone, metric=request.metric, journal=journal, machine=machine, store=store, report=report
    )
    said = stand.frozen.pixels.overview()
    if said:
        report.say(said)
    found, stand = ladder.climb(
        stand,
        strategy=request.strategy,
        options=options,
        baselines=request.baselines,
        clock=clock,
        augmentation=augmenting.read(request.settings, request.strategy),
        allowed=request.allowed,
    )
    for row in found.rows:
        report.detail(f"{row.name}: {row.status}, {row.seconds:.1f} s; {_scores(row)}")
    ended = finish.finish(stand, found)
    journal.write("verdict", ended.verdict)
    if found.account is not None:
        found.account.close(ended.trial, found.trials, request.allowed.as_dict())
    report.detail(str(ended.verdict.get("sentence", "")))
    kept = exhibits.keep(stand, found, ended, shown=request.pictures)
    _tell(kept.findings, report)
    notes = (*chosen.notes, *([said] if said else []), *found.notes, *kept.notes)
    model = _seal(request, journal.path.parent, stand, found, ended, notes=notes, clock=clock)
    journal.close()
    return model


def dry_run(
    request: Request, data: Dataset, options: Mapping[str, Any], *, clock: Clock, report: Reporter
) -> dict[str, Any]:
    """What ``run`` would do, and about how long it would take; nothing is left behind."""
    machine = here(request.precision)
    with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
        store, journal = Store(Path(folder) / "store"), Journal(Path(folder) / "run")
        sample = ground.sample(data)
        chosen = backbones.choose(
            sample,
            request.backbone,
            architecture=request.architecture,
            bundle=request.bundle,
            machine=machine,
            store=store,
            report=report,
            budget=request.budget,
            needed=_needs_network(request, data),
        )
        options = _with_depth(request, options, chosen.backbone)
        _check_task(request.strategy, data.task.kind)
        stand = ground.prepare(
            sample, chosen.backbone, metric=request.metric, journal=journal, machine=machine, store=store, report=report
        )
        climbing = rungs.chosen(chosen.backbone, request.strategy, options, scratch=request.baselines)
        views = augmenting.read(request.settings, request.strategy)
        augmenting.check(chosen.backbone, climbing.heavy, views)
        stand = stand.with_augmentation(replace(stand.augmentation, **views))
        plan = planning.make(stand, climbing.heavy, clock, like=data)
        inputs = stand.frozen.pixels
        bytes_each = inputs.bytes * inputs.fill / max(1, len(inputs))
    return {
        "data": {"understood": data.understood, **_described(data)},
        "backbone": {"name": chosen.backbone.info.name, "stages": list(chosen.backbone.info.stages)},
        "machine": machine.as_dict(),
        "baselines": baselines.reading(data.modality) if request.baselines else [],
        "probes": [rung.name for rung in climbing.probes],
        "rungs": {name: {**entry["options"], "status": entry["status"]} for name, entry in plan["rungs"].items()},
        "rungs_that_go_on_after_their_sweeps": plan["keep"],
        "trials_of_a_search_within_the_best": plan["trials"],
        "estimated_seconds": round(plan["seconds"] + plan["extraction_seconds"], 1),
        "estimated_disk_megabytes": round(bytes_each * len(data.development) / 1e6, 1),
        "notes": [*chosen.notes, *climbing.notes],
        "findings": [_told(finding) for finding in _findings(data, chosen.backbone)],
    }


def _with_depth(request: Request, options: Mapping[str, Any], chosen: Backbone) -> dict[str, Any]:
    found = dict(options) if request.depth is None else {**options, "depth": chosen.resolve(request.depth)}
    if request.strategy != "auto":
        plugin = discovery.load("tune", request.strategy)
        if hasattr(plugin, "check"):
            plugin.check(chosen, found)
    return found


def _config(
    request: Request, data: Dataset, options: Mapping[str, Any], weights: str, precision: str
) -> dict[str, Any]:
    return {
        "backbone": request.backbone,
        "architecture": request.architecture,
        "strategy": request.strategy,
        "options": dict(options),
        "augmentation": augmenting.read(request.settings, request.strategy) or None,
        "metric": request.metric,
        "constraints": request.allowed.as_dict() or None,
        "task": data.task.kind,
        "seed": request.seed,
        "budget": request.budget,
        "baselines": request.baselines,
        "precision": precision,
        "data": data.digest,
        "weights": weights,
    }


def begin(to: Path, config: Mapping[str, Any], *, resume: bool, every: float = EVERY) -> Journal:
    """Start the run directory in ``to``, or continue the one that is there.

    Raises:
        RunError: when the run that is there was of other data, options or weights.
    """
    journal = Journal(to / "run", every)
    if resume:
        before = journal.config
        for name in dict.fromkeys((*config, *before)):
            value = config.get(name)
            if name not in _NOT_COMPARED and before.get(name) != value:
                what = _BEGUN_WITH.get(name, f"another {name}: {before.get(name)}, now {value}")
                raise RunError(
                    f"The run in {to} had {what}",
                    next_move="the same command and data as before, or --overwrite to start anew",
                )
        log.keep_in(journal.path / LOG)
        return journal
    # Without its manifest the folder is no model: --resume must not take the old one for this run's.
    (to / "manifest.json").unlink(missing_ok=True)
    (to / REPORT).unlink(missing_ok=True)
    if journal.path.is_symlink():
        journal.path.unlink()
    elif journal.path.exists():
        shutil.rmtree(journal.path)
    journal.begin({"id": uuid.uuid4().hex, **config})
    log.keep_in(journal.path / LOG)
    return journal


def _threads(journal: Journal, backbone: Backbone, data: Dataset, machine: Machine, limit: int) -> int:
    """The number of threads of this run: measured once, then kept, for it decides the order of sums.

    The store's limit is kept beside it, for it decides how many views there are.
    """
    recorded = journal.threads
    if recorded is not None:
        use_threads(recorded)
        return recorded
    some = [data.items[int(i)] for i in data.development[:16]]
    inputs = inference.batch(some, backbone.info.preprocessing, modality=data.modality).to(machine.device)
    backbone.eval().to(machine.device).to(memory_format=torch.channels_last)

    def forward() -> None:
        with torch.inference_mode(), machine.autocast():
            backbone(inputs)

    found = threads.fastest(forward, sorted({1, machine.threads}))
    journal.write("machine", {**machine.as_dict(), "threads": found, "store_limit": limit})
    return found


def _needs_network(request: Request, data: Dataset) -> bool:
    """Is there nothing to measure without a network?"""
    return request.strategy != "auto" or not request.baselines or not baselines.reading(data.modality)


def _findings(data: Dataset, backbone: Backbone) -> list[Finding]:
    """What can be said of the data before anything is trained."""
    info = None if backbone.is_absent else backbone.info
    return [] if data.looked is None else examining.examined(inspection(data.looked, data=data, backbone=info))


def _scores(row: Evidence) -> str:
    return ", ".join(f"{name} {score.value:.4g}" for name, score in row.scores.items()) or "no score"


def _tell(findings: Iterable[Finding], report: Reporter) -> None:
    for finding in findings:
        tell = report.detail if finding.severity == "info" else report.say
        tell(_told(finding))


def _told(finding: Finding) -> str:
    move = f"; {finding.next_move}" if finding.next_move else ""
    return f"{finding.severity.capitalize()}: {finding.sentence}{move}"


def _check_task(strategy: str, kind: str) -> None:
    if strategy != "auto":
        limits.check_task(kind, getattr(discovery.load("tune", strategy), "TASKS", None), strategy)


def _about(data: Dataset, most: int = 5) -> list[str]:
    """What was understood of the source, and what was left out of it."""
    lines = [data.understood, labels.chosen(data.task.kind, data.why), *data.notes]
    counts = ", ".join(f"{count:,} {part}" for part, count in data.sizes().items() if count)
    how = "cross-validated in 5 folds" if data.cross_validated else "one split"
    lines.append(f"{len(data):,} {data.modality} {data.task.about(data.targets)}: {counts}; {how}, seed {data.seed}")
    if data.skipped:
        lines.append(f"{len(data.skipped)} left out:")
        lines += [f"  {one.where}: {one.why}" for one in data.skipped[:most]]
        if len(data.skipped) > most:
            lines.append(f"  and {len(data.skipped) - most} more, all listed in the run's data.json")
    return lines


def _described(data: Dataset) -> dict[str, Any]:
    counts = data.counts()
    return {
        "origin": data.origin,
        "understood": data.understood,
        "digest": data.digest,
        "parts": data.sizes(),
        "task": data.task.kind,
        "counts": {name: sum(row.values()) for name, row in counts.items()},
        "targets": data.task.about(data.targets),
        "skipped": [asdict(one) for one in data.skipped],
        "notes": list(data.notes),
        "cross_validated": data.cross_validated,
    }


def _seal(
    request: Request,
    to: Path,
    stand: Ground,
    found: ladder.Climb,
    ended: finish.Finished,
    *,
    notes: tuple[str, ...],
    clock: Clock,
) -> Model:
    trial, network = ended.trial, ended.network
    depth = 0
    if network is not None:
        everything = network.backbone.depth
        depth = everything if trial.strategy == "probe" else int(trial.options.get("depth", 0))
    own = [stand.items[int(i)] for i in stand.folds[0][1][:8]] if request.golden == "own" else None
    stand.report.begin("seal the model")
    model = sealing.seal(
        to,
        network=network,
        predictor=ended.predictor,
        task=stand.task.calibrated(trial.predictions, stand.targets[stand.held]),
        info=network.backbone.info if network is not None else None,
        preprocessing=None,
        temperature=trial.temperature,
        modality=stand.dataset.modality,
        evidence=found.rows,
        verdict=ended.verdict,
        data={**_described(stand.dataset), "findings": [_told(Finding(**each)) for each in stand.journal.findings]},
        depth=depth,
        golden=request.golden,
        own_items=own,
        seed=request.seed,
        doubt=unfamiliar.doubt(stand, trial, ended.watch),
        extra={
            "candidate": trial.row.name,
            "strategy": trial.strategy,
            "options": dict(trial.options),
            "metric": stand.metric,
            "seed": request.seed,
            "budget_seconds": request.budget,
            "seconds": round(request.budget - clock.left, 1),
            "machine": stand.machine.as_dict(),
            "flips": stand.augmentation.flip,
            "augmentation": asdict(stand.augmentation),
            "class_weights": None if stand.weights is None else [round(float(w), 4) for w in stand.weights],
            "notes": list(notes),
        },
    )
    stand.report.end()
    return model
