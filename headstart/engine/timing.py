"""How long a step of a fit takes here, measured by the loop itself on a few of its steps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from headstart.base.machine import Machine
from headstart.base.work import Batch, Fit, Stream
from headstart.engine.loop import train


class _First:
    def __init__(self, stream: Stream, steps: int) -> None:
        self.stream, self.steps = stream, min(steps, len(stream))

    def __len__(self) -> int:
        return self.steps

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        return itertools.islice(self.stream.batches(epoch, start), self.steps - start)


def seconds_per_step(fit: Fit, machine: Machine, steps: int = 2) -> float:
    """Seconds of one training step, after one step to warm up. The fit's model is spent: do not use it afterwards."""
    phases = [replace(fit.phases[-1], epochs=1)]
    train(Fit(fit.name, fit.model, _First(fit.stream, 1), phases, seed=fit.seed), machine=machine)
    timed = _First(fit.stream, steps)
    outcome = train(Fit(fit.name, fit.model, timed, phases, seed=fit.seed), machine=machine)
    return float(outcome.curve[0]["seconds"]) / len(timed)
