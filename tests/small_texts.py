"""A small random text network with a real tokenizer, and texts of three topics to learn."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from headstart.backbones import segments
from headstart.backbones.chain import Backbone, seeded
from headstart.base import discovery, hashes
from headstart.base.vocabulary import BackboneInfo, Tokenization
from headstart.data import texts as room
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.pixels import Pixels
from headstart.tune.setting import Setting
from tests import wordpieces
from tests.backbones import languages

TOPICS = {
    "kitchen": ["oven", "bread", "salt", "pan", "soup", "knife", "butter", "onion", "plate", "boil"],
    "sea": ["wave", "harbour", "sail", "tide", "gull", "rope", "anchor", "salt", "storm", "deck"],
    "wood": ["oak", "fern", "moss", "trail", "deer", "owl", "branch", "storm", "root", "shade"],
}
COMMON = [
    "the",
    "a",
    "of",
    "and",
    "was",
    "in",
    "it",
    "on",
    "with",
    "then",
    "there",
    "old",
    "near",
    "one",
    "two",
    "slow",
    "bright",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def written(count, *, seed=0, words=(4, 30), telling=0.5):
    """Texts of the topics in turn, and their classes: common words among a few telling ones."""
    draw = np.random.default_rng(seed)
    found, classes = [], np.arange(count) % len(TOPICS)
    for topic in classes:
        own = list(TOPICS.values())[topic]
        length = int(draw.integers(*words))
        some = [str(draw.choice(own if draw.random() < telling else COMMON)) for _ in range(length)]
        found.append(" ".join([str(draw.choice(own)), *some]))
    return found, classes


@cache
def tokenizer():
    """The bytes of a tokenizer.json."""
    words = [*COMMON, *(word for topic in TOPICS.values() for word in topic)]
    made = Tokenizer(models.WordPiece(wordpieces.vocabulary(words, SPECIAL), unk_token="[UNK]"))
    made.add_special_tokens(SPECIAL)
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made.to_str().encode()


def reading(length=16):
    """Shorter than many of the texts, so that there are windows."""
    return Tokenization(length, hashes.of_bytes(tokenizer()), overlap=2, content=tokenizer())


def backbone(family="bert", seed=0, **changes):
    """Two layers that can be built anew by a seed."""
    small = {} if family in ("gpt2", "distilbert") else {"num_hidden_layers": 2}
    small |= {"gpt2": {"n_layer": 2}, "distilbert": {"n_layers": 2}}.get(family, {})

    def build(seed):
        return seeded(seed, lambda: segments.chain(languages.model(family, seed, **small | changes), family))

    info = BackboneInfo(f"test/{family}", f"test/{family}", 0, (), 0, reading(), modality="texts", config={})
    return Backbone(build(seed), info, rebuild=partial(build))


def setting(store, machine, *, count=90, train=0.7, name="test/", net=None, seed=0, **given):
    """A setting over texts of the topics; the first ``train`` of them are for training."""
    items, targets = written(count, seed=seed)
    net = net or backbone()
    pixels = Pixels(items, [room.digest(item) for item in items], net.info.preprocessing, store, modality="texts")
    cut = int(train * count)
    task = discovery.load("tasks", "classification").learn(list(TOPICS)).fitted(targets[:cut])

    def score(outputs, wanted):
        return task.score(task.predictions(outputs, task.temperature(outputs, wanted)), wanted)

    made = Setting(
        frozen=Frozen(net, pixels, store, machine),
        targets=targets,
        outputs=task.outputs,
        train=np.arange(cut),
        held=np.arange(cut, count),
        task=task,
        score=score,
        augmentation=Augmentation(flip=False, strength=0.0),
        name=name,
    )
    return replace(made, **given)
