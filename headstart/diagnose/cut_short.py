"""Items so long that a part of them is never read."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.diagnose import demanded
from headstart.diagnose.evidence import Inspection


def examine(evidence: Inspection) -> Finding | None:
    """The share of such items, if the modality knows of them."""
    return demanded.examined(evidence, "cut_short")
