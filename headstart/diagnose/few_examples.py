"""Classes, or labels, with so few different items that what is said of them is mostly chance."""

from __future__ import annotations

import numpy as np

from headstart.base.vocabulary import Finding
from headstart.data.printable import count, listing
from headstart.diagnose.evidence import Inspection

THRESHOLD = 20
WORRYING = 10


def examine(evidence: Inspection) -> Finding | None:
    """Names below the threshold, exact copies counted once."""
    counts = evidence.counts(evidence.different)
    few = [int(label) for label in np.argsort(counts, kind="stable") if counts[label] < THRESHOLD]
    if not few:
        return None
    least = int(counts[few[0]])
    shown = listing([f"{evidence.names[label]} ({counts[label]})" for label in few])
    one, many = evidence.task.words.noun
    return Finding(
        name="few_examples",
        severity="warning" if least < WORRYING else "info",
        sentence=(
            f"{count(len(few), f'{one} has', f'{many} have')} fewer than {THRESHOLD} different "
            f"{evidence.modality}: {shown}"
        ),
        number=least,
        threshold=THRESHOLD,
        next_move=f"more {evidence.modality} of them; until then read their scores with their intervals",
        evidence={"counts": {evidence.names[label]: int(counts[label]) for label in few}},
    )
