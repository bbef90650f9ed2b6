"""The model card: what a person should know before relying on the model, in one page of Markdown.

After Mitchell et al. 2019, "Model Cards for Model Reporting" (arXiv:1810.03993); the front matter is what the
Hugging Face hub reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.base import discovery
from headstart.base.manifest import DOUBT, EvidenceRecord, Manifest, ScoreRecord
from headstart.base.vocabulary import Interval
from headstart.data.printable import listed
from headstart.measure.metric import Metric
from headstart.tasks.task import Task

_HUB_LICENCES = (
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "cc0-1.0", "cc-by-4.0"),
    *("cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0"),
)
"""Licences that the hub knows by these names; others are named in words."""
LISTED = 20
"""Skipped items, classes and notes beyond this many are counted, not listed."""


@dataclass(frozen=True, slots=True)
class Hub:
    """An exported model's place on the Hugging Face hub.

    Attributes:
        library: the hub's name of the library that loads it.
        use: lines of Python that do.
        needs: packages that they need.
        notes: sentences on what differs from the sealed model.
    """

    library: str
    use: tuple[str, ...]
    needs: tuple[str, ...]
    notes: tuple[str, ...] = ()


def render(manifest: Manifest, task: Task, *, name: str, hub: Hub | None = None) -> str:
    """The card of a model called ``name``, as Markdown; with ``hub`` for a folder of another library."""
    parts = [
        _front_matter(manifest, task) if hub is None else _hub_matter(manifest, task, hub, name),
        f"# {_escape(name)}",
        _summary(manifest, task),
        _data(manifest, task),
        _training(manifest, task),
        _scores(manifest, task),
        _evidence(manifest.evidence, task),
        _limits(manifest, task),
        _use(manifest, name) if hub is None else _hub_use(hub),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def score_text(metric: Metric, score: ScoreRecord) -> str:
    """A score with its interval, as people write it: ``92.1 % (88.0 to 95.3)``."""
    return metric.text(Interval(score.value, score.low, score.high))


def limit(task: Task, modality: str) -> str:
    """What a model of a task is no good for, in a sentence."""
    return task.words.limit.replace("{item}", discovery.load("data", modality).NOUN)


def _pipeline(manifest: Manifest, task: Task) -> str:
    """The hub's name for what the model does; empty if it has none."""
    kind = discovery.load("data", manifest.modality).PIPELINE
    return f"{kind}-{task.words.pipeline}" if task.words.pipeline else ""


def _front_matter(manifest: Manifest, task: Task) -> str:
    fields: dict[str, Any] = {"library_name": "headstart", "tags": ["headstart", manifest.task, manifest.modality]}
    if manifest.backbone is not None:
        fields["license"] = manifest.backbone.licence
        fields["base_model"] = manifest.backbone.name
    if pipeline := _pipeline(manifest, task):
        fields["pipeline_tag"] = pipeline
    # A JSON value is a YAML value, whatever characters a name holds.
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---"])


def _hub_matter(manifest: Manifest, task: Task, hub: Hub, name: str) -> str:
    """The header that the hub reads: what loads the model, what it came from, and what it scored."""
    fields: dict[str, Any] = {"library_name": hub.library, "tags": ["headstart", manifest.task, hub.library]}
    if manifest.backbone is not None:
        licence, whence = manifest.backbone.licence, manifest.backbone.name
        known = licence.lower() in _HUB_LICENCES
        fields |= {"license": licence.lower()} if known else {"license": "other", "license_name": licence}
        if whence.startswith(("timm/", "hf/")) and manifest.backbone.source != "random initialisation":
            fields["base_model"] = whence.removeprefix("hf/").split("@")[0]
    if pipeline := _pipeline(manifest, task):
        fields["pipeline_tag"] = pipeline
    scores = [
        {"type": metric, "name": task.metrics[metric].title, "value": round(score.value, 6)}
        for metric, score in manifest.metrics.items()
        if metric in task.metrics
    ]
    if scores:
        fields["metrics"] = [score["type"] for score in scores]
        data = {"type": "own", "name": str(manifest.data.get("origin") or "the owner's own items")}
        kind = {"type": _pipeline(manifest, task) or manifest.task}
        fields["model-index"] = [{"name": name, "results": [{"task": kind, "dataset": data, "metrics": scores}]}]
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---"])


