"""Following an earlier run's decisions instead of the clock, so that the same seed gives the same numbers again.

A run writes down whatever the clock or the machine decided for it: the epochs of every rung, the probes it could
afford, the threads, the store's limit. A replay begins with those records, exactly as ``--resume`` finds its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.base.errors import RunError
from headstart.base.run import Run
from headstart.engine.journal import Journal

COMPARED = ("strategy", "options", "augmentation", "baselines", "weights", "precision")
"""What a plan was made for; data and seed may be others, and then the numbers are."""
RECORDS = ("machine", "probes", "plan", "constraints", "ranking")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is taken over from a run, read before anything is overwritten.

    Attributes:
        path: its run directory.
        config: what was asked for then.
        records: name -> what was written down.
    """

    path: Path
    config: Mapping[str, Any]
    records: Mapping[str, Any]


def find(path: Path) -> Earlier:
    """The run in a model folder, or the run directory itself.

    Raises:
        RunError: when there is none, or it had not made its plan yet.
    """
    path = path.expanduser().absolute()
    run = next((run for run in (Run(path / "run"), Run(path)) if run.exists()), None)
    if run is None:
        raise RunError(
            f"There is no run in {path} to replay",
            expected="the folder that an earlier fit wrote",
            next_move="name that folder, or leave --replay out",
        )
    if not run.plan or not run.threads or run.store_limit is None:
        raise RunError(
            f"The run in {path} was stopped before it made its plan",
            next_move="finish it with --resume, or leave --replay out",
        )
    return Earlier(run.path, run.config, {name: run.written(name) for name in RECORDS})


def check(earlier: Earlier, config: Mapping[str, Any]) -> str:
    """The earlier run's id, once it is certain that its plan is for this command.

    Raises:
        RunError: when it was made for another strategy, backbone or precision.
    """
    for name in COMPARED:
        if earlier.config.get(name) != config[name]:
            raise RunError(
                f"The run to replay had another {name}: {earlier.config.get(name)}, now {config[name]}",
                where=str(earlier.path),
                next_move="the same command as then, or leave --replay out",
            )
    return str(earlier.config.get("id"))


def take_over(earlier: Earlier, journal: Journal) -> None:
    """Write the earlier run's records into a new run; what is there already stays."""
    for name, recorded in earlier.records.items():
        if recorded and not (journal.path / f"{name}.json").exists():
            journal.write(name, recorded)
