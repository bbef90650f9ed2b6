"""The evidence ladder: cheapest first, every rung on the same held-out items, all of them reading the same store.

Baselines, then a probe of the last stage, probes of every stage, the rungs that train (``rungs.py``), and the same
network from random initialisation. It stops climbing when two rungs in a row can no longer be worth 0.3 point
(``stopping.py``); where the budget has no room for all of them, the worse half is dropped after their sweeps
(``halving.py``). It chooses the best validation score: to demand significance before climbing loses (SCIENCE: 72.8
against 74.4 on VTAB-1k). Every decision is kept with its reason (``account.py``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from headstart.base import discovery
from headstart.base.errors import BadOption, DiskFull, RunError, UnknownName
from headstart.base.vocabulary import Evidence, Kind
from headstart.baselines import predictor
from headstart.choose import (
    augmenting,
    flips,
    halving,
    life,
    mixing,
    planning,
    randomly,
    rates,
    repeating,
    searching,
    stopping,
    trial,
)
from headstart.choose.account import Account
from headstart.choose.constraints import Allowed, Bounds
from headstart.choose.ground import Ground, small
from headstart.choose.planning import Clock
from headstart.choose.rungs import Rung, chosen
from headstart.choose.trial import Trial
from headstart.engine.journal import Journal
from headstart.features.store import Store
from headstart.tasks.task import Task
from headstart.tune import limits

MIXABLE = ("norm", "bitfit", "partial", "lora", "full")
"""Strategies whose training starts at the probed network, so that its result can be mixed with that start."""
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
        account: why each was climbed or not; None keeps none.
        bounds: what may be sealed; None for anything.
    """

    trials: list[Trial] = field(default_factory=list)
    rows: list[Evidence] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    journal: Journal | None = None
    account: Account | None = None
    bounds: Bounds | None = None

    def add(self, found: Trial, why: str = "") -> Trial:
        """Take in a measured candidate, and why it was measured; it comes back with what may keep it from winning."""
        found = found if self.bounds is None else self.bounds.checked(found)
        if self.account is not None:
            self.account.climbed(found, self.trials, why)
        self.trials.append(found)
        self._add(found.row)
        return found

    def skip(self, name: str, kind: Kind, why: str, decision: str = "not climbed", seconds: float = 0.0) -> None:
        """Take in a candidate that was not measured to the end; what it cost until then is kept."""
        row = Evidence(name, kind, status=why)
        if self.account is not None:
            self.account.skipped(row, decision, why, seconds)
        self._add(row)

    def _add(self, row: Evidence) -> None:
        self.rows.append(row)
        if self.journal is not None:
            self.journal.write("evidence", [each.as_dict() for each in self.rows])

    def best(self, task: Task, metric: str, kinds: Sequence[str]) -> Trial | None:
        """The best measured candidate of some kinds; None if none was measured."""
        able = [one for one in self.trials if one.row.kind in kinds and one.row.status == "measured"]
        # What lost to the foremost on the first draw of the folds cannot win by staying away from the others.
        if any(one.again for one in able):
            able = [one for one in able if one.again or one.row.kind != "transfer"]
        return preferred(able, task, metric)


def preferred(able: Sequence[Trial], task: Task, metric: str) -> Trial | None:
    """The best of some candidates by a metric; of level ones the surer, and of equally sure ones the cheaper."""
    if not able:
        return None
    equal = _level(able, task, metric, [one.mean_loss(task.metric(metric)) for one in able])
    equal = _level(equal, task, task.settles, [one.loss(task.metric(task.settles)) for one in equal])
    return min(equal, key=lambda one: (one.row.kind != "baseline", one.row.trainable))


