"""Whether mirroring changes what the label says: measured, not assumed.

A probe fitted on plain pictures is shown the mirrored held-out ones. If it loses more than two points, a mirrored
picture is another thing (a digit, a letter, a road sign), and flips are off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.choose.ground import Ground
from headstart.features.frozen import MIRROR
from headstart.tune.probe import solve

TOLERANCE = 2.0
"""Points of accuracy."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Accuracy of the probe on plain and on mirrored held-out pictures, percent."""

    plain: float
    mirrored: float

    @property
    def harmless(self) -> bool:
        """True if flips may be used."""
        return self.plain - self.mirrored <= TOLERANCE

    @property
    def sentence(self) -> str:
        """What the run says."""
        word = "on" if self.harmless else "off"
        return (
            f"Flips are {word}: a probe scores {self.plain:.1f} % on the held-out pictures "
            f"and {self.mirrored:.1f} % on their mirror images"
        )


def measure(ground: Ground) -> Mirrored:
    """Fit the probe on each fold and compare."""
    stage = ground.frozen.backbone.depth
    plain, mirrored = ground.frozen.pooled(stage), ground.frozen.pooled(stage, MIRROR)
    right = np.zeros(2)
    for fold, (train, held) in enumerate(ground.folds):
        setting = ground.setting(f"flips/fold{fold}/", train, held)
        linear, _ = solve(setting, plain, None)
        for i, features in enumerate((plain, mirrored)):
            right[i] += (linear.outputs(features[held]).argmax(axis=1) == ground.targets[held]).sum()
    share = 100 * right / len(ground.held)
    return Mirrored(float(share[0]), float(share[1]))
