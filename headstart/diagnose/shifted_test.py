"""The test part differs: the sealed model does far worse there than on items that were held out while it was chosen."""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose.finished import finished, said
from headstart.measure import chance

THRESHOLD = 0.03
"""Points, as a share, that the test part must at least be behind by, beyond doubt.

Choosing among a dozen candidates on the validation items flatters their best by about the standard error of a paired
difference, which the interval of the two scores already exceeds; these 3 points are on top of it.
"""


def examine(evidence: Run) -> Finding | None:
    """How far the test score is below the validation score, where its interval leaves no doubt."""
    found = finished(evidence)
    if found is None or not found.verdict.get("tested") or found.tested is None or found.validation is None:
        return None
    metric = found.in_points
    held, tested = found.score(found.validation, metric), found.score(found.tested, metric)
    behind = chance.difference(held, tested)
    if behind.low < THRESHOLD:
        return None
    by, low, high = metric.numbers(behind)
    return Finding(
        name="shifted_test",
        severity="serious",
        sentence=(
            f"The test part is unlike the rest: {metric.phrase.format(said(metric, tested))} there, "
            f"{said(metric, held)} on held-out items of the rest, {by}{' points' if metric.percent else ''} less "
            f"({low} to {high})"
        ),
        number=behind.value,
        threshold=THRESHOLD,
        next_move=(
            "compare the two in the report: another camera, place or time; what the model is for decides which of them "
            "it should learn from, and so does the split"
        ),
        evidence={"metric": metric.name, "validation": held.as_dict(), "test": tested.as_dict()},
    )