def _hub_use(hub: Hub) -> str:
    code = "\n".join(f"    {line}" for line in hub.use)
    notes = "\n".join(f"- {_escape(note)}" for note in hub.notes)
    return f"## Use\n\nWith {listed(dict.fromkeys(hub.needs))} installed:\n\n{code}" + (f"\n\n{notes}" if notes else "")


def _summary(manifest: Manifest, task: Task) -> str:
    noun = discovery.load("data", manifest.modality).NOUN
    what = task.words.purpose.format(count=len(manifest.names), names=_listing(manifest.names), item=noun)
    if manifest.backbone is not None and manifest.backbone.source == "random initialisation":
        how = f"A network like `{_code(manifest.backbone.name)}`, trained from random initialisation."
    elif manifest.backbone is not None:
        how = (
            f"A network transferred from `{_code(manifest.backbone.name)}` (pretrained on "
            f"{_escape(manifest.backbone.source)}; licence of those weights: {_escape(manifest.backbone.licence)})."
        )
    else:
        kind = manifest.baseline.name if manifest.baseline else ""
        how = f"A simple model without a network, `{_code(kind)}`: no candidate with a pretrained network did better."
    sentence = manifest.verdict.get("sentence")
    lines = [f"{what} {how}"]
    if isinstance(sentence, str) and sentence:
        lines.append(f"**{_escape(sentence)}**")
    lines.append(f"Made by headstart {_escape(manifest.headstart)} at {_escape(manifest.created)}.")
    return "\n\n".join(lines)


def _data(manifest: Manifest, task: Task) -> str:
    data = manifest.data
    lines = ["## Data", ""]
    if data.get("understood"):
        lines += [_escape(str(data["understood"])), ""]
    parts, counts = data.get("parts"), data.get("counts")
    if isinstance(parts, Mapping):
        lines.append("- Split: " + ", ".join(f"{_escape(part)} {count}" for part, count in parts.items()))
    if data.get("targets") and not task.words.counted:
        lines.append(f"- Items {_escape(str(data['targets']))}")
    if isinstance(counts, Mapping) and task.words.counted:
        shown = [f"{_escape(str(label))} {_total(count)}" for label, count in list(counts.items())[:LISTED]]
        more = f" and {len(counts) - LISTED} more" if len(counts) > LISTED else ""
        lines.append(f"- {task.words.counted}: " + ", ".join(shown) + more)
    if data.get("cross_validated"):
        tested = isinstance(parts, Mapping) and parts.get("test")
        lines.append(
            "- Too few items for a validation part: candidates were compared by cross-validation (5 stratified folds)."
            if tested
            else "- Too few items for a test part: scores are cross-validated (5 stratified folds)."
        )
    if data.get("digest"):
        lines.append(f"- Digest of items, labels and split: `{_code(str(data['digest']))}`")
    lines += [f"- {_escape(str(note))}" for note in _sequence(data.get("notes"))[:LISTED]]
    lines += [f"- {_escape(str(finding))}" for finding in _sequence(data.get("findings"))[:LISTED]]
    lines += _skipped(_sequence(data.get("skipped")))
    return "\n".join(lines).rstrip()


def _total(count: Any) -> Any:
    return sum(count.values()) if isinstance(count, Mapping) else count


def _skipped(skipped: Sequence[Any]) -> list[str]:
    if not skipped:
        return ["- Nothing was skipped."]
    lines = [f"- Skipped, {len(skipped)} in all:"]
    for entry in skipped[:LISTED]:
        row = entry if isinstance(entry, Mapping) else {"where": entry, "why": ""}
        lines.append(f"  - {_escape(str(row.get('where', '')))}: {_escape(str(row.get('why', '')))}")
    return lines + ([f"  - and {len(skipped) - LISTED} more"] if len(skipped) > LISTED else [])


