"""Word vectors as a backbone: the features are what the papers say, the cut is exact, a folder brings them back."""

import numpy as np
import pytest
import torch

import headstart
from headstart.api.backbones import describe_backbone
from headstart.backbones import bags, catalogue, folder, vectors
from headstart.base.errors import BadOption, UnknownName, WeightsError
from headstart.data import texts
from headstart.features import inference
from headstart.features.network import Features
from headstart.features.store import Store, joined
from tests import bags as labelled
from tests.backbones import wordvectors
from tests.small import CPU, moved, tune

TEXTS = ("the good film and the bad film", "a lovely story", "the", "entirely foreign", ("good", "bad"))


@pytest.fixture
def file(tmp_path):
    return wordvectors.write(tmp_path)


def inputs(backbone, items=TEXTS):
    arrays = [torch.from_numpy(texts.load(item, backbone.info.preprocessing))[None] for item in items]
    return joined(arrays)


def rows(text):
    return [wordvectors.WORDS.index(word) for word in text.split() if word in wordvectors.WORDS]


def test_mean_is_the_mean_of_the_known_words(file):
    backbone = catalogue.load(f"vectors/{file}@mean")
    found = backbone(inputs(backbone)).detach().numpy()
    for item, features in zip(TEXTS[:3], found, strict=False):
        np.testing.assert_allclose(features, wordvectors.table()[rows(item)].mean(axis=0), atol=1e-5)
    assert not found[3].any()
    np.testing.assert_allclose(found[4], wordvectors.table()[rows("good bad")].mean(axis=0), atol=1e-5)


def test_sif_is_the_papers_formula(file):
    backbone = catalogue.load(f"vectors/{file}")
    found = backbone(inputs(backbone)).detach().numpy()
    table = wordvectors.table().astype(np.float64)
    shares = np.array([1 / rank for rank in range(1, len(table) + 1)])
    shares /= shares.sum()
    shared = backbone.module.pooling.common.detach().numpy()
    assert np.linalg.norm(shared) == pytest.approx(1, abs=1e-6)
    for item, features in zip(TEXTS[:3], found, strict=False):
        words = rows(item)
        expected = sum(1e-3 / (1e-3 + shares[word]) * table[word] for word in words) / len(words)
        np.testing.assert_allclose(features, expected - expected @ shared * shared, atol=1e-6)
    assert not found[3].any()


def test_the_common_direction_is_the_first_singular_vector_of_chance_texts():
    draw = np.random.default_rng(0)
    table = draw.normal(size=(50, 6)) + 0.5
    shares = bags.frequencies(50)
    sampled = draw.choice(50, size=(60_000, 5), p=shares)
    weighted = bags.weights(shares)[:, None] * table
    sentences = weighted[sampled].mean(axis=1)
    expected = np.linalg.svd(sentences, full_matrices=False)[2][0]
    assert abs(bags.common(table, shares, words=5) @ expected) > 0.9999


@pytest.mark.parametrize("pooling", bags.POOLINGS)
def test_the_cut_is_exact_and_both_poolings_are_read_in_one_pass(file, pooling):
    backbone = catalogue.load(f"vectors/{file}@{pooling}")
    x = inputs(backbone)
    whole = backbone(x)
    for depth in range(backbone.depth + 1):
        assert float((backbone.suffix(depth)(backbone.prefix(depth)(x)) - whole).detach().abs().max()) <= 1e-5
    plain = catalogue.load(f"vectors/{file}@mean")
    torch.testing.assert_close(backbone.pooled(x)[0], plain(x))
    assert [backbone.pooled_width(stage) for stage in (1, 2)] == [12, 12]


def test_a_wrong_cut_is_noticed(file):
    backbone = catalogue.load(f"vectors/{file}")
    x = inputs(backbone)
    hidden = backbone.prefix(1)(x)
    hidden[..., -1] = (hidden[..., -1] > 0).float()
    assert float((backbone.suffix(1)(hidden) - backbone(x)).detach().abs().max()) > 1e-3


