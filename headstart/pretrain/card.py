"""The card of a source model, in one page of Markdown: what it is made from, how well it was learnt, what it is not.

After Mitchell et al., Model Cards for Model Reporting (2019, arXiv:1810.03993); the front matter is what the Hugging
Face hub reads. Everything in it comes from the backbone's own description.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from headstart.base.vocabulary import BackboneInfo

NAME = "MODEL_CARD.md"
_WORDS = {
    "accuracy": "accuracy",
    "perplexity": "perplexity of hidden words",
    "guessing_by_frequency": "their perplexity if they are named by how often they occur",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "effective_rank": "dimensions in use (effective rank)",
    "spread": "spread over the sphere (1: even, 0: collapsed)",
    "recognition": "pictures recognised in another view of them",
    "guessing": "pictures recognised by guessing",
    "loss": "loss (alignment plus uniformity)",
}


def render(info: BackboneInfo, card: Mapping[str, Any]) -> str:
    """The page.

    Args:
        info: of the backbone.
        card: how it was made, as ``made.provenance`` and the methods write it.
    """
    fields = {"library_name": "headstart", "license": info.licence, "tags": ["headstart", "backbone", info.modality]}
    # A JSON value is a YAML value, whatever characters a name holds.
    front = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    parts = [
        "\n".join(["---", *front, "---"]),
        f"# A backbone from {_escape(info.source)}",
        _what(info, card),
        _list("## Found", [_escape(str(each)) for each in card.get("findings", ())]),
        _list("## Measured on its validation part", _scores(card.get("validation", {}))),
        _list("## Measured without labels, on held-out pictures", _scores(card.get("health", {}))),
        _how(card),
        "## Use it\n\n    headstart fit SOURCE --backbone local:FOLDER\n\n"
        "Its worth for a task is measured there: against the same network from scratch, and against simple models.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what(info: BackboneInfo, card: Mapping[str, Any]) -> str:
    size = info.preprocessing.size
    reads = card.get("reads") or f"pictures of {size} x {size} pixels"
    return (
        f"`{info.architecture}`: {info.parameters:,} parameters, {info.width:,} features, {reads}. It knows what was "
        f"in that source and nothing else; its source head is not part of it. Licence: {_escape(info.licence)}."
    )


def _scores(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, value in found.items():
        if isinstance(value, Mapping):
            shown = f"{value['value']:.3f} (95 % interval {value['low']:.3f} to {value['high']:.3f})"
        else:
            shown = f"{value:.3f}"
        lines.append(f"{_WORDS.get(name, name)}: {shown}")
    return lines


def _how(card: Mapping[str, Any]) -> str:
    names = ("command", "method", "preset", "seed", "options", "recipe", "data", "views", "epoch", "epochs", "seconds")
    kept = {name: card[name] for name in (*names, "machine", "torch") if name in card}
    text = json.dumps(kept, indent=2, ensure_ascii=False, default=str)
    return f"## How it was made\n\n```json\n{text}\n```\n\nThe curve and the digests are in `backbone.json`."


def _list(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, "", *(f"- {line}" for line in lines)]) if lines else ""


def _escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    marks = "\\`*_[]<>#|"
    return "".join(f"\\{mark}" if mark in marks else mark for mark in " ".join(text.split()))
