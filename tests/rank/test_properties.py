"""What every transferability score promises: it finds signal, gives noise its due, and ignores what it should."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from headstart.base import discovery
from headstart.base.errors import DataError

SCORES = {name: plugin.load() for name, plugin in discovery.plugins("rank").items()}
ON_FEATURES = [name for name, module in SCORES.items() if module.READS == "features"]
ON_VALUES = [name for name in ON_FEATURES if "values" in SCORES[name].TARGETS]
EXPECTED = {
    *("gbc", "h_score", "knn", "leep", "linear_probe", "logme", "loo_ridge", "nce", "nleep", "parc"),
    *("sfda", "shrinkage_h", "transrate"),
}
SHAPES = {"n > d": (400, 24, 4), "n < d": (80, 200, 4)}


def planted(shape, signal, seed=0):
    """Features with class means ``signal`` apart in units of the noise, and their classes."""
    n, d, classes = SHAPES[shape]
    draw = np.random.default_rng(seed)
    y = draw.permutation(np.arange(n) % classes)
    return draw.normal(size=(n, d)) + signal * draw.normal(size=(classes, d))[y], y


def planted_values(shape, signal, seed=0):
    n, d, _ = SHAPES[shape]
    draw = np.random.default_rng(seed)
    y = draw.normal(size=n)
    return draw.normal(size=(n, d)) + signal * y[:, None] * draw.normal(size=d), y


def test_every_score_is_there():
    assert set(SCORES) >= EXPECTED
    for module in SCORES.values():
        assert module.READS in ("features", "outputs")
        assert set(module.TARGETS) <= {"classes", "values"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ON_FEATURES)
def test_more_signal_scores_higher(name, shape):
    if (name, shape) == ("h_score", "n < d"):
        pytest.skip("it saturates there, which has a test of its own")
    found = [
        np.mean([SCORES[name].score(*planted(shape, signal, s)) for s in range(3)]) for signal in (0, 0.4, 0.8, 1.6)
    ]
    assert found == sorted(found)
    assert found[-1] > found[0]


@pytest.mark.parametrize("name", ON_VALUES)
@pytest.mark.parametrize("shape", SHAPES)
def test_more_signal_scores_higher_for_values(name, shape):
    found = [SCORES[name].score(*planted_values(shape, signal)) for signal in (0.0, 0.3, 1.0)]
    assert found == sorted(found)
    assert found[-1] > found[0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [name for name in ON_FEATURES if name != "h_score"])
def test_noise_scores_like_noise(name, shape):
    """Noise stays below weak signal by more than its own spread, at n < d as well."""
    noise = [SCORES[name].score(*planted(shape, 0.0, seed)) for seed in range(10)]
    signal = [SCORES[name].score(*planted(shape, 0.5, seed)) for seed in range(10)]
    assert np.mean(signal) > np.mean(noise) + 3 * np.std(noise)


NULL = {
    "knn": lambda n, c: (1 / c, 3 * np.sqrt(0.25 / n)),
    "linear_probe": lambda n, c: (-np.log(c), 0.1),
    "loo_ridge": lambda n, c: (-np.log(c), 0.1),
    "parc": lambda n, c: (0.0, 2.0),
    "transrate": lambda n, c: (0.0, 0.1),
    "shrinkage_h": lambda n, c: (0.0, 0.2),
}
"""Where a score's value for noise is known: (value, tolerance of the mean over draws)."""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NULL)
def test_noise_comes_to_the_null_value(name, shape):
    n, _, classes = SHAPES[shape]
    value, tolerance = NULL[name](n, classes)
    found = np.mean([SCORES[name].score(*planted(shape, 0.0, seed)) for seed in range(10)])
    assert abs(found - value) < tolerance


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ON_FEATURES)
@pytest.mark.parametrize("factor", [1e-3, 50.0])
def test_the_scale_of_all_features_is_nothing(name, shape, factor):
    x, y = planted(shape, 0.4)
    assert SCORES[name].score(factor * x, y) == pytest.approx(SCORES[name].score(x, y), rel=1e-5, abs=1e-6)


