"""Tagging: one tag for each word of a sentence, as in finding names (entities) or parts of speech.

Each word is classified where it stands. Tags with the prefixes B- and I- say where something begins and goes on; then
the words of a sentence are decided on together, so that none continues what nothing began, and the score is the F1 of
whole entities (``measure/spans.py``). Words of one sentence are no independent draws: intervals resample sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from headstart.base import natural, seeds
from headstart.base.errors import DataError, ModelFolderError, TooFewExamples
from headstart.measure import balance, folds, logistic, scores, spans
from headstart.measure.arrays import Floats, Ints
from headstart.measure.linear import FLOOR, Linear
from headstart.measure.metric import Metric, entries, of_totals, ratio
from headstart.tasks.classification import Classification
from headstart.tasks.task import Value, Words

if TYPE_CHECKING:
    import torch

TAG, SENTENCE, PLACE = 0, 1, 2
"""Columns of targets: a word's tag, its sentence, and which word of it it is."""
OUTSIDE = "O"


def _clusters(targets: Any) -> Ints:
    return np.asarray(targets)[:, SENTENCE]


def _sentences(targets: Any) -> float:
    return float(len(np.unique(_clusters(targets))))


def _of_words(metric: Metric) -> Metric:
    """A score of classes as one of words in sentences."""
    values = metric.values
    return replace(
        metric,
        title="Word accuracy" if metric.name == "accuracy" else metric.title,
        phrase="{} word accuracy" if metric.name == "accuracy" else metric.phrase,
        prepare=lambda predictions, targets: metric.prepare(predictions, np.asarray(targets)[:, TAG]),
        values=None
        if values is None
        else lambda predictions, targets: values(predictions, np.asarray(targets)[:, TAG]),
        effective=_sentences,
        clusters=_clusters,
    )


def _of_entities(tags: spans.Tags) -> dict[str, Metric]:
    """Exact-match F1, precision and recall of entities."""

    def terms(predictions: Any, targets: Any) -> sparse.csr_array:
        found = spans.counts(*_given(predictions, targets), tags)
        return entries(3, *((column, each.sum(axis=1)) for column, each in enumerate(found)))

    def score(name: str, title: str, below: Mapping[int, float]) -> Metric:
        def combine(totals: Floats) -> Floats:
            return ratio(totals[:, 0], sum(share * totals[:, column] for column, share in below.items()))  # type: ignore[arg-type]

        phrase = "{} " + title[0].lower() + title[1:]
        return Metric(
            name,
            title,
            True,
            of_totals(terms, combine),
            bounded=True,
            percent=True,
            phrase=phrase,
            effective=_sentences,
            clusters=_clusters,
        )

    found = (
        score("entity_f1", "Entity F1", {1: 0.5, 2: 0.5}),
        score("entity_precision", "Entity precision", {2: 1.0}),
        score("entity_recall", "Entity recall", {1: 1.0}),
    )
    return {metric.name: metric for metric in found}


def _given(predictions: Any, targets: Any) -> tuple[Floats, Ints, spans.Order]:
    given = np.asarray(targets)
    order = spans.Order.of(given[:, SENTENCE], given[:, PLACE])
    return np.asarray(predictions, dtype=np.float64), given[:, TAG], order


WORDWISE: dict[str, Metric] = {name: _of_words(metric) for name, metric in scores.METRICS.items()}
"""Scores of single words."""
METRICS: dict[str, Metric] = {**_of_entities(spans.Tags(())), **WORDWISE}
"""Every score by its name."""


