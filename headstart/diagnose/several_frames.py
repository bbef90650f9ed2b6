"""Items that hold more than is read of them, such as animations and documents of many pages."""

from __future__ import annotations

from dataclasses import replace

from headstart.base.vocabulary import Finding
from headstart.diagnose import demanded
from headstart.diagnose.evidence import Inspection


def examine(evidence: Inspection) -> Finding | None:
    """The share of such items, if the modality knows of them; a warning, for something was left out unasked."""
    found = demanded.examined(evidence, "several_frames")
    return None if found is None else replace(found, severity="warning")
