"""The training contract: methods *describe* work with these, the engine alone executes it.

A method's ``plan(...)`` is a generator. It yields a ``Fit``, receives its ``Outcome``, and may yield another; it is
pure in (configuration, seed, outcomes), so a journal of outcomes is enough to resume it anywhere. The shape is
httpx's ``Auth.auth_flow``: a generator that yields requests while one place does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import nn


@dataclass(slots=True)
class Batch:
    """What a stream hands to an objective.

    Attributes:
        inputs: tensor (b, ...) or a mapping of tensors, as the model takes them.
        targets: (b,) class indices, (b, C) soft targets, or None without labels.
        index: (b,) positions of the items in the stream's data set.
    """

    inputs: Any
    targets: Any
    index: Any


class Stream(Protocol):
    """Batches in an order that is a pure function of (seed, epoch).

    ``batches(epoch, start)`` yields the batches of one epoch from the ``start``-th on, so that a fit can be resumed
    in the middle of an epoch with exactly the batches it would have seen.
    """

    def __len__(self) -> int:
        """Steps in one epoch."""
        ...

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch."""
        ...


Objective = Callable[["nn.Module", Batch], Mapping[str, "torch.Tensor"]]
"""A pure function to named scalar loss terms; the engine minimises their sum and logs each by its name."""


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that share a learning rate.

    Attributes:
        names: exact names from ``model.named_parameters()``.
        rate: peak learning rate.
        weight_decay: decoupled weight decay; the engine leaves biases and norms out of it.
    """

    names: tuple[str, ...]
    rate: float
    weight_decay: float = 0.0


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of training with one objective; a parameter in no group is frozen during it.

    Attributes:
        objective: the loss.
        groups: what moves, and how fast.
        epochs: how often the stream is repeated.
        optimiser: "adamw" or "sgd" (Nesterov, momentum 0.9).
        schedule: "cosine" (to zero) or "constant"; both after the warm-up.
        warmup: fraction of the phase's steps with a linearly rising rate.
        patience: epochs without a better ``Fit.held_out`` score before the phase ends; None never stops early.
        clip: largest gradient norm; None leaves gradients alone.
        average: decay of an exponential moving average that replaces the weights at the phase's end; 0 for none.
        still: modules by name that stay in eval mode although their parameters move: norms that keep their statistics.
    """

    objective: Objective
    groups: tuple[Group, ...]
    epochs: int
    optimiser: str = "adamw"
    schedule: str = "cosine"
    warmup: float = 0.1
    patience: int | None = None
    clip: float | None = 1.0
    average: float = 0.0
    still: tuple[str, ...] = ()
    name: str = "train"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The items that judge a fit after each epoch.

    Attributes:
        stream: its batches, in a fixed order; every item exactly once.
        score: (outputs (n, C), targets (n,)) -> {name: value}.
        watch: the score that decides; lower is better if ``minimise``.
        choose: keep the best epoch; False only looks at the last one, and the items choose nothing.
    """

    stream: Stream
    score: Callable[[np.ndarray, np.ndarray], Mapping[str, float]]
    watch: str = "log_loss"
    minimise: bool = True
    choose: bool = True


@dataclass(slots=True)
class Fit:
    """One piece of training, complete in itself.

    Attributes:
        name: unique within a run; the key of the journal and of the saved weights.
        model: trained in place. What must not move either stays outside it (a prefix) or in no group.
        stream: training batches.
        phases: run in order. None at all: nothing is trained, and ``held_out`` judges the model as it is.
        held_out: judges each epoch; the best epoch's weights are kept. None: the last epoch's.
        seed: of everything random inside the model (dropout); the stream has its own.
        keep: save the trained weights in the run, so that a resumed run needs no retraining.
        detail: plain JSON that goes into the journal with the outcome.
        title: what people read while it runs; the name if it is empty.
    """

    name: str
    model: nn.Module
    stream: Stream
    phases: Sequence[Phase]
    held_out: HeldOut | None = None
    seed: int = 0
    keep: bool = True
    detail: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""

    @property
    def said(self) -> str:
        """Its title, or its name."""
        return self.title or self.name


@dataclass(slots=True)
class Outcome:
    """What the engine sends back into a plan, and writes into the journal.

    Attributes:
        name: the fit's.
        epoch: the epoch (from 1, over all phases) whose weights were kept.
        epochs: epochs that ran.
        scores: held-out scores of the kept epoch; empty without ``held_out``.
        outputs: held-out outputs (n, C) of the kept epoch, float32; None without ``held_out``.
        curve: one dict an epoch: phase, epoch, each loss term, each held-out score, rate, seconds.
        seconds: wall time, of the sum of its parts when resumed.
        trainable: number of parameters in any group.
        diverged: the loss left the finite numbers; the best epoch before that was kept, if there was one.
    """

    name: str
    epoch: int
    epochs: int
    scores: Mapping[str, float]
    outputs: np.ndarray | None
    curve: Sequence[Mapping[str, Any]]
    seconds: float
    trainable: int
    diverged: bool = False


Plan = Generator[Fit, Outcome, Any]
"""What a method's ``plan(...)`` returns; its return value is the method's own result."""
