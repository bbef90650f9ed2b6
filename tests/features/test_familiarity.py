"""The strangeness that a network gives in its own pass: what the plain maths gives, in as few bytes as will do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.base.errors import DataError
from headstart.features import familiarity
from headstart.features.familiarity import Known, Watched
from headstart.features.network import Features, Network
from headstart.measure import strangeness
from tests import small


@pytest.fixture(scope="module", params=["convolutions", "tokens"])
def network(request):
    backbone = small.backbone() if request.param == "convolutions" else small.transformer()
    taps = (1, backbone.depth)
    return Network(backbone, torch.nn.Linear(sum(backbone.pooled_width(tap) for tap in taps), 5), taps).eval()


def inputs(n, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, 3, 32, 32)).astype(np.uint8))


def known_by(network, n=20):
    seen = Features(network.backbone, familiarity.stages_of(network))
    with torch.inference_mode():
        return seen, Known.of(seen.taps, seen.apart(seen(inputs(n)).numpy()))


def test_it_is_the_plain_distance_and_leaves_the_outputs_alone(network):
    seen, known = known_by(network)
    fresh = inputs(9, seed=1)
    with torch.inference_mode():
        found = Watched(network, known, 0.25)(fresh).numpy()
        plain, features = network(fresh).numpy(), seen(fresh).numpy()
    np.testing.assert_allclose(found[:, :5], plain, atol=1e-5)
    slow = strangeness.nearest(known.values, strangeness.side_by_side(seen.apart(features))) / 0.25
    np.testing.assert_allclose(found[:, 5], slow, rtol=1e-3)
    np.testing.assert_allclose(known.distances(seen.apart(features)) / 0.25, slow, rtol=1e-9)


def test_few_bytes_cost_little(network):
    """Eight bits a feature: known items are nearly at themselves, and distances are within a few percent."""
    seen, known = known_by(network)
    with torch.inference_mode():
        parts, fresh = (seen.apart(seen(inputs(20, seed)).numpy()) for seed in (0, 1))
    exact = strangeness.nearest(strangeness.side_by_side(parts), strangeness.side_by_side(fresh))
    np.testing.assert_allclose(known.distances(fresh), exact, rtol=0.15)
    assert known.distances(parts).max() < exact.min()
    assert known.reference.dtype == np.int8 and known.reference.nbytes == 20 * seen.width


def test_the_scale_of_a_stage_does_not_matter():
    rng = np.random.default_rng(0)
    first, second = rng.random((30, 8)), rng.random((30, 4))
    plain = Known.of((1, 2), (first, second)).distances((first[::-1], second))
    np.testing.assert_allclose(Known.of((1, 2), (first * 50, second / 9)).distances((first[::-1], second)), plain)


def test_half_precision_outside_is_full_precision_inside(network):
    _, known = known_by(network)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        half = Watched(network, known, 0.25)(inputs(6, seed=2)).numpy()
    with torch.inference_mode():
        full = Watched(network, known, 0.25)(inputs(6, seed=2)).numpy()
    np.testing.assert_allclose(half[:, 5], full[:, 5], rtol=0.1)


def test_constant_and_zero_features_are_no_danger():
    zeros = np.zeros((5, 8))
    known = Known.of((1,), (zeros,))
    assert np.isfinite(known.values).all() and known.distances((zeros,)).tolist() == [0.0] * 5
    with pytest.raises(DataError, match="not finite"):
        Known.of((1,), (np.full((5, 8), np.nan),))


def test_which_stages_and_how_many_items(network):
    stages = familiarity.stages_of(network)
    assert stages[-1] == network.backbone.depth and len(stages) <= familiarity.STAGES and stages[0] == 1
    first = Network(network.backbone, torch.nn.Linear(network.backbone.pooled_width(1), 2), (1,))
    assert familiarity.stages_of(first) == (1,), "what the network does not run is not looked at"
    assert familiarity.room(100) == familiarity.MOST and familiarity.room(10**9) == 1
    assert familiarity.room(3840) * 3840 <= familiarity.LARGEST