def _training(manifest: Manifest, task: Task) -> str:
    lines = ["## How it was made", ""]
    if manifest.backbone is not None:
        stages = manifest.backbone.stages
        lines.append(
            f"- Backbone `{_code(manifest.backbone.name)}`, {len(stages)} stages; frozen: the first "
            f"{manifest.backbone.depth}. The head reads stage " + ", ".join(map(str, manifest.backbone.taps))
        )
    how = "the items themselves" if manifest.preprocessing is None else manifest.preprocessing.value().words
    lines.append(f"- Input: {how}. {task.activation(manifest.temperature)}")
    for key, value in manifest.training.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{name} {each}" for name, each in value.items())
        if isinstance(value, str | int | float) and value != "":
            shown = ("no", "yes")[value] if isinstance(value, bool) else str(value)
            lines.append(f"- {_escape(key.replace('_', ' ').capitalize())}: {_escape(shown)}")
    lines += [f"- {_escape(str(note))}" for note in _sequence(manifest.training.get("notes"))[:LISTED]]
    made_with = ", ".join(f"{_escape(name)} {_escape(version)}" for name, version in manifest.libraries.items())
    return "\n".join([*lines, f"- Libraries: {made_with}"])


def _scores(manifest: Manifest, task: Task) -> str:
    if not manifest.metrics:
        return ""
    tested = manifest.verdict.get("tested", not manifest.data.get("cross_validated"))
    where = "on the test part, which never trained it" if tested else "cross-validated"
    rows = [
        (task.metrics[name].title, score_text(task.metrics[name], score))
        for name, score in manifest.metrics.items()
        if name in task.metrics
    ]
    return f"## Scores\n\nWith 95 % intervals, {where}.\n\n" + _table(("Metric", "Score"), rows)


def _evidence(rows: Sequence[EvidenceRecord], task: Task) -> str:
    if not rows:
        return ""
    shown = [task.metric(name) for name in task.shown[:2]]
    cells = []
    for row in rows:
        scores = [score_text(each, row.scores[each.name]) if each.name in row.scores else "–" for each in shown]
        note = "" if row.status == "measured" else row.status
        cells.append((row.name, row.kind, *scores, f"{row.seconds:.1f}", f"{row.trainable:,}", note))
    heads = ("Candidate", "Kind", *(each.title for each in shown), "Seconds", "Trainable", "Note")
    return "## Evidence\n\nEvery candidate on the same validation items, with 95 % intervals.\n\n" + _table(
        heads, cells
    )


def _limits(manifest: Manifest, task: Task) -> str:
    lines = [
        "## Limits",
        "",
        f"- {limit(task, manifest.modality)}",
        "- The scores hold for data like those above; another camera, place or time can be harder.",
        "- An interval says how far chance in the tested items reaches, not how far the data may drift.",
    ]
    lines.append(_unfamiliar(manifest))
    if manifest.backbone is not None:
        lines.append("- What the pretraining data got wrong about the world may have come along with the weights.")
    lines += [f"- {_escape(str(limit))}" for limit in _sequence(manifest.training.get("limits"))]
    return "\n".join(lines)


def _unfamiliar(manifest: Manifest) -> str:
    known = manifest.familiar
    if known is None:
        return f"- It does not tell items that are unlike its training data: {_escape(manifest.unmeasured)}."
    rate = known.rate
    return (
        "- It marks items that are unlike its training data as unfamiliar. The line was drawn on "
        f"{known.held_out:,} held-out items; about {100 * rate.value:.1f} % of familiar items cross it "
        f"({100 * rate.low:.1f} to {100 * rate.high:.1f} %). A new class that looks like a known one can stay below. "
        f"For this, {DOUBT} holds features of {known.compared_with:,} training items: numbers, not the "
        "items, but of single items."
    )


def _use(manifest: Manifest, name: str) -> str:
    own = " (the owner's own items)" if manifest.golden.origin == "own" else " (generated, no data of anybody)"
    return (
        f"## Use\n\n    headstart predict {_code(name)} new/\n\n"
        f"The folder holds no code. {manifest.golden.count} golden examples{own} are replayed whenever it is loaded."
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(_escape(str(cell)) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(_escape(name) for name in names[:LISTED])
    return shown + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def _sequence(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _escape(text: str) -> str:
    """Text that Markdown and HTML show as it is, on one line."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    clean = clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|#":
        clean = clean.replace(mark, "\\" + mark)
    return clean


def _code(text: str) -> str:
    return "".join(letter if letter.isprintable() and letter != "`" else " " for letter in text)
