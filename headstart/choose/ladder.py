"""The evidence ladder: cheapest first, every rung on the same held-out items, all of them reading the same store.

Baselines, then a probe of the last stage, probes of every stage, partial and full fine-tuning, and the same network
from random initialisation. It stops climbing when two rungs in a row can no longer be worth 0.3 point, and it chooses
the best validation score: to demand significance before climbing loses (SCIENCE: 72.8 against 74.4 on VTAB-1k).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from headstart.base import discovery, seeds
from headstart.base.errors import BadOption, DiskFull, RunError, UnknownName
from headstart.base.progress import Silent
from headstart.base.vocabulary import Evidence, Kind
from headstart.baselines import predictor
from headstart.choose import augmenting, flips, planning, randomly, trial
from headstart.choose.ground import Ground, prepare, sample
from headstart.choose.planning import Clock, Rung
from headstart.choose.trial import Trial
from headstart.engine.journal import Journal
from headstart.features.store import Store
from headstart.measure import intervals
from headstart.tasks.task import Task
from headstart.tune import limits

WORTH = 0.003
"""0.3 point of the task's score."""
WIDEST = 8192
"""Features of all stages side by side beyond which a probe of them costs more than it tells."""


@dataclass
class Climb:
    """What the ladder found.

    Attributes:
        trials: every measured candidate, in the order it was climbed.
        rows: the evidence table, the candidates that were not measured included.
        notes: sentences that the run says.
        journal: where the table is kept as it grows; None keeps it nowhere.
    """

    trials: list[Trial] = field(default_factory=list)
    rows: list[Evidence] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    journal: Journal | None = None

    def add(self, found: Trial) -> Trial:
        """Take in a measured candidate."""
        self.trials.append(found)
        self._add(found.row)
        return found

    def skip(self, name: str, kind: Kind, why: str) -> None:
        """Take in a candidate that was not measured."""
        self._add(Evidence(name, kind, status=why))

    def _add(self, row: Evidence) -> None:
        self.rows.append(row)
        if self.journal is not None:
            self.journal.write("evidence", [each.as_dict() for each in self.rows])

    def best(self, task: Task, metric: str, kinds: Sequence[str]) -> Trial | None:
        """The best measured candidate of some kinds; None if none was measured."""
        able = [one for one in self.trials if one.row.kind in kinds and one.row.status == "measured"]
        return preferred(able, task, metric)


def preferred(able: Sequence[Trial], task: Task, metric: str) -> Trial | None:
    """The best of some candidates by a metric; of level ones the surer, and of equally sure ones the cheaper."""
    if not able:
        return None
    equal = _level(_level(able, task, metric), task, task.settles)
    return min(equal, key=lambda one: (one.row.kind != "baseline", one.row.trainable))


def _level(able: Sequence[Trial], task: Task, metric: str) -> list[Trial]:
    """The candidates that are level with the best of them."""
    losses = [task.metric(metric).loss(one.score(metric)) for one in able]
    best = min(losses)
    return [one for one, loss in zip(able, losses, strict=True) if loss - best < task.level(metric)]


def climb(
    ground: Ground,
    *,
    strategy: str,
    options: Mapping[str, Any],
    baselines: bool,
    clock: Clock,
    augmentation: Mapping[str, Any] | None = None,
) -> tuple[Climb, Ground]:
    """Measure every rung that the strategy and the budget allow.

    Args:
        ground: data and backbone.
        strategy: "auto", or a plug-in of the tune room, which is then the only transferred rung.
        options: of that plug-in.
        baselines: False leaves out baselines and scratch, and with them the verdict.
        clock: the budget.
        augmentation: settings of the training views; what is not set is chosen or stays as it is.

    Returns:
        What was found, and the ground with the augmentation that was chosen.
    """
    found = Climb(journal=ground.journal)
    if baselines:
        for name in discovery.plugins("baselines"):
            why = predictor.serves(discovery.load("baselines", name), ground.task)
            if why:
                found.skip(name, "baseline", why)
            else:
                found.add(trial.of_baseline(ground, name))
    ground = _choose_views(ground, augmentation or {}, found)
    probes, heavy = rungs(ground.frozen.backbone.depth, strategy, options, baselines)
    _probe(ground, probes, found, clock)
    plan = _plan(ground, heavy, clock)
    if baselines:
        for one in randomly.probes(ground, probes or [Rung("probe", "probe")], int(plan.get("random_copies", 1))):
            found.add(one)
    _train(ground, heavy, plan, found, clock)
    return found, ground


