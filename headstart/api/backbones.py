"""Pretrained networks are listed, described, packed and made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.backbones import bundle, catalogue, cost, fetch, folder
from headstart.backbones.chain import Backbone
from headstart.base import discovery, files, log
from headstart.base.errors import BadOption
from headstart.base.machine import here
from headstart.base.progress import Reporter, Silent
from headstart.base.vocabulary import BackboneInfo
from headstart.choose import job
from headstart.choose.job import Request
from headstart.engine.drive import drive
from headstart.pretrain import card
from headstart.pretrain.source import statistics as source_statistics

if TYPE_CHECKING:
    pass
from headstart.base.quantities import seconds


def list_backbones(
    search: str = "", *, local: bool = False, backbones_from: str | Path | None = None
) -> list[BackboneInfo]:
    """The backbones whose name contains ``search``; only those on this machine with ``local``, or those of a bundle."""
    found = cost.known(catalogue.search(search, bundle=backbones_from))
    return [info for info in found if info.local] if local else found


def describe_backbone(name: str, *, backbones_from: str | Path | None = None) -> BackboneInfo:
    """Everything that is known of one backbone; its stages and their cost are found by building it without weights."""
    (info,) = cost.known([catalogue.describe(name, bundle=backbones_from)])
    if info.flops:
        return info
    return cost.complete(info, catalogue.build(info.architecture, info.config).known_as(info))


def pack_backbones(names: Sequence[str], output: str | Path, *, report: Reporter | None = None) -> list[BackboneInfo]:
    """Put backbones with their weights into one folder, for a machine without a network (``backbones_from``).

    Args:
        names: full names; what is not on this machine is downloaded.
        output: a new folder, or a bundle to add to.
        report: told of progress.

    Returns:
        What the bundle holds now.

    Raises:
        HeadstartError: when a backbone cannot be had, or the folder not written; what was packed before stays.
    """
    report = report or Silent()

    def fetched(name: str) -> Backbone:
        report.begin(f"load {name}")
        found = catalogue.load(name)
        report.begin(f"pack {name}")
        return found

    with fetch.telling(report):
        packed = bundle.pack(names, output, fetched)
    report.end()
    return [packed.describe(entry) for entry in packed.index.backbones]


def pretrain_backbone(
    method: str,
    output: str | Path,
    source: Any = None,
    *,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    precision: str = "auto",
    checkpoint_every: str | float = "30s",
    report: Reporter | None = None,
) -> BackboneInfo:
    """Make a source model and write it as a backbone folder, for ``--backbone local:DIR``.

    Args:
        method: a plug-in of the pretrain room: "procedural", "supervised", "selfsup" or "mlm".
        output: the folder.
        source: what the method learns from, for those that need it: labelled items as ``fit`` takes them, or
            pictures or texts without labels (a folder, a pattern, a list).
        seed: of everything random.
        settings: options of the method, such as {"preset": "cpu-15"}.
        overwrite: replace an existing folder.
        resume: continue in an existing folder.
        precision: "auto", "float32" or "bf16".
        checkpoint_every: time between checkpoints, and thus the most that a killed process loses.
        report: told of progress.

    Raises:
        HeadstartError: its subclasses say what was wrong and what to do.
    """
    plugin = discovery.load("pretrain", method, kind="pretraining method")
    given = discovery.read_options(plugin.plan, settings or {}, kind=f"{method} option")
    taken = [name for name in ("seed", "report") if name in given]
    if taken:
        raise BadOption(f"{taken[0]} is no option of the method", where=f"--set {taken[0]}", expected="--seed")
    words = _source_words(method, plugin.plan, source)
    every = seconds(checkpoint_every, "checkpoint_every")
    machine, to = here(precision), job.settle(Request(output=Path(output), overwrite=overwrite, resume=resume))
    with log.recording(report or Silent()) as recorded:
        plan = plugin.plan(*words, seed=seed, report=recorded, **given)
        named = {"source": str(Path(source).absolute()) if isinstance(source, str | Path) else type(source).__name__}
        config = {"method": method, "seed": seed, "settings": given, "precision": machine.precision} | (
            named if words else {}
        )
        journal = job.begin(to, config, resume=resume, every=every)
        if resume and (to / folder.DESCRIPTION).exists():
            recorded.say(f"The pretraining in {to} has finished already")
            return catalogue.describe(f"local:{to}")
        folder.remove(to)
        (to / card.NAME).unlink(missing_ok=True)
        made = drive(plan, journal, machine=machine, report=recorded)
        for finding in made.card.get("findings", ()):
            recorded.say(finding)
        if made.source is not None:
            made.backbone.statistics = source_statistics(
                made.backbone, made.source(), machine, dtype=made.dtype, seed=seed, report=recorded
            )
        about = {**made.card, "machine": machine.as_dict()}
        text = card.render(made.backbone.info, about)
        files.write_with(to / card.NAME, lambda path: path.write_text(text, "utf-8"))
        folder.write_folder(made.backbone, to, about, dtype=made.dtype)
        journal.close()
        return catalogue.describe(f"local:{to}")


def _source_words(method: str, plan: Any, source: Any) -> tuple[Any, ...]:
    """The positional arguments of a pretraining method's plan.

    Raises:
        BadOption: a source is missing, or given to a method that makes its own.
    """
    needed = bool(discovery.positional(plan))
    if needed and source is None:
        raise BadOption(
            f"Pretraining {method} needs a SOURCE to learn from",
            expected="a folder of pictures or texts, or a table",
            next_move=f"headstart pretrain {method} SOURCE -o FOLDER",
        )
    if not needed and source is not None:
        raise BadOption(f"Pretraining {method} takes no source", where=str(source), expected="nothing after the method")
    return (source,) if needed else ()
