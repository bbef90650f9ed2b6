"""Small text networks with tokenizers, and short texts to learn: what the tests of several rooms train on."""

import json

import numpy as np
import torch

from headstart.base import hashes
from headstart.base.vocabulary import BackboneInfo, Tokenization
from tests import wordpieces

TOPICS = {
    "cooking": "salt oven butter flour onion pan soup garlic bake stew",
    "sailing": "mast harbour wind anchor sail tide rope deck keel crew",
    "trains": "platform ticket engine rail station carriage signal track timetable guard",
}
COMMON = (
    *("the", "a", "of", "and", "in", "with", "near", "after", "before", "we"),
    *("they", "it", "was", "is", "on", "very", "slowly", "again", "today", "yesterday"),
)


def sentences(per_class=40, *, seed=0, shortest=4, longest=14, share=0.35):
    """Texts and their topics: common words, with some of the topic's own among them."""
    draw = np.random.default_rng(seed)
    texts, labels = [], []
    for topic, words in TOPICS.items():
        own = words.split()
        for _ in range(per_class):
            count = int(draw.integers(shortest, longest + 1))
            chosen = [str(draw.choice(own if draw.random() < share else COMMON)) for _ in range(count)]
            chosen[int(draw.integers(count))] = str(draw.choice(own))
            texts.append(" ".join(chosen))
            labels.append(topic)
    order = draw.permutation(len(texts))
    return [texts[i] for i in order], [labels[i] for i in order]


def tokenizer():
    """A WordPiece tokenizer that knows the words of ``sentences``; the JSON of the tokenizers library."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = [*COMMON, *(word for own in TOPICS.values() for word in own.split())]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made = Tokenizer(models.WordPiece(wordpieces.vocabulary(words, special), unk_token="[UNK]"))
    made.add_special_tokens(special)
    made.normalizer, made.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def bert(seed=0, *, layers=3, width=32, length=32, vocabulary=200):
    """A small random BERT of transformers, in eval mode."""
    from transformers import AutoConfig, AutoModel

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = AutoConfig.for_model(
            "bert",
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=4,
            intermediate_size=2 * width,
            vocab_size=vocabulary,
            max_position_embeddings=length,
        )
        return AutoModel.from_config(config).eval()


def backbone(seed=0, *, layers=3, width=32, length=32):
    """The same as a chain of stages, with the tokenizer."""
    from headstart.backbones.chain import Backbone
    from headstart.backbones.segments import chain

    content = tokenizer().to_str().encode()
    reading = Tokenization(length, hashes.of_bytes(content), overlap=4, content=content)
    info = BackboneInfo("test/bert", "test/bert", 0, (), 0, reading, modality="texts", config={"layers": layers})

    def build(seed):
        return chain(bert(seed, layers=layers, width=width, length=length), "test/bert")

    return Backbone(build(seed), info, rebuild=build)


def saved(folder, seed=0, **shape):
    """The same as a folder that transformers writes: weights, configuration, tokenizer.json."""
    network = bert(seed, **shape)
    network.save_pretrained(folder)
    made = tokenizer()
    made.save(str(folder / "tokenizer.json"))
    known = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": shape.get("length", 32)}
    named = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**known, **named, "mask_token": "[MASK]"}))
    return folder