def test_a_long_text_is_the_mean_of_all_its_words(file):
    backbone = catalogue.load(f"vectors/{file}@mean")
    words = np.random.default_rng(0).choice(wordvectors.WORDS, 3 * vectors.LENGTH + 7)
    expected = wordvectors.table()[[wordvectors.WORDS.index(word) for word in words]].mean(axis=0)
    found = inference.outputs(
        Features(backbone), [" ".join(words)], preprocessing=backbone.info.preprocessing, modality="texts"
    )
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_a_folder_brings_them_back_without_the_file(file, tmp_path):
    backbone = catalogue.load(f"vectors/{file}")
    x = inputs(backbone)
    expected = backbone(x)
    folder.write_folder(backbone, tmp_path / "kept", {})
    file.unlink()
    again = catalogue.load(f"local:{tmp_path / 'kept'}")
    torch.testing.assert_close(again(x), expected)
    torch.testing.assert_close(again(inputs(again)), expected)
    assert again.digest() == backbone.known_as(again.info).digest()


@pytest.mark.parametrize("strategy", ["probe", "partial", "full"])
def test_strategies_learn_and_what_is_frozen_stays(file, tmp_path, strategy):
    backbone = catalogue.load(f"vectors/{file}")
    before = backbone.copy()
    setting = labelled.setting(backbone, Store(tmp_path / "store"), CPU)
    options = {"partial": {"depth": 1, "epochs": 4, "rate": 1e-3}, "full": {"epochs": 4, "rate": 1e-3}}.get(
        strategy, {}
    )
    made = tune(strategy, setting, **options)
    assert not made.collapsed
    assert not moved(before, backbone)
    expected = {"probe": set(), "partial": {"pooling.common"}, "full": {"pooling.common", "words.vectors"}}
    assert moved(before, made.network.backbone) == expected[strategy]


def test_fresh_vectors_are_of_the_same_words_and_seeded(file):
    first, again, other = (catalogue.load(f"vectors/{file}", weights=False, seed=seed) for seed in (1, 1, 2))
    assert first.info.preprocessing.content == "\n".join(wordvectors.WORDS).encode()
    assert not moved(first, again)
    assert "words.vectors" in moved(first, other)
    assert first.info.source == "random initialisation"


def test_what_was_kept_and_left_out_is_said(file, tmp_path):
    assert catalogue.load(f"vectors/{file}").info.source == "vectors.binary (word2vec binary), 28 words"
    kept = catalogue.load(f"vectors/{file}@mean,5").info
    assert kept.source.endswith("5 words, the most frequent of 28")
    assert kept.parameters == 60
    path = wordvectors.write(tmp_path, "glove", words=("the", "the", "New York", "cat"))
    assert catalogue.load(f"vectors/{path}@sif").info.source.endswith(
        "2 words; left out: 1 a second time, 1 empty or with a space in the word"
    )


def test_describing_reads_the_beginning_only(file):
    info = catalogue.describe(f"vectors/{file}@mean,5")
    assert (info.stages, info.width, info.parameters, info.modality) == (("words", "mean"), 12, 60, "texts")
    assert (info.flops, sum(info.stage_flops)) == (vectors.LENGTH * 12,) * 2
    assert describe_backbone(f"vectors/{file}@mean,5") == info
    file.write_bytes(file.read_bytes()[:-1])
    assert catalogue.describe(f"vectors/{file}").width == 12


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("vectors/{file}@sif,0", BadOption, "'0' behind the @"),
        ("vectors/{file}@average", BadOption, "'average' behind the @"),
        ("vectors/none.vec", WeightsError, "There is no such file"),
    ],
)
def test_names_that_make_no_sense(file, name, error, message):
    with pytest.raises(error, match=message):
        catalogue.load(name.format(file=file))


@pytest.mark.parametrize(
    "config", [{}, {"words": 10, "width": "12"}, {"words": 10**9, "width": 300}, {"words": -1, "width": 3}]
)
def test_a_hostile_configuration_is_refused_before_anything_is_built(config):
    with pytest.raises(WeightsError, match="cannot be built"):
        catalogue.build("vectors/sif", config)


def test_a_pooling_nobody_knows():
    with pytest.raises(UnknownName, match="sif"):
        catalogue.build("vectors/sip", {"words": 3, "width": 2})


@pytest.mark.slow
def test_a_fit_is_sealed_and_predicts_without_the_file(tmp_path):
    file, items, labels = labelled.topics(tmp_path)
    headstart.fit(items, labels, backbone=f"vectors/{file}", strategy="probe", output=tmp_path / "model", budget=5)
    file.unlink()
    again = headstart.load(tmp_path / "model")
    # TF-IDF has no way to tell these classes: that the network was sealed shows that its vectors were used.
    assert np.mean([each.label == label for each, label in zip(again.predict(items), labels, strict=True)]) > 0.95
    assert len((tmp_path / "model" / "words.txt").read_text().split("\n")) == 900
