"""The words that rooms exchange: frozen dataclasses, no behaviour beyond reading themselves.

Nothing here imports torch, so listing and parsing stay instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from headstart.base import display

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Table:
    """What a data source opens to, before any item is read or checked.

    Attributes:
        items: file paths (str) or in-memory values, one an example.
        labels: the label of each item as the source has it; None where it is missing.
        parts: "train", "val" or "test" where the source says so, else None.
        origin: what the user named, for messages.
        understood: one sentence that says how the source was read.
        notes: oddities worth showing (ignored files, guessed columns).
        groups: what each item belongs to (a patient, a video) as the source has it, None where nothing; empty when
            the user named no groups.
        target: what the labels are of, where the source says so: the name of their column.
        task: the task that the source is for, where its labels are of that kind whatever they look like; else empty.
        modality: what kind of thing the items are, a plug-in of the data room.
    """

    items: tuple[Any, ...]
    labels: tuple[Any, ...]
    parts: tuple[str | None, ...]
    origin: str
    understood: str
    notes: tuple[str, ...] = ()
    groups: tuple[Any, ...] = ()
    target: str = ""
    task: str = ""
    modality: str = "images"


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that was left out, and why."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image becomes a backbone's input; travels with the weights.

    Attributes:
        size: side of the square input, pixels.
        mean, std: per channel, on the [0, 1] scale.
        interpolation: "bilinear", "bicubic" or "nearest".
        crop: fraction of the resized short side that the centre crop keeps, in (0, 1].
    """

    size: int
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    interpolation: str = "bicubic"
    crop: float = 1.0

    @property
    def short(self) -> str:
        """Its size, as a table shows it."""
        return f"{self.size} px"

    @property
    def words(self) -> str:
        """What is said of it to people."""
        return f"{self.size} x {self.size} pixels, {self.interpolation} resizing, centre crop {self.crop:g}"

    def resized(self, size: int) -> Preprocessing:
        """The same for inputs of another size."""
        return replace(self, size=size)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a manifest; ``from_dict`` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Preprocessing:
        """Inverse of ``as_dict``."""
        values = {**data, "mean": tuple(data["mean"]), "std": tuple(data["std"])}
        return cls(**values)


CHARACTERS = 50
"""Numbers of a word that is read by its characters: so many of them at most, its ends included."""


