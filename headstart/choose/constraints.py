"""What the sealed model may cost: ``--max-latency`` and ``--max-size`` constrain the choice, and say so in the table.

What was measured of each candidate is written into the run, for it decides: ``--resume`` and ``--replay`` read it there
instead of measuring again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from headstart.base import quantities
from headstart.base.errors import BadOption
from headstart.choose import trial
from headstart.choose.ground import Ground
from headstart.choose.trial import Trial
from headstart.features.network import Network

RECORD = "constraints"
WHOLE = "the whole network"


@dataclass(frozen=True)
class Allowed:
    """The most that a sealed model may take.

    Attributes:
        latency_ms: milliseconds an item on this machine, in batches, decoding left out; None for any.
        size: bytes of its weights; None for any.
    """

    latency_ms: float | None = None
    size: float | None = None

    def __bool__(self) -> bool:
        return self.latency_ms is not None or self.size is not None

    def as_dict(self) -> dict[str, float | None]:
        """Plain data for the run; empty where everything is allowed."""
        return {"max_latency_ms": self.latency_ms, "max_size": self.size} if self else {}

    @property
    def options(self) -> str:
        """As the command line has it."""
        given = [] if self.latency_ms is None else [f"--max-latency {self.latency_ms:g}ms"]
        return " and ".join(given + ([] if self.size is None else [f"--max-size {quantities.written(self.size)}"]))

    def why_not(self, serving_ms: float, size: float) -> str:
        """Why something that takes so much is not allowed; empty if it is."""
        reasons = []
        if self.latency_ms is not None and serving_ms > self.latency_ms:
            reasons.append(f"too slow: {serving_ms:.3g} ms an item, more than {self.latency_ms:g} ms")
        if self.size is not None and size > self.size:
            reasons.append(f"too large: {quantities.written(size)}, more than {quantities.written(self.size)}")
        return "; ".join(reasons)


class Bounds:
    """What is allowed, and what each candidate of a run was measured to take.

    Args:
        ground: what the candidates stand on.
        allowed: the most.
    """

    def __init__(self, ground: Ground, allowed: Allowed) -> None:
        self.ground, self.allowed = ground, allowed
        self.known: dict[str, Any] = dict(ground.journal.written(RECORD) or {})

    def checked(self, one: Trial) -> Trial:
        """The candidate, with the reason as its status where it takes too much.

        One from scratch stays comparable, for a verdict needs it, and is only marked: it cannot be sealed.
        """
        if not self.allowed:
            return one
        taken = self._taken(one.row.name, one.row.serving_ms, one.size)
        why = self.allowed.why_not(*taken)
        row = replace(one.row, serving_ms=taken[0])
        if why and one.row.kind != "scratch" and row.status == "measured":
            row = replace(row, status=why)
        return replace(one, row=row, unfit=why)

    def of_network(self) -> str:
        """Why nothing that ends in the whole network is allowed; empty if it is; nothing is trained for it."""
        if not self.allowed:
            return ""
        backbone = self.ground.frozen.backbone
        network = Network(backbone, self.ground.task.head(backbone.info.width, self.ground.outputs))
        serving = 0.0 if WHOLE in self.known else trial.serving(self.ground, network)
        return self.allowed.why_not(*self._taken(WHOLE, serving, trial.weight(network)))

    def refuse(self, trials: Sequence[Trial], network: str) -> None:
        """Stop while nothing is lost, if neither what was measured nor what could be trained is allowed.

        Raises:
            BadOption: with the least that was found.
        """
        able = [one for one in trials if one.row.kind != "scratch"]
        if not self.allowed or not network or any(not one.unfit for one in able):
            return
        named = {one.row.name: one.unfit for one in able} | {WHOLE: network}
        taken = [self.known[name] for name in named]
        raise BadOption(
            f"Nothing fits {self.allowed.options}",
            where="; ".join(f"{name}: {why}" for name, why in list(named.items())[-3:]),
            expected=f"at least {min(one['serving_ms'] for one in taken):.3g} ms an item, and "
            f"{quantities.written(min(one['bytes'] for one in taken))}",
            next_move="allow more, or take a smaller --backbone (headstart backbones)",
        )

    def _taken(self, name: str, serving_ms: float, size: float) -> tuple[float, float]:
        if name not in self.known:
            self.known[name] = {"serving_ms": serving_ms, "bytes": int(size)}
            self.ground.journal.write(RECORD, self.known)
        found = self.known[name]
        return float(found["serving_ms"]), float(found["bytes"])
