"""Answers compared as SQuAD's own script compares them, and the most probable span against all spans one by one."""

import collections
import itertools
import re
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from headstart.data.asked import Asked
from headstart.measure import answers

ALPHABET = "a an the The U.S. well-known 1970s (1858–1859) Beyoncé's $5 and 'x' A–the–b , . b b2 ́ \n Éa"


def normalize_answer(s):
    """Of evaluate-v2.0.py, step by step."""
    s = "".join(ch for ch in s.lower() if ch not in set(string.punctuation))
    return " ".join(re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", s).split())


def compute_f1(a_gold, a_pred):
    """Of the same script."""
    gold_toks, pred_toks = normalize_answer(a_gold).split(), normalize_answer(a_pred).split()
    common = collections.Counter(gold_toks) & collections.Counter(pred_toks)
    num_same = sum(common.values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return float(gold_toks == pred_toks)
    if num_same == 0:
        return 0.0
    precision, recall = num_same / len(pred_toks), num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


@pytest.mark.parametrize(
    ("said", "there", "exact", "f1"),
    [
        ("The Eiffel Tower!", "eiffel  tower", True, 1.0),
        ("in Paris", "Paris", False, 2 / 3),
        ("Paris, France", "France Paris", False, 1.0),
        ("Rome", "Paris", False, 0.0),
        ("", "", True, 1.0),
        ("", "Paris", False, 0.0),
        ("the", "a", True, 1.0),
    ],
)
def test_what_an_answer_is_worth(said, there, exact, f1):
    found = answers.worth(answers.normalised(said), answers.normalised(there))
    assert (found == answers.EXACT) is exact
    assert min(found, 1.0) == pytest.approx(f1)


@settings(max_examples=60, deadline=None)
@given(
    some.lists(some.sampled_from(ALPHABET.split(" ")), min_size=1, max_size=9),
    some.lists(some.sampled_from(ALPHABET.split(" ")), min_size=1, max_size=3),
    some.sampled_from([" ", "", "  "]),
)
def test_every_span_is_worth_what_the_script_says(words, gold, between):
    text = between.join(words)
    places = Asked("q", text, "n").places
    wanted = [" ".join(gold), gold[0]]
    found = answers.worths(text, places, wanted, 4)
    assert found.shape == (len(places), 4)
    for first, length in itertools.product(range(len(places)), range(4)):
        if first + length >= len(places):
            assert found[first, length] == 0
            continue
        said = text[places[first][0] : places[first + length][1]]
        exact = any(normalize_answer(said) == normalize_answer(each) for each in wanted)
        assert (found[first, length] == answers.EXACT) == exact
        assert min(found[first, length], 1.0) == pytest.approx(max(compute_f1(each, said) for each in wanted))


def brute(logs, longest):
    """Every possible span of one question, (first, last) -> probability; (0, 0) is no answer."""
    spans = {(0, 0): logs[0].sum()}
    for first, last in itertools.product(range(1, len(logs)), repeat=2):
        if first <= last < first + longest:
            spans[first, last] = logs[first, 0] + logs[last, 1]
    powers = {key: np.exp(value) for key, value in spans.items()}
    total = sum(powers.values())
    return {key: value / total for key, value in powers.items()}


@settings(max_examples=60, deadline=None)
@given(some.integers(0, 10_000), some.integers(1, 9), some.integers(1, 5))
def test_the_answer_is_the_most_probable_of_all_spans(seed, words, longest):
    draw = np.random.default_rng(seed)
    sizes = [words + 1, int(draw.integers(1, 8)) + 1]
    logs, question = draw.normal(0, 2, (sum(sizes), 2)), np.repeat([7, 3], sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    turn = draw.permutation(len(place))
    found = answers.decided(logs[turn], question[turn], place[turn], longest)
    assert found.question.tolist() == [3, 7]
    for at, own in enumerate((logs[sizes[0] :], logs[: sizes[0]])):
        spans = brute(own, longest)
        best = max(spans, key=lambda one: spans[one])
        assert (place[turn][found.first[at]], place[turn][found.last[at]]) == best
        assert found.length[at] == best[1] - best[0]
        assert found.sure[at] == pytest.approx(spans[best])
        assert found.nothing[at] == pytest.approx(spans[0, 0])
        assert place[turn][found.row[at]] == 0


def test_where_all_is_equal_there_is_no_answer():
    found = answers.decided(np.zeros((4, 2)), np.zeros(4, dtype=int), np.arange(4))
    assert found.first.tolist() == [0] and found.sure[0] == pytest.approx(1 / 7)


def test_places_that_are_missing_are_no_bounds():
    logs = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    found = answers.decided(logs, np.zeros(3, dtype=int), np.array([0, 2, 9]), 3)
    assert found.first.tolist() == [2] and found.last.tolist() == [2]
    without = answers.decided(logs[1:], np.zeros(2, dtype=int), np.array([2, 9]), 3)
    assert without.first.tolist() == [1] and without.nothing.tolist() == [0.0] and without.row.tolist() == [0]


def test_no_question_has_no_answer():
    found = answers.decided(np.zeros((0, 2)), np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    assert len(found.question) == len(found.sure) == 0
