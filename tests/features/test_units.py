"""Parts of wholes: one row each, in the order asked for, from one pass over each whole; the cut and the store agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.backbones import units, unitwise
from headstart.backbones.chain import Backbone
from headstart.base.errors import BadOption, WeightsError
from headstart.data import sentences, words
from headstart.engine.loop import outputs_of
from headstart.features import inference
from headstart.features import units as parts_of
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.network import Features
from headstart.features.store import Store
from headstart.features.streams import Judging, Training
from tests import small_texts
from tests.backbones import languages
from tests.small import CPU

PLAIN = Augmentation(flip=False, strength=0.0)
LENGTHS = (3, 1, 9, 30, 5, 14, 2, 8)


def network(family: str = "bert") -> Backbone:
    found = small_texts.backbone(family)
    return unitwise.of(replace_config(found))


def replace_config(found: Backbone) -> Backbone:
    found.info = replace(found.info, config={"text": {}, "pooling": "mean"})
    return found


def items() -> list[words.Words]:
    draw = np.random.default_rng(0)
    known = [*small_texts.COMMON, *small_texts.TOPICS["sea"]]
    found = []
    for number, length in enumerate(LENGTHS):
        made = sentences.of_words([str(each) for each in draw.choice(known, size=length)], f"s{number}")
        found += sentences.each(made)
    return found


@pytest.fixture
def frozen(tmp_path: Path) -> Frozen:
    given = items()
    digests = [words.digest(item) for item in given]
    pixels = parts_of.of(given, digests, small_texts.reading(), Store(tmp_path), modality="words")
    return Frozen(network(), pixels, Store(tmp_path), CPU)


def alone(net: Backbone, item: words.Words) -> np.ndarray:
    """Features of one word by itself, as the library's own network has them."""
    tokens = torch.from_numpy(words.load(item, small_texts.reading()))[None]
    with torch.no_grad():
        return net(tokens).numpy()[0]


def test_each_word_has_the_hidden_state_of_its_first_token() -> None:
    model = languages.model("bert", 0, num_hidden_layers=2).eval()
    net, reading = network(), small_texts.reading(length=40)
    sentence = sentences.of_words(["the", "harbour", "owl", "anchor"], "s")
    tokens = words.load(sentence, reading)
    with torch.no_grad():
        ids = torch.from_numpy(tokens[0, :, 0].astype(np.int64) - 1)[None]
        expected = model(input_ids=ids).last_hidden_state[0][torch.from_numpy(tokens[0, :, 2] > 0)]
        found = net(torch.from_numpy(tokens)[None])
    assert torch.allclose(found, expected, atol=1e-5) and len(found) == 4


@pytest.mark.parametrize("family", ["bert", "gpt2", "distilbert", "roberta"])
def test_the_cut_is_exact_at_every_depth(family: str) -> None:
    net = network(family)
    texts = [words.load(words.whole(item), small_texts.reading()) for item in items()[::7]]
    batch = torch.from_numpy(words.texts.padded(texts))
    with torch.no_grad():
        whole = net(batch)
        for depth in range(net.depth + 1):
            assert torch.allclose(net.suffix(depth)(net.prefix(depth)(batch)), whole, atol=1e-6)
            if 0 < depth < net.depth:
                assert torch.equal(units.counts(net.prefix(depth)(batch)), units.counts(batch))
        assert [len(each) for each in net.pooled(batch)] == [len(whole)] * net.depth


def test_rows_come_in_the_order_asked_for(frozen: Frozen) -> None:
    draw = np.random.default_rng(1)
    given = frozen.pixels.items
    for positions in (np.arange(len(given)), draw.permutation(len(given))[:20], np.array([5, 4, 4, 40])):
        with torch.no_grad():
            found = frozen.backbone(frozen.pixels[positions]).numpy()
        assert np.allclose(found, [alone(frozen.backbone, given[i]) for i in positions], atol=1e-5)


