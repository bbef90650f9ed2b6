"""Texts as weighted counts of their words, pairs of words and runs of letters: what a baseline without a network sees.

TF-IDF (Salton and Buckley 1988): logarithmic counts times the inverse document frequency, rows of length 1; words and
runs of letters (3 to 5 within words, which forgive endings and misspellings) side by side. scikit-learn counts; what is
kept is the vocabulary as plain lines of text and the frequencies as numbers.

A pair of texts is the terms of the first, those of the second, their product term by term, which is where both agree,
and its sum: the cosine of the two.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from headstart.base import discovery
from headstart.base.errors import DataError, ModelFolderError, Undecodable
from headstart.baselines import predictor
from headstart.baselines.predictor import Arrays, Meta
from headstart.measure.arrays import Floats
from headstart.measure.linear import Linear
from headstart.tasks.task import Task

MOST_TERMS = 50_000
"""Of words and of runs of letters, the most frequent."""
MANY = 1_000
"""Texts from which on a term has to be in two of them."""
EXACT = 2_000
"""Items for which all linear models are solved exactly, through their products with each other."""
_KINDS: Mapping[str, Mapping[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "letters": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}
_FAINT = 1e-10
"""Share of the largest eigenvalue below which one is a rounding error."""

Text = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Terms:
    """A vocabulary with its frequencies.

    Attributes:
        counters: name of the kind -> a fitted vectoriser; none for a kind of which no text has a term.
        pairs: items are pairs of texts.
    """

    counters: Mapping[str, TfidfVectorizer]
    pairs: bool

    @property
    def width(self) -> int:
        """Features of an item, d."""
        one = sum(len(each.vocabulary_) for each in self.counters.values())
        return 3 * one + len(self.counters) if self.pairs else one

    def rows(self, texts: Sequence[Text]) -> sparse.csr_matrix:
        """Features (n, d) of texts.

        Raises:
            Undecodable: a pair where single texts were learnt from, or the other way round.
        """
        for text in texts:
            if isinstance(text, str) is self.pairs:
                wanted = "pairs of texts" if self.pairs else "single texts"
                raise Undecodable("it is no item of the kind that was learnt from", expected=wanted)
        sides = [(text,) if isinstance(text, str) else text for text in texts]
        if not self.pairs:
            return self._one([side[0] for side in sides])
        return self.paired(self._one([side[0] for side in sides]), self._one([side[-1] for side in sides]))

    def paired(self, first: sparse.csr_matrix, second: sparse.csr_matrix) -> sparse.csr_matrix:
        """Features (n, d) of pairs, by the terms of their first and of their second texts."""
        both = first.multiply(second).tocsr()
        ends = np.cumsum([0, *(len(each.vocabulary_) for each in self.counters.values())])
        cosines = [both[:, start:end].sum(axis=1) for start, end in itertools.pairwise(ends)]
        return sparse.hstack([first, second, both, *map(sparse.csr_matrix, cosines)], format="csr")

    def _one(self, texts: Sequence[str]) -> sparse.csr_matrix:
        if not len(texts):
            return sparse.csr_matrix((0, sum(len(each.vocabulary_) for each in self.counters.values())))
        return sparse.hstack([each.transform(texts) for each in self.counters.values()], format="csr")

    def state(self) -> Arrays:
        """The vocabularies, a term a line in UTF-8, and how rare each term is."""
        found: Arrays = {"pairs": np.array([self.pairs], dtype=np.uint8)}
        for kind, counter in self.counters.items():
            lines = "\n".join(sorted(counter.vocabulary_, key=counter.vocabulary_.__getitem__))
            found[kind] = np.frombuffer(lines.encode(), dtype=np.uint8).copy()
            found[f"{kind}_idf"] = np.asarray(counter.idf_, dtype=np.float64)
        return found


def learn(texts: Sequence[Text]) -> tuple[Terms, sparse.csr_matrix]:
    """The vocabulary of texts, or of both sides of pairs; and their features (n, d), which cost nothing more.

    Raises:
        DataError: single texts among pairs.
    """
    pairs = bool(texts) and not isinstance(texts[0], str)
    if any(isinstance(text, str) is pairs for text in texts):
        raise DataError("Some items are pairs of texts and some are single texts", expected="one or the other")
    sides = [side for text in texts for side in text] if pairs else list(texts)
    counters, blocks = {}, []
    for kind, how in _KINDS.items():
        counter = _counter(how, min_df=2 if len(sides) >= MANY else 1, max_features=MOST_TERMS)
        try:
            blocks.append(counter.fit_transform(sides))
        except ValueError:  # no text has such a term, or none that two of them share
            continue
        counters[kind] = counter
    if not counters:
        raise DataError("No two texts have a word in common", expected="texts of words")
    known, features = Terms(counters, pairs), sparse.hstack(blocks, format="csr")
    return known, known.paired(features[::2], features[1::2]) if pairs else features


def restore(arrays: Mapping[str, NDArray[Any]]) -> Terms:
    """Inverse of ``Terms.state``.

    Raises:
        ModelFolderError: the state is incomplete or does not fit together.
    """
    pairs = predictor.array(arrays, "pairs", (1,), np.uint8)
    if pairs[0] > 1:
        raise ModelFolderError("The baseline's array pairs does not fit", expected="0 or 1")
    kinds = [kind for kind in _KINDS if kind in arrays or f"{kind}_idf" in arrays]
    if not kinds:
        raise ModelFolderError("The baseline lacks its vocabulary", expected=f"an array {' or '.join(_KINDS)}")
    return Terms({kind: _recounted(arrays, kind) for kind in kinds}, bool(pairs[0]))


def _recounted(arrays: Mapping[str, NDArray[Any]], kind: str) -> TfidfVectorizer:
    try:
        lines = predictor.array(arrays, kind, (None,), np.uint8).tobytes().decode().split("\n")
    except UnicodeDecodeError as error:
        raise ModelFolderError(f"The baseline's vocabulary {kind} is no UTF-8") from error
    if len(set(lines)) < len(lines):
        raise ModelFolderError(f"The baseline's vocabulary {kind} names a term twice")
    counter = _counter(_KINDS[kind], vocabulary={term: place for place, term in enumerate(lines)})
    counter.idf_ = predictor.array(arrays, f"{kind}_idf", (len(lines),), np.float64)
    return counter


def _counter(how: Mapping[str, Any], **given: Any) -> TfidfVectorizer:
    return TfidfVectorizer(lowercase=True, sublinear_tf=True, norm="l2", **how, **given)


def read(items: Sequence[Any], modality: str) -> list[Text]:
    """The texts of items, as the modality decodes them.

    Raises:
        Undecodable: when an item cannot be read.
    """
    room = discovery.load("data", modality, kind="modality")
    return [room.decode(item) for item in items]


@dataclass(frozen=True, slots=True)
class Turned:
    """Features of few items, turned so that there are no more of them than items.

    Attributes:
        coordinates: (n, r), whose products are those of the features.
        back: (r, n); with the features it turns a function of the coordinates into one of the terms.
    """

    coordinates: Floats
    back: Floats

    def unturned(self, linear: Linear, features: sparse.csr_matrix) -> Linear:
        """The same function (C, d) of the features (n, d) themselves."""
        return Linear(np.asarray((linear.weight @ self.back) @ features), linear.bias)


def turned(features: sparse.csr_matrix) -> Turned:
    """Rotate sparse features (n, d) of few items to their principal axes; a ridge penalty does not see a rotation."""
    products = np.asarray((features @ features.T).todense(), dtype=np.float64)
    values, vectors = np.linalg.eigh(products)
    kept = values > _FAINT * max(float(values[-1]), _FAINT)
    roots = np.sqrt(values[kept])
    return Turned(vectors[:, kept] * roots, (vectors[:, kept] / roots).T)


@dataclass(frozen=True, slots=True)
class TermLinear:
    """Outputs that are linear in the weighted counts: calibrated logits, or values.

    Attributes:
        terms: how texts become features.
        weight: (C, d) float32.
        bias: (C,) float32.
        modality: who decodes the items.
        task: says what the outputs mean.
        name: of the baseline that fitted it.
    """

    terms: Terms
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    modality: str
    task: Task
    name: str

    def predict(self, items: Sequence[Any]) -> NDArray[np.float64]:
        """The task's predictions (n, K) of items.

        Raises:
            Undecodable: when an item cannot be read, or is a pair where single texts were learnt from.
        """
        features = self.terms.rows(read(items, self.modality))
        return self.task.predictions(features @ self.weight.T.astype(np.float64) + self.bias)

    def state(self) -> tuple[Arrays, Meta]:
        """Vocabulary, weight and bias; how items become texts."""
        return {**self.terms.state(), "weight": self.weight, "bias": self.bias}, {"modality": self.modality}


def fitted(terms: Terms, linear: Linear, modality: str, task: Task, name: str) -> TermLinear:
    """A linear function (C, d) of the terms as it is kept."""
    weight, bias = np.ascontiguousarray(linear.weight, dtype=np.float32), np.asarray(linear.bias, dtype=np.float32)
    return TermLinear(terms, weight, bias, modality, task, name)


def restored(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], task: Task, name: str) -> TermLinear:
    """Inverse of ``TermLinear.state``.

    Raises:
        ModelFolderError: the state is incomplete or does not fit the task.
    """
    known = restore(arrays)
    weight = predictor.array(arrays, "weight", (task.outputs, known.width), np.float32)
    bias = predictor.array(arrays, "bias", (task.outputs,), np.float32)
    return TermLinear(known, weight, bias, str(meta.get("modality", "texts")), task, name)
