"""Text networks cut at every layer: prefix and suffix are the library's own network, for every family."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoConfig

from headstart.backbones import segments, skeletons
from headstart.backbones.chain import Backbone
from headstart.base.errors import WeightsError
from headstart.base.vocabulary import BackboneInfo, Tokenization
from tests.backbones import languages

LENGTHS = [[12, 9, 4], [12], [7, 2], [1], [5, 12]]
"""Several windows and lengths in one batch."""


def backbone(family: str, **changes: Any) -> tuple[Backbone, Any]:
    """The chain of a family, and the library's own network apart from it."""
    model = languages.model(family, **changes)
    info = BackboneInfo(
        f"hf/{family}", f"hf/{family}", 0, (), 0, Tokenization(12, "0" * 64), modality="texts", config={}
    )
    return Backbone(segments.chain(copy.deepcopy(model), family), info), model


def whole(model: Any, texts: torch.Tensor) -> list[torch.Tensor]:
    """What the library makes of each text, window by window and without any padding: hidden states after each layer."""
    found = []
    for text in texts:
        states = []
        for window in text:
            count = int((window[:, 0] > 0).sum())
            if count:
                given = {"input_ids": window[None, :count, 0].long() - 1, "attention_mask": torch.ones(1, count).long()}
                if segments.takes_types(model):
                    given["token_type_ids"] = window[None, :count, 1].long()
                states.append(model(**given).last_hidden_state[0])
        found.append(torch.cat(states))
    return found


@torch.no_grad()
@pytest.mark.parametrize("family", languages.FAMILIES)
def test_prefix_and_suffix_are_the_librarys_own_network_at_every_depth(family: str) -> None:
    made, model = backbone(family)
    padding = segments._padding(model)
    texts = languages.tokens(LENGTHS, avoid=padding, types=segments.takes_types(model))
    expected = torch.stack([states.mean(dim=0) for states in whole(model, texts)])
    assert made.depth == 5 and made.info.stages == ("embeddings", *(f"layer {n}" for n in range(1, 5)))
    for k in range(made.depth + 1):
        given = made.suffix(k)(made.prefix(k)(texts))
        assert (given - expected).abs().max() <= 1e-5 * expected.abs().max(), f"cut after {k} stages"


@torch.no_grad()
@pytest.mark.parametrize("family", languages.FAMILIES)
def test_a_text_gives_the_same_features_alone_and_in_any_company(family: str) -> None:
    made, model = backbone(family)
    texts = languages.tokens(LENGTHS, avoid=segments._padding(model))
    together = made.pooled(texts)
    for row, lengths in enumerate(LENGTHS):
        alone = made.pooled(texts[row : row + 1, : len(lengths), : max(lengths)])
        for stage, (mine, ours) in enumerate(zip(alone, together, strict=True), 1):
            assert (mine[0] - ours[row]).abs().max() <= 1e-5 * ours.abs().max(), f"stage {stage}"


@torch.no_grad()
@pytest.mark.parametrize("family", ["bert", "deberta-v2", "albert", "gpt2", "modernbert"])
def test_tokens_are_what_the_last_stage_averages(family: str) -> None:
    made, model = backbone(family)
    texts = languages.tokens(LENGTHS, avoid=segments._padding(model))
    hidden = made.module.tokens(texts)
    assert hidden.shape == (5, 3, 12, 33)
    for row, states in enumerate(whole(model, texts)):
        there = hidden[row][hidden[row, ..., -1] > 0]
        assert (there[:, :-1] - states).abs().max() <= 1e-5 * states.abs().max()
    assert torch.equal(segments.mean(hidden), made(texts))
    assert made.module.table().num_embeddings == languages.WORDS


@torch.no_grad()
@pytest.mark.parametrize("family", ["bert", "distilbert", "deberta-v2", "gpt2", "llama"])
def test_train_mode_computes_the_same_where_nothing_is_dropped(family: str) -> None:
    off = {name: 0.0 for name in vars(AutoConfig.for_model(family)) if "drop" in name or name == "attention_dropout"}
    made, model = backbone(family, **off)
    texts = languages.tokens(LENGTHS, avoid=segments._padding(model))
    still = made(texts)
    made.train()
    for k in range(made.depth + 1):
        given = made.suffix(k)(made.prefix(k)(texts))
        assert (given - still).abs().max() <= 1e-5 * still.abs().max()


