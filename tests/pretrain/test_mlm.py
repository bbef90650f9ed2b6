"""Masked-language training: what is hidden and how, a network from nothing, one that goes on, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import small_texts
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertForMaskedLM

from headstart.api.backbones import pretrain_backbone
from headstart.backbones import catalogue, segments
from headstart.base.errors import BadOption, BadSource, DataError, Interrupted, UnknownName, WeightsError
from headstart.base.machine import here
from headstart.data import pieces
from headstart.engine import loop
from headstart.pretrain import mlm
from headstart.pretrain.masked import Masked, Windows
from tests.backbones import textual

CPU = here("float32", "cpu")
SMALL = {"preset": "smoke", "vocabulary": 120, "length": 16, "batch_size": 32}


def corpus(count: int = 300) -> list[str]:
    return small_texts.written(count, words=(6, 40), telling=0.7)[0]


def first_fit(**given: object):
    return next(mlm.plan(corpus(), **SMALL | given))


def batch(seed: int = 0, share: float = 0.15, fixed: bool = False, rows: int = 400):
    draw = np.random.default_rng(5)
    windows = []
    for _ in range(rows):
        ids = np.concatenate([[2], draw.integers(5, 90, int(draw.integers(1, 30))), [3]])
        windows.append(np.stack([ids + 1, np.zeros_like(ids)], 1).astype(np.int32))
    masking = pieces.masking(small_texts.reading(), "small")
    given = {"batch": rows, "share": share, "seed": seed, "fixed": fixed}
    return windows, masking, Masked(Windows(windows), np.arange(rows), masking=masking, **given)


def test_so_many_tokens_are_hidden_and_so_many_are_masked_swapped_and_kept() -> None:
    windows, masking, stream = batch()
    one = next(stream.batches(0))
    tokens, chosen, wanted = (one.inputs[name] for name in ("tokens", "chosen", "wanted"))
    ids = tokens[..., 0].long() - 1
    original = torch.from_numpy(np.concatenate([windows[i][:, 0] for i in one.index]).astype(np.int64)) - 1
    there = tokens[..., 0] > 0
    words = int((there & (ids != 2) & (ids != 3)).sum())
    assert torch.equal(original[chosen[there]], wanted), "what was there is what is wanted"
    assert torch.equal(ids[there][~chosen[there]], original[~chosen[there]]), "the others are as they were"
    assert not set(wanted.tolist()) & {0, 1, 2, 3, 4}, "what frames a text is never hidden"
    # At least one a window: the expected share is a little above, for windows of one word are always hidden.
    assert 0.14 < len(wanted) / words < 0.19
    hidden = ids[chosen]
    masked = float((hidden == masking.mask).float().mean())
    same = float((hidden == wanted).float().mean())
    assert masked == pytest.approx(0.8, abs=0.05) and same == pytest.approx(0.1, abs=0.04)
    assert bool(chosen.flatten(1).any(dim=1).all())


def test_masks_change_with_the_epoch_but_not_those_that_judge() -> None:
    _, _, stream = batch(rows=40)
    first, again, later = (next(stream.batches(epoch)) for epoch in (0, 0, 1))
    assert torch.equal(first.inputs["tokens"], again.inputs["tokens"])
    assert not np.array_equal(first.index, later.index) or not torch.equal(first.targets, later.targets)
    _, _, fixed = batch(rows=40, fixed=True)
    assert torch.equal(next(fixed.batches(0)).inputs["tokens"], next(fixed.batches(7)).inputs["tokens"])


def test_an_epoch_can_be_begun_in_the_middle_and_reads_every_window_once() -> None:
    _, _, stream = batch(rows=100)
    stream.batch = 8
    whole, rest = list(stream.batches(3)), list(stream.batches(3, 5))
    assert len(whole) == len(stream) == 13
    for one, other in zip(whole[5:], rest, strict=True):
        assert torch.equal(one.inputs["tokens"], other.inputs["tokens"])
    assert sorted(np.concatenate([one.index for one in whole])) == list(range(100))


@torch.no_grad()
def test_the_loss_is_the_librarys_own_masked_language_model() -> None:
    """With the head's weights in the library's BERT, which ties it to the words likewise."""
    config = BertConfig(
        vocab_size=90,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        layer_norm_eps=1e-5,
    )
    torch.manual_seed(0)
    library = BertForMaskedLM(config).eval()
    learner = mlm.Learner(segments.chain(library.bert, "bert")).eval()
    head = library.cls.predictions
    head.transform.dense.load_state_dict(learner.head["dense"].state_dict())
    head.transform.LayerNorm.load_state_dict(learner.head["norm"].state_dict())
    head.bias.copy_(torch.randn(90))
    learner.bias.copy_(head.bias)
    _, _, stream = batch(rows=20)
    one = next(stream.batches(0))
    tokens, chosen = one.inputs["tokens"][:, 0], one.inputs["chosen"][:, 0]
    labels = torch.full(chosen.shape, -100)
    labels[chosen] = one.inputs["wanted"]
    given = {"input_ids": (tokens[..., 0].long() - 1).clamp(min=0), "attention_mask": (tokens[..., 0] > 0).long()}
    expected = library(**given, labels=labels).loss
    assert learner(one.inputs)[:, 0].mean() == pytest.approx(float(expected), rel=1e-5)


def test_every_parameter_learns_and_the_words_are_tied_to_the_head() -> None:
    fit = first_fit()
    terms = fit.phases[0].objective(fit.model, next(fit.stream.batches(0)))
    terms["masked"].backward()
    assert {name for name, value in fit.model.named_parameters() if value.grad is None} == set()
    table = fit.model.network.table().weight
    assert sum(value is table for value in fit.model.parameters()) == 1
    assert not any(
        name.startswith("head") and value.shape == table.shape for name, value in fit.model.named_parameters()
    )


def test_training_and_judging_share_no_text() -> None:
    fit = first_fit()
    judged = {int(i) for one in fit.held_out.stream.batches(0) for i in one.index}
    trained = {int(i) for epoch in range(3) for one in fit.stream.batches(epoch) for i in one.index}
    assert judged and trained and not judged & trained


def test_a_tokenizer_is_the_same_whatever_order_its_texts_are_in() -> None:
    some = corpus(120)
    for kind in pieces.KINDS:
        once = pieces.learn(some, size=300, kind=kind)
        assert all(pieces.learn(some[::-1], size=300, kind=kind) == once for _ in range(3))
    assert pieces.learn(some, size=300, kind="bpe") != pieces.learn(some, size=300)


def test_a_learnt_tokenizer_knows_its_texts_and_says_what_it_does_not_know() -> None:
    made = Tokenizer.from_str(pieces.learn(corpus(120), size=200).decode())
    assert made.get_vocab_size() <= 200
    assert made.encode("The OLD oven").tokens == ["[CLS]", "the", "old", "oven", "[SEP]"]
    parts = made.encode("ovensalt").tokens[1:-1]
    assert "".join(part.removeprefix("##") for part in parts) == "ovensalt" and len(parts) > 1
    assert "[UNK]" in made.encode("oven 漢").tokens
    pair = made.encode("oven", "salt")
    assert pair.type_ids == [0, 0, 0, 1, 1]
    whole = Tokenizer.from_str(pieces.learn(corpus(120), size=400, kind="bpe").decode())
    assert whole.decode(whole.encode("The OLD oven, 漢").ids).strip() == "The OLD oven, 漢"


@pytest.mark.slow
def test_from_nothing_it_learns_words_by_their_neighbours_and_becomes_a_backbone(tmp_path: Path) -> None:
    settings = {**SMALL, "epochs": 10, "rate": 3e-3, "batch_size": 16, "patience": 0}
    info = pretrain_backbone(
        "mlm",
        tmp_path / "own",
        small_texts.written(300, words=(6, 40), telling=0.9)[0],
        settings=settings,
        precision="float32",
    )
    assert info.modality == "texts" and info.licence == "your own"
    assert info.source == "300 texts without labels, from memory"
    card = json.loads((tmp_path / "own" / "backbone.json").read_text())["card"]
    assert card["validation"]["perplexity"] < 0.8 * card["validation"]["guessing_by_frequency"]
    curve = [row["held_out_perplexity"] for row in card["curve"]]
    assert card["validation"]["perplexity"] == pytest.approx(min(curve), rel=1e-3)
    assert min(curve) < 0.8 * curve[0]
    page = (tmp_path / "own" / "MODEL_CARD.md").read_text()
    assert "perplexity of hidden words" in page and "pictures" not in page and "in windows of up to 16 tokens" in page
    assert (tmp_path / "own" / "tokenizer.json").is_file()
    loaded = catalogue.load(f"local:{tmp_path / 'own'}")
    texts, topics = small_texts.written(240, seed=9, telling=0.4)
    features = [probed(one, texts, topics) for one in (loaded, loaded.fresh(0))]
    assert features[0] > features[1] + 0.02, "what was learnt without labels tells topics better than random weights"


def probed(backbone, texts, topics) -> float:
    """Accuracy of a logistic regression on the features, with 10 labels a topic."""
    from sklearn.linear_model import LogisticRegression

    from headstart.features import inference
    from headstart.features.network import Features

    reading = backbone.info.preprocessing
    found = inference.outputs(Features(backbone), texts, preprocessing=reading, modality="texts")
    scale = found.std(axis=0) + 1e-6
    probe = LogisticRegression(max_iter=2000).fit(found[:30] / scale, topics[:30])
    return float(probe.score(found[30:] / scale, topics[30:]))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return textual.save(tmp_path_factory.mktemp("published") / "bert")


def test_a_named_backbone_goes_on_its_head_alone_first(published: Path) -> None:
    source = textual.corpus(150)
    plan = mlm.plan(source, backbone=f"local:{published}", length=24, epochs=2, rate=1e-3)
    fit = next(plan)
    assert [phase.name for phase in fit.phases] == ["head alone", "all"]
    moving = {name for group in fit.phases[0].groups for name in group.names}
    assert moving and not any(name.startswith("network.") for name in moving)
    before = catalogue.load(f"local:{published}")
    outcome = loop.train(fit, machine=CPU)
    with pytest.raises(StopIteration) as stop:
        plan.send(outcome)
    made = stop.value.value
    rows = [row["held_out_log_loss"] for row in outcome.curve]
    assert len(rows) == 3 and min(rows[1:]) < rows[0]
    assert made.backbone.info.preprocessing == before.info.preprocessing, "it reads as it did"
    assert made.backbone.info.source.endswith("then 150 texts without labels, from memory")
    changed = [
        name for name, value in made.backbone.tensors().items() if not torch.equal(value, before.tensors()[name])
    ]
    assert changed and not any(name == "bias" for name in made.backbone.module.state_dict())
    assert json.dumps(made.card)
    assert not any("as it was" in finding for finding in made.card["findings"])


def test_stopped_and_continued_it_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("\n\n".join(corpus(150)))
    settings = {**SMALL, "epochs": 2}
    whole = tmp_path / "whole"
    pretrain_backbone("mlm", whole, str(texts), settings=settings, precision="float32")
    batches = Masked.batches
    left = [7]

    def stopping(self, epoch, start=0):
        for one in batches(self, epoch, start):
            left[0] -= not self.fixed
            if left[0] == 0:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(Masked, "batches", stopping)
    halves = tmp_path / "halves"
    with pytest.raises(Interrupted):
        pretrain_backbone("mlm", halves, str(texts), settings=settings, precision="float32")
    assert not (halves / "backbone.json").exists()
    monkeypatch.setattr(Masked, "batches", batches)
    pretrain_backbone("mlm", halves, str(texts), settings=settings, precision="float32", resume=True)
    assert (halves / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()


def test_frequency_alone_is_the_entropy_of_the_words() -> None:
    ids = np.array([5] * 60 + [6] * 30 + [7] * 9)
    windows = Windows([np.stack([ids + 1, np.zeros_like(ids)], 1)])
    share = (np.bincount(ids, minlength=8) + 1) / (len(ids) + 8)
    expected = np.exp(-np.log(share[[5, 6, 6]]).mean())
    assert mlm.by_frequency(windows, np.array([0]), np.array([5, 6, 6]), 8) == pytest.approx(expected)


def test_that_nothing_was_learnt_is_said() -> None:
    plan = mlm.plan(corpus(), **SMALL, epochs=1, rate=1e-9)
    outcome = loop.train(next(plan), machine=CPU)
    with pytest.raises(StopIteration) as stop:
        plan.send(outcome)
    assert any("Hardly anything was learnt" in finding for finding in stop.value.value.card["findings"])


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_decoders_are_refused_in_words(family: str, tmp_path: Path) -> None:
    folder = textual.save(tmp_path / family, family)
    with pytest.raises(WeightsError, match="is a decoder: it reads from left to right"):
        mlm.plan(corpus(100), backbone=f"local:{folder}")


def test_an_encoder_without_a_mask_is_refused(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "bert")
    data = json.loads((folder / "tokenizer.json").read_text())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] != "[MASK]"]
    data["model"]["vocab"]["hidden"] = data["model"]["vocab"].pop("[MASK]")
    (folder / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(WeightsError, match="has no token that hides another"):
        next(mlm.plan(corpus(100), backbone=f"local:{folder}"))


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"preset": "huge"}, UnknownName, "huge"),
        ({"tokenizer": "letters"}, UnknownName, "letters"),
        ({"share": 0.9}, BadOption, "share"),
        ({"length": 4}, BadOption, "length"),
        ({"backbone": "local:x", "preset": "tiny"}, BadOption, "preset"),
        ({"backbone": "local:x", "vocabulary": 500}, BadOption, "vocabulary"),
    ],
)
def test_options_that_do_not_go_together_are_refused(given: dict, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        mlm.plan(corpus(100), **given)


def test_too_few_or_no_texts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few to learn a language"):
        next(mlm.plan(corpus(8), **SMALL))
    with pytest.raises(DataError, match="3 of 4 texts cannot be read"):
        mlm.plan(["", "  ", float("nan"), "one"], **SMALL)
    with pytest.raises(BadSource, match="no file or folder"):
        mlm.plan(str(tmp_path / "nowhere"), **SMALL)


def test_windows_longer_than_the_backbones_are_refused(published: Path) -> None:
    with pytest.raises(BadOption, match="too long"):
        next(mlm.plan(corpus(100), backbone=f"local:{published}", length=500))


def test_few_long_documents_are_held_out_by_windows() -> None:
    fit = next(mlm.plan([" ".join(corpus(80)), " ".join(corpus(160)[80:])], **SMALL))
    judged = {int(i) for one in fit.held_out.stream.batches(0) for i in one.index}
    trained = {int(i) for one in fit.stream.batches(0) for i in one.index}
    assert judged and not judged & trained and len(judged) < 0.2 * len(trained)