def _level(able: Sequence[Trial], task: Task, metric: str, losses: Sequence[float]) -> list[Trial]:
    """The candidates that are level with the best of them."""
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
    allowed: Allowed | None = None,
) -> tuple[Climb, Ground]:
    """Measure every rung that the strategy and the budget allow.

    Args:
        ground: data and backbone.
        strategy: "auto", or a plug-in of the tune room, which is then the only transferred rung.
        options: of that plug-in.
        baselines: False leaves out baselines and scratch, and with them the verdict.
        clock: the budget.
        augmentation: settings of the training views; what is not set is chosen or stays as it is.
        allowed: what the sealed model may take.

    Returns:
        What was found, and the ground with the augmentation that was chosen.

    Raises:
        BadOption: when nothing that is allowed can be had, before anything is trained.
    """
    bounds = Bounds(ground, allowed or Allowed())
    found = Climb(journal=ground.journal, account=Account(ground), bounds=bounds)
    if baselines:
        _baselines(ground, found)
    ground = _choose_views(ground, augmentation or {}, found)
    climbing = chosen(ground.frozen.backbone, strategy, options, scratch=baselines)
    for note in climbing.notes:
        found.notes.append(note)
        ground.report.say(note)
    asked = "" if strategy == "auto" else f"--strategy {strategy} asks for it"
    _probe(ground, climbing.probes, found, clock, asked)
    heavy = _allowed(climbing.heavy, found)
    plan = _plan(ground, heavy, clock)
    if baselines and not ground.frozen.backbone.is_absent:
        copies = int(plan.get("random_copies", 1))
        for one in randomly.probes(ground, climbing.probes or [Rung("probe", "probe")], copies):
            found.add(one, "the same features from random weights: what the source is worth to a probe")
    _train(ground, heavy, plan, found, clock=clock, asked=asked)
    return found, ground


def _allowed(heavy: Sequence[Rung], found: Climb) -> Sequence[Rung]:
    """The rungs whose network may be sealed: all of them end in the same one, so that none or all of them are left out.

    Raises:
        BadOption: when neither that network nor anything that was measured before is allowed.
    """
    if found.bounds is None or not found.bounds.allowed:
        return heavy
    why = found.bounds.of_network()
    found.bounds.refuse(found.trials, why)
    for rung in heavy if why else ():
        found.skip(rung.name, rung.kind, f"not trained: {why}", "does not fit")
    return [] if why else heavy


def _baselines(ground: Ground, found: Climb) -> None:
    for name in predictor.reading(ground.dataset.modality):
        why = predictor.serves(discovery.load("baselines", name), ground.task)
        if why:
            found.skip(name, "baseline", why, "left out")
        else:
            found.add(trial.of_baseline(ground, name), "measured first: what can be had without a network")


def _probe(ground: Ground, probes: Sequence[Rung], found: Climb, clock: Clock, asked: str) -> None:
    """Measure the probes; the earlier stages' are left out once they have cost a third of the budget."""
    recorded = ground.journal.probes
    run: list[str] = []
    for rung in probes:
        wide = sum(ground.frozen.width(stage) for stage in range(1, ground.frozen.backbone.depth + 1))
        if rung.options.get("stages") == "all" and wide > WIDEST:
            found.skip(rung.name, rung.kind, f"{wide:,} features are too many", "left out")
            continue
        afford = rung.name in recorded if recorded is not None else clock.left > clock.budget * 2 / 3 or not run
        if not afford:
            found.skip(rung.name, rung.kind, "over budget", "over budget")
            continue
        why = "the same features once more, from other stages" if run else "solved in closed form on stored features"
        run.append(rung.name)
        found.add(trial.of_strategy(ground, rung.name, rung.strategy, rung.options), asked or why)
    ground.journal.write("probes", run)
    ground.frozen.forget()


def _choose_views(ground: Ground, given: Mapping[str, Any], found: Climb) -> Ground:
    """The training views: as the user set them, and mirrored, unless that was set too, if it is measured harmless."""
    ground.frozen.extract()
    if "flip" in given or not ground.augmentation.flip:
        return ground.with_augmentation(replace(ground.augmentation, **given))
    mirrored = flips.measure(ground)
    found.notes.append(mirrored.sentence)
    ground.report.say(mirrored.sentence)
    return ground.with_augmentation(replace(ground.augmentation, **given, flip=mirrored.harmless))


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
        return planning.make(small(ground, Store(Path(folder))), heavy, clock, like=ground.dataset)


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


