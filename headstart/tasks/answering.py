"""Answering: the words of a text that answer a question about it, or that none do.

Each word has two outputs, that an answer begins and that it ends there; the question has a place of its own, for "no
answer". Either is a softmax over all places of a question, and the most probable possible span is the answer (Devlin et
al., BERT, 2019, section 4.2). Scores are SQuAD's (``measure/answers.py``), and intervals resample questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base.errors import DataError, ModelFolderError, TooFewExamples
from headstart.measure import answers, calibration, reliability, ridge, selective, within
from headstart.measure.answers import Said
from headstart.measure.arrays import Floats, Ints
from headstart.measure.linear import Linear
from headstart.measure.metric import Metric, entries, of_totals, ratio
from headstart.tasks.task import Task, Value, Words

if TYPE_CHECKING:
    import torch

BEGINS, ENDS, QUESTION, PLACE, WORTH = range(5)
"""Columns of targets: the shares of answers that begin and end at a place, its question, which place of it it is, and
what the spans are worth that begin there, of one word, two, ..."""
NAMES = ("begins", "ends")
WIDTH = WORTH + answers.LONGEST
_LEAST = 1e-4
_SURE, _DOUBTED = 0.5, 0.05


def _clusters(targets: Any) -> Ints:
    return np.asarray(np.asarray(targets)[:, QUESTION], dtype=np.int64)


def _questions(targets: Any) -> float:
    return float(len(np.unique(_clusters(targets))))


def _said(predictions: Any, targets: Any) -> Said:
    given = np.asarray(targets)
    place = np.asarray(given[:, PLACE], dtype=np.int64)
    return answers.decided(np.asarray(predictions, dtype=np.float64), _clusters(given), place)


def _worth(said: Said, targets: Any) -> Floats:
    """(q,) what each answer is worth."""
    return np.asarray(np.asarray(targets)[said.first, WORTH + said.length], dtype=np.float64)


def _of_questions(predictions: Any, targets: Any, value: Any) -> Any:
    """What each question adds to the sum and to the number of questions, at its first row."""
    said = _said(predictions, targets)
    above, below = np.zeros(len(targets)), np.zeros(len(targets))
    above[said.row], below[said.row] = value(_worth(said, targets)), 1.0
    return entries(2, (0, above), (1, below))


def _loss_terms(predictions: Any, targets: Any) -> Any:
    given = np.asarray(targets, dtype=np.float64)
    each = within.losses(np.asarray(predictions), given[:, [BEGINS, ENDS]], _clusters(given))
    first = np.unique(_clusters(given), return_index=True)[1]
    below = np.zeros(len(given))
    below[first] = 1.0
    return entries(2, (0, each), (1, below))


def _mean(totals: Floats) -> Floats:
    return ratio(totals[:, 0], totals[:, 1])


def _metrics() -> dict[str, Metric]:
    def score(name: str, title: str, value: Any) -> Metric:
        prepare = of_totals(lambda predictions, targets: _of_questions(predictions, targets, value), _mean)
        phrase = "{} " + title[0].lower() + title[1:]
        return Metric(
            name,
            title,
            True,
            prepare,
            bounded=True,
            percent=True,
            phrase=phrase,
            effective=_questions,
            clusters=_clusters,
        )

    loss = Metric(
        "log_loss", "Log loss", False, of_totals(_loss_terms, _mean), phrase="a log loss of {}", effective=_questions,
        clusters=_clusters,
    )  # fmt: skip
    found = (
        score("answer_f1", "Answer F1", lambda worth: np.minimum(worth, 1.0)),
        score("exact_match", "Exact matches", lambda worth: worth == answers.EXACT),
        loss,
    )
    return {metric.name: metric for metric in found}


METRICS: dict[str, Metric] = _metrics()
"""Every score by its name."""


@dataclass(frozen=True)
class Answering(Task):
    """Where an answer begins and ends; targets (n, 4 + 20) as the columns say, predictions log-probabilities (n, 2)."""

    kind = "answering"
    metrics = METRICS
    shown = ("answer_f1", "exact_match", "log_loss")
    settles = "log_loss"
    points = "answer_f1"
    gives = "log-probabilities of beginning and end"
    estimates = False
    words = Words(
        purpose="Answers questions about a text in the text's own words, or says that it holds no answer.",
        limit="It answers with words of the text only, and knows nothing that is not in it.",
        noun=("output", "outputs"),
        pipeline="answering",
        collapsed="collapsed to one output for every place",
    )

    # From labels to targets.

    def encode(self, values: Sequence[Value]) -> np.ndarray:
        """Targets (n, 24)."""
        found = np.zeros((len(values), WIDTH))
        for row, value in zip(found, values, strict=True):
            row[: len(value)] = value
        return found

    def check(self, targets: np.ndarray, origin: str) -> None:
        """Refuse questions none of which has an answer.

        Raises:
            TooFewExamples: when there is no answer to learn from.
        """
        inside = targets[targets[:, PLACE] > 0] if len(targets) else targets
        if not len(inside) or not inside[:, BEGINS].any():
            raise TooFewExamples("No question has an answer", where=origin, expected="answers to learn from")

    def bare(self, targets: np.ndarray) -> np.ndarray:
        """Whether an answer begins, and whether one ends (n, 2)."""
        return (np.asarray(targets)[:, [BEGINS, ENDS]] > 0).astype(np.int64)

    def strata(self, targets: np.ndarray) -> np.ndarray:
        """1 where an answer begins, 2 where there is said to be none, 0 elsewhere."""
        given = np.asarray(targets)
        return ((given[:, BEGINS] > 0) * (1 + (given[:, PLACE] == 0))).astype(np.int64)

    def members(self, targets: np.ndarray) -> np.ndarray:
        """(n, 2) where an answer begins, and where one ends."""
        return self.bare(targets).astype(bool)

    def about(self, targets: np.ndarray) -> str:
        """How many questions there are."""
        none = int(((np.asarray(targets)[:, PLACE] == 0) & (np.asarray(targets)[:, BEGINS] > 0)).sum())
        return f"in the texts of {int(_questions(targets)):,} questions" + (
            f", {none:,} without an answer" if none else ""
        )

    # From features to predictions.

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Mean over the questions of a batch of the cross-entropy over a question's places (b, 2), nats."""
        import torch

        known, number = torch.unique(targets[:, QUESTION], return_inverse=True)
        wide = number[:, None].expand_as(outputs)
        peak = outputs.new_full((len(known), 2), -torch.inf).scatter_reduce(0, wide, outputs.detach(), "amax")
        lowered = outputs - peak[number]
        total = torch.zeros_like(peak).index_add(0, number, lowered.exp())
        logs = lowered - total.log()[number]
        return -(targets[:, [BEGINS, ENDS]].to(logs.dtype) * logs).sum() / (2 * len(known))

    def predictions(self, outputs: Any, temperature: float = 1.0) -> Floats:
        """Outputs at their temperature: log-probabilities up to a constant that a question's places share."""
        return np.asarray(outputs, dtype=np.float64) / temperature

    def settled(self, predictions: Floats, targets: Any) -> Floats:
        """Log-probabilities over the places of each question."""
        return within.log_shares(predictions, _clusters(targets))

    def temperature(self, outputs: Any, targets: Any) -> float:
        """With the lowest log loss of the questions, nearer to 1 the fewer they are."""
        given = np.asarray(targets, dtype=np.float64)
        found = within.temperature(np.asarray(outputs), given[:, [BEGINS, ENDS]], _clusters(given))
        return calibration.towards_one(found, max(1, int(_questions(given))))

    def solve(
        self, features: np.ndarray, targets: np.ndarray, *, penalty: float | None, weights: Any, seed: int
    ) -> tuple[Linear, float]:
        """Conditional logistic regression over the places of each question; its penalty is chosen on held-out ones."""
        wanted, question = self.ideal(targets), _clusters(targets)
        if penalty is not None:
            return within.fit(features, wanted, question, penalty=penalty), penalty
        return within.search(features, wanted, question, seed=seed)

    def ideal(self, targets: np.ndarray) -> Floats:
        """The shares of answers that begin and end at each place."""
        return np.asarray(targets, dtype=np.float64)[:, [BEGINS, ENDS]]

    def constant(self, targets: np.ndarray) -> Floats:
        """Every place is as probable as another."""
        return np.zeros(2)

    def each_left_out(self, features: np.ndarray, targets: np.ndarray) -> Floats:
        """Logarithms of what a ridge regression that was fitted to all other places says of each."""
        return np.log(np.clip(ridge.regress(features, self.ideal(targets)).loo, _LEAST, 1.0))

    def suspects(self, predictions: Any, targets: Any) -> list[dict[str, Any]]:
        """Questions whose answer shares no word with another that the model is rather sure of."""
        given = np.asarray(targets)
        logs, said = within.log_shares(predictions, _clusters(given)), _said(predictions, given)
        found = []
        for at in np.flatnonzero((_worth(said, given) == 0) & (said.sure >= _SURE)):
            rows = np.flatnonzero(_clusters(given) == said.question[at])
            begin, end = (rows[int(given[rows, column].argmax())] for column in (BEGINS, ENDS))
            stated = float(np.exp(logs[begin, 0] + logs[end, 1]))
            if given[begin, BEGINS] > 0 and stated <= _DOUBTED:
                sure = float(said.sure[at])
                found.append(
                    {
                        "row": int(begin),
                        "said": _words(given[begin, PLACE], given[end, PLACE]),
                        "likely": _words(given[said.first[at], PLACE], given[said.last[at], PLACE]),
                        "said_probability": stated,
                        "likely_probability": sure,
                        "because": f"{100 * sure:.0f} % against {100 * stated:.0f} %",
                    }
                )
        return sorted(found, key=lambda one: one["said_probability"] - one["likely_probability"])

    def corrected(self, value: Value, said: str, new: str) -> Value:
        """Never: an answer is two bounds and its words.

        Raises:
            DataError: always.
        """
        raise DataError("An answer is not corrected here", expected="its text and answer_start mended in its file")

    # Scores.

    def details(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Exact matches and F1 of the questions that have an answer and of those that have none, and their numbers."""
        given, said = np.asarray(targets), _said(predictions, targets)
        worth, none = _worth(said, given), (given[said.row, PLACE] == 0) & (given[said.row, BEGINS] > 0)
        found = {}
        for name, chosen in (("with_answer", ~none), ("without_answer", none)):
            if chosen.any():
                exact, f1 = float((worth[chosen] == answers.EXACT).mean()), float(np.minimum(worth[chosen], 1).mean())
                found[name] = {"questions": int(chosen.sum()), "exact_match": exact, "answer_f1": f1}
        return {"questions": len(worth), **found}

    def certainty(self, rows: Floats) -> float | None:
        """The probability of the answer, of predictions (m, 2) of all places of a question."""
        place = np.arange(len(rows))
        return float(answers.decided(np.asarray(rows), np.zeros_like(place), place).sure[0])

    def trust(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Of the answer to each question."""
        sure, right = self._judged(predictions, targets)
        return {
            "confidence": "the probability of the span that is answered",
            "risk": "share of the questions whose answer does not match exactly",
            "reliability": reliability.curve(sure, right).as_dict(),
            "selective": selective.risk_coverage(sure, ~right).as_dict(),
        }

    def confidences(self, predictions: Any, targets: Any) -> tuple[Floats, np.ndarray] | None:
        """Of the answer, one a question."""
        sure, right = self._judged(predictions, targets)
        return sure[:, None], right[:, None]

    def _judged(self, predictions: Any, targets: Any) -> tuple[Floats, np.ndarray]:
        said = _said(predictions, targets)
        return np.clip(said.sure, 0.0, 1.0), _worth(said, targets) == answers.EXACT

    def meant(self, target: Any) -> str:
        """What is true of a place."""
        begins, ends = np.asarray(target)[[BEGINS, ENDS]] > 0
        if np.asarray(target)[PLACE] == 0:
            return "there is no answer" if begins else "there is an answer"
        bounds = [word for word, so in (("begins", begins), ("ends", ends)) if so]
        return f"the answer {' and '.join(bounds)} here" if bounds else "the answer neither begins nor ends here"

    def mistaken(self, predictions: Any, targets: Any) -> Floats:
        """How sure each wrong answer is, where it begins; 0 elsewhere."""
        said, found = _said(predictions, targets), np.zeros(len(targets))
        wrong = np.minimum(_worth(said, targets), 1.0) < 1.0
        found[said.first[wrong]] = said.sure[wrong]
        return found

    def kinds(self, predictions: Any, targets: Any) -> np.ndarray:
        """1 where a right answer begins, 2 where a wrong one does, 3 and 4 the same of "no answer", 0 elsewhere."""
        said, found = _said(predictions, targets), np.zeros(len(targets), dtype=np.int64)
        nothing = np.asarray(targets)[said.first, PLACE] == 0
        found[said.first] = 1 + (_worth(said, targets) < 1.0) + 2 * nothing
        return found

    # What is said.

    def answer(self, row: Floats, top: int = 1) -> dict[str, Any]:
        """The probabilities that an answer begins and ends at a place."""
        return {name: round(float(np.exp(min(0.0, each))), 6) for name, each in zip(NAMES, row, strict=True)}

    def said(self, row: Floats, top: int = 1) -> str:
        """``begins 97.1 %, ends 12.0 %``."""
        return ", ".join(f"{name} {100 * share:.1f} %" for name, share in self.answer(row).items())

    def together(self, parts: Sequence[str], places: Sequence[tuple[int, int]], rows: Floats) -> dict[str, Any]:
        """The ``answer`` in the text's words, its first character and the one behind its last, and how probable it is.

        Where there is probably none, the answer is empty and stands nowhere; ``no_answer`` is how probable that is.
        """
        place = np.arange(len(rows))
        found = answers.decided(np.asarray(rows), np.zeros_like(place), place)
        first, last = int(found.first[0]), int(found.last[0])
        sure = {"confidence": round(float(found.sure[0]), 6), "no_answer": round(float(found.nothing[0]), 6)}
        if first == 0:
            return {"answer": "", "start": None, "end": None, **sure}
        words = list(parts[first : first + 1])
        for number in range(first + 1, last + 1):
            words += [" " * (places[number][0] > places[number - 1][1]), parts[number]]
        return {"answer": "".join(words), "start": places[first][0], "end": places[last][1], **sure}

    def told(self, answer: Mapping[str, Any]) -> str:
        """``Paris 97.1 %``, ``no answer 80.2 %``."""
        return f"{answer['answer'] or 'no answer'} {100 * answer['confidence']:.1f} %"

    def listed(self, answer: Mapping[str, Any]) -> list[list[str]]:
        """One row."""
        bounds = ["" if answer[name] is None else str(answer[name]) for name in ("start", "end")]
        return [[answer["answer"], *bounds, f"{answer['confidence']:.6f}", f"{answer['no_answer']:.6f}"]]

    def header(self, top: int = 1) -> list[str]:
        """Of such a row."""
        return ["answer", "start", "end", "confidence", "no_answer"]

    def activation(self, temperature: float) -> str:
        """A softmax over the places of a question."""
        return f"Probabilities: softmax over the places of a question, at temperature {temperature:.3f}"

    def comparable(self, predictions: Any) -> Floats:
        """Between 0 and 1."""
        return np.asarray(1 / (1 + np.exp(-np.clip(np.asarray(predictions, dtype=np.float64), -500, 500))))


def _words(first: float, last: float) -> str:
    if first == 0:
        return "no answer"
    return f"word {int(first)}" if first == last else f"words {int(first)} to {int(last)}"


def recognise(labels: Sequence[Any]) -> str:
    """Never by the labels alone: a source of questions says that it has answers."""
    return ""


def parse(labels: Sequence[Any]) -> list[Value]:
    """Shares, question, place and worth of each place, None where nobody says what the answer is.

    Raises:
        DataError: for labels that are no places of answers.
    """
    for position, label in enumerate(labels):
        good = isinstance(label, tuple) and WORTH <= len(label) <= WIDTH and all(isinstance(n, float) for n in label)
        if label is not None and not good:
            raise DataError(
                f"A label is no place of an answer: {str(label)[:80]}",
                where=f"item {position + 1}",
                expected="a file of questions and answers, such as train-v2.0.json of SQuAD",
                next_move="for one label an item leave --task away, or name another task",
            )
    return list(labels)


def learn(values: Sequence[Value], *, name: str = "") -> Answering:
    """Always the same: beginning and end."""
    return Answering(NAMES)


def restore(names: tuple[str, ...], record: Mapping[str, Any]) -> Answering:
    """Inverse of ``record``, which is empty.

    Raises:
        ModelFolderError: other outputs than these.
    """
    if names != NAMES:
        raise ModelFolderError("Answering has two outputs", where="names", expected=" and ".join(NAMES))
    return Answering(NAMES)
