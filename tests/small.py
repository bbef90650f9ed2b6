"""A small real network with BatchNorm, and real digits to learn: what the tests of several rooms train on."""

from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.backbones.resnet10 import ResNet10
from headstart.base import discovery, hashes
from headstart.base.machine import here
from headstart.base.vocabulary import BackboneInfo, Preprocessing
from headstart.engine.drive import drive
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.pixels import Pixels
from headstart.tune.setting import Setting

CPU = here("float32", "cpu")
PREPROCESSING = Preprocessing(size=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), interpolation="bilinear")
WIDTHS = (8, 12, 16, 24)


def module(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = ResNet10(widths=WIDTHS)
        for layer in net.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.2)
                layer.running_var.uniform_(0.5, 1.5)
    return net


def backbone(seed=0):
    return Backbone(module(seed), BackboneInfo("test/small", "test/small", 0, (), 0, PREPROCESSING), rebuild=module)


def transformer(seed=0):
    """A vision transformer of two blocks: layer norms, tokens, no batch statistics."""

    def build(seed):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return VisionTransformer(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2, num_classes=0)

    return Backbone(build(seed), BackboneInfo("test/vit", "test/vit", 0, (), 0, PREPROCESSING), rebuild=build)


def tune(strategy, setting, **options):
    """What a strategy arrives at on the processor."""
    return drive(discovery.load("tune", strategy).plan(setting, **options), machine=CPU)


def moved(before, after):
    """Names of the tensors in which two backbones differ, buffers included."""
    first, second = before.tensors(), after.tensors()
    assert first.keys() == second.keys()
    return {name for name in first if not torch.equal(first[name], second[name])}


def accuracy(tuned, setting):
    return float((tuned.outputs.argmax(1) == setting.targets[setting.held]).mean())


class Stopping:
    """A stream at which somebody presses Ctrl-C after some steps."""

    def __init__(self, stream, after):
        self.stream, self.left = stream, after

    def __len__(self):
        return len(self.stream)

    def batches(self, epoch, start=0):
        for one in self.stream.batches(epoch, start):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield one


@cache
def digits():
    data = load_digits()
    return (data.images * 255 / 16).astype(np.uint8), data.target.astype(np.int64)


def some_digits(per_class, classes=4, seed=0):
    """Pictures, targets: a few of each of the first classes, in a fixed shuffled order."""
    images, targets = digits()
    draw = np.random.default_rng(seed)
    rows = np.concatenate([draw.permutation(np.flatnonzero(targets == c))[:per_class] for c in range(classes)])
    rows = draw.permutation(rows)
    return [images[i] for i in rows], targets[rows]


def task_of(kind, classes=4):
    """The digits as a task, and what makes its targets of class indices."""
    names = [str(each) for each in range(classes)]
    room = discovery.load("tasks", kind)
    if kind == "regression":
        return room.learn(range(classes)), lambda targets: targets.astype(np.float64)
    if kind == "multilabel":  # the digits that are even, above 1, and so on
        return room.learn([("even", "high")]), lambda targets: np.stack([targets % 2 == 0, targets > 1], 1).astype("f4")
    return room.learn(names), lambda targets: targets


def setting(
    store, machine, *, per_class=20, classes=4, train=0.7, name="test/", net=None, task="classification", **given
):
    """A setting over real digits; the first ``train`` of them are for training."""
    pictures, digit = some_digits(per_class, classes)
    digests = [hashes.of_bytes(picture.tobytes()) for picture in pictures]
    pixels = Pixels(pictures, digests, PREPROCESSING, store)
    task, encode = task_of(task, classes)
    targets = encode(digit)
    cut = int(train * len(targets))
    task = task.fitted(targets[:cut])
    watch = task.choose_metric(targets)

    def score(outputs, wanted):
        return task.score(task.predictions(outputs, task.temperature(outputs, wanted)), wanted)

    return Setting(
        frozen=Frozen(net or backbone(), pixels, store, machine),
        targets=targets,
        outputs=task.outputs,
        train=np.arange(cut),
        held=np.arange(cut, len(targets)),
        task=task,
        score=score,
        **{"watch": watch, "minimise": not task.metric(watch).higher} | given,
        augmentation=Augmentation(flip=False),
        name=name,
    )
