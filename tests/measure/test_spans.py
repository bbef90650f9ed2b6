"""Entities in tags, counted as conlleval does and decided on so that nothing goes on that did not begin."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from headstart.measure import spans

NAMES = ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
TAGS = spans.Tags(NAMES)


def order(lengths):
    sequence = np.repeat(np.arange(len(lengths)), lengths)
    return spans.Order.of(sequence, np.concatenate([np.arange(length) for length in lengths]))


def indices(tags):
    return np.array([NAMES.index(tag) for tag in tags])


def one_hot(said):
    return np.eye(len(NAMES))[said] * 0.8 + 0.04


def chunks(tags):
    """Entities by the rules of conlleval.pl (startOfChunk, endOfChunk), word by word."""
    found, begun, kind = set(), None, None
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, own = tag.partition("-")
        ends = begun is not None and (prefix in ("B", "O") or own != kind)
        if ends:
            found.add((begun, place, kind))
            begun = None
        if prefix == "B" or (prefix == "I" and begun is None):
            begun, kind = place, own
    return found


@given(some.lists(some.lists(some.sampled_from(NAMES), min_size=1, max_size=8), min_size=1, max_size=5))
def test_entities_are_those_that_conlleval_finds(sentences):
    found = spans.entities(
        indices([tag for row in sentences for tag in row]), order([len(row) for row in sentences]), TAGS
    )
    starts = np.cumsum([0, *map(len, sentences)])
    expected = {
        (start + a, start + b, kind)
        for start, row in zip(starts, sentences, strict=False)
        for a, b, kind in chunks(row)
    }
    assert {
        (a, b, TAGS.kinds[kind])
        for a, b, kind in zip(found.start.tolist(), found.end.tolist(), found.kind.tolist(), strict=True)
    } == expected


@settings(max_examples=60)
@given(some.integers(0, 2**31), some.lists(some.integers(1, 5), min_size=1, max_size=3))
def test_the_decided_tags_are_the_most_probable_of_all_possible_ones(seed, lengths):
    draw = np.random.default_rng(seed)
    given_ = draw.dirichlet(np.full(len(NAMES), 0.5), size=sum(lengths))
    found = spans.decoded(given_, order(lengths), TAGS)
    start = 0
    for length in lengths:
        rows = given_[start : start + length]
        best = max(
            (ways for ways in itertools.product(range(len(NAMES)), repeat=length) if possible(ways)),
            key=lambda ways: sum(np.log(max(rows[i, tag], spans.SMALLEST)) for i, tag in enumerate(ways)),
        )
        said = found[start : start + length]
        assert possible(said)
        assert np.isclose(probability(rows, said), probability(rows, best))
        start += length


def possible(tags):
    before = "O"
    for tag in (NAMES[each] for each in tags):
        if tag.startswith("I-") and before[2:] != tag[2:]:
            return False
        before = tag
    return True


def probability(rows, tags):
    return sum(np.log(max(rows[i, tag], spans.SMALLEST)) for i, tag in enumerate(tags))


def test_rows_in_any_order_say_the_same():
    draw = np.random.default_rng(0)
    lengths = [4, 1, 6, 3]
    straight = order(lengths)
    given_ = draw.dirichlet(np.ones(len(NAMES)), size=sum(lengths))
    targets = draw.integers(0, len(NAMES), sum(lengths))
    shuffled = draw.permutation(len(targets))
    sequence = np.repeat(np.arange(4), lengths)[shuffled]
    place = np.concatenate([np.arange(length) for length in lengths])[shuffled]
    for plain, mixed in zip(
        spans.counts(given_, targets, straight, TAGS),
        spans.counts(given_[shuffled], targets[shuffled], spans.Order.of(sequence, place), TAGS),
        strict=True,
    ):
        assert np.array_equal(plain[shuffled], mixed)


def test_a_gap_ends_an_entity():
    tags = indices(["B-PER", "I-PER"])
    found = spans.entities(tags, spans.Order.of(np.array([0, 0]), np.array([0, 2])), TAGS)
    assert found.start.tolist() == [0, 1] and found.end.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("there", "said", "right"),
    [
        (["B-PER", "I-PER", "O"], ["B-PER", "I-PER", "O"], 1),
        (["B-PER", "I-PER", "O"], ["B-PER", "O", "O"], 0),  # too short
        (["B-PER", "I-PER", "O"], ["B-LOC", "I-LOC", "O"], 0),  # another kind
        (["B-PER", "B-PER", "O"], ["B-PER", "I-PER", "O"], 0),  # two are no one
        (["O", "O", "O"], ["O", "O", "O"], 0),
    ],
)
def test_only_a_whole_entity_of_its_kind_is_right(there, said, right):
    found = spans.counts(one_hot(indices(said)), indices(there), order([3]), TAGS)
    assert found[0].sum() == right
    assert found[1].sum() == len(chunks(there)) and found[2].sum() == len(chunks(said))


def test_tags_without_prefixes_have_no_entities():
    plain = spans.Tags(("DET", "NOUN"))
    found = spans.counts(np.eye(2), np.array([0, 1]), order([2]), plain)
    assert all(each.shape == (2, 0) for each in found)


def test_nothing_is_decided_on_nothing():
    empty = spans.Order.of(np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    assert len(spans.decoded(np.zeros((0, 5)), empty, TAGS)) == 0
    assert len(spans.entities(np.zeros(0, dtype=int), empty, TAGS).start) == 0
