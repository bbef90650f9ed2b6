"""The rungs of the ladder, as data: what ``--strategy auto`` climbs, in which order, and where each rung cuts.

A rung names the strategies that can stand on it, the preferred one first; what a backbone has decides which one does.
Norms are tuned where they keep running statistics, biases elsewhere, low-rank additions where there are linear layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base import discovery
from headstart.base.errors import BadOption, MissingExtra
from headstart.base.vocabulary import Kind
from headstart.tune import bitfit, lora, norm, statistics

Fits = Callable[[nn.Module], bool]
"""Whether a strategy is meant for what lies behind the cut."""


@dataclass(frozen=True)
class Rung:
    """A candidate that is measured.

    Attributes:
        name: its row in the evidence table.
        strategy: plug-in of the tune room.
        options: its options; ``epochs`` is set by the plan unless the user set it.
        kind: "transfer" or "scratch".
    """

    name: str
    strategy: str
    options: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "transfer"


@dataclass(frozen=True)
class Rungs:
    """What a run climbs.

    Attributes:
        probes: solved in closed form, the last stage's first.
        heavy: trained by gradient steps, scratch last.
        notes: what was left out for want of a library, and how to get it.
    """

    probes: Sequence[Rung] = ()
    heavy: Sequence[Rung] = ()
    notes: Sequence[str] = ()


def _any(module: nn.Module) -> bool:
    return True


def _normalised(module: nn.Module) -> bool:
    return bool(statistics.names(module)) and bool(norm.norms(module))


def _biased(module: nn.Module) -> bool:
    return bool(bitfit.biases(module))


def _linear(module: nn.Module) -> bool:
    return bool(lora.chosen(module, "linear"))


HALF, LAST, NOTHING = "half of the stages", "all stages but the last", "nothing"
LADDER: tuple[tuple[str, tuple[tuple[str, Fits], ...]], ...] = (
    (HALF, (("norm", _normalised), ("bitfit", _biased), ("norm", lambda module: bool(norm.norms(module))))),
    (LAST, (("partial", _any),)),
    (HALF, (("lora", _linear), ("partial", _any))),
    (NOTHING, (("full", _any),)),
)
"""(what is frozen, the strategies that can stand there), cheapest first."""


def chosen(
    backbone: Backbone, strategy: str = "auto", options: Mapping[str, Any] | None = None, *, scratch: bool = True
) -> Rungs:
    """What is measured with a backbone.

    Args:
        backbone: its parts decide which strategies stand on the ladder.
        strategy: "auto", or a plug-in of the tune room, which is then the only transferred rung.
        options: of that plug-in.
        scratch: train the same network from random initialisation too.

    Returns:
        Nothing at all where there is no network.
    """
    probes: list[Rung] = []
    heavy: list[Rung] = []
    notes: list[str] = []
    options = options or {}
    if backbone.is_absent:
        return Rungs()
    if strategy == "auto":
        probes = [Rung("probe", "probe"), *_earlier_probes(backbone.depth)]
        for frozen, strategies in LADDER:
            found = _standing(backbone, _cut(frozen, backbone.depth), strategies, notes)
            if found is not None and found.name not in [one.name for one in heavy]:
                heavy.append(found)
    elif strategy == "probe":
        probes = [Rung(_probe_name(options), "probe", options)]
    else:
        name = strategy if "depth" not in options else f"{strategy}@{options['depth']}"
        heavy = [Rung(name, strategy, options, "scratch" if strategy == "scratch" else "transfer")]
    if scratch and strategy != "scratch":
        heavy.append(Rung("scratch", "scratch", kind="scratch"))
    return Rungs(probes, heavy, notes)


def _cut(frozen: str, depth: int) -> int | None:
    return {HALF: depth // 2, LAST: depth - 1}.get(frozen)


def _standing(
    backbone: Backbone, cut: int | None, strategies: Sequence[tuple[str, Fits]], notes: list[str]
) -> Rung | None:
    """The first strategy that fits and can be planned; None if none can."""
    for name, fits in strategies:
        if not fits(backbone.suffix(cut or 0)):
            continue
        plugin, given = discovery.load("tune", name), {} if cut is None else {"depth": cut}
        try:
            if hasattr(plugin, "check"):
                plugin.check(backbone, given)
        except MissingExtra as error:
            notes.append(f"No {name} rung: {error.what[0].lower()}{error.what[1:]} ({error.next_move})")
            continue
        except BadOption:
            # A backbone of one stage leaves nothing partial; the rungs below it say all there is to say.
            continue
        return Rung(name if cut is None else f"{name}@{cut}", name, given)
    return None


def _earlier_probes(depth: int) -> list[Rung]:
    stages = [Rung(f"probe stage {stage}", "probe", {"stages": str(stage)}) for stage in range(depth - 1, 0, -1)]
    return [Rung("probe all stages", "probe", {"stages": "all"}), *stages]


def _probe_name(options: Mapping[str, Any]) -> str:
    stages = str(options.get("stages", "last"))
    return {"last": "probe", "all": "probe all stages"}.get(stages, f"probe stage {stages}")