@dataclass(frozen=True, slots=True)
class Tag:
    """The tag of a word; two are equal if they say the same.

    Attributes:
        name: what it says.
        sentence: number of the word's sentence.
        place: which word of it it is.
    """

    name: str
    sentence: int = field(default=0, compare=False)
    place: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Tagging(Classification):
    """One of the tags for each word; targets (n, 3) are tag, sentence and place, predictions probabilities (n, C)."""

    kind = "tagging"
    metrics = WORDWISE
    shown = ("f1_macro", "accuracy", "log_loss", "balanced_accuracy")
    points = "f1_macro"
    problem = ""
    words = Words(
        purpose="Labels each word of a text with one of {count} tags ({names}).",
        limit="It always answers with one of its tags, also for a {item} of something else.",
        counted="Words a tag",
        noun=("tag", "tags"),
        pipeline="classification",
        collapsed="collapsed to one tag",
    )

    # From labels to targets.

    def encode(self, values: Sequence[Value]) -> np.ndarray:
        """Tag, sentence and place (n, 3).

        Raises:
            DataError: for a tag that is not there.
        """
        tags = super().encode([value.name for value in values])
        places = np.array([(value.sentence, value.place) for value in values], dtype=np.int64).reshape(-1, 2)
        return np.column_stack([tags, places])

    def without(self, values: Sequence[Value], gone: set[str]) -> list[Value]:
        """Words of some tags are outside of everything then; where no tag says that, they are left out."""
        outside = OUTSIDE in self.names and OUTSIDE not in gone
        instead = [replace(value, name=OUTSIDE) if outside else None for value in values]
        return [other if value.name in gone else value for value, other in zip(values, instead, strict=True)]

    def check(self, targets: np.ndarray, origin: str) -> None:
        """Refuse a single tag.

        Raises:
            TooFewExamples: fewer than two tags.
        """
        if len(self.names) < 2:
            raise TooFewExamples(
                f"Every word has the same tag: {self.names[0]}" if self.names else "No word has a tag",
                where=origin,
                expected="at least two tags",
                next_move="name the column of the tags with --label",
            )

    def bare(self, targets: np.ndarray) -> np.ndarray:
        """The tags (n,)."""
        return np.asarray(targets)[:, TAG]

    def strata(self, targets: np.ndarray) -> np.ndarray:
        """The tags."""
        return self.bare(targets)

    def members(self, targets: np.ndarray) -> np.ndarray:
        """(n, C) True for each word's tag."""
        return super().members(self.bare(targets))

    def about(self, targets: np.ndarray) -> str:
        """How many sentences and tags there are."""
        return f"of {int(_sentences(targets)):,} sentences, in {len(self.names)} tags"

    # From features to predictions.

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Mean cross-entropy over the words (b, C) of a batch, nats."""
        return super().loss(outputs, targets[:, TAG].long(), weights)

    def temperature(self, outputs: Any, targets: Any) -> float:
        """With the lowest log loss of the words."""
        return super().temperature(outputs, self.bare(targets))

    def collapsed(self, outputs: np.ndarray, targets: np.ndarray) -> bool:
        """True if outputs name one tag while the targets have several."""
        return super().collapsed(outputs, self.bare(targets))

    def solve(
        self, features: np.ndarray, targets: np.ndarray, *, penalty: float | None, weights: Any, seed: int
    ) -> tuple[Linear, float]:
        """Logistic regression; its penalty is chosen on held-out sentences."""
        given: dict[str, Any] = {"classes": len(self.names), "class_weight": weights, "standardise": True}
        tags = self.bare(targets)
        if penalty is not None:
            return logistic.fit(features, tags, penalty=penalty, **given), penalty
        inner = _by_sentence(_clusters(targets), seed)
        if not inner:
            return super().solve(features, tags, penalty=None, weights=weights, seed=seed)
        found = logistic.search(features, tags, inner if len(tags) < folds.ENOUGH else inner[:1], **given)
        return found.linear, found.penalty

    def simple(self, features: np.ndarray, targets: np.ndarray, *, floor: float = FLOOR) -> Linear:
        """Calibrated logits of a ridge regression on one-hot tags."""
        return super().simple(features, self.bare(targets), floor=floor)

    def ideal(self, targets: np.ndarray) -> Floats:
        """One-hot."""
        return super().ideal(np.asarray(targets)[:, TAG] if np.ndim(targets) == 2 else targets)

    def constant(self, targets: np.ndarray) -> Floats:
        """Shares of the tags."""
        return super().constant(self.bare(targets))

    def left_out(self, features: np.ndarray, targets: np.ndarray) -> tuple[float, str]:
        """Leave-one-out log loss of a ridge classifier, nats; one word is left out at a time."""
        return super().left_out(features, self.bare(targets))

    def each_left_out(self, features: np.ndarray, targets: np.ndarray) -> Floats:
        """Calibrated probabilities of a ridge classifier."""
        return super().each_left_out(features, self.bare(targets))

    def suspects(self, predictions: Any, targets: Any) -> list[dict[str, Any]]:
        """By confident learning, word by word."""
        return super().suspects(predictions, self.bare(targets))

    def corrected(self, value: Value, said: str, new: str) -> Value:
        """The word with the other tag.

        Raises:
            DataError: no such tag.
        """
        return replace(value, name=super().corrected(value.name, said, new))

    # Scores.

    def choose_metric(self, targets: np.ndarray) -> str:
        """The mean over the tags."""
        return "f1_macro"

    def stated(self, metric: str) -> str:
        """Itself where it is a percentage."""
        return metric if self.metric(metric).percent else self.points

    def weights(self, targets: np.ndarray, metric: str) -> Floats | None:
        """None unless the tags shall count equally."""
        wanted = metric in ("balanced_accuracy", "f1_macro")
        return balance.class_weights(self.bare(targets), len(self.names), metric) if wanted else None

    def details(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Confusion counts of the words (rows are true tags) and each tag's recall and precision."""
        return super().details(predictions, self.bare(targets))

    def wrong(self, predictions: Any, targets: Any) -> Floats | None:
        """Another tag."""
        return super().wrong(predictions, self.bare(targets))

    def trust(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Of the most probable tag of each word."""
        found = super().trust(predictions, self.bare(targets))
        return {
            **found,
            "confidence": "the probability of the tag that is answered",
            "risk": "share of the words whose tag is wrong",
        }

    def confidences(self, predictions: Any, targets: Any) -> tuple[Floats, np.ndarray] | None:
        """Of the most probable tag, one a word."""
        return super().confidences(predictions, self.bare(targets))

    def meant(self, target: Any) -> str:
        """The tag."""
        return super().meant(np.asarray(target)[TAG])

    def mistaken(self, predictions: Any, targets: Any) -> Floats:
        """How far the wrong tag leads."""
        return super().mistaken(predictions, self.bare(targets))

    def kinds(self, predictions: Any, targets: Any) -> np.ndarray:
        """The cell of the confusion counts."""
        return super().kinds(predictions, self.bare(targets))

    # What is said of a sentence.

    def decided(self, rows: Floats) -> Ints:
        """The tags (m,) of the words of one sentence, of predictions (m, C)."""
        return np.asarray(rows).argmax(axis=1).astype(np.int64)

    def together(self, parts: Sequence[str], places: Sequence[tuple[int, int]], rows: Floats) -> dict[str, Any]:
        """``tags``, one a word, their ``confidences`` and the ``words``."""
        said = self.decided(rows)
        sure = np.asarray(rows)[np.arange(len(said)), said]
        return {
            "tags": [self.names[tag] for tag in said],
            "words": list(parts),
            "confidences": [round(float(each), 6) for each in sure],
        }

    def told(self, answer: Mapping[str, Any]) -> str:
        """``The/DET dog/NOUN``."""
        return " ".join(f"{word}/{tag}" for word, tag in zip(answer["words"], answer["tags"], strict=True))

    def listed(self, answer: Mapping[str, Any]) -> list[list[str]]:
        """A row a word."""
        columns = answer["words"], answer["tags"], answer["confidences"]
        return [[word, tag, f"{sure:.6f}"] for word, tag, sure in zip(*columns, strict=True)]

    def header(self, top: int = 1) -> list[str]:
        """Of a row a word."""
        return ["word", "tag", "confidence"]


@dataclass(frozen=True)
class Entities(Tagging):
    """Tags that mark entities: B- begins one, I- goes on with it, O is outside of all."""

    shown = ("entity_f1", "accuracy", "f1_macro", "log_loss")
    words = replace(
        Tagging.words,
        purpose="Finds entities in a text and says what each is; tags of its words: {count} ({names}).",
        limit="It knows its own kinds of entities only, and says nothing of what else a text names.",
    )

    @cached_property
    def tags(self) -> spans.Tags:
        """What the tags mean."""
        return spans.Tags(self.names)

    @cached_property
    def metrics(self) -> dict[str, Metric]:  # type: ignore[override]
        """Those of whole entities, and of single words."""
        return {**_of_entities(self.tags), **WORDWISE}

    def settled(self, predictions: Floats, targets: Any) -> Floats:
        """Where a word's most probable tag would go on with nothing, that and the tag it gets change places."""
        given, _, order = _given(predictions, targets)
        said, rows = spans.decoded(given, order, self.tags), np.arange(len(given))
        found, first = given.copy(), given.argmax(axis=1)
        found[rows, said], found[rows, first] = given[rows, first], given[rows, said]
        return found

    def choose_metric(self, targets: np.ndarray) -> str:
        """Exact matches of whole entities, as conlleval counts them."""
        return "entity_f1"

    def details(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Besides those of words, each kind's precision, recall and F1, and how many entities there are."""
        found = [each.sum(axis=0) for each in spans.counts(*_given(predictions, targets), self.tags)]
        per_kind = {
            kind: {"there": int(there), "said": int(said), "right": int(right), **_shares(right, there, said)}
            for kind, right, there, said in zip(self.tags.kinds, *found, strict=True)
        }
        return {**super().details(predictions, targets), "per_kind": per_kind}

    def decided(self, rows: Floats) -> Ints:
        """The most probable tags in which nothing goes on that did not begin."""
        place = np.arange(len(rows))
        return spans.decoded(np.asarray(rows), spans.Order.of(np.zeros_like(place), place), self.tags)

    def together(self, parts: Sequence[str], places: Sequence[tuple[int, int]], rows: Floats) -> dict[str, Any]:
        """``entities``, and what ``Tagging`` says of each word.

        Each entity has its kind, its words, its first character and the one behind its last, and the confidence of its
        least sure word.
        """
        words = super().together(parts, places, rows)
        said, place = self.decided(rows), np.arange(len(rows))
        found = spans.entities(said, spans.Order.of(np.zeros_like(place), place), self.tags)
        named = [
            {
                "kind": self.tags.kinds[kind],
                "words": list(parts[start:end]),
                "start": places[start][0],
                "end": places[end - 1][1],
                "confidence": min(words["confidences"][start:end]),
            }
            for start, end, kind in zip(found.start.tolist(), found.end.tolist(), found.kind.tolist(), strict=True)
        ]
        return {"entities": named, **words}

    def told(self, answer: Mapping[str, Any]) -> str:
        """``PER John Smith 97.1 %, LOC Paris 98.0 %``."""
        found = [
            f"{one['kind']} {' '.join(one['words'])} {100 * one['confidence']:.1f} %" for one in answer["entities"]
        ]
        return ", ".join(found) or "nothing found"


def _shares(right: int, there: int, said: int) -> dict[str, float | None]:
    return {
        "precision": float(right / said) if said else None,
        "recall": float(right / there) if there else None,
        "f1": float(2 * right / (there + said)) if there + said else None,
    }


def _by_sentence(sentence: Ints, seed: int, count: int = 5) -> tuple[tuple[Ints, Ints], ...]:
    """Folds of words in which every sentence is whole; none where there are too few sentences."""
    known, number = np.unique(sentence, return_inverse=True)
    if len(known) < count:
        return ()
    fold = (seeds.generator(seed, "folds").permutation(len(known)) % count)[number]
    return tuple((np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(count))


def recognise(labels: Sequence[Any]) -> str:
    """Never by the labels alone: a source of words says that it has tags."""
    return ""


def parse(labels: Sequence[Any]) -> list[Value]:
    """Tag, sentence and place of each word, None where it has no tag.

    Raises:
        DataError: for labels that are no tags of words.
    """
    for position, label in enumerate(labels):
        if label is not None and not (isinstance(label, tuple) and len(label) == 3):
            raise DataError(
                f"A label is no tag of a word: {str(label)[:80]}",
                where=f"item {position + 1}",
                expected="a file of words and tags, such as train.conll",
                next_move="for one label an item leave --task away, or name another task",
            )
    return [None if label is None else Tag(*label) for label in labels]


def learn(values: Sequence[Value], *, name: str = "") -> Tagging:
    """The tags that occur, in natural order."""
    return _made(natural.ordered(value.name for value in values))


def restore(names: tuple[str, ...], record: Mapping[str, Any]) -> Tagging:
    """Inverse of ``record``, which is empty.

    Raises:
        ModelFolderError: fewer than two tags.
    """
    if len(names) < 2:
        raise ModelFolderError("A tagging has two tags at least", where="names", expected="2 or more")
    return _made(tuple(names))


def _made(names: tuple[str, ...]) -> Tagging:
    marked = all(name == OUTSIDE or name[:2] in ("B-", "I-") for name in names)
    return Entities(names) if marked and any(name != OUTSIDE for name in names) else Tagging(names)