def _probe(ground: Ground, probes: Sequence[Rung], found: Climb, clock: Clock) -> None:
    """Measure the probes; the earlier stages' are left out once they have cost a third of the budget."""
    recorded = ground.journal.probes
    run: list[str] = []
    for rung in probes:
        wide = sum(ground.frozen.width(stage) for stage in range(1, ground.frozen.backbone.depth + 1))
        if rung.options.get("stages") == "all" and wide > WIDEST:
            found.skip(rung.name, rung.kind, f"{wide:,} features are too many")
            continue
        afford = rung.name in recorded if recorded is not None else clock.left > clock.budget * 2 / 3 or not run
        if not afford:
            found.skip(rung.name, rung.kind, "over budget")
            continue
        run.append(rung.name)
        found.add(trial.of_strategy(ground, rung.name, rung.strategy, rung.options))
    ground.journal.write("probes", run)
    ground.frozen.forget()


def _choose_views(ground: Ground, given: Mapping[str, Any], found: Climb) -> Ground:
    """The training views: as the user set them, and mirrored, unless that was set too, if it is measured harmless."""
    ground.frozen.extract()
    if "flip" in given:
        return ground.with_augmentation(replace(ground.augmentation, **given))
    mirrored = flips.measure(ground)
    found.notes.append(mirrored.sentence)
    ground.report.say(mirrored.sentence)
    return ground.with_augmentation(replace(ground.augmentation, **given, flip=mirrored.harmless))