NOT_TURNED = {
    "parc": "it z-scores each feature",
    "linear_probe": "it standardises each feature",
    "loo_ridge": "it standardises each feature",
}
NOT_SHIFTED = {"knn": "its cosine is taken at the origin"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [name for name in ON_FEATURES if name not in NOT_TURNED])
def test_a_rotation_is_nothing(name, shape):
    x, y = planted(shape, 0.4)
    turned = x @ ortho_group.rvs(x.shape[1], random_state=3)
    assert SCORES[name].score(turned, y) == pytest.approx(SCORES[name].score(x, y), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [name for name in ON_FEATURES if name not in NOT_SHIFTED])
def test_a_shift_is_nothing(name, shape):
    x, y = planted(shape, 0.4)
    shifted = x + np.linspace(-3, 5, x.shape[1])
    assert SCORES[name].score(shifted, y) == pytest.approx(SCORES[name].score(x, y), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", ON_FEATURES)
def test_the_names_of_classes_are_nothing(name):
    x, y = planted("n > d", 0.4)
    names = np.array(["ash", "birch", "cedar", "elm"])
    assert SCORES[name].score(x, names[y]) == pytest.approx(SCORES[name].score(x, y), rel=1e-12)


@pytest.mark.parametrize("name", [name for name in ON_FEATURES if name not in ("nleep", "sfda", "linear_probe")])
def test_the_order_of_items_is_nothing(name):
    """All but those that draw folds or starts by position, and transrate's permutations, which it averages out."""
    x, y = planted("n > d", 0.4)
    order = np.random.default_rng(1).permutation(len(y))
    close = {"abs": 0.1} if name == "transrate" else {"rel": 1e-9}
    assert SCORES[name].score(x[order], y[order]) == pytest.approx(SCORES[name].score(x, y), **close)


BOUNDS = {
    "gbc": lambda c, d: (-c * (c - 1), 0),
    "h_score": lambda c, d: (0, min(c - 1, d)),
    "knn": lambda c, d: (0, 1),
    "linear_probe": lambda c, d: (-np.inf, 0),
    "loo_ridge": lambda c, d: (-np.inf, 0),
    "nleep": lambda c, d: (-np.inf, 0),
    "parc": lambda c, d: (-100, 100),
    "sfda": lambda c, d: (-np.inf, 0),
    "shrinkage_h": lambda c, d: (0, c - 1),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("signal", [0.0, 0.5, 20.0])
def test_bounds(name, shape, signal):
    _, d, classes = SHAPES[shape]
    low, high = BOUNDS[name](classes, d)
    assert low - 1e-9 <= SCORES[name].score(*planted(shape, signal)) <= high + 1e-9


@pytest.mark.parametrize("name", ON_FEATURES)
def test_features_that_never_vary_are_survived(name):
    x, y = planted("n > d", 0.4)
    with_dead = np.concatenate([x, np.full((len(x), 3), 7.0)], axis=1)
    assert np.isfinite(SCORES[name].score(with_dead, y))


@pytest.mark.parametrize("name", ON_FEATURES)
def test_float32_gives_what_float64_gives(name):
    x, y = planted("n < d", 0.4)
    close = {"rel": 2e-2} if name in ("nleep", "sfda") else {"rel": 1e-3, "abs": 1e-3}
    assert SCORES[name].score(x.astype(np.float32), y) == pytest.approx(SCORES[name].score(x, y), **close)


@pytest.mark.parametrize("name", SCORES)
def test_bad_arrays_are_refused_in_words(name):
    score = SCORES[name].score
    p = np.full((6, 3), 1 / 3)
    with pytest.raises(DataError, match="differ in number"):
        score(p, [0, 1])
    with pytest.raises(DataError, match="at least two classes"):
        score(p, [1] * 6)
    with pytest.raises(DataError, match="not finite"):
        score(np.full((6, 3), np.nan), [0, 1] * 3)
    with pytest.raises(DataError, match="no matrix"):
        score(np.zeros(6), [0, 1] * 3)