def test_dropout_falls_in_the_suffix_and_not_in_a_prefix_that_is_in_eval_mode() -> None:
    made, _ = backbone("bert", hidden_dropout_prob=0.5)
    texts = languages.tokens(LENGTHS)
    hidden = made.prefix(3)(texts)
    made.suffix(3).train()
    with torch.no_grad():
        assert torch.equal(made.prefix(3)(texts), hidden)
        first, second = made.suffix(3)(hidden), made.suffix(3)(hidden)
    assert not torch.equal(first, second)


@torch.no_grad()
@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "llama", "modernbert"])
def test_bf16_stays_within_its_rounding(family: str) -> None:
    made, model = backbone(family)
    texts = languages.tokens(LENGTHS, avoid=segments._padding(model))
    exact = made(texts)
    with torch.autocast("cpu", torch.bfloat16):
        for k in (0, 1, 3, made.depth):
            # What is stored at the cut is bf16 too.
            hidden = made.prefix(k)(texts)
            rounded = made.suffix(k)(hidden.bfloat16() if k else hidden)
            # 8 bits of mantissa, five stages, errors that add up as random ones do.
            assert (rounded.float() - exact).abs().max() <= 2**-8 * 10 * exact.abs().max()


@pytest.mark.parametrize("family", ["bert", "albert", "deberta", "gpt2"])
def test_what_lies_behind_a_cut_can_move_without_what_lies_before_it(family: str) -> None:
    made, model = backbone(family)
    texts = languages.tokens(LENGTHS, avoid=segments._padding(model))
    before = {name: tensor.clone() for name, tensor in made.tensors(3).items()}
    with torch.no_grad():
        hidden = made.prefix(3)(texts)
        for parameter in made.suffix(3).parameters():
            parameter += 1.0
        assert torch.equal(made.prefix(3)(texts), hidden)
    assert all(torch.equal(tensor, before[name]) for name, tensor in made.tensors(3).items())


def test_the_word_embeddings_are_the_first_stage() -> None:
    made, model = backbone("bert")
    own = {name for name in made.tensors(1) if made.tensors(1)[name].is_floating_point()}
    assert any(name.endswith("word_embeddings.weight") for name in own)
    assert sum(p.numel() for p in made.prefix(1).parameters()) == sum(p.numel() for p in model.embeddings.parameters())
    assert not any("embeddings" in name for name, _ in made.suffix(1).named_parameters())


def test_gradients_reach_every_parameter_of_every_stage() -> None:
    for family in ("bert", "deberta-v2", "albert", "llama"):
        made, model = backbone(family)
        made(languages.tokens(LENGTHS, avoid=segments._padding(model))).square().sum().backward()
        without = {name for name, parameter in made.module.named_parameters() if parameter.grad is None}
        # The stage of the embeddings has DeBERTa's table too, which only layers read.
        assert {name for name in without if not name.startswith("parts.0.model.encoder.")} == set(), family


def test_copies_of_shared_parts_are_counted_and_said() -> None:
    made, model = backbone("albert")
    layer = sum(p.numel() for p in model.encoder.albert_layer_groups[0].parameters())
    pooler = sum(p.numel() for p in model.pooler.parameters())
    whole = sum(p.numel() for p in model.parameters()) - pooler
    apart = sum(p.numel() for p in made.module.parameters())
    assert apart == whole + 3 * layer, "four layers instead of one that is run four times"
    assert made.info.parameters == apart
    (note,) = made.info.notes
    assert f"{apart:,} parameters instead of {whole:,}" in note and note.startswith("One layer runs several times")
    deberta, model = backbone("deberta-v2")
    assert "One table" not in note and deberta.info.notes[0].startswith("All layers read one table")
    assert not backbone("bert")[0].info.notes


