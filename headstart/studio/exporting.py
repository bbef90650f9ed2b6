"""Exports from a page: the formats that are found, and the words of ``headstart export`` that one comes to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart.base import discovery
from headstart.base.errors import OutputExists, UnknownName
from headstart.data.printable import printable
from headstart.studio import jobs
from headstart.studio.jobs import Job


def formats(path: Path) -> list[dict[str, Any]]:
    """What the model can be written as.

    Returns:
        Of each: ``name``, ``summary``, ``output`` (a place that is free) and ``switches``, options that are on or off.
    """
    found = []
    for name, plugin in discovery.plugins("ship").items():
        module = plugin.load()
        switches = [each.name for each in discovery.options(module.write).values() if each.type is bool]
        output = _free(path, name, getattr(module, "SUFFIX", ""))
        found.append({"name": name, "summary": plugin.summary, "output": str(output), "switches": switches})
    return found


def done(path: Path) -> list[dict[str, Any]]:
    """The exports of a model that were begun here, the newest first."""
    own = [job for job in jobs.every() if job.kind == "export" and job.about.get("source") == str(path)]
    return [
        {**job.view(), "to": job.about.get("to"), "error": job.error(), "result": _result(job), **_at_work(job)}
        for job in own
    ]


def begin(path: Path, to: str, output: Path, switches: Sequence[str]) -> Job:
    """Start an export.

    Args:
        path: of the model.
        to: name of the format.
        output: the file or folder.
        switches: options that are on.

    Raises:
        UnknownName: no such format, or no such option of it.
    """
    module = discovery.load("ship", to, kind="export")
    known = discovery.options(module.write)
    for name in switches:
        if name not in known:
            raise UnknownName("option", name, known)
    words = ["export", str(path), f"--to={to}", "-o", str(output), *(f"--{name}" for name in switches)]
    return jobs.create("export", words, title=printable(path.name), output=output, source=str(path), to=to)


def _result(job: Job) -> dict[str, Any] | None:
    return job.printed() if job.state() == "done" else None


def _at_work(job: Job) -> dict[str, Any]:
    return {"progress": jobs.progress(job)} if job.state() not in jobs.ENDED else {}


def _free(path: Path, name: str, suffix: str) -> Path:
    for number in range(1, 10_000):
        more = "" if number == 1 else f"-{number}"
        place = path.parent / (f"{path.name}{more}{suffix}" if suffix else f"{path.name}-{name}{more}")
        if not os.path.lexists(place):
            return place
    raise OutputExists(f"{path.parent} is full of exports of {path.name}", next_move="name another place")
