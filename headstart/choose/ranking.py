"""Pretrained networks in the order in which they are worth fine-tuning, without fine-tuning any.

All are measured on the same development items, a few first and more for those that go on: successive halving
(Jamieson and Talwalkar, 2016, https://arxiv.org/abs/1502.07943), as far as the budget makes it necessary. The
leave-one-out loss of a ridge probe decides wherever the items can tell two networks apart; where they cannot, it
votes, and with it reputation (published accuracy, size), k-NN, shrinkage H-score and LogME. No single score is always
the best, and few beat plain reputation (Agostinelli et al., 2022; Renggli et al., 2022), so what that alone would have
chosen is always said as well. The test part is not looked at.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.backbones import fetch
from headstart.backbones.chain import Backbone
from headstart.base import seeds
from headstart.base.errors import HeadstartError, WeightsError
from headstart.base.machine import Machine
from headstart.base.progress import Reporter
from headstart.base.ranked import Rank, Ranking
from headstart.choose import candidates as finding
from headstart.choose import scoring
from headstart.choose.candidates import Candidate
from headstart.choose.contender import Arena, Contender
from headstart.choose.planning import Clock
from headstart.data.dataset import Dataset
from headstart.features.store import Store
from headstart.measure import consensus

SIZES = (250, 500, 1000, 2000)
"""Items that the networks are compared on, round after round."""
HELD = 200_000_000
"""Parameters of networks that stay in memory between two rounds."""


@dataclass
class _Contest:
    """A comparison that is going on."""

    arena: Arena
    clock: Clock
    notes: list[str]
    duel: bool


def compare(
    dataset: Dataset,
    candidates: Sequence[Candidate],
    *,
    machine: Machine,
    store: Store,
    report: Reporter,
    budget: float = math.inf,
    sizes: Sequence[int] = SIZES,
    scores: Sequence[str] = scoring.SHOWN,
    duel: bool = False,
    bundle: Path | None = None,
    loaded: Mapping[str, Backbone] | None = None,
    notes: Sequence[str] = (),
) -> tuple[Ranking, list[Contender]]:
    """Measure the candidates and put them in order.

    Args:
        dataset: only its development part is read.
        candidates: the cheapest first.
        machine: where they run.
        store: what it holds already is not computed again.
        report: told of progress.
        budget: seconds; one candidate is measured whatever it takes.
        sizes: items of each round, increasing; at most all development items.
        scores: what is computed besides the probe and the votes, plug-ins of the rank room.
        duel: after the first round only the first two go on, and only if they are a tie.
        bundle: where packed networks come from.
        loaded: networks that are in memory already, by name.
        notes: what has been found out already.

    Returns:
        The table, and the measured networks in its order.

    Raises:
        WeightsError: when none of them can be had.
    """
    rows = sample(dataset, max(sizes))
    steps = [size for size in sizes if size < len(rows)] + [len(rows)]
    contest = _Contest(Arena(dataset, rows, machine, store, report, bundle), Clock(budget), list(notes), duel)
    with fetch.telling(report):
        standing, failed = _first(contest, candidates, steps[0], loaded or {})
        if not standing:
            raise _nothing(failed)
        left_behind: list[list[Contender]] = []
        for number, size in enumerate(steps[1:], start=1):
            order = _ordered(contest, standing, steps[number - 1])
            going = _going_on(contest, order, size, len(steps) - number)
            if len(going) < min(2, len(standing)):
                break
            left_behind.insert(0, [one for one in order if one not in going])
            _round(contest, going, size)
            standing = going
        tiers = [_ordered(contest, tier, max(tier[0].probes)) for tier in (standing, *left_behind) if tier]
        measured = [one for tier in tiers for one in tier]
        _detailed(contest, measured, scores)
    return _table(contest, measured, failed), measured


def sample(dataset: Dataset, most: int) -> np.ndarray:
    """Development rows in an order whose every beginning has the classes' own shares, at most ``most``."""
    rows = dataset.development
    strata = np.unique(dataset.task.strata(dataset.targets[rows]), axis=0, return_inverse=True)[1].reshape(len(rows))
    draw = seeds.generator(dataset.seed, "backbones")
    place = np.empty(len(rows))
    for stratum in np.unique(strata):
        members = draw.permutation(np.flatnonzero(strata == stratum))
        place[members] = (np.arange(len(members)) + draw.random()) / len(members)
    return np.asarray(rows[np.argsort(place, kind="stable")][:most])


