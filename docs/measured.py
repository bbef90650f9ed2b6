"""Pages made from what the benchmarks measured, so that no figure in them was typed by hand."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import t as student

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
ARMS = ("frozen", "fine-tuned")
NOTE = "<!-- Made from benchmarks/results by `make docs`; run the benchmark instead of editing. -->"

INTRODUCTION = """\
# What moves the needle in pretraining on patterns

One factor changed at a time, everything else as in the base; {views:,} views each, a fraction of what ships. Asked by
the development targets alone (upper-case letters, Greek letters, scenes of two objects) at {shots} labels a class:
logistic regression on frozen features over {probes} draws of the labelled pictures, full fine-tuning over {tuned}. The
digits and the lower-case letters, on which the weights that ship are judged, were not opened.

Accuracy in percent. A gain is the paired difference to the base, averaged over the three targets, with its 95 %
interval over the draws. That interval knows nothing of the luck of one pretraining: {luck}

Command: `{command}`. Machine: {machine}, {threads} thread(s), {precision}."""


def recipes() -> str:
    """The page of benchmarks/recipes.py."""
    data = json.loads((RESULTS / "recipes.json").read_text("utf-8"))
    variants = data["variants"]
    first = variants["base"]
    targets = list(first["scores"])
    rows = [_row(name, one, first, targets) for name, one in variants.items()]
    machine = data["machine"]
    page = INTRODUCTION.format(
        **data["configuration"],
        luck=_luck(variants, targets),
        command=f"python benchmarks/recipes.py --views {data['configuration']['views']}",
        machine=machine["kind"],
        threads=machine["threads"],
        precision=machine["precision"],
    )
    head = ["variant", *(f"{target}, {arm}" for arm in ARMS for target in targets)]
    head += [f"gain, {arm}" for arm in ARMS] + ["processor minutes"]
    return "\n\n".join([NOTE, page, _table(head, rows)]) + "\n"


def _row(name: str, one: dict[str, Any], base: dict[str, Any], targets: Sequence[str]) -> list[str]:
    cells = [f"**{name}**: {one['what']}"]
    cells += [f"{statistics.fmean(one['scores'][target][arm]):.1f}" for arm in ARMS for target in targets]
    for arm in ARMS:
        if one is base:
            cells.append("")
            continue
        mean, half = interval(gains(one, base, targets, arm))
        cells.append(f"{mean:+.1f} ± {half:.1f}")
    return [*cells, f"{one['seconds']['processor'] / 60:.1f}"]


def gains(one: dict[str, Any], base: dict[str, Any], targets: Sequence[str], arm: str) -> list[float]:
    """Difference to the base for each draw, averaged over the targets."""
    pairs = [zip(one["scores"][target][arm], base["scores"][target][arm], strict=True) for target in targets]
    return [statistics.fmean(a - b for a, b in draws) for draws in zip(*pairs, strict=True)]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of its 95 % interval (Student's t)."""
    half = student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return statistics.fmean(values), float(half)


def _luck(variants: dict[str, Any], targets: Sequence[str]) -> str:
    repeated = [one for name, one in variants.items() if name.startswith("base, seed")]
    if not repeated:
        return "the base has not been repeated from another seed yet."
    found = [interval(gains(one, variants["base"], targets, "frozen"))[0] for one in repeated]
    shown = " and ".join(f"{value:+.1f}" for value in found)
    return f"from {'another seed' if len(found) == 1 else 'other seeds'} the base itself differs by {shown} (frozen)."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
