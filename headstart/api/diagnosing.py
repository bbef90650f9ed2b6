"""What can be said of a finished run: its findings, with what this version knows of runs."""

from __future__ import annotations

from pathlib import Path

from headstart.base.errors import RunError
from headstart.base.manifest import is_model
from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose import examining
from headstart.ship.sealed import Model


def findings(model: Model | str | Path) -> tuple[Finding, ...]:
    """The findings of a model's run, the most serious first.

    What was found in the data before training is as it was recorded; what is read off the run is found anew, so an
    older run has the findings of this version too, as far as it kept what they need. Nothing is written.

    Args:
        model: a model or its folder; a run that has not finished has the findings on its data only.

    Raises:
        RunError: when there is no run beside the model, or it is damaged.
    """
    folder = model.path if isinstance(model, Model) else Path(model).expanduser()
    run = Run(folder / "run")
    if not run.exists():
        raise RunError(f"There is no run in {folder}", expected="the folder that headstart fit wrote, with its run/")
    return tuple(examining.renewed(run))


def is_fitted(source: object) -> bool:
    """True if a source is no data set but a folder that ``fit`` wrote."""
    if not isinstance(source, str | Path):
        return False
    folder = Path(source).expanduser()
    return is_model(folder) or Run(folder / "run").exists()