def _first(
    contest: _Contest, candidates: Sequence[Candidate], size: int, loaded: Mapping[str, Backbone]
) -> tuple[list[Contender], list[Rank]]:
    """Those that can be had, measured on the first few items; and the rows of the others."""
    standing: list[Contender] = []
    failed: list[Rank] = []
    unreachable = False
    for candidate in candidates:
        if unreachable and not candidate.asked:
            continue
        one = Contender(candidate, contest.arena, loaded.get(candidate.name))
        try:
            contest.arena.report.begin(f"load {candidate.name}")
            one.load()
            contest.arena.report.end()
        except HeadstartError as error:
            contest.arena.report.end()
            if candidate.asked:
                failed.append(Rank(candidate.name, status=error.what))
            elif isinstance(error, WeightsError):
                unreachable = True
                contest.notes.append(f"{error.what}; compared is what is on this machine")
            continue
        needed = one.estimate(size)
        if standing and needed > contest.clock.left:
            one.release()
            why = f"over budget: {size:,} {contest.arena.dataset.modality} would take about {max(1, needed):.0f} s"
            failed.append(one.row(status=why))
            continue
        _measure(contest, one, size, standing)
        standing.append(one)
    return standing, failed


def _round(contest: _Contest, going: Sequence[Contender], size: int) -> None:
    for number, one in enumerate(going):
        _measure(contest, one, size, going[:number])


def _measure(contest: _Contest, one: Contender, size: int, before: Sequence[Contender]) -> None:
    one.measure(size)
    held = sum(each.parameters for each in before if each.loaded)
    if held + one.parameters > HELD:
        one.release()


def _ordered(contest: _Contest, tier: Sequence[Contender], size: int) -> list[Contender]:
    """Those that were measured on the same items, best first."""
    found = [one.probes[size] for one in tier]
    votes: list[list[float | None]] = [[-probe.loss for probe in found], [*_reputations(tier)]]
    votes += [[one.votes[size].get(name) for one in tier] for name in scoring.VOTES]
    ranks = consensus.mean_ranks(votes)
    for one, rank in zip(tier, ranks, strict=True):
        one.mean_rank = float(rank)
    beats = consensus.beating(np.stack([probe.losses for probe in found], axis=1), seed=contest.arena.dataset.seed)
    return [tier[int(i)] for i in consensus.arrange(beats, ranks)]


def _reputations(tier: Sequence[Contender]) -> list[float]:
    """Reputation as one number each: how many of the others it puts a network before."""
    keys = [finding.reputation(one.info) for one in tier]
    return [float(sum(other < key for other in keys)) for key in keys]


def _going_on(contest: _Contest, order: Sequence[Contender], size: int, rounds: int) -> list[Contender]:
    """Who gets more items: as many as this round's share of the time allows, the better half if it can be at all."""
    if contest.duel:
        order = order[:2] if len(order) > 1 and consensus.is_tie(_beats(contest, order[0], order[1])) else []
    costs = list(itertools.accumulate(one.estimate(size) for one in order))
    left = contest.clock.left
    if contest.duel and costs and costs[-1] > left:
        return []
    share = sum(cost <= left / rounds for cost in costs)
    half = min(sum(cost <= left for cost in costs), math.ceil(len(order) / 2))
    return list(order[: max(share, half)])


def _detailed(contest: _Contest, measured: Sequence[Contender], scores: Sequence[str]) -> None:
    """What is shown besides, of every network on the items it got to."""
    contest.arena.report.begin("compare stages and further scores", len(measured))
    for one in measured:
        if contest.clock.left > 0:
            one.detail(scores)
        one.release()
        contest.arena.report.advance()
    contest.arena.report.end()


def _table(contest: _Contest, measured: Sequence[Contender], failed: Sequence[Rank]) -> Ranking:
    beats = [_beats(contest, a, b) for a, b in itertools.pairwise(measured)]
    rows = [
        one.row(
            place=place,
            beats_next=beats[place - 1] if place <= len(beats) else None,
            tied=place > 1 and consensus.is_tie(beats[place - 2]),
        )
        for place, one in enumerate(measured, start=1)
    ]
    task = contest.arena.dataset.task
    known = [(finding.reputation(one.info), one.name) for one in measured]
    known += [((row.prior is not None, row.prior or 0.0, row.parameters), row.name) for row in failed if row.parameters]
    return Ranking(
        rows=(*rows, *failed),
        task=task.kind,
        loss=task.settles,
        score=task.points,
        modality=contest.arena.dataset.modality,
        items=max(max(one.probes) for one in measured),
        development=len(contest.arena.dataset.development),
        by_prior=max(known, key=lambda one: one[0])[1],
        seconds=time.perf_counter() - contest.clock.started,
        notes=tuple(contest.notes),
    )


def _beats(contest: _Contest, a: Contender, b: Contender) -> float:
    """The probability that one is better than the one below it, on the most items that both have seen."""
    size = max(set(a.probes) & set(b.probes))
    pair = np.stack([a.probes[size].losses, b.probes[size].losses], axis=1)
    return float(consensus.beating(pair, seed=contest.arena.dataset.seed)[0, 1])


def _nothing(failed: Sequence[Rank]) -> WeightsError:
    reasons = "; ".join(f"{row.name}: {row.status}" for row in failed[:3])
    return WeightsError(
        f"None of the pretrained networks can be had: {reasons}" if reasons else "No pretrained network is at hand",
        next_move="headstart backbones lists what is on this machine; local:PATH names a folder",
    )
