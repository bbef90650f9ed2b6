"""Small labelled texts that word vectors can tell apart, and a setting over them."""

from __future__ import annotations

import numpy as np

from headstart.base import discovery
from headstart.data import texts
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.pixels import Pixels
from headstart.tune.setting import Setting
from tests.backbones import wordvectors

GOOD, BAD = ("good", "bright", "lovely", "great"), ("bad", "dull", "boring", "awful")
OTHERS = ("the", "of", "and", "film", "story", "plot", "actor", "music", "scene")


def opinions(count=60, seed=0):
    """Short reviews, and whether they are good."""
    draw = np.random.default_rng(seed)
    liked = draw.integers(0, 2, count)
    found = [
        " ".join(draw.permutation([*draw.choice(OTHERS, 6), *draw.choice(GOOD if good else BAD, 2), f"n{i}"]))
        for i, good in enumerate(liked)
    ]
    return found, liked


def setting(net, store, machine, *, count=60, name="words/"):
    """A setting over opinions; the first two thirds of them are for training."""
    items, liked = opinions(count)
    inputs = Pixels(items, [texts.digest(item) for item in items], net.info.preprocessing, store, modality="texts")
    task = discovery.load("tasks", "classification").learn(["bad", "good"])

    def score(outputs, wanted):
        return task.score(task.predictions(outputs, task.temperature(outputs, wanted)), wanted)

    cut = 2 * count // 3
    return Setting(
        frozen=Frozen(net, inputs, store, machine),
        targets=liked.astype(np.int64),
        outputs=2,
        train=np.arange(cut),
        held=np.arange(cut, count),
        task=task,
        score=score,
        augmentation=Augmentation(flip=False, strength=0),
        name=name,
    )


def topics(folder, count=40, seed=0):
    """Texts that share hardly a word within a class, and vectors in which the words of a class lie near each other.

    Returns the file of vectors, texts and labels: only who knows the vectors can tell the classes.
    """
    draw = np.random.default_rng(seed)
    letters = [chr(97 + i) for i in range(26)]
    # Nothing in how a word is written says what it is about.
    words = ["".join(draw.choice(letters, 7)) for _ in range(900)]
    middles = draw.normal(size=(3, 16)).repeat(300, axis=0)
    order = draw.permutation(len(words))
    vectors = (middles + 0.5 * draw.normal(size=middles.shape))[order].astype(np.float32)
    file = wordvectors.write(folder, "vec", words=[words[i] for i in order], vectors=vectors)
    labels = [("sea", "sky", "mud")[i % 3] for i in range(count)]
    about = {kind: words[300 * i : 300 * (i + 1)] for i, kind in enumerate(("sea", "sky", "mud"))}
    return file, [" ".join(draw.choice(about[label], 4)) for label in labels], labels