def test_many_layers_go_in_groups_the_last_ones_the_smaller() -> None:
    made, model = backbone("bert", num_hidden_layers=20)
    assert made.depth == 1 + segments.MOST
    assert made.info.stages[1] == "layers 1 to 2" and made.info.stages[-1] == "layer 20"
    texts = languages.tokens(LENGTHS)
    with torch.no_grad():
        expected = torch.stack([states.mean(dim=0) for states in whole(model, texts)])
        assert (made(texts) - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("family", ["gpt_neo", "modernbert"])
def test_layers_that_differ_in_kind_keep_their_kind_in_every_part(family: str) -> None:
    """Local attention is by the layer's number: a part that counted from 0 again would look elsewhere."""
    changes: dict[str, Any] = {"window_size": 2} if family == "gpt_neo" else {"local_attention": 2}
    made, model = backbone(family, **changes)
    wider = {"window_size": 40} if family == "gpt_neo" else {"local_attention": 40}
    other, _ = backbone(family, **wider)
    texts = languages.tokens([[12], [10]], avoid=segments._padding(model))
    with torch.no_grad():
        expected = torch.stack([states.mean(dim=0) for states in whole(model, texts)])
        assert (made(texts) - expected).abs().max() <= 1e-5 * expected.abs().max()
        assert (made(texts) - other(texts)).abs().max() > 1e-2, "the width of the window matters here"


def test_moved_and_copied_chains_compute_the_same() -> None:
    made, _ = backbone("roberta")
    texts = languages.tokens(LENGTHS, avoid=1)
    with torch.no_grad():
        expected = made(texts)
        assert torch.equal(made.copy()(texts), expected)
        doubled = made.copy().double()
        assert (doubled(texts).float() - expected).abs().max() <= 1e-5


WRONG: dict[str, Any] = {
    "the last norm is lost": lambda part: setattr(part, "LAST", ()),
    "positions are added to every stage": lambda part: setattr(part, "ADDED", ()),
    "kinds are counted from 0": lambda part: setattr(part, "_configure", _from_zero),
}


def _from_zero(made: Any, count: int, at: int) -> None:
    _CONFIGURE(made, count, 0)


_CONFIGURE = skeletons._configure


@pytest.mark.parametrize(
    ("family", "mistake"),
    [
        ("gpt2", "the last norm is lost"),
        ("llama", "the last norm is lost"),
        ("gpt2", "positions are added to every stage"),
        ("modernbert", "kinds are counted from 0"),
    ],
)
def test_a_wrong_cut_is_refused(family: str, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAST", "ADDED", "_configure"):
        monkeypatch.setattr(skeletons, name, getattr(skeletons, name))
    WRONG[mistake](skeletons)
    with pytest.raises(WeightsError, match=r"cannot be taken apart"):
        segments.chain(languages.model(family, **({"local_attention": 2} if family == "modernbert" else {})), family)


def test_layers_in_a_wrong_order_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = skeletons.layers_of

    def swapped(model: Any) -> Any:
        path, layers = found(model)
        return path, [layers[0], layers[2], layers[1], layers[3]]

    monkeypatch.setattr(skeletons, "layers_of", swapped)
    with pytest.raises(WeightsError, match="do not compute what it computes"):
        segments.chain(languages.model("bert"), "bert")


UNSUPPORTED: dict[str, dict[str, Any]] = {
    "fnet": {"hidden_size": 32, "num_hidden_layers": 4, "intermediate_size": 48},
    "funnel": {
        "architectures": ["FunnelModel"],
        "d_model": 32,
        "n_head": 4,
        "d_head": 8,
        "d_inner": 48,
        "block_sizes": [1, 1, 1],
    },
    "mobilebert": {
        "hidden_size": 32,
        "embedding_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "intra_bottleneck_size": 32,
        "true_hidden_size": 32,
        "num_feedforward_networks": 1,
    },
    "squeezebert": {
        "hidden_size": 32,
        "embedding_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 48,
    },
    "t5": {"d_model": 32, "num_layers": 2, "num_heads": 4, "d_ff": 48, "d_kv": 8},
    "bart": {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48},
    "xlm": {"emb_dim": 32, "n_layers": 4, "n_heads": 4, "n_words": languages.WORDS},
}


@pytest.mark.parametrize("family", UNSUPPORTED)
def test_what_cannot_be_taken_apart_is_refused_in_words(family: str) -> None:
    model = languages.model(family, vocab_size=languages.WORDS, **UNSUPPORTED[family])
    with pytest.raises(WeightsError, match=f"The network {family} cannot be taken apart: ") as caught:
        segments.chain(model, family)
    assert caught.value.expected and caught.value.next_move
    assert len(caught.value.what) < 250 and "\n" not in caught.value.what


def test_a_network_without_layers_is_refused() -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.config = AutoConfig.for_model("bert")
            self.embed = nn.Embedding(9, 4)

    with pytest.raises(WeightsError, match="no list of layers"):
        segments.chain(Table(), "toy")