def rungs(depth: int, strategy: str, options: Mapping[str, Any], baselines: bool) -> tuple[list[Rung], list[Rung]]:
    """The probes, and the rungs that train, for a backbone of ``depth`` stages."""
    probes: list[Rung] = []
    heavy: list[Rung] = []
    if strategy == "auto":
        probes = [Rung("probe", "probe"), *_earlier_probes(depth)]
        cuts = sorted({depth - 1, depth // 2} - {0}, reverse=True)
        heavy = [Rung(f"partial@{cut}", "partial", {"depth": cut}) for cut in cuts] + [Rung("full", "full")]
    elif strategy == "probe":
        probes = [Rung(_probe_name(options), "probe", options)]
    else:
        name = strategy if "depth" not in options else f"{strategy}@{options['depth']}"
        heavy = [Rung(name, strategy, options, "scratch" if strategy == "scratch" else "transfer")]
    if baselines and strategy != "scratch":
        heavy.append(Rung("scratch", "scratch", kind="scratch"))
    return probes, heavy


def read_options(strategy: str, settings: Mapping[str, Any], *, has_depth: bool) -> dict[str, Any]:
    """The strategy's options from settings such as {"strategy.rate": "0.01"}.

    Raises:
        UnknownName: for a strategy, a setting or an option that does not exist.
        BadOption: for a value that does not fit, or a depth for a strategy without a cut.
    """
    if strategy != "auto" and strategy not in discovery.plugins("tune"):
        raise UnknownName("strategy", strategy, ["auto", *discovery.plugins("tune")])
    plugin = None if strategy == "auto" else discovery.load("tune", strategy)
    plan = None if plugin is None else plugin.plan
    known = {} if plan is None else discovery.options(plan)
    if has_depth and "depth" not in known:
        raise BadOption(f"Strategy {strategy} takes no depth", expected="--depth with --strategy partial, for instance")
    named = {}
    for name, value in settings.items():
        room, _, option = name.partition(".")
        if name.startswith(augmenting.GROUP):
            continue
        if room != "strategy" or option not in known:
            every = [f"strategy.{each}" for each in known] + augmenting.names()
            # The right name in the wrong group is a likelier slip than another name in the right one.
            alike = [each for each in every if each.partition(".")[2] == (option or room)]
            needed = "" if plan is not None or room != "strategy" else "name the strategy too: --strategy full, for one"
            raise UnknownName("setting", name, alike or every, next_move=needed)
        named[option] = value
    options = discovery.read_options(plan, named) if plan is not None else {}
    limits.check(options, getattr(plugin, "LIMITS", None))
    return options


def _earlier_probes(depth: int) -> list[Rung]:
    stages = [Rung(f"probe stage {stage}", "probe", {"stages": str(stage)}) for stage in range(depth - 1, 0, -1)]
    return [Rung("probe all stages", "probe", {"stages": "all"}), *stages]


def _probe_name(options: Mapping[str, Any]) -> str:
    stages = str(options.get("stages", "last"))
    return {"last": "probe", "all": "probe all stages"}.get(stages, f"probe stage {stages}")


def _plan(ground: Ground, heavy: Sequence[Rung], clock: Clock) -> dict[str, Any]:
    plan = dict(ground.journal.plan)
    if not plan:
        ground.report.begin("time a step of each strategy", None)
        plan = _timed(ground, heavy, clock)
        ground.report.end()
        ground.journal.write("plan", plan)
    _complete(plan, heavy, ground)
    planned = ", ".join(f"{name} {entry['options']}" for name, entry in plan["rungs"].items())
    if planned:
        ground.report.detail(f"Plan: {planned}; about {plan.get('seconds', 0.0):.0f} s")
    ground.report.expect(float(plan.get("seconds", 0.0)))
    return plan


def _timed(ground: Ground, heavy: Sequence[Rung], clock: Clock) -> dict[str, Any]:
    """The plan, from steps timed on a sample in a store of its own, for timing must not cost what rungs are not worth.

    The store is a temporary folder, and where that disk is full, one in the run directory.
    """
    try:
        return _timed_in(None, ground, heavy, clock)
    except (DiskFull, OSError):
        return _timed_in(ground.journal.path, ground, heavy, clock)


def _timed_in(place: Path | None, ground: Ground, heavy: Sequence[Rung], clock: Clock) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="headstart-", dir=place) as folder:
        small = prepare(
            sample(ground.dataset),
            ground.frozen.backbone,
            metric=ground.metric,
            journal=ground.journal,
            machine=ground.machine,
            store=Store(Path(folder)),
            report=Silent(),
        ).with_augmentation(ground.augmentation)
        return planning.make(small, heavy, clock, like=ground.dataset)


def _complete(plan: Mapping[str, Any], heavy: Sequence[Rung], ground: Ground) -> None:
    """A recorded plan is a file that anyone may have edited, or that another version wrote."""
    entries = plan.get("rungs")
    for rung in heavy:
        entry = entries.get(rung.name) if isinstance(entries, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(entry.get("options"), Mapping) or "status" not in entry:
            raise RunError(
                f"The recorded plan says nothing of {rung.name}",
                where=str(ground.journal.path / "plan.json"),
                expected="a status and options for every rung",
                next_move="plan anew: --overwrite instead of --resume, or without --replay",
            )


def _train(ground: Ground, heavy: Sequence[Rung], plan: dict[str, Any], found: Climb, clock: Clock) -> None:
    climbing = [rung for rung in heavy if rung.kind == "transfer"]
    for rung in heavy:
        entry = plan["rungs"][rung.name]
        late = clock.left < 0 and not ground.journal.begun(rung.name) and not ground.journal.replays
        if entry["status"] == "planned" and late:
            planning.give_up(plan, rung.name, "over budget")
            ground.journal.write("plan", plan)
        if entry["status"] == "planned" and rung in climbing and _flat(ground, found):
            found.skip(rung.name, rung.kind, "not climbed: the last two rungs gained too little")
            continue
        if entry["status"] != "planned":
            found.skip(rung.name, rung.kind, entry["status"])
            continue
        ground.report.detail(f"{rung.name}: {entry['options']}")
        one = found.add(trial.of_strategy(ground, rung.name, rung.strategy, entry["options"], kind=rung.kind))
        ground.report.detail(f"{rung.name}: {ground.metric} {one.score(ground.metric):.4f}")


def _flat(ground: Ground, found: Climb) -> bool:
    """True if the last two trained rungs cannot have been worth 0.3 point over what stood before them."""
    tuned = [one for one in found.trials if one.row.kind == "transfer" and one.strategy != "probe"]
    if len(tuned) < 2:
        return False
    before = [one for one in found.trials if one.row.kind == "transfer" and one not in tuned[-2:]]
    if not before:
        return False
    targets = ground.targets[ground.held]
    metric = ground.task.metric(ground.task.points)
    reference = min(before, key=lambda one: metric.loss(one.score(metric.name)))
    latest = min(tuned[-2:], key=lambda one: metric.loss(one.score(metric.name)))
    seed = seeds.derive(ground.seed, "flat") % 2**31
    gain = intervals.gain(metric, latest.predictions, reference.predictions, targets, seed=seed)
    return gain.high < WORTH