def _train(
    ground: Ground, heavy: Sequence[Rung], plan: dict[str, Any], found: Climb, *, clock: Clock, asked: str
) -> None:
    """Climb the rungs that train, cheapest first, then train from scratch."""
    climbing = [rung for rung in heavy if rung.kind == "transfer"]
    why = _begin(ground, climbing, plan, found, clock)
    stopped = ""
    for rung in climbing:
        if rung.name not in why:
            continue
        flat = stopping.flat(ground, found.trials)
        if flat is not None:
            stopped = stopped or flat.why
            found.skip(rung.name, rung.kind, f"not climbed: {flat.why}")
        elif _in_time(ground, rung, plan, found, clock, kept=True):
            _measure(ground, rung, plan, found, asked or why[rung.name])
    if not asked:
        _search(ground, plan, found, clock)
        _mix(ground, plan, found, clock)
        _repeat(ground, plan, found, clock)
    if found.account is not None:
        found.account.say(stopped=stopped or _end(plan, climbing))
    for rung in heavy:
        if rung.kind == "scratch":
            _shorten(ground, rung, plan, found, clock)
        if rung.kind == "scratch" and _in_time(ground, rung, plan, found, clock):
            _measure(_viewed(ground, found), rung, plan, found, "for the verdict: the same network without its source")


def _search(ground: Ground, plan: Mapping[str, Any], found: Climb, clock: Clock) -> None:
    """Search the settings of the best fine-tuned rung, for as many trials as the plan has room for."""
    best = _tuned(ground, found)
    trials = int(plan.get("trials", 0))
    if best is None or not trials:
        return
    if not searching.available():
        note = "No search within the best rung: optuna is not installed (pip install 'headstart[hpo]')"
        found.notes.append(note)
        ground.report.say(note)
        return
    ground.report.detail(f"{trials} trials of a search within {best.row.name}")
    result = searching.search(ground, best, trials)
    if found.account is not None:
        found.account.say(search=dict(result.record))
    found.add(searching.measured(ground, best, result), f"the best settings of {trials} trials on the first fold")


def _tuned(ground: Ground, found: Climb) -> Trial | None:
    """The best rung that was fine-tuned from the probed network."""
    able = [one for one in found.trials if one.row.kind == "transfer" and one.strategy in MIXABLE]
    return preferred([one for one in able if one.row.status == "measured"], ground.task, ground.metric)


def _mix(ground: Ground, plan: dict[str, Any], found: Climb, clock: Clock) -> None:
    """Mix the best fine-tuned rung with its start, unless the budget is spent; that is recorded, and replayed."""
    best = _tuned(ground, found)
    if best is None:
        return
    if "mixed" not in plan:
        begun = any("/mix-" in str(row["name"]) for row in ground.journal.journal)
        plan["mixed"] = begun or ground.journal.replays or clock.left > 0
        ground.journal.write("plan", plan)
    name = f"{best.row.name}, mixed"
    if not plan["mixed"]:
        found.skip(name, "transfer", "over budget", "over budget")
        return
    one, why = mixing.mixed(ground, best)
    found.add(one, why)


def _repeat(ground: Ground, plan: dict[str, Any], found: Climb, clock: Clock) -> None:
    """Let the foremost candidates meet on further draws of the folds, as time allows; how many, is recorded."""
    close = repeating.foremost(ground, found.trials)
    if not close:
        return
    if "draws" not in plan:
        # An earlier run's plan is followed and not the clock, and what it does not have is not done.
        plan["draws"] = 0 if ground.journal.replays else repeating.draws(ground, close, clock)
        ground.journal.write("plan", plan)
    if not plan["draws"]:
        return
    losses = repeating.repeat(ground, close, int(plan["draws"]))
    found.trials = repeating.settled(ground, found.trials, losses)
    taken = found.best(ground.task, ground.metric, ("transfer",))
    if taken is not None:
        note = repeating.said(ground, found.trials, taken)
        found.notes.append(note)
        ground.report.detail(note)
        if found.account is not None:
            found.account.say(draws=note)