def test_neighbours_share_a_pass(frozen: Frozen) -> None:
    assert len(frozen.pixels[np.arange(len(frozen.pixels))]) == len(LENGTHS)


def test_stored_features_are_those_of_each_word_and_are_not_computed_again(frozen: Frozen, tmp_path: Path) -> None:
    found = frozen.pooled(frozen.backbone.depth)
    expected = [alone(frozen.backbone, item) for item in frozen.pixels.items]
    assert np.allclose(found, expected, atol=1e-5)
    again = Frozen(network(), frozen.pixels, Store(tmp_path), CPU)
    assert again.missing() == 0


@pytest.mark.parametrize("stored", [True, False])
def test_what_crosses_a_cut_gives_the_same_rows_from_the_store_and_without_it(
    frozen: Frozen, tmp_path: Path, stored: bool
) -> None:
    if not stored:
        frozen.store.limit = 0
    activations = frozen.at(1, 1, PLAIN)
    assert activations.views == stored
    positions = np.array([0, 1, 2, 3, 20, 22, 7, 6])
    with torch.no_grad():
        found = frozen.backbone.suffix(1)(activations.batch(positions, 0)).numpy()
    expected = [alone(frozen.backbone, frozen.pixels.items[i]) for i in positions]
    assert np.allclose(found, expected, atol=1e-5)


def test_a_training_batch_has_whole_sentences_and_an_epoch_each_once(frozen: Frozen) -> None:
    owners = frozen.pixels.owners
    assert owners is not None
    rows = np.flatnonzero(owners != 3)
    stream = Training(frozen.at(1, 1, PLAIN), rows, np.zeros((len(owners), 3), dtype=np.int64), batch_size=2, seed=0)
    batches = list(stream.batches(0))
    assert len(batches) == len(stream)
    for batch in batches:
        inside = np.flatnonzero(np.isin(owners, owners[batch.index]))
        assert sorted(batch.index.tolist()) == inside.tolist() and len(set(owners[batch.index])) <= 2
        assert len(frozen.backbone.suffix(1)(batch.inputs)) == len(batch.index)
    seen = np.concatenate([batch.index for batch in batches])
    assert len(seen) == len(set(seen)) and set(seen) <= set(rows)


def test_judged_rows_go_back_to_their_places(frozen: Frozen) -> None:
    targets = np.arange(3 * len(frozen.pixels)).reshape(-1, 3)
    rows = np.random.default_rng(2).permutation(len(frozen.pixels))[:40]
    outputs, wanted = outputs_of(frozen.backbone.suffix(1), Judging(frozen.at(1, 1, PLAIN), rows, targets), CPU)
    assert np.array_equal(wanted, targets[rows])
    assert np.allclose(outputs, [alone(frozen.backbone, frozen.pixels.items[i]) for i in rows], atol=1e-5)


def test_items_of_a_list_are_answered_one_row_each(frozen: Frozen) -> None:
    given = items()
    chosen = [given[i] for i in (0, 1, 2, 3, 30, 12, 13, 14)]
    found = inference.outputs(
        Features(frozen.backbone), chosen, preprocessing=small_texts.reading(), modality="words", batch_size=2
    )
    assert np.allclose(found, [alone(frozen.backbone, item) for item in chosen], atol=1e-5)


def test_parts_are_not_mixed(frozen: Frozen) -> None:
    activations = frozen.at(1, 1, replace(PLAIN, mixup=0.2))
    with pytest.raises(BadOption, match="cannot be mixed"):
        Training(activations, np.arange(5), np.zeros((5, 3)), batch_size=2, seed=0)


def test_a_network_without_a_row_for_each_token_is_refused() -> None:
    with pytest.raises(WeightsError, match="one row of features for a text"):
        unitwise.of(small_texts.backbone())


def test_a_fresh_network_is_for_words_too() -> None:
    net = network()
    batch = torch.from_numpy(words.load(sentences.of_words(["owl", "oak"], "s"), small_texts.reading()))[None]
    assert len(net.fresh(1)(batch)) == 2
