"""Provenance: versions, seed, digests, the command, licences, and how often the test part was opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headstart.ship.report.blocks import Fold, Pairs, Panel
from headstart.ship.report.facts import Facts

PLACE = 150


def show(facts: Facts) -> Panel | None:
    """What somebody needs to make the model again, or to trust it."""
    blocks: list[Pairs | Fold] = [Pairs(tuple(_made(facts)))]
    digests = tuple(_digests(facts))
    if digests:
        blocks.append(Fold("Digests (SHA-256)", (Pairs(digests),)))
    return Panel("Provenance", PLACE, tuple(blocks), span=6)


def _made(facts: Facts) -> Iterator[tuple[str, str]]:
    sealed, config = facts.manifest, facts.config
    if facts.command:
        yield "Command", facts.command
    if sealed is not None:
        yield "Made", f"{sealed.created}, by headstart {sealed.headstart}"
        yield "Libraries", ", ".join(f"{name} {version}" for name, version in sealed.libraries.items())
    training = sealed.training if sealed is not None else {}
    seed = training.get("seed", config.get("seed"))
    if seed is not None:
        yield "Seed", str(seed)
    machine = training.get("machine")
    if isinstance(machine, Mapping):
        yield "Machine", ", ".join(f"{str(key).replace('_', ' ')} {value}" for key, value in machine.items())
    if sealed is not None and sealed.backbone is not None:
        yield "Backbone", f"{sealed.backbone.name}, pretrained on {sealed.backbone.source}"
        yield "Licence of its weights", sealed.backbone.licence
    openings = facts.verdict.get("openings")
    if isinstance(openings, int) and facts.verdict.get("tested", True):
        times = "once, by this run" if openings == 1 else f"{openings:,} times, this run included"
        yield "Test part opened", times


def _digests(facts: Facts) -> Iterator[tuple[str, str]]:
    if facts.data.get("digest"):
        yield "Items, labels and split", str(facts.data["digest"])
    if facts.manifest is None:
        return
    if facts.manifest.backbone is not None:
        yield "Network", facts.manifest.backbone.digest
    yield "Manifest", facts.manifest.seal
    for name, record in facts.manifest.files.items():
        yield name, record.sha256
