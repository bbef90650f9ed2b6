"""Logistic regression on how a word and its neighbours are written, no network: what taggers used to be.

The words themselves, their beginnings, ends and shapes, and those of two neighbours on either side, hashed to columns
(Weinberger et al., Feature hashing for large scale multitask learning, 2009); the features are those of Zhang and
Johnson, A robust risk minimization based named entity recognition system (2003), without its lists of names.
"""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from headstart.base import discovery, seeds
from headstart.base.errors import DataError, ModelFolderError
from headstart.baselines import predictor
from headstart.baselines.predictor import Arrays, Meta
from headstart.measure import calibration, scores
from headstart.measure.arrays import Floats
from headstart.tasks.task import Task

TASKS = ("tagging",)
"""What it can be asked for."""
MODALITIES = ("words",)
"""What it reads."""
COLUMNS = 1 << 16
PENALTIES = (0.1, 1.0, 10.0)
"""Of scikit-learn's C; the one that is best on held-out sentences is taken."""
CHOSEN_ON = 20_000
"""Words that it is chosen on, at most."""
REACH = 2
"""Neighbours on either side."""
LONGEST = 4
"""Letters of a beginning or an end."""
_STEPS = 200
_RUNS = re.compile(r"(.)\1+")


@dataclass(frozen=True, slots=True)
class Shapes:
    """A linear model of hashed features.

    Attributes:
        weight: (C, 65536) float32.
        bias: (C,) float32.
        modality: plug-in of the data room.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    modality: str = "words"
    name: str = "word_shapes"

    def predict(self, items: Sequence[Any]) -> Floats:
        """Probabilities (n, C) of the tags.

        Raises:
            Undecodable: when an item cannot be read.
        """
        found = features(items, self.modality) @ self.weight.T.astype(np.float64)
        return calibration.softmax(np.asarray(found) + self.bias)

    def state(self) -> tuple[Arrays, Meta]:
        """The weights, and what it reads."""
        return {"weight": self.weight, "bias": self.bias}, {"modality": self.modality}


def fit(items: Sequence[Any], targets: Any, task: Task, seed: int, *, modality: str = "words") -> Shapes:
    """Fit the regression.

    Args:
        items: training words, each in its sentence.
        targets: (n, 3) tag, sentence and place.
        task: what is predicted.
        seed: draws the sentences that the penalty is chosen on.
        modality: plug-in of the data room.

    Raises:
        Undecodable: when an item cannot be read.
        DataError: not one target an item.
    """
    given = np.asarray(targets)
    if len(given) != len(items):
        raise DataError("Targets do not fit the items", expected=f"{len(items)} of them, not {len(given)}")
    read, tags = features(items, modality), task.bare(given)
    penalty = _penalty(read, tags, given[:, 1], len(task.names), seed)
    weight, bias = _solved(read, tags, len(task.names), penalty)
    return Shapes(weight.astype(np.float32), bias.astype(np.float32), modality)


def features(items: Sequence[Any], modality: str) -> sparse.csr_matrix:
    """What is written, (n, 65536): 1 in the columns of an item's features."""
    room = discovery.load("data", modality)
    columns: list[int] = []
    starts = [0]
    known: dict[str, int] = {}
    for item in items:
        words = room.decode(item)
        for name in _named(words.sentence.words, words.chosen[0]):
            if name not in known:
                known[name] = zlib.crc32(name.encode("utf-8", "replace")) % COLUMNS
            columns.append(known[name])
        starts.append(len(columns))
    found = sparse.csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(items), COLUMNS))
    found.sum_duplicates()
    return found


def _named(words: Sequence[str], at: int) -> Iterator[str]:
    """The features of a word, by name."""
    word = words[at]
    for size in range(1, min(LONGEST, len(word)) + 1):
        yield f"begins {word[:size].lower()}"
        yield f"ends {word[-size:].lower()}"
    for step in range(-REACH, REACH + 1):
        place = at + step
        if not 0 <= place < len(words):
            yield f"{step} nothing"
            continue
        yield f"{step} word {words[place].lower()}"
        yield f"{step} shape {shape(words[place])}"
    for step in (-1, 1):
        if 0 <= at + step < len(words):
            yield f"{step} both {words[at + step].lower()} {shape(word)}"


def shape(word: str) -> str:
    """``McDonald's`` as ``XxXx'x``: capitals, letters and digits, each run of them once."""
    signs = "".join("X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word)
    return _RUNS.sub(r"\1", signs)


def _penalty(read: sparse.csr_matrix, tags: Any, sentence: Any, classes: int, seed: int) -> float:
    number = np.unique(sentence, return_inverse=True)[1]
    place = seeds.generator(seed, "sentences").permutation(int(number.max(initial=0)) + 1)[number]
    chosen = np.flatnonzero(np.argsort(np.argsort(place, kind="stable"), kind="stable") < CHOSEN_ON)
    held = chosen[place[chosen] % 5 == 0]
    train = chosen[place[chosen] % 5 != 0]
    if not len(held) or not len(train):
        return 1.0
    losses = {}
    for penalty in PENALTIES:
        weight, bias = _solved(read[train], tags[train], classes, penalty)
        answers = calibration.softmax(np.asarray(read[held] @ weight.T) + bias)
        losses[penalty] = scores.score("log_loss", answers, tags[held])
    return min(losses, key=lambda one: losses[one])


def _solved(read: sparse.csr_matrix, tags: Any, classes: int, penalty: float) -> tuple[Floats, Floats]:
    """Weight (C, m) and bias (C,); a tag that no word has is as improbable as the rarest one, and more."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    present, short = np.unique(tags, return_inverse=True)
    weight, bias = np.zeros((classes, read.shape[1])), np.zeros(classes)
    if len(present) > 1:
        with warnings.catch_warnings():
            # What is left after so many steps is too little to show.
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = LogisticRegression(C=penalty, max_iter=_STEPS, tol=1e-3).fit(read, short)
        both = len(present) == 2
        rows = np.concatenate([-found.coef_ / 2, found.coef_ / 2]) if both else found.coef_
        ends = np.concatenate([-found.intercept_ / 2, found.intercept_ / 2]) if both else found.intercept_
        weight[present], bias[present] = rows, ends
    absent = np.setdiff1d(np.arange(classes), present)
    bias[absent] = bias[present].min() - np.log(len(tags) + 1)
    return weight, bias


def restore(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], task: Task) -> Shapes:
    """Inverse of ``state``.

    Raises:
        ModelFolderError: the state is incomplete or not that of this baseline.
    """
    count = len(task.names)
    if meta.get("modality") not in MODALITIES:
        raise ModelFolderError(f"The baseline's modality cannot be {meta.get('modality')!r}", expected=MODALITIES[0])
    weight = predictor.array(arrays, "weight", (count, COLUMNS), np.float32)
    return Shapes(weight, predictor.array(arrays, "bias", (count,), np.float32))
