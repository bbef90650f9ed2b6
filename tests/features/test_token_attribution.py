"""Which words counted: what tokens contribute adds up to the answer, and a planted word is found."""

import numpy as np
import pytest
import torch
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.backbones.segments import chain
from headstart.base import hashes
from headstart.base.vocabulary import BackboneInfo, Tokenization
from headstart.features import token_attribution
from headstart.features.network import Network

pytest.importorskip("captum")


def a_network(taps=None, outputs=3, seed=0):
    from transformers import AutoConfig, AutoModel

    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = AutoConfig.for_model("bert", vocab_size=50, max_position_embeddings=20, **shape)
        body = chain(AutoModel.from_config(config).eval(), "r")
        info = BackboneInfo("hf/r", "hf/bert", 0, (), 0, Tokenization(20, hashes.of_bytes(b"")), modality="texts")
        backbone = Backbone(body, info)
        taps = taps or (backbone.depth,)
        return Network(backbone, nn.Linear(16 * len(taps), outputs), taps).eval()


def some_tokens(seed=0, n=3, windows=2, tokens=12):
    draw = np.random.default_rng(seed)
    found = np.zeros((n, windows, tokens, 2), np.int32)
    found[..., 0] = draw.integers(1, 51, found.shape[:3])
    found[1, 1:] = 0
    found[2:, :, 5:] = 0
    return torch.from_numpy(found)


@pytest.mark.parametrize("taps", [None, (1, 3), (2,)])
def test_contributions_add_up_to_the_answer(taps):
    network, tokens = a_network(taps), some_tokens()
    directions = np.eye(3)
    found = token_attribution.contributions(network, tokens, directions, steps=24)
    with torch.no_grad():
        hidden = network.backbone.stages[0](tokens)
        behind = token_attribution._Behind(network)
        wanted = torch.from_numpy(directions).float()
        gap = network(tokens).numpy()[range(3), range(3)] - behind(token_attribution.same(hidden), wanted).numpy()
    # The axiom of completeness (Sundararajan et al., 2017), whatever else the texts are beside each other.
    np.testing.assert_allclose(found.sum(axis=(1, 2)), gap, atol=1e-4)


def test_what_is_no_token_has_no_say():
    tokens = some_tokens()
    found = token_attribution.relevance(a_network(), tokens, np.eye(3))
    assert not found.maps[tokens[..., 0].numpy() == 0].any()
    np.testing.assert_allclose(found.maps.max(axis=(1, 2)), 1.0)
    assert "integrated gradients" in found.method


def test_a_text_has_the_same_words_in_other_company():
    network, tokens = a_network(), some_tokens()
    together = token_attribution.contributions(network, tokens, np.eye(3), steps=8)
    alone = token_attribution.contributions(network, tokens[2:, :, :5], np.eye(3)[2:], steps=8)
    np.testing.assert_allclose(together[2:, :, :5], alone, atol=1e-6)


def test_the_token_that_a_head_was_made_for_is_found():
    network = a_network(taps=(1,), outputs=1)
    tokens = some_tokens(n=2, windows=1)
    tokens[0, 0, 7, 0] = 33
    with torch.no_grad():
        hidden = network.backbone.stages[0](tokens)[0, 0, :, :-1]
        network.head.weight.copy_((hidden[7] - hidden.mean(dim=0))[None])
    found = token_attribution.relevance(network, tokens[:1], np.ones((1, 1)))
    assert found.maps[0, 0].argmax() == 7
    # Of what speaks against it nothing is shown, unless it is asked for what moves the answer either way.
    either = token_attribution.relevance(network, tokens[:1], -np.ones((1, 1)), signed=False)
    assert either.maps[0, 0].argmax() == 7


def test_the_longer_the_texts_the_fewer_the_steps():
    short, long = some_tokens(n=2, windows=1), torch.ones(18, 16, 256, 2, dtype=torch.int32)
    assert token_attribution.steps(short) == token_attribution.STEPS
    assert token_attribution.steps(long) == token_attribution.LEAST
