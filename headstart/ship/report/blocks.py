"""What a panel of the report is made of: plain data that the page's template and script know how to draw.

A panel says what is to be seen and never how: no block holds HTML, so whatever a class is called stays text. Every
chart brings its numbers along, from which its table is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from headstart.data.printable import printable

Colour = Literal["transfer", "scratch", "baseline", "right", "wrong", "one", "two", "three", "four", "five", "six"]
"""A colour of the page, by what it stands for; each is told apart without seeing colours, and has a symbol."""
Mark = Literal["line", "dot", "bar", "rule"]
LONGEST = 100
"""Rows of a table that stands for a drawing; beyond that it tells how many there are."""
WIDEST = 11
"""Places of a line that have a column in its table."""


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph.

    Attributes:
        text: what it says.
        tone: "" or "quiet".
    """

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict.

    Attributes:
        word: the outcome in a word or two.
        mark: a sign beside it that is no colour.
        tone: "good", "bad" or "open".
        sentence: the whole of it.
    """

    word: str
    mark: str
    tone: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Terms and what they are.

    Attributes:
        rows: (term, value).
    """

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """An interval to be drawn in a cell; all three between 0 and 1, the column's ends."""

    low: float
    value: float
    high: float
    colour: str = "one"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what stands in it.
        note: in smaller letters behind it.
        tag: a word in a frame behind it.
        drawn: an interval instead of it.
        picture: key of a picture before it.
        alt: what that picture shows.
    """

    text: str
    note: str = ""
    tag: str = ""
    drawn: Drawn | None = None
    picture: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        heads: titles of the columns.
        rows: cells.
        caption: what it is, for those who cannot see where it stands.
        right: columns of numbers.
        strong: rows that stand out.
        note: below it.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    caption: str
    right: Sequence[int] = ()
    strong: Sequence[int] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """A part that opens on demand.

    Attributes:
        summary: what is in it.
        blocks: the blocks.
    """

    summary: str
    blocks: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Note:
    """A finding.

    Attributes:
        severity: "serious", "warning" or "info".
        sentence: what was found.
        move: what to do about it.
        backing: (term, value) that backs it.
    """

    severity: str
    sentence: str
    move: str = ""
    backing: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Notes:
    """Findings."""

    notes: Sequence[Note]


@dataclass(frozen=True, slots=True)
class Card:
    """An item that is shown.

    Attributes:
        lines: what is said of it, the first one louder.
        pictures: (key, what it shows).
        where: its file.
    """

    lines: Sequence[str]
    pictures: Sequence[tuple[str, str]] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Items side by side.

    Attributes:
        cards: the items.
        note: below them.
    """

    cards: Sequence[Card]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of a chart.

    Attributes:
        label: what it measures, with its unit.
        low, high: its ends; as the data have it where None.
        whole: only whole numbers have a tick.
        log: logarithmic.
    """

    label: str
    low: float | None = None
    high: float | None = None
    whole: bool = False
    log: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a series.

    Attributes:
        x, y: where it is.
        low, high: its interval, if it has one.
        text: what is said when it is pointed at, and in the table.
        wide: where a bar ends that begins at ``x``.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    text: str = ""
    wide: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Points that belong together.

    Attributes:
        name: for the legend.
        points: in the order they are joined.
        mark: how they are drawn; a "rule" is a level line at its first point's y.
        colour: of the page.
        dashed: for lines.
        faint: one of many that say the same.
    """

    name: str
    points: Sequence[Point]
    mark: Mark = "line"
    colour: str = "one"
    dashed: bool = False
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Attributes:
        title: what is to be seen.
        alt: what it shows, in a sentence, for those who do not see it.
        x, y: its axes.
        series: what is drawn.
        table: the same numbers; made of the points where None.
        diagonal: what a line from corner to corner stands for; "" for none.
        height: pixels.
    """

    title: str
    alt: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    table: Table | None = None
    diagonal: str = ""
    height: int = 280


@dataclass(frozen=True, slots=True)
class Dot:
    """An item on a map.

    Attributes:
        at: (x, y) in each of the map's views.
        group: position in ``Map.groups``.
        lines: what is said of the item.
        picture: key of its picture.
        alt: what the picture shows.
    """

    at: Sequence[tuple[float, float]]
    group: int
    lines: Sequence[str]
    picture: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Map:
    """Items as points, which show themselves when pointed at.

    Attributes:
        title: what is to be seen.
        alt: what it shows, in a sentence.
        views: titles of the places each item has.
        dots: the items.
        groups: what they are coloured by.
        x, y: axes; None for a map without units.
        diagonal: as in ``Chart``.
    """

    title: str
    alt: str
    views: Sequence[str]
    dots: Sequence[Dot]
    groups: Sequence[str] = ()
    x: Axis | None = None
    y: Axis | None = None
    diagonal: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Items of one class that were taken for another.

    Attributes:
        row, column: positions of the true and of the predicted class.
        count: how many.
        cards: some of them.
    """

    row: int
    column: int
    count: int
    cards: Sequence[Card] = ()