def _begin(
    ground: Ground, climbing: Sequence[Rung], plan: dict[str, Any], found: Climb, clock: Clock
) -> dict[str, str]:
    """The rungs that are climbed, each with why: all that are planned, or the better half after their sweeps."""
    planned = [rung for rung in climbing if plan["rungs"][rung.name]["status"] == "planned"]
    for rung in climbing:
        if rung not in planned:
            found.skip(rung.name, rung.kind, plan["rungs"][rung.name]["status"], "over budget")
    keep = int(plan.get("keep", len(planned)))
    if keep >= len(planned):
        every = "the budget has room for it" if len(planned) < len(climbing) else "the budget has room for every rung"
        return dict.fromkeys((rung.name for rung in planned), every)
    looks = [
        halving.look(ground, rung, plan["rungs"][rung.name]["options"])
        for rung in planned
        if _in_time(ground, rung, plan, found, clock)
    ]
    gone = halving.dropped(looks, keep)
    for one in gone.values():
        found.skip(one.name, "transfer", halving.why(ground, one, looks, keep), "dropped", one.seconds)
    return {one.name: halving.because(ground, one, looks, keep) for one in looks if one.name not in gone}


def _in_time(
    ground: Ground, rung: Rung, plan: dict[str, Any], found: Climb, clock: Clock, *, kept: bool = False
) -> bool:
    """Whether a rung is begun: not past the budget, unless it was begun before or an earlier run's plan is replayed."""
    entry = plan["rungs"][rung.name]
    late = clock.left < 0 and not ground.journal.begun(rung.name, kept=kept) and not ground.journal.replays
    if entry["status"] == "planned" and late:
        planning.give_up(plan, rung.name, "over budget")
        ground.journal.write("plan", plan)
    if entry["status"] != "planned":
        found.skip(rung.name, rung.kind, entry["status"], "over budget")
    return entry["status"] == "planned"


def _viewed(ground: Ground, found: Climb) -> Ground:
    """The ground with the training views of the best transferred candidate: from scratch it sees the same."""
    best = found.best(ground.task, ground.metric, ("transfer",))
    return ground if best is None or best.augmentation is None else ground.with_augmentation(best.augmentation)


def _shorten(ground: Ground, rung: Rung, plan: dict[str, Any], found: Climb, clock: Clock) -> None:
    """Train from scratch no longer than is fair, nor than the budget has room for; that is recorded."""
    entry = plan["rungs"][rung.name]
    if entry["status"] != "planned" or "epochs" in rung.options or "epochs" not in entry["options"]:
        return
    if ground.journal.replays or ground.journal.begun(rung.name) or entry.get("settled"):
        return
    best = found.best(ground.task, ground.metric, ("transfer",))
    spent = {one.row.name: one.row.seconds for one in found.trials if one.row.kind == "transfer"}
    fits = len(ground.folds) + rates.cost(ground.folds)
    pace = life.pace(plan, spent, fits)
    decided = life.decide(entry, best, pace=pace, left=clock.left, budget=clock.budget, fits=fits)
    if decided.why:
        planning.give_up(plan, rung.name, decided.why)
    else:
        entry["options"] = {**entry["options"], "epochs": decided.epochs}
    entry["settled"] = True
    ground.journal.write("plan", plan)


def _measure(ground: Ground, rung: Rung, plan: Mapping[str, Any], found: Climb, why: str) -> None:
    options = plan["rungs"][rung.name]["options"]
    ground.report.detail(f"{rung.name}: {options}")
    one = found.add(trial.of_strategy(ground, rung.name, rung.strategy, options, kind=rung.kind), why)
    ground.report.detail(f"{rung.name}: {ground.metric} {one.score(ground.metric):.4f}")


def _end(plan: Mapping[str, Any], climbing: Sequence[Rung]) -> str:
    """Why there was no further rung, where the rungs did not become flat."""
    given_up = [rung.name for rung in climbing if plan["rungs"][rung.name]["status"] != "planned"]
    if given_up:
        return f"the budget has no room for {', '.join(given_up)}"
    return "the top of the ladder was reached" if climbing else "there was nothing to train"
