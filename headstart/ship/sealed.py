"""The sealed model: one folder of plain files that predicts, evaluates and explains itself.

``load`` checks the folder against its manifest (``base/manifest.py``), rebuilds the network from the catalogue's
architecture of that name, fits the tensors in exactly, and replays the golden examples. Nothing in the folder is
executed, and a folder that drifted, was edited or is incomplete is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headstart.base import discovery
from headstart.base import manifest as manifests
from headstart.base.errors import BadOption, ModelFolderError, Undecodable
from headstart.base.manifest import Manifest
from headstart.base.progress import Reporter, Silent
from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Interval
from headstart.data.opening import open_source
from headstart.data.printable import count, where
from headstart.ship import display, doubt, evaluation, golden
from headstart.ship.described import task_of
from headstart.ship.doubt import Doubt
from headstart.ship.items import listed
from headstart.ship.scoring import Judgement, Scorer, restored
from headstart.tasks.task import Task

OnError = Literal["raise", "skip"]
_LONG = 120
"""Letters of an item that are shown of it."""
CHUNK = 512
"""Items that are in memory at once while a long list is predicted."""


@dataclass(frozen=True, slots=True, repr=False)
class Prediction:
    """What the model says about one item.

    Attributes:
        item: the item as it was given (a path, or the picture itself).
        answer: what the task says of it, as plain data: "label" and "confidence", "labels", or "value".
        scores: (K,) probabilities of the classes or labels, or the one value.
        task: what is predicted.
        modality: what kind of item it is: a file of the data room.
        strangeness: how far the item lies from the training items, where an item above 1 is unlike all of them; None
            where the model does not measure it.
        unsure: its confidence is below the one that was asked for.
        remark: what there is to be said of how the item was read, such as "read in 3 windows"; empty for nothing.
        parts: of an item whose parts are answered, such as the words of a sentence, what they are; ``scores`` are
            (m, K) then, a row a part.
    """

    item: Any = field(compare=False)
    answer: dict[str, Any]
    scores: np.ndarray = field(compare=False)
    task: Task = field(compare=False)
    modality: str = field(default="images", compare=False)
    strangeness: float | None = field(default=None, compare=False)
    unsure: bool = field(default=False, compare=False)
    remark: str = field(default="", compare=False)
    parts: tuple[str, ...] = field(default=(), compare=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """What ``scores`` are of."""
        return self.task.names

    @property
    def unfamiliar(self) -> bool | None:
        """Whether the item is unlike anything in the training data; None where the model does not measure it."""
        return None if self.strangeness is None else self.strangeness > 1.0

    @property
    def label(self) -> str:
        """The most probable class."""
        return str(self._of("label"))

    @property
    def confidence(self) -> float:
        """Its probability."""
        self._of("label")
        return float(self.scores.max())

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are there, the most probable first."""
        return tuple(self._of("labels"))

    @property
    def value(self) -> float:
        """The number."""
        self._of("value")
        return float(self.scores[0])

    @property
    def probabilities(self) -> dict[str, float]:
        """Class or label -> probability."""
        self._alone()
        return dict(zip(self.classes, self.scores.tolist(), strict=True))

    def top(self, count: int) -> list[tuple[str, float]]:
        """The ``count`` most probable classes with their probabilities, best first."""
        self._alone()
        order = np.argsort(-self.scores, kind="stable")[:count]
        return [(self.classes[i], float(self.scores[i])) for i in order]

    def said(self, top: int = 1) -> str:
        """The answer in a line of text."""
        return self.task.told(self.answer) if self.parts else self.task.said(self.scores, top)

    def answered(self, top: int = 1) -> dict[str, Any]:
        """The answer as plain data, the ``top`` most probable names in it if more than one is wanted."""
        return self.answer if self.parts else self.task.answer(self.scores, top)

    def rows(self, top: int = 1) -> list[list[str]]:
        """The answer as rows of cells, of which ``Task.header`` has the columns: one, or one for each part."""
        return self.task.listed(self.answer) if self.parts else [self.task.cells(self.scores, top)]

    def __repr__(self) -> str:
        shape = getattr(self.item, "shape", None)
        item = repr(self.item) if shape is None else f"<{type(self.item).__name__} {tuple(shape)}>"
        words = (("unsure", self.unsure), ("unfamiliar", self.unfamiliar), (self.remark, self.remark))
        marks = "".join(f", {word}" for word, so in words if so)
        return f"Prediction({item if len(item) <= _LONG else item[:_LONG] + '…'}, {self.said()}{marks})"

    def _repr_html_(self) -> str:
        return display.prediction(self)

    def _alone(self) -> None:
        if self.parts:
            raise BadOption(
                f"A {self.task.kind} model's answer is of {len(self.parts)} parts, each with its own probabilities",
                expected="scores, a row for each of parts",
            )

    def _of(self, name: str) -> Any:
        if name not in self.answer:
            raise BadOption(
                f"A {self.task.kind} model gives no {name}", expected=f"one of {', '.join(self.answer)}, in answer"
            )
        return self.answer[name]


