"""Logistic regression on the words that a question shares with the places around an answer, no network.

Features of each place: how much of the question stands around it, weighted by how rare the words are, in reaches of a
few words up to its sentence; how the word is written; and what kind of thing the question asks for. They are those of
the logistic regression of Rajpurkar et al. (SQuAD, 2016, section 5) as far as no parse tree is needed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base import discovery
from headstart.base.errors import DataError, ModelFolderError
from headstart.baselines import predictor
from headstart.baselines.predictor import Arrays, Meta
from headstart.measure.arrays import Floats
from headstart.tasks.task import Task

TASKS = ("answering",)
"""What it can be asked for."""
MODALITIES = ("places",)
"""What it reads."""
REACHES = (1, 2, 4, 8)
"""Words on either side."""
KINDS = {
    "person": ("who", "whom", "whose"),
    "time": ("when",),
    "place": ("where",),
    "number": ("many", "much", "long", "old", "far", "often"),
    "year": ("year", "date", "century", "decade"),
    "reason": ("why",),
}
"""Kinds of questions by their words; what is none of them is of a last kind."""
WRITTEN = 6
"""How a word may be written."""
COLUMNS = 2 * len(REACHES) + 6 + WRITTEN + WRITTEN * (len(KINDS) + 1) + 3
"""Features of a place."""
_STOPS = re.compile(r"[.!?;]")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Overlap:
    """A linear model of what question and text share.

    Attributes:
        weight: (2, 73) float64, of beginning and end.
        modality: plug-in of the data room.
    """

    weight: NDArray[np.float64]
    modality: str = "places"
    name: str = "answer_overlap"

    def predict(self, items: Sequence[Any]) -> Floats:
        """Log-probabilities (n, 2), up to a constant a question, that an answer begins and ends at each place.

        Raises:
            Undecodable: when an item cannot be read.
        """
        return features(items, self.modality) @ self.weight.T

    def state(self) -> tuple[Arrays, Meta]:
        """The weights, and what it reads."""
        return {"weight": self.weight}, {"modality": self.modality}


def fit(items: Sequence[Any], targets: Any, task: Task, seed: int, *, modality: str = "places") -> Overlap:
    """Fit the regression.

    Args:
        items: training places, each of its question.
        targets: as the task has them.
        task: what is predicted.
        seed: draws the questions that the penalty is chosen on.
        modality: plug-in of the data room.

    Raises:
        Undecodable: when an item cannot be read.
        DataError: not one target an item.
    """
    given = np.asarray(targets)
    if len(given) != len(items):
        raise DataError("Targets do not fit the items", expected=f"{len(items)} of them, not {len(given)}")
    linear, _ = task.solve(features(items, modality), given, penalty=None, weights=None, seed=seed)
    # What all places share says nothing.
    return Overlap(np.asarray(linear.weight, dtype=np.float64), modality)


def features(items: Sequence[Any], modality: str) -> Floats:
    """Features (n, 73) of places."""
    room = discovery.load("data", modality)
    found = np.zeros((len(items), COLUMNS))
    known: dict[int, Floats] = {}
    for row, item in zip(found, items, strict=True):
        chosen = room.decode(item)
        asked = chosen.asked
        if id(asked) not in known:
            # Places of one question come one behind the other, so that the last one's are all that is kept.
            known = {id(asked): _of(asked.question, asked.context, asked.places)}
        row[:] = known[id(asked)][chosen.chosen[0]]
    return found


def _of(question: str, context: str, places: Sequence[tuple[int, int]]) -> Floats:
    """Features (m + 1, 73) of "no answer" and of every word of a text."""
    words = [context[start:end] for start, end in places]
    low = [word.casefold() for word in words]
    often = Counter(low)
    asked = {word.casefold() for word in re.findall(r"\w+(?:[.'\-]\w+)*", question)}
    # Rare in the text is what tells its parts apart.
    rare = {word: math.log(1 + len(low) / often[word]) for word in asked & often.keys()}
    shared = np.array([rare.get(word, 0.0) for word in low])
    total = sum(rare.values()) or 1.0
    reached = _reached(shared / total)
    sentence = np.array([bool(_STOPS.fullmatch(word)) for word in words], dtype=np.int64)
    number = np.concatenate([[0], np.cumsum(sentence)[:-1]])
    inside = np.bincount(number, weights=shared)[number] / total
    written = np.array([_written(word, word_low in asked) for word, word_low in zip(words, low, strict=True)])
    before, behind = np.roll(shared > 0, 1), np.roll(shared > 0, -1)
    kind = np.zeros(len(KINDS) + 1)
    kind[_kind(question)] = 1.0
    both = (written[:, :, None] * kind).reshape(len(words), -1)
    extra = np.column_stack([shared > 0, inside, inside >= inside.max() - 1e-9, before, behind, inside * (shared == 0)])
    found = np.zeros((len(words) + 1, COLUMNS))
    found[1:, :-3] = np.column_stack([reached, extra, written, both])
    # "No answer" has three features of its own, and none of a word's.
    found[0, -3:] = 1.0, float(inside.max()), len(asked & often.keys()) / max(1, len(asked))
    return found


def _reached(shared: Floats) -> Floats:
    """How much of the question stands within each reach, to the left and to the right of each word (m, 8)."""
    total = np.concatenate([[0.0], np.cumsum(shared)])
    place = np.arange(len(shared))
    columns = []
    for reach in REACHES:
        columns.append(total[place] - total[np.maximum(place - reach, 0)])
        columns.append(total[np.minimum(place + 1 + reach, len(shared))] - total[place + 1])
    return np.column_stack(columns)


def _written(word: str, is_asked: bool) -> list[float]:
    year = len(word) == 4 and word.isdigit()
    said = (
        bool(_WORD.search(word)),
        word[:1].isupper(),
        any(map(str.isdigit, word)),
        year,
        len(word) > 3 and word[:1].islower(),
        word[:1].isupper() and not is_asked,
    )
    return [float(each) for each in said]


def _kind(question: str) -> int:
    words = set(re.findall(r"\w+", question.casefold()))
    return next((number for number, known in enumerate(KINDS.values()) if words & set(known)), len(KINDS))


def restore(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], task: Task) -> Overlap:
    """Inverse of ``state``.

    Raises:
        ModelFolderError: the state is incomplete or not that of this baseline.
    """
    if meta.get("modality") not in MODALITIES:
        raise ModelFolderError(f"The baseline's modality cannot be {meta.get('modality')!r}", expected=MODALITIES[0])
    return Overlap(predictor.array(arrays, "weight", (len(task.names), COLUMNS), np.float64))
