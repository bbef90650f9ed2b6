"""What a fit leaves behind, shown: the evidence table, the test scores, the verdict, and how to go on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headstart.base.manifest import plain
from headstart.base.vocabulary import Evidence
from headstart.cli import tables
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.ship.sealed import Model

_ROLES = {
    "transfer": "transferred",
    "scratch": "from scratch",
    "baseline": "no network",
}


def show_model(model: Model, *, as_json: bool) -> None:
    """Print what a finished fit found."""
    if as_json:
        print(json.dumps(as_data(model), ensure_ascii=False))
        return
    print("Evidence, measured on the validation items (95 % intervals):\n")
    show_evidence(model.evidence)
    _show_tests(model.verdict)
    sentence = model.verdict.get("sentence")
    if sentence:
        print(f"\n{printable(str(sentence))}")
    print(f"\nModel:    {printable(str(model.path))}")
    print(f"Predict:  headstart predict {printable(shlex.quote(str(model.path)))} PICTURES")


def as_data(model: Model) -> dict[str, Any]:
    """The same as one JSON object."""
    manifest = model.manifest
    return {
        "model": str(model.path),
        "kind": manifest.kind,
        "classes": list(model.classes),
        "backbone": manifest.backbone.name if manifest.backbone else None,
        "depth": manifest.backbone.depth if manifest.backbone else None,
        "baseline": manifest.baseline.name if manifest.baseline else None,
        "training": plain(manifest.training),
        "data": plain(manifest.data),
        "metrics": {name: score.model_dump() for name, score in manifest.metrics.items()},
        "evidence": [row.model_dump(mode="json") for row in manifest.evidence],
        "verdict": plain(model.verdict),
    }


def show_evidence(rows: Sequence[Evidence]) -> None:
    """The evidence table."""
    heads = ["Candidate", "Kind", "Log loss", "Accuracy, %", "Seconds", "Params", "Note"]
    cells = []
    for row in rows:
        loss = tables.score("log_loss", row.scores.get("log_loss"), interval=False)
        accuracy = tables.score("accuracy", row.scores.get("accuracy")).replace(" %", "")
        note = "" if row.status == "measured" else row.status
        cells.append([row.name, row.kind, loss, accuracy, f"{row.seconds:.1f}", tables.count(row.trainable), note])
    if not any(cell[-1] for cell in cells):
        heads, cells = heads[:-1], [cell[:-1] for cell in cells]
    tables.show(heads, cells, right=(2, 4, 5), fold=(0, 6))


def _show_tests(verdict: Mapping[str, Any]) -> None:
    """The finalists' scores on the items that no candidate was chosen by."""
    tests, names = verdict.get("tests") or {}, verdict.get("models") or {}
    found = {role: tests[role] for role in _ROLES if isinstance(tests.get(role), Mapping)}
    if not found:
        return
    if verdict.get("tested", True):
        print("\nOn the test part, which trained and chose nothing:\n")
    else:
        print("\nCross-validated, for want of items for a test part:\n")
    metrics = dict.fromkeys(("accuracy", str(verdict.get("metric") or "accuracy"), "log_loss"))
    shown = [name for name in metrics if name in tables.TITLES and any(name in scores for scores in found.values())]
    rows = []
    for role, scores in found.items():
        sealed = "yes" if role == verdict.get("winner") else ""
        name = f"{names.get(role, '')}, {_ROLES[role]}".removeprefix(", ")
        rows.append((name, *(tables.score(metric, scores.get(metric)) for metric in shown), sealed))
    tables.show(("Model", *(tables.TITLES[name] for name in shown), "Sealed"), rows, fold=(0,))


def show_plan(plan: Any, *, as_json: bool) -> None:
    """Print what ``--dry-run`` would have done."""
    data = plain(plan)
    if as_json:
        print(json.dumps(data, ensure_ascii=False))
        return
    for line in plan_lines(data):
        print(printable(line))


def plan_lines(data: Any, depth: int = 0) -> list[str]:
    """Nested plain data as indented lines."""
    pad = "  " * depth
    if isinstance(data, Mapping):
        lines = []
        for key, value in data.items():
            title = str(key).replace("_", " ")
            if isinstance(value, Mapping | list) and value:
                lines += [f"{pad}{title}:", *plan_lines(value, depth + 1)]
            else:
                lines.append(f"{pad}{title}: {'-' if value in (None, [], {}) else value}")
        return lines
    if isinstance(data, list):
        if all(not isinstance(each, Mapping | list) for each in data):
            return [f"{pad}{each}" for each in data]
        return [
            pad + ", ".join(f"{key} {value}" for key, value in each.items())
            if isinstance(each, Mapping)
            else f"{pad}{each}"
            for each in data
        ]
    return [f"{pad}{data}"]