@dataclass(frozen=True, slots=True)
class Matrix:
    """Confusion counts whose cells show their items.

    Attributes:
        names: every class.
        pairs: the cells that are not empty, the diagonal among them.
        shown: classes that have a row and a column of their own.
        totals: items of each class.
    """

    names: Sequence[str]
    pairs: Sequence[Pair]
    shown: Sequence[int]
    totals: Sequence[int]


@dataclass(frozen=True, slots=True)
class Panel:
    """A section of the page.

    Attributes:
        title: its heading.
        place: panels are shown in this order.
        blocks: what is in it.
        lead: a sentence below the heading.
        span: of the page's twelve columns, on a wide screen.
    """

    title: str
    place: int
    blocks: Sequence[Any]
    lead: str = ""
    span: int = 12


def plain(data: Any) -> Any:
    """Blocks as plain data with their kind, every text of them safe to show."""
    if is_dataclass(data) and not isinstance(data, type):
        rest = {each.name: plain(getattr(data, each.name)) for each in fields(data)}
        return {"kind": type(data).__name__.lower(), **rest}
    if isinstance(data, Mapping):
        return {printable(str(key)): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value) for value in data]
    return printable(data) if isinstance(data, str) else data


def table_of(block: Chart | Map | Matrix) -> Table:
    """The numbers of what is drawn."""
    if isinstance(block, Map):
        return _table_of_dots(block)
    if isinstance(block, Matrix):
        return _table_of_counts(block)
    if block.table is not None:
        return block.table
    if len(block.series) > 1 and all(one.mark == "line" for one in block.series):
        return _table_of_lines(block)
    heads = ("Series", block.x.label, block.y.label)
    rows = [
        (series.name, point.text.split("\n")[0] or figure(point.x), figures(point))
        for series in block.series
        for point in series.points
        if series.mark != "rule"
    ]
    rows += [(one.name, "everywhere", figures(one.points[0])) for one in block.series if one.mark == "rule"]
    return Table(heads, rows, caption=block.title, right=(2,))


def _table_of_lines(block: Chart) -> Table:
    """One row a line, one column a place; of many places, some that are spread evenly over them."""
    places = sorted({point.x for series in block.series for point in series.points})
    step = max(1, -(-(len(places) - 1) // (WIDEST - 1)))
    chosen = [*places[:-1:step], places[-1]]
    rows = []
    for series in block.series:
        values = {point.x: point for point in series.points}
        cells = [figures(values[place]) if place in values else "–" for place in chosen]
        rows.append((series.name, *cells))
    heads = (f"{block.y.label}, by {block.x.label}", *map(figure, chosen))
    note = f"{len(chosen)} of {len(places):,} places." if len(chosen) < len(places) else ""
    return Table(heads, rows, block.title, right=tuple(range(1, len(heads))), note=note)


def _table_of_dots(block: Map) -> Table:
    places = [f"{view.partition(':')[0]}, {end}" for view in block.views for end in ("x", "y")]
    if block.x is not None and block.y is not None:
        places = [block.x.label, block.y.label]
    rows = [
        (dot.lines[0], "; ".join(dot.lines[1:]), *(figure(end) for place in dot.at for end in place))
        for dot in block.dots[:LONGEST]
    ]
    note = f"The first {LONGEST} of {len(block.dots):,} items." if len(block.dots) > LONGEST else ""
    right = tuple(range(2, 2 + len(places)))
    return Table(("Item", "About it", *places), rows, caption=block.title, right=right, note=note)


def _table_of_counts(block: Matrix) -> Table:
    caption = "Confusion counts"
    if len(block.shown) == len(block.names):
        counts = {(pair.row, pair.column): pair.count for pair in block.pairs}
        places = range(len(block.names))
        rows = [(block.names[row], *(str(counts.get((row, column), 0)) for column in places)) for row in places]
        heads = ("True class", *(f"as {name}" for name in block.names))
        return Table(heads, rows, caption, right=tuple(range(1, len(heads))))
    wrong = [pair for pair in block.pairs if pair.row != pair.column]
    pairs = [(block.names[pair.row], block.names[pair.column], f"{pair.count:,}") for pair in wrong[:LONGEST]]
    note = f"The first {LONGEST} of {len(wrong):,} pairs." if len(wrong) > LONGEST else ""
    return Table(("True class", "Predicted", "Items"), pairs, caption, right=(2,), note=note)


def figures(point: Point) -> str:
    """A point's value with its interval."""
    interval = "" if point.low is None or point.high is None else f" ({figure(point.low)} to {figure(point.high)})"
    return figure(point.y) + interval


def figure(value: float) -> str:
    """A number as a table has it: four significant digits."""
    return f"{value:,.4g}"
