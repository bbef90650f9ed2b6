"""Every diagnosis that reads this kind of evidence, asked in turn; what they find, the most serious first.

A diagnosis says by the annotation of its parameter which evidence it reads: ``examine(evidence: Inspection)`` needs no
training, ``examine(evidence: Run)`` reads a run directory, and a union of the two reads either.
"""

from __future__ import annotations

import inspect
import logging
import typing
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from headstart.base import discovery
from headstart.base.run import Run
from headstart.base.vocabulary import Finding

SEVERITIES = ("serious", "warning", "info")

_LOG = logging.getLogger(__name__)


def examined(evidence: Any) -> list[Finding]:
    """What all diagnoses find in the evidence, the most serious first.

    One that fails is logged and left out: a diagnosis is advice, and must not cost the work it advises on.
    """
    found = []
    for name, plugin in discovery.plugins("diagnose").items():
        try:
            module = plugin.load()
            finding = module.examine(evidence) if reads(module, evidence) else None
        except Exception:
            _LOG.exception("the diagnosis %s failed", name)
            continue
        if finding is not None:
            found.append(finding)
    return ordered(found)


def renewed(run: Run) -> list[Finding]:
    """The findings of a run: on its data as they were recorded, on the run itself found anew; serious ones first."""
    own = {name for name, plugin in discovery.plugins("diagnose").items() if reads(plugin.load(), run)}
    recorded = [Finding(**each) for each in run.findings if each.get("name") not in own]
    return ordered([*recorded, *examined(run)])


def reads(module: ModuleType, evidence: Any) -> bool:
    """True if a diagnosis is for evidence of this type."""
    first = next(iter(inspect.signature(module.examine).parameters))
    kind = typing.get_type_hints(module.examine)[first]
    return isinstance(evidence, kind)


def ordered(found: Sequence[Finding]) -> list[Finding]:
    """The most serious first; by name among equals."""
    return sorted(found, key=lambda finding: (SEVERITIES.index(finding.severity), finding.name))
