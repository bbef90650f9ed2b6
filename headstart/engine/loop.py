"""The only training loop.

It executes a ``Fit`` (``base/work.py``) and knows nothing of images, strategies or tasks. Every step seeds the random
generator from (fit, phase, epoch, step), so a fit that was stopped anywhere continues to the same numbers. The best
epoch by the held-out score is kept; what was frozen is proven not to have moved.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from headstart.base import files, hashes, seeds
from headstart.base.errors import Interrupted
from headstart.base.machine import Machine, here
from headstart.base.progress import Reporter, Silent
from headstart.base.work import Batch, Fit, HeldOut, Outcome, Phase, Stream
from headstart.engine import checkpoint, freezing, interrupt, journal, optimiser


def train(
    fit: Fit,
    *,
    machine: Machine | None = None,
    report: Reporter | None = None,
    checkpoint_at: Path | None = None,
    every: float = checkpoint.EVERY,
    epochs_at: Path | None = None,
) -> Outcome:
    """Execute a fit; its model is trained in place.

    Args:
        fit: what to train.
        machine: where; this machine by default.
        report: told of every epoch.
        checkpoint_at: file that an unfinished fit is saved to, and continued from if it is there.
        every: seconds between checkpoints.
        epochs_at: file of JSON lines that each epoch is added to as it ends, for whoever watches.

    Raises:
        Interrupted: on Ctrl-C, after a checkpoint was written.
        TrainingError: if something frozen moved.
    """
    machine, report = machine or here(), report or Silent()
    return _Training(fit, machine, report, at=checkpoint_at, every=every, epochs_at=epochs_at).run()


def outputs_of(model: nn.Module, stream: Stream, machine: Machine) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (n, C) in float32 and targets (n,) of every item of a stream, in eval mode.

    A stream that takes its items in another order than theirs says so by its ``order``, and is put back into theirs.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    outputs, targets = [], []
    with torch.inference_mode(), machine.autocast():
        for batch in stream.batches(0):
            moved = to_device(batch, machine)
            outputs.append(model(moved.inputs).float().cpu().numpy())
            targets.append(np.asarray(batch.targets))
    for module, training in modes:
        module.training = training
    everything = np.concatenate(outputs), np.concatenate(targets)
    order = getattr(stream, "order", None)
    if order is None:
        return everything
    back = np.argsort(order)
    return everything[0][back], everything[1][back]


def to_device(batch: Batch, machine: Machine) -> Batch:
    """The batch where the model is; images in channels-last order, which convolutions prefer."""

    def move(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: move(item) for key, item in value.items()}
        if not torch.is_tensor(value):
            return value
        if value.dtype == torch.bfloat16 and machine.precision == "float32":
            value = value.float()
        if value.ndim == 4:
            return value.to(machine.device, memory_format=torch.channels_last)
        return value.to(machine.device)

    return Batch(move(batch.inputs), move(batch.targets), batch.index)


class _Training:
    """The state of one running fit."""

    def __init__(
        self, fit: Fit, machine: Machine, report: Reporter, *, at: Path | None, every: float, epochs_at: Path | None
    ) -> None:
        self.fit, self.machine, self.report, self.at, self.every = fit, machine, report, at, every
        self.epochs_at = epochs_at
        self.model = fit.model.to(machine.device).to(memory_format=torch.channels_last)
        self.moving = [freezing.moving_names([group.names for group in phase.groups]) for phase in fit.phases]
        self.still = [frozenset(phase.still) for phase in fit.phases]
        self.identity = hashes.of_data([fit.name, fit.seed, dict(fit.detail)])
        self.progress = checkpoint.Progress(fit.name, self.identity)
        self.best: dict[str, torch.Tensor] = {}
        self.best_outputs: np.ndarray | None = None
        self.average: AveragedModel | None = None
        self.optimiser: torch.optim.Optimizer | None = None
        self.saved_at = self.started = time.perf_counter()
        self.diverged = False
        self.request = interrupt.Request()

    def run(self) -> Outcome:
        """All phases, then the best epoch's weights."""
        everything = frozenset().union(*self.moving)
        # What stays in eval mode in every phase has buffers that may not change in any.
        still = frozenset.intersection(*self.still) if self.still else frozenset()
        before = freezing.proof(self.model, everything, still)
        optimiser_state = self._restore()
        verb = "train" if self.fit.phases else "judge"
        self.report.begin(f"{verb} {self.fit.said}", sum(phase.epochs for phase in self.fit.phases) or None)
        self.report.advance(self.progress.done)
        try:
            # Steps seed the generator; the caller's own draws are none of their business.
            with interrupt.deferred() as self.request, torch.random.fork_rng():
                self._phases(optimiser_state)
        except KeyboardInterrupt:
            self._save()
            raise Interrupted(
                f"Stopped while training {self.fit.said}",
                next_move="the same command with --resume instead of --overwrite continues here" if self.at else "",
            ) from None
        if self.best:
            self.model.load_state_dict(self.best)
        freezing.check(self.model, everything, before, still)
        self.model.eval()
        self.report.end()
        return self._outcome(everything)

    def _phases(self, optimiser_state: checkpoint.Tensors) -> None:
        if not self.fit.phases and self.fit.held_out is not None:
            self.progress.best_scores, self.best_outputs = self._judge(self.model, self.fit.held_out)
        for index in range(self.progress.phase, len(self.fit.phases)):
            # What a later phase moves may not move yet; the proof over the whole fit would not see that.
            parts = self.moving[index], self.still[index]
            before = freezing.proof(self.model, *parts) if len(self.fit.phases) > 1 else None
            self._phase(index, optimiser_state)
            if before is not None:
                freezing.check(self.model, self.moving[index], before, self.still[index])
            optimiser_state = {}
            if self.diverged:
                break

    def _outcome(self, everything: frozenset[str]) -> Outcome:
        progress = self.progress
        sizes = {name: parameter.numel() for name, parameter in self.model.named_parameters()}
        return Outcome(
            name=self.fit.name,
            epoch=progress.best_epoch if self.fit.held_out else progress.done,
            epochs=progress.done,
            scores=progress.best_scores,
            outputs=self.best_outputs,
            curve=progress.curve,
            seconds=self._elapsed(),
            trainable=sum(sizes[name] for name in everything),
            diverged=self.diverged,
        )

    def _phase(self, index: int, optimiser_state: checkpoint.Tensors) -> None:
        phase, progress = self.fit.phases[index], self.progress
        freezing.arrange(self.model, self.moving[index], self.still[index])
        self.optimiser = optimiser.build(self.model, phase)
        checkpoint.restore_optimiser(self.optimiser, optimiser_state)
        if phase.average and self.average is None:
            self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(phase.average), use_buffers=True)
        for _ in range(progress.epoch, phase.epochs):
            if self.diverged or (phase.patience is not None and progress.stale >= phase.patience):
                break
            self._epoch(index, phase)
            self.request.check()
        if self.average is not None:
            self.model.load_state_dict(self.average.module.state_dict())
            self.average = None
        progress.phase, progress.epoch, progress.stale = index + 1, 0, 0

    def _epoch(self, index: int, phase: Phase) -> None:
        progress, started = self.progress, time.perf_counter()
        steps = len(self.fit.stream)
        freezing.arrange(self.model, self.moving[index], self.still[index])
        for batch in self.fit.stream.batches(progress.done, progress.step):
            multiple = optimiser.factor(phase, progress.epoch * steps + progress.step, phase.epochs * steps)
            torch.manual_seed(seeds.derive(self.fit.seed, "step", index, progress.epoch, progress.step))
            if not self._step(phase, to_device(batch, self.machine), multiple):
                self.diverged = True
                break
            progress.step += 1
            self.request.check()
            if self.at and time.perf_counter() - self.saved_at > self.every:
                self._save()
        self._close_epoch(phase, started)

    def _step(self, phase: Phase, batch: Batch, multiple: float) -> bool:
        if self.optimiser is None:
            return False
        optimiser.set_rate(self.optimiser, multiple)
        with self.machine.autocast():
            terms = phase.objective(self.model, batch)
        loss = torch.stack([term.float() for term in terms.values()]).sum()
        if not torch.isfinite(loss):
            return False
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if phase.clip is not None:
            moving = [parameter for group in self.optimiser.param_groups for parameter in group["params"]]
            nn.utils.clip_grad_norm_(moving, phase.clip)
        self.optimiser.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        for name, term in terms.items():
            self.progress.sums[name] = self.progress.sums.get(name, 0.0) + float(term.detach())
        return True

    def _close_epoch(self, phase: Phase, started: float) -> None:
        progress = self.progress
        acting = self.model if self.average is None else self.average.module
        row: dict[str, Any] = {"phase": phase.name, "epoch": progress.done + 1}
        row |= {name: total / max(1, progress.step) for name, total in progress.sums.items()}
        if self.fit.held_out is not None and not self.diverged and self._is_judged(phase, self.fit.held_out):
            scores, outputs = self._judge(acting, self.fit.held_out)
            row |= {f"held_out_{name}": value for name, value in scores.items()}
            self._keep_if_best(acting, self.fit.held_out, scores, outputs)
        row["seconds"] = time.perf_counter() - started
        progress.curve.append(row)
        if self.epochs_at is not None:
            files.append_line(self.epochs_at, {"fit": self.fit.name, **journal.finite(row)}, durable=False)
        progress.done += 1
        progress.epoch, progress.step, progress.sums = progress.epoch + 1, 0, {}
        self.report.advance()
        terms = ", ".join(f"{key} {value:.4f}" for key, value in row.items() if isinstance(value, float))
        self.report.detail(f"{self.fit.said}: {phase.name} epoch {row['epoch']}: {terms}")

    def _is_judged(self, phase: Phase, held_out: HeldOut) -> bool:
        last = self.progress.epoch + 1 == phase.epochs and self.progress.phase + 1 == len(self.fit.phases)
        return held_out.choose or last

    def _judge(self, acting: nn.Module, held_out: HeldOut) -> tuple[dict[str, float], np.ndarray]:
        outputs, targets = outputs_of(acting, held_out.stream, self.machine)
        if not np.isfinite(outputs).all():
            self.diverged = True
            outputs = np.nan_to_num(outputs, nan=0.0, posinf=0.0, neginf=0.0)
        return dict(held_out.score(outputs, targets)), outputs

    def _keep_if_best(
        self, acting: nn.Module, held_out: HeldOut, scores: dict[str, float], outputs: np.ndarray
    ) -> None:
        progress = self.progress
        value = scores[held_out.watch] * (1 if held_out.minimise else -1)
        if self.diverged or (progress.best_score is not None and value >= progress.best_score):
            progress.stale += 1
            return
        progress.best_score, progress.best_scores = value, scores
        progress.best_epoch, progress.stale = progress.done + 1, 0
        self.best = {name: tensor.detach().clone() for name, tensor in acting.state_dict().items()}
        self.best_outputs = outputs

    def _elapsed(self) -> float:
        return self.progress.seconds + time.perf_counter() - self.started

    def _save(self) -> None:
        if self.at is None:
            return
        self.saved_at = time.perf_counter()
        self.progress.seconds, self.started = self._elapsed(), self.saved_at
        parts = {"model": dict(self.model.state_dict()), "best": self.best}
        if self.optimiser is not None:
            parts["optimiser"] = checkpoint.flatten_optimiser(self.optimiser)
        if self.average is not None:
            parts["average"] = dict(self.average.state_dict())
        checkpoint.save(self.at, self.progress, parts, self.best_outputs)

    def _restore(self) -> checkpoint.Tensors:
        found = checkpoint.load(self.at, self.identity) if self.at else None
        if found is None:
            return {}
        self.progress, parts, self.best_outputs = found
        self.model.load_state_dict(parts["model"])
        self.best = {name: tensor.to(self.machine.device) for name, tensor in parts.get("best", {}).items()}
        if "average" in parts:
            phase = self.fit.phases[self.progress.phase]
            self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(phase.average), use_buffers=True)
            self.average.load_state_dict(parts["average"])
        self.report.detail(f"{self.fit.said}: continued from epoch {self.progress.done}, step {self.progress.step}")
        return parts.get("optimiser", {})
