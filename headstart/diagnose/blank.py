"""Items that show nothing, such as pictures of one colour: there is nothing to learn in them."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.diagnose import demanded
from headstart.diagnose.evidence import Inspection


def examine(evidence: Inspection) -> Finding | None:
    """The share of such items, if the modality knows of them."""
    return demanded.examined(evidence, "blank")
