"""What can stand behind an option, for the shell to complete: found without torch, for nobody waits at a Tab key.

A function takes what was typed so far and returns (value, help) pairs. None leaves it to the shell, which knows files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib import metadata, resources
from pathlib import Path

from headstart.base import discovery, files
from headstart.base.machine import PRECISIONS, cache_folder

Pairs = list[tuple[str, str]]

PATIENCE = 600.0
"""Seconds before names that could not be gathered are asked for again."""


def paths(incomplete: str) -> Pairs:
    """Nothing of ours: the shell completes files."""
    return []


def among(names: Iterable[str]) -> Callable[[str], Pairs]:
    """A completion of a fixed list."""

    def fitting(incomplete: str) -> Pairs:
        return _fitting([(name, "") for name in names], incomplete)

    return fitting


def strategies(incomplete: str) -> Pairs:
    """``auto`` and the plug-ins of the tune room."""
    found = [("auto", "Measure, cheapest first, within the budget.")]
    found += [(name, plugin.summary) for name, plugin in discovery.plugins("tune").items()]
    return _fitting(found, incomplete)


def tasks(incomplete: str) -> Pairs:
    """The plug-ins of the tasks room."""
    return _fitting([(name, plugin.summary) for name, plugin in discovery.plugins("tasks").items()], incomplete)


def exports(incomplete: str) -> Pairs:
    """The plug-ins of the ship room."""
    return _fitting([(name, plugin.summary) for name, plugin in discovery.plugins("ship").items()], incomplete)


def methods(incomplete: str) -> Pairs:
    """The plug-ins of the pretrain room."""
    return _fitting([(name, plugin.summary) for name, plugin in discovery.plugins("pretrain").items()], incomplete)


def metrics(incomplete: str) -> Pairs:
    """Every score of every task."""
    rooms = [plugin.load() for plugin in discovery.plugins("tasks").values()]
    known = {name: metric.title for room in rooms for name, metric in room.METRICS.items()}
    return _fitting(list(known.items()), incomplete)


def precisions(incomplete: str) -> Pairs:
    """Precisions that a job can be run in."""
    return _fitting([(name, "") for name in PRECISIONS], incomplete)


def models(incomplete: str) -> Pairs:
    """Models and runs: those in the folder that is being typed, and those noted on this machine."""
    typed = Path(incomplete).parent if incomplete and not incomplete.endswith("/") else Path(incomplete)
    here = [str(path.parent) for name in ("manifest.json", "run/config.json") for path in typed.glob(f"*/{name}")]
    here = [path.removesuffix("/run") for path in here]
    noted = []
    for note in (cache_folder() / "known").glob("*.json"):
        path = _read(note).get("path")
        if isinstance(path, str) and Path(path, "run").is_dir():
            noted.append(os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path)
    return _fitting([(name, "") for name in dict.fromkeys([*sorted(here), *sorted(noted)])], incomplete)


def backbones(incomplete: str) -> Pairs:
    """``auto``, what ships in the package, and every name that the libraries' lists have.

    Those lists need the libraries, which take seconds to load: they are read once by a process in the background, and
    kept for as long as the libraries keep their versions.
    """
    shipped = [entry.name for entry in (resources.files("headstart.backbones") / "weights").iterdir()]
    found = ["auto", "local:", *(f"embedded/{name[:-5]}" for name in shipped if name.endswith(".json"))]
    kept = _read(names_file())
    if kept.get("versions") == _versions():
        names = kept.get("names")
        found += [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    else:
        _gather_behind()
    return _fitting([(name, "") for name in dict.fromkeys(found)], incomplete)


def names_file() -> Path:
    """Where the names of all backbones are kept."""
    return cache_folder() / "names" / "backbones.json"


def gather() -> None:
    """Read the lists of all providers and keep the names.

    Raises:
        HeadstartError: when the cache cannot be written to.
    """
    from headstart.backbones import catalogue

    files.write_json(names_file(), {"versions": _versions(), "names": catalogue.all_names()})


def _gather_behind() -> None:
    """Start a process that gathers the names, unless one did so, or could not, a moment ago."""
    mark = names_file().with_suffix(".asked")
    try:
        if mark.exists() and time.time() - mark.stat().st_mtime < PATIENCE:
            return
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError:
        return
    quiet = subprocess.DEVNULL
    environment = {name: value for name, value in os.environ.items() if name != "_HEADSTART_COMPLETE"}
    subprocess.Popen(
        [sys.executable, "-c", "from headstart.cli import values; values.gather()"],
        stdin=quiet,
        stdout=quiet,
        stderr=quiet,
        env=environment,
        start_new_session=True,
    )


def _versions() -> dict[str, str]:
    found = {}
    for name in ("headstart", "timm", "torchvision", "transformers"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _fitting(found: Iterable[tuple[str, str]], incomplete: str) -> Pairs:
    return [pair for pair in found if pair[0].startswith(incomplete)]
