"""Small text networks with random weights and real tokenizers, saved as their library saves them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from tests import wordpieces

TEXT = "the cat sat on a mat and dog ran over hill in summer rain while birds sang songs of old"
WORDS = tuple(TEXT.split())
SENTENCES = ("the cat sat on the mat", "a dog ran over the hill", "birds sang", "rain")
FRAME = ("[CLS]", "[SEP]")


def corpus(count: int = 200, seed: int = 0) -> list[str]:
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice(WORDS, size=int(draw.integers(2, 90)))) for _ in range(count)]


def _framed(made: Tokenizer, first: str, last: str) -> None:
    ids = [(each, made.token_to_id(each)) for each in (first, last)]
    made.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} $B:1 {last}:1", special_tokens=ids
    )


def pieces() -> Tokenizer:
    """WordPiece, as BERT reads."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made = Tokenizer(models.WordPiece(wordpieces.vocabulary(WORDS, special), unk_token="[UNK]"))
    made.add_special_tokens(special)
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    _framed(made, *FRAME)
    # As published: sentence encoders carry limits of their own here, which must not count.
    made.enable_truncation(8)
    made.enable_padding(length=8)
    return made


def merges(*, framed: bool) -> Tokenizer:
    """Byte-level BPE, as GPT-2 (without a frame, without padding) and RoBERTa (framed) read."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] if framed else ["<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    made.train_from_iterator(corpus(), trainer)
    if framed:
        _framed(made, "<s>", "</s>")
    return made


def unigram() -> Tokenizer:
    """A unigram model over whitespace made visible, as XLM-R and mT5 read."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    foreign = ["die katze saß auf der matte", "猫が座った", "القط على الحصيرة", "кот сидел на коврике"] * 20
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], unk_token="<unk>"
    )
    made.train_from_iterator([*corpus(), *foreign], trainer)
    _framed(made, "<s>", "</s>")
    return made


ENCODER: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": {**ENCODER, "pad_token_id": 0},
    "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 64},
    "roberta": {**ENCODER, "pad_token_id": 1, "type_vocab_size": 1},
    "xlm-roberta": {**ENCODER, "pad_token_id": 1, "type_vocab_size": 1},
    "mpnet": {**ENCODER, "pad_token_id": 1},
    "deberta-v2": {**ENCODER, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8},
    "albert": {**ENCODER, "embedding_size": 16},
    "gpt2": {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64},
    "llama": {**ENCODER, "num_key_value_heads": 2},
}
READERS = {"roberta": "merges", "xlm-roberta": "unigram", "gpt2": "bare", "llama": "bare"}


def tokenizer_of(family: str) -> Tokenizer:
    reader = READERS.get(family, "pieces")
    if reader == "unigram":
        return unigram()
    return pieces() if reader == "pieces" else merges(framed=reader == "merges")


def network(family: str = "bert", *, seed: int = 0, vocabulary: int = 0, head: str = "AutoModel", **given: Any) -> Any:
    """The library's own random model of a family."""
    import transformers

    vocabulary = vocabulary or tokenizer_of(family).get_vocab_size()
    settings = transformers.AutoConfig.for_model(family, **{**FAMILIES[family], "vocab_size": vocabulary, **given})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = getattr(transformers, head).from_config(settings)
        # Biases and gains are constants at the start; everything should tell in a comparison.
        for tensor in made.parameters():
            tensor.data += 0.1 * torch.randn_like(tensor)
    return made.eval()


def save(folder: Path, family: str = "bert", *, tokenizer: bool = True, card: str = "", **given: Any) -> Path:
    """A folder as ``save_pretrained`` writes it, its tokenizer beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    network(family, **given).save_pretrained(folder)
    if tokenizer:
        tokenizer_of(family).save(str(folder / "tokenizer.json"))
        told = {"model_max_length": 48, "tokenizer_class": "PreTrainedTokenizerFast"}
        (folder / "tokenizer_config.json").write_text(json.dumps(told))
    if card:
        (folder / "README.md").write_text(card)
    return folder


def sentence_encoder(
    folder: Path,
    family: str = "bert",
    *,
    pooling: str = "mean_tokens",
    beyond: tuple[str, ...] = ("Normalize",),
    **given: Any,
) -> Path:
    """A folder as sentence-transformers writes it: a network, its pooling, and what comes behind."""
    save(folder, family, **given)
    modes = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
    parts = ["Transformer", "Pooling", *beyond]
    listed = [
        {
            "idx": number,
            "name": str(number),
            "path": "" if number == 0 else f"{number}_{part}",
            "type": f"sentence_transformers.models.{part}",
        }
        for number, part in enumerate(parts)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 24, "do_lower_case": False}))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    told = {"word_embedding_dimension": 32, **{f"pooling_mode_{mode}": mode == pooling for mode in modes}}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(told))
    return folder


def without_tokenizer_json(folder: Path) -> Path:
    """What older folders have instead of tokenizer.json: a vocabulary, or a vocabulary and its merges."""
    data = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    vocabulary = data["vocab"]
    if data["type"] == "WordPiece":
        (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)), encoding="utf-8")
    else:
        (folder / "vocab.json").write_text(json.dumps(vocabulary))
        lines = ["#version: 0.2", *(each if isinstance(each, str) else " ".join(each) for each in data["merges"])]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))
