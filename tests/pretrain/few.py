"""How far a few labels go on frozen features: ours, and a random network's with norms settled on the same pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.measure import logistic


def few_shot(backbone: Backbone, images: np.ndarray, labels: np.ndarray, *, draws: int = 3) -> list[float]:
    """Accuracy of a logistic probe with five labels a class, for several draws of the labelled pictures."""
    with torch.no_grad():
        features = backbone.eval()(torch.from_numpy(images)).float().numpy()
    classes, found = int(labels.max()) + 1, []
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        taught = np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:5] for c in range(classes)])
        asked = np.setdiff1d(np.arange(len(labels)), taught)
        probe = logistic.fit(features[taught], labels[taught], classes=classes, penalty=1.0, standardise=True)
        found.append(float((probe.outputs(features[asked]).argmax(1) == labels[asked]).mean()))
    return found


def settled(backbone: Backbone, images: np.ndarray) -> Backbone:
    """The backbone with the BatchNorm statistics of the images."""
    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        backbone(torch.from_numpy(images))
    return backbone.eval()
