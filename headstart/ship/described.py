"""What a sealed manifest describes, without its weights: listing and showing a model need no network."""

from __future__ import annotations

from pathlib import Path

from headstart.base import discovery
from headstart.base.errors import HeadstartError, ModelFolderError
from headstart.base.manifest import NAME, Manifest
from headstart.tasks.task import Task


def task_of(folder: Path, manifest: Manifest) -> Task:
    """The task that a checked folder describes.

    Raises:
        ModelFolderError: when there is no such task here, or its record does not fit it.
    """
    try:
        found: Task = discovery.load("tasks", manifest.task, kind="task").restore(manifest.names, manifest.target)
    except ModelFolderError:
        raise
    except HeadstartError as error:
        raise ModelFolderError(
            error.what, where=str(folder / NAME), expected=error.expected, next_move=error.next_move
        ) from error
    return found
