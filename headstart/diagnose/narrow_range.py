"""Items that use little of the range of values that backbones were trained on: faint ones, or few bits of many."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.diagnose import demanded
from headstart.diagnose.evidence import Inspection


def examine(evidence: Inspection) -> Finding | None:
    """The share of such items, if the modality knows of them."""
    return demanded.examined(evidence, "narrow_range")
