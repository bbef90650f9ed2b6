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

from headstart.base import manifest as manifests
from headstart.base.errors import BadOption, Undecodable
from headstart.base.manifest import Manifest
from headstart.base.progress import Reporter, Silent
from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Interval
from headstart.data.opening import open_source
from headstart.data.printable import count, where
from headstart.ship import display, evaluation, golden
from headstart.ship.described import task_of
from headstart.ship.items import listed
from headstart.ship.scoring import Scorer, restored
from headstart.tasks.task import Task

OnError = Literal["raise", "skip"]
_LONG = 120
"""Letters of an item that are shown of it."""
CHUNK = 256
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
    """

    item: Any = field(compare=False)
    answer: dict[str, Any]
    scores: np.ndarray = field(compare=False)
    task: Task = field(compare=False)
    modality: str = field(default="images", compare=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """What ``scores`` are of."""
        return self.task.names

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
        return dict(zip(self.classes, self.scores.tolist(), strict=True))

    def top(self, count: int) -> list[tuple[str, float]]:
        """The ``count`` most probable classes with their probabilities, best first."""
        order = np.argsort(-self.scores, kind="stable")[:count]
        return [(self.classes[i], float(self.scores[i])) for i in order]

    def said(self, top: int = 1) -> str:
        """The answer in a line of text."""
        return self.task.said(self.scores, top)

    def __repr__(self) -> str:
        shape = getattr(self.item, "shape", None)
        item = repr(self.item) if shape is None else f"<{type(self.item).__name__} {tuple(shape)}>"
        return f"Prediction({item if len(item) <= _LONG else item[:_LONG] + '…'}, {self.said()})"

    def _repr_html_(self) -> str:
        return display.prediction(self)

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

    Attributes:
        path: its folder.
        manifest: what the folder says about itself.
        task: what it predicts: names, scores, words.
    """

    def __init__(self, path: Path, manifest: Manifest, task: Task, scorer: Scorer) -> None:
        self.path, self.manifest, self.task, self._scorer = path, manifest, task, scorer

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

    def predict(self, items: Any, *, on_error: OnError = "raise", precision: str = "float32") -> list[Prediction]:
        """Labels with confidence, or values, one for each item, in order.

        Args:
            items: paths, PIL images or arrays; a list of them, a single one, or a folder.
            on_error: "raise" at the first unreadable item, or "skip" it (``Prediction.item`` tells which are left).
            precision: "float32", "bf16" or "auto".

        Raises:
            Undecodable: for an item that cannot be read, unless it is skipped.
            DataError: when there is nothing to predict.
        """
        found = display.Predictions()
        _check(on_error)
        for _, result in self.stream(items, precision=precision):
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
        for _, result in self.stream(items, precision=precision):
            if isinstance(result, Prediction):
                rows.append(result.scores)
            elif on_error == "raise":
                raise result
            else:
                rows.append(np.full(len(self.classes), np.nan))
        return np.stack(rows)

    def stream(
        self, items: Any, *, precision: str = "float32", report: Reporter | None = None
    ) -> Iterator[tuple[Any, Prediction | Undecodable]]:
        """Each item with its prediction, or with the reason why it cannot be read; memory stays flat.

        Raises:
            DataError: when there is nothing to predict.
        """
        return self._stream(listed(items), precision, report or Silent())

    def _stream(
        self, queue: Sequence[Any], precision: str, report: Reporter
    ) -> Iterator[tuple[Any, Prediction | Undecodable]]:
        report.begin("predict", len(queue))
        for start in range(0, len(queue), CHUNK):
            chunk = queue[start : start + CHUNK]
            failed: dict[int, str] = {}
            scores = self._scorer.score(chunk, precision=precision, failed=failed)
            report.advance(len(chunk))
            for position, item in enumerate(chunk):
                if position in failed:
                    yield item, Undecodable(failed[position], where=where(item, start + position))
                else:
                    yield item, self._prediction(item, scores[position])
        report.end()

    def _prediction(self, item: Any, scores: np.ndarray) -> Prediction:
        return Prediction(item, self.task.answer(scores), scores, self.task, self.manifest.modality)

    def evaluate(
        self,
        source: Any,
        labels: Any = None,
        *,
        label: str | None = None,
        path: str | None = None,
        precision: str = "float32",
        seed: int = 0,
        report: Reporter | None = None,
    ) -> dict[str, Any]:
        """Scores on labelled data, each with its 95 % interval.

        Args:
            source: whatever ``fit`` takes; where it has a test part, only that part is used.
            labels: one for each item, when ``source`` holds items in memory.
            label, path: columns of a table source.
            precision: "float32", "bf16" or "auto".
            seed: of the bootstrap.
            report: told of progress.

        Returns:
            Metric name -> {value, low, high}; what the task adds (``confusion``, whose rows are true classes, and
            ``per_class``; ``per_label``), ``n``, ``skipped`` and ``notes``.

        Raises:
            DataError: when the source cannot be used, or has classes or labels that the model does not know.
        """
        given = evaluation.examples(open_source(source, labels, label=label, path=path), self.task)
        results = self._stream(given.items, precision, report or Silent())
        rows = [result.scores if isinstance(result, Prediction) else result for _, result in results]
        return evaluation.scored(given, rows, self.task, seed=seed)

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
    scorer = restored(folder, manifest, task)
    examples = golden.read(folder / manifests.GOLDEN, columns=len(task.names))
    replayed = task.comparable(scorer.replay(examples.inputs))
    golden.check(examples, replayed, tolerance=manifest.golden.tolerance, where=str(folder))
    return Model(folder, manifest, task, scorer)


def _check(on_error: str) -> None:
    if on_error not in ("raise", "skip"):
        raise BadOption(f"on_error cannot be {on_error!r}", expected="'raise' or 'skip'")
