"""Near copies of texts: the distance is that of sets of runs, and no pair within it is missed."""

import itertools

import numpy as np
import pytest

from headstart.measure import shingles

WORDS = [f"w{i}" for i in range(400)]


def runs(words):
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def jaccard(a, b):
    return 1 - len(runs(a) & runs(b)) / len(runs(a) | runs(b))


def varied(draw, words, share):
    return [str(draw.choice(WORDS)) if draw.random() < share else word for word in words]


@pytest.mark.parametrize("length", [3, 5, 6, 20, 60])
def test_the_distance_of_short_texts_is_exact(length):
    draw = np.random.default_rng(length)
    for share in (0.0, 0.05, 0.2, 1.0):
        a = list(draw.choice(WORDS, length))
        b = varied(draw, a, share)
        found = shingles.distance(shingles.sketch(a)[None], shingles.sketch(b)[None])
        assert found[0] == pytest.approx(jaccard(a, b))


def test_of_long_texts_it_is_nearly_so():
    draw = np.random.default_rng(0)
    for share in (0.0, 0.02, 0.1):
        a = list(draw.choice(WORDS, 3000))
        b = varied(draw, a, share)
        found = shingles.distance(shingles.sketch(a)[None], shingles.sketch(b)[None])
        assert found[0] == pytest.approx(jaccard(a, b), abs=0.12)


def test_no_words_are_near_nothing():
    nothing = shingles.sketch([])
    assert shingles.distance(nothing[None], nothing[None])[0] == 1
    assert len(shingles.pairs(np.stack([nothing] * 3), 0.5, 50)[0]) == 0
    assert len(shingles.pairs(np.zeros((0, shingles.KEPT), np.uint32), 0.5, 50)[0]) == 0


def test_every_pair_within_the_distance_is_found():
    draw = np.random.default_rng(1)
    texts = [list(draw.choice(WORDS, int(draw.integers(3, 60)))) for _ in range(60)]
    texts += [varied(draw, texts[i], 0.06) for i in range(60)]
    sketches = np.stack([shingles.sketch(text) for text in texts])
    left, right, apart, crowded = shingles.pairs(sketches, 0.5, 50)
    expected = {(i, j) for i, j in itertools.combinations(range(120), 2) if jaccard(texts[i], texts[j]) <= 0.5}
    assert len(expected) > 20
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == expected
    assert not crowded.any()
    assert apart == pytest.approx([jaccard(texts[i], texts[j]) for i, j in zip(left, right, strict=True)])


def test_a_crowd_is_told_and_left_alone():
    draw = np.random.default_rng(2)
    base = list(draw.choice(WORDS, 40))
    texts = [[*base, f"n{i}"] for i in range(400)] + [list(draw.choice(WORDS, 40)) for _ in range(20)]
    left, _, _, crowded = shingles.pairs(np.stack([shingles.sketch(text) for text in texts]), 0.5, 50)
    assert crowded[:400].all()
    assert not crowded[400:].any()
    assert len(left) == 0