class Model:
    """A sealed model, loaded.

    Args:
        path: its folder.
        manifest: what the folder says about itself.
        task: what it predicts.
        scorer: turns items into predictions.
        doubt: what is known of how far to believe it.

    Attributes:
        path: its folder.
        manifest: what the folder says about itself.
        task: what it predicts: names, scores, words.
        doubt: what is known of how far to believe it.
    """

    def __init__(self, path: Path, manifest: Manifest, task: Task, scorer: Scorer, doubt: Doubt | None = None) -> None:
        self.path, self.manifest, self.task, self._scorer = path, manifest, task, scorer
        self.doubt = doubt or Doubt()
        room = discovery.load("data", manifest.modality, kind="modality")
        self._parts = room if hasattr(room, "parts") else None

    @property
    def classes(self) -> tuple[str, ...]:
        """Class or label names in natural order, or the name of the one target."""
        return self.task.names

    @property
    def scorer(self) -> Scorer:
        """What computes, for those who form batches themselves."""
        return self._scorer

    @property
    def evidence(self) -> list[Evidence]:
        """The evidence table: every candidate that was measured, with its validation scores."""
        sealed = str(self.manifest.training.get("candidate", ""))
        return display.Table([row.value() for row in self.manifest.evidence], sealed, self.task)

    @property
    def verdict(self) -> dict[str, Any]:
        """Whether transfer helped, and by how much: ``sentence``, ``outcome``, ``gap``, ``tests``."""
        return display.Verdict(dict(self.manifest.verdict), self.task)

    @property
    def run(self) -> Run | None:
        """The run it came out of, if its folder is still there."""
        run = Run(self.path / "run")
        return run if run.exists() else None

    def predict(
        self,
        items: Any,
        *,
        on_error: OnError = "raise",
        precision: str = "float32",
        min_confidence: float | None = None,
    ) -> list[Prediction]:
        """Labels with confidence, or values, one for each item, in order; each says whether its item is unfamiliar.

        Args:
            items: paths, PIL images or arrays, or of a model of texts: texts, pairs of them or paths of text files; a
                list of them, a single one, or a folder.
            on_error: "raise" at the first unreadable item, or "skip" it (``Prediction.item`` tells which are left).
            precision: "float32", "bf16" or "auto".
            min_confidence: predictions below it say that they are ``unsure``.

        Raises:
            Undecodable: for an item that cannot be read, unless it is skipped.
            DataError: when there is nothing to predict.
            BadOption: a confidence outside (0, 1], or of a model whose answers have none.
        """
        found = display.Predictions()
        _check(on_error)
        for _, result in self.stream(items, precision=precision, min_confidence=min_confidence):
            if isinstance(result, Prediction):
                found.append(result)
            elif on_error == "raise":
                raise result
        return found

    def predict_proba(self, items: Any, *, on_error: OnError = "raise", precision: str = "float32") -> np.ndarray:
        """Probabilities (n, C), columns in the order of ``classes``; rows of skipped items are NaN.

        Of a regression, these are its values (n, 1).

        Raises:
            Undecodable: for an item that cannot be read, unless it is skipped.
            DataError: when there is nothing to predict.
        """
        rows = []
        _check(on_error)
        if self._parts is not None:
            raise BadOption(
                f"A {self.task.kind} model has no single row of probabilities for an item",
                expected="predict, whose answers have scores with a row for each part",
            )
        for _, result in self.stream(items, precision=precision):
            if isinstance(result, Prediction):
                rows.append(result.scores)
            elif on_error == "raise":
                raise result
            else:
                rows.append(np.full(len(self.classes), np.nan))
        return np.stack(rows)

    def unfamiliar(self, items: Any, *, precision: str = "float32") -> np.ndarray:
        """Whether each item is unlike anything in the training data, (n,) True or False.

        Raises:
            BadOption: the model does not measure it; the message says why.
            Undecodable: for an item that cannot be read.
            DataError: when there is nothing to judge.
        """
        if self.doubt.known is None:
            raise BadOption(
                f"This model does not tell unfamiliar items: {self.doubt.missing}",
                expected="a model whose card says that it does",
                next_move="fit again, so that a network wins" if self.manifest.kind == "baseline" else "fit again",
            )
        return np.array([one.unfamiliar for one in self.predict(items, precision=precision)], dtype=bool)

    def stream(
        self,
        items: Any,
        *,
        precision: str = "float32",
        min_confidence: float | None = None,
        report: Reporter | None = None,
    ) -> Iterator[tuple[Any, Prediction | Undecodable]]:
        """Each item with its prediction, or with the reason why it cannot be read; memory stays flat.

        Raises:
            DataError: when there is nothing to predict.
            BadOption: as ``predict`` does.
        """
        self._check_confidence(min_confidence)
        return self._stream(listed(items, self.manifest.modality), precision, report or Silent(), min_confidence or 0.0)

    def _check_confidence(self, asked: float | None) -> None:
        if asked is None:
            return
        if self.task.certainty(np.full((1, len(self.classes)), 1 / len(self.classes))) is None:
            raise BadOption(
                f"A {self.task.kind} model's answers have no confidence",
                where="min_confidence",
                expected="a model of classes or labels",
            )
        if not 0 < asked <= 1:
            raise BadOption(f"A confidence cannot be {asked:g}", where="min_confidence", expected="above 0, at most 1")

    def _stream(
        self, queue: Sequence[Any], precision: str, report: Reporter, least: float = 0.0
    ) -> Iterator[tuple[Any, Prediction | Undecodable]]:
        report.begin("predict", len(queue))
        for start in range(0, len(queue), CHUNK):
            chunk = queue[start : start + CHUNK]
            answer = self._chunk if self._parts is None else self._chunk_of_parts
            for position, (item, found) in enumerate(answer(chunk, precision, least)):
                yield item, Undecodable(found, where=where(item, start + position)) if isinstance(found, str) else found
            report.advance(len(chunk))
        report.end()

    def _chunk(self, chunk: Sequence[Any], precision: str, least: float) -> Iterator[tuple[Any, Prediction | str]]:
        failed: dict[int, str] = {}
        judged = self._scorer.judge(chunk, precision=precision, failed=failed)
        for position, item in enumerate(chunk):
            if position in failed:
                yield item, failed[position]
            else:
                yield item, self._prediction(item, judged.scores[position], judged.strangeness[position], least)

    def _chunk_of_parts(
        self, chunk: Sequence[Any], precision: str, least: float
    ) -> Iterator[tuple[Any, Prediction | str]]:
        """Items whose parts are what the network answers, all of them in one go."""
        taken = [self._taken_apart(item) for item in chunk]
        failed: dict[int, str] = {}
        everything = [part for parts in taken if not isinstance(parts, str) for part in parts]
        scores = self._scorer.score(everything, precision=precision, failed=failed) if everything else np.empty((0, 0))
        start = 0
        for item, parts in zip(chunk, taken, strict=True):
            if isinstance(parts, str):
                yield item, parts
                continue
            rows = range(start, start + len(parts))
            start += len(parts)
            wrong = next((failed[row] for row in rows if row in failed), None)
            yield item, wrong if wrong is not None else self._of_parts(item, scores[rows.start : rows.stop], least)

    def _taken_apart(self, item: Any) -> Sequence[Any] | str:
        try:
            return tuple(self._parts.parts(item)) if self._parts is not None else ()
        except Undecodable as error:
            return error.what

    def _of_parts(self, item: Any, scores: np.ndarray, least: float) -> Prediction:
        names, places = self._parts.names(item) if self._parts is not None else ([], [])
        sure = self.task.certainty(scores) if least else None
        return Prediction(
            item,
            self.task.together(names, places, scores),
            scores,
            self.task,
            self.manifest.modality,
            unsure=sure is not None and sure < least,
            remark=self._scorer.remark(item),
            parts=tuple(names),
        )

    def _prediction(self, item: Any, scores: np.ndarray, strangeness: float, least: float) -> Prediction:
        sure = self.task.sureness(scores[None]) if least else None
        return Prediction(
            item,
            self.task.answer(scores),
            scores,
            self.task,
            self.manifest.modality,
            strangeness=float(strangeness) if np.isfinite(strangeness) else None,
            unsure=sure is not None and bool(sure[0] < least),
            remark=self._scorer.remark(item),
        )

    def evaluate(
        self,
        source: Any,
        labels: Any = None,
        *,
        label: str | None = None,
        path: str | None = None,
        text: str | Sequence[str] | None = None,
        precision: str = "float32",
        seed: int = 0,
        report: Reporter | None = None,
    ) -> dict[str, Any]:
        """Scores on labelled data, each with its 95 % interval.

        Args:
            source: whatever ``fit`` takes; where it has a test part, only that part is used.
            labels: one for each item, when ``source`` holds items in memory.
            label, path, text: columns of a table source.
            precision: "float32", "bf16" or "auto".
            seed: of the bootstrap.
            report: told of progress.

        Returns:
            Metric name -> {value, low, high}; what the task adds (``confusion``, whose rows are true classes, and
            ``per_class``; ``per_label``), ``n``, ``skipped`` and ``notes``; and ``unfamiliar``: which of the items are
            unlike the training data, and the scores without them, or None where the model does not measure that.

        Raises:
            DataError: when the source cannot be used, or has classes or labels that the model does not know.
        """
        given = evaluation.examples(open_source(source, labels, label=label, path=path, text=text), self.task)
        results = self._judgements(given.items, precision, report or Silent())
        return evaluation.scored(given, list(results), self.task, doubt=self.doubt, seed=seed)

    def _judgements(self, queue: Sequence[Any], precision: str, report: Reporter) -> Iterator[Judgement | Undecodable]:
        """What is said of each item as the data set has it, in order."""
        report.begin("predict", len(queue))
        for start in range(0, len(queue), CHUNK):
            chunk = queue[start : start + CHUNK]
            failed: dict[int, str] = {}
            judged = self._scorer.judge(chunk, precision=precision, failed=failed).each()
            for position, one in enumerate(judged):
                yield Undecodable(failed[position]) if position in failed else one
            report.advance(len(chunk))
        report.end()

    def report(self, to: str | Path | None = None) -> Path:
        """Write the report, one page of HTML: ``report.html`` in the model's folder by default.

        Returns:
            The file.

        Raises:
            BadOption: ``to`` does not end in .html.
            HeadstartError: it cannot be written.
        """
        # Imported here: predicting needs no templates.
        from headstart.ship.report import page

        return page.write(self.path, to)

    def summary(self) -> str:
        """A few lines that say what the model is, how good it is, and where it lies."""
        known = ", ".join(self.classes[:12]) + (", …" if len(self.classes) > 12 else "")
        lines = [repr(self), f"{self.task.words.noun[1].capitalize()}: {known}"]
        lines += [
            f"{name}: {metric.text(Interval(score.value, score.low, score.high))}"
            for name, score in self.manifest.metrics.items()
            if (metric := self.task.metrics.get(name)) is not None
        ]
        sentence = self.manifest.verdict.get("sentence")
        return "\n".join(lines + ([str(sentence)] if sentence else []))

    def _repr_html_(self) -> str:
        return display.model(self)

    def __repr__(self) -> str:
        backbone, baseline = self.manifest.backbone, self.manifest.baseline
        what = backbone.name if backbone is not None else baseline.name if baseline is not None else ""
        one, many = self.task.words.noun
        return f"Model({str(self.path)!r}, {count(len(self.classes), one, many)}, {what})"


def load(path: str | Path) -> Model:
    """Load a sealed model, checked from end to end.

    Raises:
        ModelFolderError: when the folder is incomplete, edited, unsafe, from a newer headstart, or drifted.
    """
    folder = Path(path).expanduser()
    manifest = manifests.read(folder)
    task = task_of(folder, manifest)
    known = doubt.read(folder, manifest)
    scorer = restored(folder, manifest, task, known)
    examples = golden.read(folder / manifests.GOLDEN, columns=len(task.names))
    try:
        replayed = scorer.rejudge(examples.inputs)
    except (IndexError, RuntimeError, ValueError) as error:
        raise ModelFolderError(
            f"The golden examples are none of this model's: {error}", where=str(folder / manifests.GOLDEN)
        ) from error
    scores = task.comparable(replayed.scores)
    golden.check(examples, scores, tolerance=manifest.golden.tolerance, where=str(folder))
    golden.check_strangeness(examples, replayed.strangeness, where=str(folder))
    return Model(folder, manifest, task, scorer, known)


def _check(on_error: str) -> None:
    if on_error not in ("raise", "skip"):
        raise BadOption(f"on_error cannot be {on_error!r}", expected="'raise' or 'skip'")
