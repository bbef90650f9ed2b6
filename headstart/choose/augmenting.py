"""Settings of the training views, ``augmentation.NAME``: read once, for every strategy alike.

They belong to the ground that all rungs stand on, scratch among them: a recipe that only one of two compared networks
trained with would decide their comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headstart.backbones.chain import Backbone
from headstart.base import discovery
from headstart.base.errors import BadOption, UnknownName
from headstart.choose.rungs import Rung
from headstart.features import mixing
from headstart.features.frozen import Augmentation, usual
from headstart.tune import limits

GROUP = "augmentation."
LIMITS: limits.Limits = {
    "strength": (lambda value: 0 <= value <= 2, "0 (none) to 2"),
    "randaugment": (lambda value: 0 <= value <= 30, "0 (none) to 30, 9 for instance"),
    "mixup": (lambda value: 0 <= value < float("inf"), "0 (none) or more, 0.2 for instance"),
    "cutmix": (lambda value: 0 <= value < float("inf"), "0 (none) or more, 1 for instance"),
}


def names() -> list[str]:
    """Every setting's full name."""
    return [GROUP + name for name in discovery.options(Augmentation)]


def read(settings: Mapping[str, Any], strategy: str) -> dict[str, Any]:
    """What the user set, such as {"mixup": 0.2} from {"augmentation.mixup": "0.2"}; other groups are left alone.

    Raises:
        UnknownName: for a setting that does not exist.
        BadOption: for a value that does not fit, or a strategy without training views.
    """
    own = {name.removeprefix(GROUP): value for name, value in settings.items() if name.startswith(GROUP)}
    unknown = [name for name in own if name not in discovery.options(Augmentation)]
    if unknown:
        raise UnknownName("setting", GROUP + unknown[0], names())
    if own and strategy == "probe":
        raise BadOption(
            "A probe is solved on plain items, so augmentation would change nothing",
            where=GROUP + next(iter(own)),
            expected="a strategy that trains by steps, such as partial or full",
        )
    found = discovery.read_options(Augmentation, own)
    limits.check(found, LIMITS, group="augmentation")
    return found


def check(backbone: Backbone, rungs: Sequence[Rung], given: Mapping[str, Any]) -> None:
    """Refuse what not every rung can be trained with, before anything is written.

    Raises:
        BadOption: for a setting that means nothing for what the backbone reads, or boxes (CutMix) at a cut without a
            map.
    """
    modality = backbone.info.modality
    known = discovery.load("data", modality).VIEWS
    for name in given:
        if name not in known:
            raise BadOption(
                f"Views of {modality} have no {name}",
                where=GROUP + name,
                expected=" or ".join(GROUP + each for each in known),
            )
    for rung in rungs:
        mixing.check(backbone, _cut(rung, backbone.depth), replace(usual(modality), **given))


def _cut(rung: Rung, stages: int) -> int:
    """Frozen stages of a rung: what it was given, or its strategy's default; None there means all but the last."""
    known = discovery.options(discovery.load("tune", rung.strategy).plan)
    depth = rung.options.get("depth", known["depth"].default if "depth" in known else 0)
    return stages - 1 if depth is None else int(depth)
