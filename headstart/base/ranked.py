"""What comparing pretrained networks found: one row a network, and in words which to take and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from headstart.base import display
from headstart.base.errors import RunError


@dataclass(frozen=True, slots=True)
class Rank:
    """One network in the table.

    Attributes:
        name: as the user or the catalogue calls it.
        status: "measured", or why it was not.
        place: 1 for the best; 0 for one that was not measured.
        tied: it does not differ beyond noise from the one above it.
        beats_next: probability that its probe beats that of the one below it on other items like these; None without
            one.
        items: it was measured on.
        prior: published upstream accuracy in percent; None if there is none.
        parameters: of the network, its source head left out; 0 where unknown.
        latency_ms: milliseconds for one item on this machine, decoding left out; 0 where not measured.
        loss: leave-one-out loss of a ridge probe after the last stage; None where not measured.
        score: the same probe's score that people read.
        scores: transferability scores by name, higher is better.
        missing: score -> why there is none.
        mean_rank: of the votes.
        stages: names of the stages, input first.
        stage_losses: the probe's loss after each of them.
        best_stage: number of the one with the lowest, from 1; 0 where not measured.
        seconds: that measuring it took.
    """

    name: str
    status: str = "measured"
    place: int = 0
    tied: bool = False
    beats_next: float | None = None
    items: int = 0
    prior: float | None = None
    parameters: int = 0
    latency_ms: float = 0.0
    loss: float | None = None
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    mean_rank: float = 0.0
    stages: tuple[str, ...] = ()
    stage_losses: tuple[float, ...] = ()
    best_stage: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Finalist:
    """One of two networks that were a tie, after a little fine-tuning.

    Attributes:
        name: of the network.
        rung: of the ladder, in which its rate was swept.
        metric: that decided.
        value: of that score, the best on held-out items over the rates that were tried; None if it learned nothing.
        seconds: spent.
    """

    name: str
    rung: str
    metric: str
    value: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """A comparison of networks on one data set.

    Attributes:
        rows: the best first, then those that were not measured.
        task: kind of the task.
        loss, score: names of the task's scores that the rows' ``loss`` and ``score`` are.
        modality: plural noun for the items.
        items: that the finalists were measured on.
        development: items there are to learn from; the test part was not looked at.
        by_prior: what published accuracy and size alone would have chosen.
        seconds: that the comparison took.
        notes: what is to be said besides.
        finalists: the first two after a little fine-tuning, the better one first, where they were a tie; else none.
    """

    rows: tuple[Rank, ...]
    task: str
    loss: str
    score: str
    modality: str = "images"
    items: int = 0
    development: int = 0
    by_prior: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    finalists: tuple[Finalist, ...] = ()

    @property
    def measured(self) -> tuple[Rank, ...]:
        """The rows that have a place."""
        return tuple(row for row in self.rows if row.place)

    @property
    def first(self) -> str:
        """Name of the one in the first row."""
        return self.rows[0].name

    @property
    def best(self) -> str:
        """Name of the one to take: the first, unless a little fine-tuning said otherwise."""
        return self.finalists[0].name if self.finalists else self.first

    @property
    def sentence(self) -> str:
        """Which network comes first, and whether it differs from the second beyond noise."""
        measured = self.measured
        if len(measured) == 1:
            return f"{self.first} is the only network that was measured"
        first, second = measured[:2]
        sure = percent(first.beats_next or 0.0)
        if second.tied:
            return (
                f"{first.name} comes first, but {second.name} is a tie: on other {self.modality} like these its probe "
                f"would be the better one with a probability of {sure}, so votes and reputation put it there"
            )
        return (
            f"{first.name} comes first, beyond noise: on other {self.modality} like these its probe would beat that of "
            f"{second.name} with a probability of {sure}"
        )

    @property
    def about_finalists(self) -> str:
        """What a little fine-tuning said of two that were a tie; empty where it was not asked."""
        if not self.finalists:
            return ""
        better, other = self.finalists
        if better.value == other.value:
            return f"Both fine-tuned a little, they are level on held-out {self.modality}: {better.name} stays first"
        reached = f"{better.metric.replace('_', ' ')} {better.value:.3f} ({better.rung})"
        against = "where the other learned nothing"
        if other.value is not None:
            against = f"against {other.value:.3f} ({other.rung})"
        return f"Both fine-tuned a little, {better.name} does better on held-out {self.modality}: {reached} {against}"

    @property
    def about_prior(self) -> str:
        """What reputation alone would have chosen."""
        if self.by_prior == self.best:
            return "Reputation alone (published accuracy, then size) would have chosen the same"
        missed = next((f" ({row.status})" for row in self.rows if row.name == self.by_prior and not row.place), "")
        return f"Reputation alone (published accuracy, then size) would have chosen {self.by_prior}{missed}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; ``read`` reads it back."""
        return asdict(self)

    def _repr_html_(self) -> str:
        heads = [
            "",
            "Backbone",
            self.loss.replace("_", " "),
            self.score.replace("_", " "),
            "ms an item",
            "Beats the next",
        ]
        rows = [
            [
                f"{row.place}{' =' if row.tied else ''}",
                row.name,
                f"{row.loss:.3f}",
                f"{row.score:.3f}",
                f"{row.latency_ms:.2f}",
                "" if row.beats_next is None else percent(row.beats_next),
            ]
            for row in self.measured
        ]
        others = [display.line(f"{row.name}: {row.status}", faint=True) for row in self.rows if not row.place]
        return display.panel(
            f"Pretrained networks on {self.items:,} {self.modality}",
            display.line(self.sentence),
            display.line(self.about_finalists),
            display.line(self.about_prior),
            display.table(heads, rows, bold=0),
            *others,
            *(display.line(note, faint=True) for note in self.notes),
        )


def percent(probability: float) -> str:
    """A probability as people write it, never quite certain."""
    if probability >= 0.995:
        return "over 99 %"
    return "under 1 %" if probability < 0.005 else f"{100 * probability:.0f} %"


def read(data: Mapping[str, Any]) -> Ranking:
    """A ranking from what ``as_dict`` made of it; what another version wrote besides is left out.

    Raises:
        RunError: when it is nothing of the kind.
    """
    try:
        rows = tuple(_row(each) for each in data["rows"])
        known = {one.name for one in fields(Ranking)} - {"rows", "notes", "finalists"}
        given = {name: value for name, value in data.items() if name in known}
        finalists = tuple(Finalist(**each) for each in data.get("finalists", ()))
        found = Ranking(rows=rows, notes=tuple(map(str, data.get("notes", ()))), finalists=finalists, **given)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"The ranking cannot be read: {error!r}", next_move="rank or fit again") from error
    if not rows:
        raise RunError("The ranking has no row", next_move="rank or fit again")
    return found


def _row(data: Mapping[str, Any]) -> Rank:
    known = {one.name for one in fields(Rank)}
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return Rank(**{name: value for name, value in given.items() if name in known})
