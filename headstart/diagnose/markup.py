"""Items with the marks of a page in them, such as HTML tags, which are read like the rest."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.diagnose import demanded
from headstart.diagnose.evidence import Inspection


def examine(evidence: Inspection) -> Finding | None:
    """The share of such items, if the modality knows of them."""
    return demanded.examined(evidence, "markup")
