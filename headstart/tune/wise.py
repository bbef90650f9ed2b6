"""WiSE-FT: fine-tuning, then a mixture of the weights before and after it.

Wortsman et al., Robust Fine-tuning of Zero-shot Models (2022, arXiv 2109.01903): (1 - mix) times the weights at the
start (the probed network) plus mix times those at the end; the network stays as large as it was. The coefficient is
chosen on the held-out items among 0, 0.1 ... 1 and kept for the refit. Running statistics of norms are interpolated
like weights: so both ends are exactly the two networks, no pass over the data is needed, and what the mixture loses by
it is seen in its held-out score.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import torch

from headstart.base.work import Fit, Outcome, Plan
from headstart.features.network import Network, Tail
from headstart.tune.finetune import VIEWS, Recipe, check_depth, fine_tune, judged, loss, record
from headstart.tune.limits import Limits
from headstart.tune.setting import Setting, Tuned
from headstart.tune.start import from_probe

LIMITS: Limits = {"mix": (lambda value: 0 <= value <= 1, "0 (the start) to 1 (the end)")}
MIXES = tuple(step / 10 for step in range(11))
"""The coefficients that are tried."""
UNJUDGED = 0.5
"""The coefficient without held-out items to choose it on: the paper's advice."""

check = check_depth


def plan(
    setting: Setting,
    *,
    mix: float | None = None,
    depth: int = 0,
    rate: float | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    decay: float = 0.8,
    weight_decay: float = 0.01,
    views: int = 4,
    patience: int = 10,
    statistics: str = "auto",
) -> Plan:
    """Fine-tune, then interpolate.

    Args:
        setting: data and backbone.
        mix: share of the fine-tuned weights; None chooses it on the held-out items.
        depth: frozen stages.
        rate: peak learning rate of the head; None sweeps.
        epochs: the most epochs of the final fit; each fit of the sweep gets half as many.
        batch_size: items in a step.
        decay: factor of the rate from one stage to the one below.
        weight_decay: decoupled weight decay.
        views: views of each item in the store, the plain one among them.
        patience: epochs without improvement before stopping; 0 never stops early.
        statistics: running statistics of batch norms: "kept" as the source left them, "updated" by the new items'
            batches, or "auto": the sweep tries both; without a sweep they are kept up to 1,000 items.

    Raises:
        BadOption: for a depth that leaves nothing to move.
    """
    check(setting.frozen.backbone, {"depth": depth})
    recipe = Recipe(
        label=f"wise@{depth}",
        depth=depth,
        start=from_probe(setting),
        rate=rate,
        first=1e-3,
        epochs=epochs,
        batch_size=batch_size,
        decay=decay,
        weight_decay=weight_decay,
        views=views,
        patience=patience,
        statistics=statistics,
    )
    tuned = yield from fine_tune(setting, recipe)
    if mix is None and not len(setting.held):
        mix = UNJUDGED
    if not tuned.diverged:
        mix = yield from _mix(setting, recipe, tuned, mix)
    tuned.options |= {"mix": mix}
    return tuned


def between(start: Mapping[str, torch.Tensor], end: Mapping[str, torch.Tensor], mix: float) -> dict[str, torch.Tensor]:
    """(1 - mix) start + mix end of every tensor, exactly ``start`` at 0 and ``end`` at 1; counters are the end's."""
    found = {}
    for name, last in end.items():
        first = start[name].to(last.device)
        found[name] = torch.lerp(first, last, mix) if last.is_floating_point() else (last if mix else first).clone()
    return found


def mixed(setting: Setting, plan: Plan, mix: float) -> Plan:
    """Any fine-tuning plan that starts at the probed network, its result mixed with that start."""
    tuned = yield from plan
    if not tuned.diverged:
        network = Network(*from_probe(setting)())
        network.load_state_dict(between(_tensors(network), _tensors(tuned.network), mix))
        tuned.network = network.eval()
    return tuned


def judge(
    setting: Setting, tuned: Tuned, mixes: Sequence[float], *, label: str, detail: Mapping[str, Any]
) -> Generator[Fit, Outcome, dict[float, Outcome]]:
    """What mixtures of the probed start and a fine-tuned end say of the held-out items; nothing is trained.

    Args:
        setting: with held-out items.
        tuned: the end; its options say where it was cut.
        mixes: coefficients, 0 the start to 1 the end.
        label: the end's strategy, for the names of fits.
        detail: what the end was trained with, for the journal.
    """
    mixture = Network(*from_probe(setting)())
    start, end = _tensors(mixture), _tensors(tuned.network)
    cut, views = int(tuned.options.get("depth") or 0), int(tuned.options.get("views", VIEWS))
    held_out = judged(setting, setting.frozen.at(cut, views, setting.augmentation))
    found: dict[float, Outcome] = {}
    if held_out is None:
        return found
    for mix in mixes:
        mixture.load_state_dict(between(start, end, mix))
        found[mix] = yield Fit(
            name=f"{setting.name}{label}/mix-{mix:g}",
            title=f"{setting.title or label}, mix {mix:g}",
            model=Tail(mixture.backbone.suffix(cut), mixture.head),
            stream=held_out.stream,
            phases=[],
            held_out=held_out,
            keep=False,
            detail={"mix": mix, **detail},
        )
    return found


def _mix(setting: Setting, recipe: Recipe, tuned: Tuned, mix: float | None) -> Generator[Fit, Outcome, float]:
    """Put the mixture asked for, or the best one, into ``tuned``; returns its coefficient."""
    trained = {name: tuned.options[name] for name in ("rate", "epochs")}
    mixes = MIXES if mix is None else (mix,)
    found = yield from judge(setting, tuned, mixes, label=recipe.label, detail=trained)
    rows = {one: record(setting, outcome, mix=one) for one, outcome in found.items()}
    if mix is None:
        # Of level ones the nearest to the start: it is listed first.
        mix = min(rows, key=lambda one: loss(rows[one], setting))
    mixture = Network(*recipe.start())
    mixture.load_state_dict(between(_tensors(mixture), _tensors(tuned.network), mix))
    tuned.network = mixture.eval()
    outputs = found[mix].outputs if mix in found else None
    if outputs is not None:
        tuned.outputs, tuned.collapsed = outputs, rows[mix]["collapsed"]
    tuned.tried += rows.values()
    tuned.seconds += sum(outcome.seconds for outcome in found.values())
    return mix


def _tensors(network: Network) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