@dataclass(frozen=True, slots=True)
class Tokenization:
    """How a text becomes a backbone's input; travels with the weights.

    Attributes:
        length: most tokens in a window of a text, those that frame it included.
        digest: SHA-256 of ``content``.
        reader: what ``content`` is: "pieces", a tokenizer.json of the tokenizers library; "words", a vocabulary, one
            word a line; "characters", of which each word is made.
        overlap: tokens that neighbouring windows of a long text share.
        windows: most windows of a text.
        content: the reader's own file.
    """

    length: int
    digest: str
    reader: str = "pieces"
    overlap: int = 16
    windows: int = 16
    content: bytes = field(default=b"", repr=False, compare=False)

    @property
    def size(self) -> int:
        """The length, as ``Preprocessing`` has the side of its square."""
        return self.length

    @property
    def short(self) -> str:
        """Its size, as a table shows it."""
        return f"{self.length:,} {'tokens' if self.reader == 'pieces' else 'words'}"

    @property
    def words(self) -> str:
        """What is said of it to people."""
        unit = {"pieces": "tokens", "words": "words", "characters": "words, by their characters"}[self.reader]
        return f"windows of up to {self.length:,} {unit}, up to {self.windows} of a text"

    def resized(self, size: int) -> Tokenization:
        """The same for windows of another length."""
        return replace(self, length=size)

    @property
    def numbers(self) -> int:
        """Numbers of each token: its id and its text's, or the ids of its characters."""
        return CHARACTERS if self.reader == "characters" else 2

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a manifest, without the content; ``from_dict`` reads it back."""
        return {name: getattr(self, name) for name in ("length", "digest", "reader", "overlap", "windows")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], content: bytes = b"") -> Tokenization:
        """Inverse of ``as_dict``."""
        return cls(**data, content=content)


Reading = Preprocessing | Tokenization
"""How an item becomes a backbone's input."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a modality measures of every item.

    Attributes:
        words: what it is called in a sentence, such as "short side".
        unit: of a number that cannot be below zero.
        recording: True if it says how an item was recorded or stored, and not what it shows: a class must not follow
            from it.
    """

    words: str
    unit: str = ""
    recording: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """What an item has to be like to be of use, in general or to a backbone.

    Attributes:
        name: the finding that looks at it.
        fact: what is compared.
        low, high: it is met between them, both included.
        words: what is said of items that miss it, behind their number; begins with a verb in the plural.
        share: of the items, from which on it is worth a finding.
        next_move: what the user can do.
        unless: another demand; items that miss that one are not counted again.
    """

    name: str
    fact: str
    low: float = float("-inf")
    high: float = float("inf")
    words: str = ""
    share: float = 0.0
    next_move: str = ""
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """How items of a modality travel to a server.

    Attributes:
        media: content types of one item, the commonest first; a pattern such as ``image/*`` stands for the others.
        text: True if an item may be a string of JSON.
        unit: what the size of an item is counted in, before it is decoded.
        most: the largest size that is accepted unless the user says otherwise.
    """

    media: tuple[str, ...]
    text: bool
    unit: str
    most: int


@dataclass(frozen=True, slots=True)
class BackboneInfo:
    """What is known of a pretrained network without running it.

    Attributes:
        name: full name, ``provider/architecture.tag``.
        architecture: full name from which the same network is built without weights.
        parameters: number of parameters, the source head left out; 0 when unknown before loading.
        stages: names of the numbered stages, input first; empty when unknown before loading.
        width: features after the last stage, d.
        preprocessing: how items become what the network was trained with; a tokenizer that is not on this machine yet
            has no content.
        licence: SPDX identifier or the publisher's word; "unknown" if there is none.
        source: the data it was pretrained on, in words.
        local: True if the weights are on this machine.
        prior: upstream accuracy in percent, where published; None if not.
        modality: name of the data room's modality it reads.
        config: plain data from which the provider builds the network where its name alone does not say it.
        flops: multiply-adds that one input of the trained size costs; 0 when unknown before loading.
        stage_flops: the same for each stage; empty when unknown before loading.
        notes: what to know of it besides, in sentences; empty when unknown before loading.
    """

    name: str
    architecture: str
    parameters: int
    stages: tuple[str, ...]
    width: int
    preprocessing: Reading
    licence: str = "unknown"
    source: str = "unknown"
    local: bool = False
    prior: float | None = None
    modality: str = "images"
    config: Mapping[str, Any] | None = field(default=None, hash=False)
    flops: int = 0
    stage_flops: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with its 95 % interval, in the score's own unit."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Plain data for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


Kind = Literal["baseline", "transfer", "scratch"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row of the evidence table: a candidate and its *validation* scores.

    Attributes:
        name: unique in the run, e.g. ``partial@3``.
        kind: "baseline" (no network), "transfer" or "scratch" (same network, random initialisation).
        scores: metric name -> validation score with interval.
        seconds: wall time that measuring this row took.
        trainable: number of parameters that moved.
        serving_ms: milliseconds to predict one item, batched; 0 when not measured.
        status: "measured", or why there is no score ("over budget", "collapsed", ...).
        detail: depth, rate, epochs, taps: whatever refitting it needs. Plain JSON.
    """

    name: str
    kind: Kind
    scores: Mapping[str, Interval] = field(default_factory=dict)
    seconds: float = 0.0
    trainable: int = 0
    serving_ms: float = 0.0
    status: str = "measured"
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "scores": {name: interval.as_dict() for name, interval in self.scores.items()}}


@dataclass(frozen=True, slots=True)
class Finding:
    """One diagnosis: a number, its threshold, and what to do about it.

    Attributes:
        name: the diagnosis.
        severity: "info", "warning" or "serious".
        sentence: what was found, in one sentence.
        number, threshold: the measurement and the line it crossed.
        next_move: what the user can do.
        evidence: whatever backs it (files, classes, rows). Plain JSON.
    """

    name: str
    severity: Literal["info", "warning", "serious"]
    sentence: str
    number: float
    threshold: float
    next_move: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What was found in a data set before any training.

    Attributes:
        understood: how the source was read, one sentence.
        modality: plural noun for the items.
        items: usable ones.
        task: what the labels are for, "classification" and so on.
        why: what the task was chosen for, in words; "" where the source leaves no choice.
        about: what the items are, behind their number: "in 3 classes"; "" without items.
        classes: class or label -> its usable items; empty for numbers.
        parts: what fit would put where; empty if it would refuse the data.
        cross_validated: True if five folds would stand in for a validation part.
        findings: the most serious first.
        notes: oddities of the source and of the split.
        backbone: full name of the network the items were compared with; "" if with none.
    """

    understood: str
    modality: str
    items: int
    task: str
    why: str
    about: str
    classes: Mapping[str, int]
    parts: Mapping[str, int]
    cross_validated: bool
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    backbone: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    def _repr_html_(self) -> str:
        counts = display.table(["Name", "Items"], [[name, f"{count:,}"] for name, count in self.classes.items()])
        parts = ", ".join(f"{size:,} {part}" for part, size in self.parts.items() if size)
        how = "cross-validated in 5 folds" if self.cross_validated else "one split"
        return display.panel(
            f"{self.items:,} {self.modality} {self.about}",
            display.line(self.understood),
            display.line(f"Task: {self.task}{f' ({self.why})' if self.why else ''}"),
            display.line(f"fit would use {parts}; {how}" if parts else ""),
            *(display.line(note, faint=True) for note in self.notes),
            *(display.finding(each.severity, each.name, each.sentence, each.next_move) for each in self.findings),
            counts,
        )
