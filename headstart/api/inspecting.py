"""What can be said of a labelled data set before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headstart.backbones import catalogue
from headstart.base.errors import DataError
from headstart.base.progress import Reporter
from headstart.base.vocabulary import Inspected
from headstart.data import dataset, looking
from headstart.data.opening import open_source
from headstart.diagnose import examining
from headstart.diagnose.evidence import inspection

if TYPE_CHECKING:
    pass


def inspect(
    source: Any,
    labels: Sequence[Any] | None = None,
    *,
    backbone: str | None = None,
    task: str = "auto",
    seed: int = 0,
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    groups: Sequence[Any] | None = None,
    text: str | Sequence[str] | None = None,
    report: Reporter | None = None,
) -> Inspected:
    """Everything that can be said of a labelled data set before anything is trained.

    Args:
        source, labels, label, path, group, groups, text: labelled items, as ``fit`` takes them.
        backbone: also compare the items with what this network reads.
        task: what the labels are for, as ``fit`` takes it.
        seed: of the split that ``fit`` would draw.
        report: told of progress.

    Returns:
        How the source was understood, and the findings, the most serious first. Data that ``fit`` would refuse are
        inspected too, and the refusal is a finding.

    Raises:
        HeadstartError: when there is nothing to look at, or the backbone is unknown.
    """
    info = None if backbone is None else catalogue.describe(backbone)
    table = open_source(source, labels, label=label, path=path, group=group, groups=groups, text=text)
    looked = looking.look(table, task=task, report=report)
    data, refusal = None, None
    try:
        data = dataset.build(looked, seed=seed)
    except DataError as error:
        refusal = error
    evidence = inspection(looked, data=data, refusal=refusal, backbone=info)
    return Inspected(
        understood=looked.table.understood,
        modality=looked.modality,
        items=len(evidence),
        task=looked.task,
        why=looked.why,
        about=evidence.task.about(evidence.targets) if len(evidence) else "",
        classes=dict(zip(evidence.names, evidence.counts().tolist(), strict=True)),
        parts={} if data is None else data.sizes(),
        cross_validated=data is not None and data.cross_validated,
        findings=tuple(examining.examined(evidence)),
        notes=looked.table.notes if data is None else data.notes,
        backbone="" if info is None else info.name,
    )
