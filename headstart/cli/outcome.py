"""What a fit leaves behind, shown: the evidence table, the test scores, the verdict, and how to go on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.base.manifest import REPORT, plain
from headstart.base.run import SHOWN, Run
from headstart.base.vocabulary import Evidence
from headstart.cli import explaining, tables
from headstart.data.printable import listed, printable

if TYPE_CHECKING:
    from headstart.ship.sealed import Model
    from headstart.tasks.task import Task

_ROLES = {
    "transfer": "transferred",
    "scratch": "from scratch",
    "baseline": "no network",
}


def show_model(model: Model, *, as_json: bool, explain: bool = False) -> None:
    """Print what a finished fit found, and on demand why it climbed as it did."""
    if as_json:
        ladder = {"ladder": plain(Run(model.path / "run").ladder)} if explain else {}
        print(json.dumps(as_data(model) | ladder, ensure_ascii=False))
        return
    if explain:
        explaining.show(explaining.run_in(model.path))
        print()
    print("Evidence, measured on the validation items (95 % intervals):\n")
    show_evidence(model.evidence, model.task)
    run = Run(model.path / "run")
    # The table has the first draw of the folds; whoever reads it may wonder why another candidate won.
    if (draws := run.ladder.get("draws")) and not explain:
        print("\n" + tables.wrapped(printable(f"{draws}.")))
    _show_tests(model.verdict, model.task)
    sentence = model.verdict.get("sentence")
    if sentence:
        print("\n" + tables.wrapped(printable(str(sentence))))
    _show_findings(run.findings)
    _show_labels(run.findings)
    path = _short(model.path)
    print(f"\nModel:    {printable(path)}")
    if (model.path / REPORT).exists():
        print(f"Report:   {printable(str(Path(path, REPORT)))}")
    print(f"Predict:  headstart predict {printable(shlex.quote(path))} {model.manifest.modality.upper()}")
    shown = run.pictures
    if shown:
        where = printable(str(Path(path, "run", SHOWN)))
        what = f"small copies of {shown:,} of your {model.manifest.modality}"
        print(f"Shown:    {where} holds {what}, for the report (--no-pictures keeps none)")


def _show_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    """The names of what is serious or a warning; the report has them in full, and the run has said them."""
    words = []
    for severity in ("serious", "warning"):
        names = [str(one["name"]).replace("_", " ") for one in findings if one.get("severity") == severity]
        words += [f"{severity}: {listed(names)}"] if names else []
    if words:
        print(tables.wrapped(f"Findings: {'; '.join(words)} (in the report)"))


def _show_labels(findings: Sequence[Mapping[str, Any]]) -> None:
    """What more labels are expected to bring."""
    for one in findings:
        if one.get("name") == "more_labels":
            print(tables.wrapped(f"Labels:   {printable(str(one.get('sentence')))}"))


def _short(path: Path) -> str:
    """The path from the current folder, if it lies in it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def as_data(model: Model) -> dict[str, Any]:
    """The same as one JSON object."""
    manifest = model.manifest
    return {
        "model": str(model.path),
        "kind": manifest.kind,
        "task": manifest.task,
        "classes": list(model.classes),
        "backbone": manifest.backbone.name if manifest.backbone else None,
        "depth": manifest.backbone.depth if manifest.backbone else None,
        "baseline": manifest.baseline.name if manifest.baseline else None,
        "training": plain(manifest.training),
        "data": plain(manifest.data),
        "metrics": {name: score.model_dump() for name, score in manifest.metrics.items()},
        "evidence": [row.model_dump(mode="json") for row in manifest.evidence],
        "verdict": plain(model.verdict),
        "findings": plain(list(Run(model.path / "run").findings)),
    }


def show_evidence(rows: Sequence[Evidence], task: Task) -> None:
    """The evidence table; its notes in a column where there is room, else below it."""
    first, second = (task.metric(name) for name in task.shown[:2])
    title = second.title + (", %" if second.percent else "")
    heads = ["Candidate", "Kind", first.title, title, "Seconds", "Params", "Note"]
    cells, notes = [], {}
    for row in rows:
        decides = tables.score(first, row.scores.get(first.name), interval=False)
        shown = tables.score(second, row.scores.get(second.name)).replace(" %", "")
        notes[row.name] = "" if row.status == "measured" else row.status
        figures = [decides, shown, f"{row.seconds:.1f}", tables.count(row.trainable)]
        cells.append([row.name, row.kind, *figures, notes[row.name]])
    beside = any(notes.values()) and tables.natural_width(heads, cells) <= tables.room()
    if not beside:
        heads, cells = heads[:-1], [cell[:-1] for cell in cells]
    tables.show(heads, cells, right=(2, 4, 5), fold=(0,))
    below = {} if beside else {name: note for name, note in notes.items() if note}
    if below:
        print()
    for name, note in below.items():
        print(tables.wrapped(f"{printable(name)}: {printable(note)}", indent="  "))


def _show_tests(verdict: Mapping[str, Any], task: Task) -> None:
    """The finalists' scores on the items that no candidate was chosen by."""
    tests, names = verdict.get("tests") or {}, verdict.get("models") or {}
    found = {role: tests[role] for role in _ROLES if isinstance(tests.get(role), Mapping)}
    if not found:
        return
    if verdict.get("tested", True):
        print("\nOn the test part, which trained and chose nothing:\n")
    else:
        print("\nCross-validated, for want of items for a test part:\n")
    metrics = dict.fromkeys((task.shown[1], str(verdict.get("metric") or task.shown[1]), task.shown[0]))
    known = [task.metrics[name] for name in metrics if name in task.metrics]
    shown = [each for each in known if any(each.name in scores for scores in found.values())]
    rows = []
    for role, scores in found.items():
        sealed = "yes" if role == verdict.get("winner") else ""
        name = f"{names.get(role, '')}, {_ROLES[role]}".removeprefix(", ")
        rows.append((name, *(tables.score(each, scores.get(each.name)) for each in shown), sealed))
    tables.show(("Model", *(each.title for each in shown), "Sealed"), rows, fold=(0,))


def show_plan(plan: Any, *, as_json: bool) -> None:
    """Print what ``--dry-run`` would have done."""
    data = plain(plan)
    if as_json:
        print(json.dumps(data, ensure_ascii=False))
        return
    for lines in plan_lines(data):
        for line in lines.split("\n"):
            print(printable(line))


def plan_lines(data: Any, depth: int = 0) -> list[str]:
    """Nested plain data as indented lines; what holds no further nesting stays on one line."""
    pad = "  " * depth
    if not isinstance(data, Mapping):
        return [pad + _inline(data)]
    lines = []
    for key, value in data.items():
        title = f"{pad}{str(key).replace('_', ' ')}:"
        nested = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
        if (
            len(nested) > 1
            and isinstance(value, list)
            and any(isinstance(each, str) and ", " in each for each in value)
        ):
            # What holds commas itself would run into its neighbours.
            lines += [title, *(tables.wrapped(f"{pad}  {_inline(each)}", indent=pad + "    ") for each in value)]
        elif not any(isinstance(each, Mapping | list) for each in nested):
            lines.append(tables.wrapped(f"{title} {_inline(value)}", indent=pad + "  "))
        elif isinstance(value, Mapping):
            lines += [title, *plan_lines(value, depth + 1)]
        else:
            lines += [title, *(line for each in value for line in plan_lines(each, depth + 1))]
    return lines


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {each}" for key, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if value is None:
        return "none"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)
