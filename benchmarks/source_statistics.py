"""The source statistics of an embedded backbone, from its own generator: recipe and seed are in its card.

    python benchmarks/source_statistics.py [resnet10-procedural]

Writes ``headstart/backbones/weights/NAME.statistics.safetensors`` and enters its digest into ``NAME.json``. Made once,
when a backbone is shipped; ``tests/backbones/test_statistics.py`` makes a few of the features anew.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import headstart
from headstart.backbones import catalogue, folder, statistics
from headstart.base import files
from headstart.base.machine import here
from headstart.pretrain import procedural, source
from headstart.pretrain.procedural import Recipe

WEIGHTS = Path(headstart.__file__).parent / "backbones" / "weights"


def recipe_of(card: dict) -> Recipe:
    """The recipe that a card states."""
    listed = {"widths": tuple, "shares": lambda rows: tuple((family, share) for family, share in rows)}
    return Recipe(**{name: listed.get(name, lambda each: each)(value) for name, value in card["recipe"].items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="resnet10-procedural")
    name = parser.parse_args().name
    description = WEIGHTS / f"{name}.json"
    data = json.loads(description.read_text("utf-8"))
    backbone = catalogue.load(f"embedded/{name}")
    inputs = procedural.patterns(recipe_of(data["card"]), data["card"]["seed"])
    # The weights that are loaded are the stored ones already.
    found = source.statistics(backbone, inputs, here("float32"), seed=data["card"]["seed"])
    if found is None:
        raise SystemExit("Too few patterns")
    held = statistics.to_bytes(found)
    record = folder.described(found, held)
    files.write_with(WEIGHTS / f"{name}.{statistics.FILE}", lambda path: path.write_bytes(held))
    files.write_json(description, data | {"statistics": json.loads(record.model_dump_json())})
    print(f"{len(held):,} bytes: {found.items:,} patterns, and the features of {len(found.sample)} others")


if __name__ == "__main__":
    main()
