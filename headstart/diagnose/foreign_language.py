"""Items in a language that the backbone was not made for: it takes their words apart and knows little of them."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.diagnose import demanded
from headstart.diagnose.evidence import Inspection


def examine(evidence: Inspection) -> Finding | None:
    """The share of such items, if the modality knows of them."""
    return demanded.examined(evidence, "foreign_language")
