"""Export: a sealed model in a format that others read, checked against the model before it appears.

A file of this room that defines ``write`` and ``reload`` is an export. It writes into a hidden folder; what it wrote is
read back from the disk, run on the golden examples and on raw items of several shapes, and compared with the model.
What differs is refused and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from headstart.base import discovery, files
from headstart.base.errors import BadOption, ExportError, HeadstartError, OutputExists
from headstart.base.manifest import GOLDEN, plain
from headstart.base.progress import Reporter, Silent
from headstart.base.vocabulary import Reading
from headstart.data.exportable import ExportInputs
from headstart.ship import costing, golden, sealed
from headstart.ship.costing import Cost
from headstart.ship.sealed import Model

MARK = "headstart_export.json"
"""What every exported folder holds besides: where it comes from, and how it was checked."""


FILES = 16
"""Own items that an export is tried on, if the run names some."""
TIGHT = 1e-4
"""Difference on own items that needs an explanation."""


class Reloaded(Protocol):
    """An export, read back from its files."""

    def replay(self, arrays: np.ndarray) -> np.ndarray:
        """Predictions (n, K) of what the network reads, as golden examples keep it (n, ...)."""
        ...

    def score(self, items: Sequence[Any]) -> np.ndarray:
        """Predictions (n, K) of raw items."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What ``write`` leaves.

    Attributes:
        paths: the export, then what lies beside it.
        exact: the same export as it would be without an option that changes what it gives; None where nothing does.
        use: lines of Python that read and run it.
        needs: packages that those lines need.
        notes: sentences on what a reader should know.
    """

    paths: tuple[Path, ...]
    exact: Path | None = None
    use: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export.

    Attributes:
        path: the file or folder.
        to: name of the format.
        size: bytes of all its files.
        golden, items: golden examples and raw items that it was compared on.
        difference: largest difference of a prediction, in units in which 0.001 is little.
        tolerance: what would have been accepted.
        use: lines of Python that read and run it.
        needs: packages that those lines need.
        notes: sentences on what a reader should know.
        cost: of an option that changes what the export gives; None without one.
    """

    path: Path
    to: str
    size: int
    golden: int
    items: int
    difference: float
    tolerance: float
    use: tuple[str, ...]
    needs: tuple[str, ...]
    notes: tuple[str, ...] = ()
    cost: Cost | None = field(default=None)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        found = {name: plain(getattr(self, name)) for name in self.__slots__ if name != "cost"}
        return {**found, "path": str(self.path), "cost": None if self.cost is None else self.cost.as_dict()}


def export(
    folder: str | Path,
    output: str | Path,
    *,
    to: str,
    options: Mapping[str, Any] | None = None,
    validate: Any = None,
    label: str | None = None,
    path: str | None = None,
    text: str | Sequence[str] | None = None,
    overwrite: bool = False,
    report: Reporter | None = None,
) -> Exported:
    """Write a sealed model in another format.

    Args:
        folder: the model's; it is loaded anew, so that its golden examples are replayed first.
        output: the file or folder.
        to: name of the format, a plug-in of this room.
        options: of the plug-in.
        validate: labelled items to measure the cost of an option on; the run's own validation items by default.
        label, path, text: columns of ``validate``.
        overwrite: replace an earlier export.
        report: told of progress.

    Raises:
        UnknownName: no such format, or option of it.
        OutputExists: when the output is taken.
        ExportError: when the model cannot be exported so, or what was written gives something else.
        ModelFolderError, MissingExtra, DataError
    """
    report = report or Silent()
    plugin = discovery.load("ship", to, kind="export format")
    given = _options(to, plugin, options or {}, validate)
    target = _settled(Path(output), plugin, Path(folder), overwrite)
    report.begin("load the model")
    model = sealed.load(folder)
    _check_leaves(model)
    with _aside(target) as aside:
        report.begin(f"write {to}")
        written: Written = plugin.write(model, aside / target.name, **given)
        report.begin("compare it with the model")
        exact = plugin.reload(written.exact or written.paths[0], model)
        tolerance = float(plugin.TOLERANCE)
        counts, difference = _compared(exact, model, tolerance, to)
        cost = None
        if written.exact is not None:
            report.begin("measure what it costs")
            changed = plugin.reload(written.paths[0], model)
            cost = costing.cost(
                model,
                exact,
                changed,
                held=costing.held_out(model, validate, label=label, path=path, text=text),
                paths=(written.exact, written.paths[0]),
                timed=_raw(model).examples(0),
            )
            written.exact.unlink()
        report.end()
        made = Exported(
            path=target,
            to=to,
            size=sum(each.stat().st_size for each in _files(written.paths)),
            golden=counts[0],
            items=counts[1],
            difference=difference,
            tolerance=tolerance,
            use=written.use,
            needs=written.needs,
            notes=(*written.notes, *_on_files(exact, model)),
            cost=cost,
        )
        _place(aside, target, written, made, model)
    return made


def _options(to: str, plugin: ModuleType, options: Mapping[str, Any], validate: Any) -> dict[str, Any]:
    """The plug-in's options, as given.

    Raises:
        UnknownName: for one that no format has.
        BadOption: for one that another format has, or a source of items that nothing would be measured on.
    """
    for name in options.keys() - discovery.options(plugin.write).keys():
        others = [each for each in discovery.plugins("ship") if name in discovery.options(_format(each).write)]
        if others:
            raise BadOption(f"An export to {to} has no {name}", where=name, expected=f"--to {' or '.join(others)}")
    if validate is not None and not options:
        raise BadOption(
            "There is nothing to measure on those items: the export gives just what the model gives",
            where="validate",
            expected="it together with int8",
        )
    return discovery.read_options(plugin.write, options, kind=f"{to} option")


def _check_leaves(model: Model) -> None:
    """Refuse a model of items that are read together, as no format has them yet; its modality says why.

    Raises:
        ExportError: for such a model.
    """
    room = discovery.load("data", model.manifest.modality)
    if hasattr(room, "whole"):
        room.export_inputs(None)


def _format(name: str) -> Any:
    return discovery.load("ship", name, kind="export format")


def _raw(model: Model) -> ExportInputs:
    room = discovery.load("data", model.manifest.modality)
    described: ExportInputs = room.export_inputs(reading(model))
    return described


def without_a_network(model: Model) -> str:
    """What can be done with a model that is a simple baseline: only some say what they compute as a graph."""
    if hasattr(getattr(model.scorer, "predictor", None), "graph"):
        return "headstart export --to onnx"
    return "serve the model folder itself (headstart serve), or fit with --strategy probe to have a network"


def reading(model: Model) -> Reading:
    """How the model's items become its inputs; a network's own has the tokenizer with it, which a manifest only names.

    Raises:
        ModelFolderError: for a model that reads the items themselves.
    """
    found: Reading | None = getattr(model.scorer, "preprocessing", None)
    return found or model.manifest.reading().value()


def _compared(exact: Reloaded, model: Model, tolerance: float, to: str) -> tuple[tuple[int, int], float]:
    """How many golden examples and raw items agree, and the largest difference.

    Raises:
        ExportError: when one does not.
    """
    inputs = golden.read(model.path / GOLDEN, columns=len(model.task.names)).inputs
    raw = _raw(model).examples(0)
    items = model.scorer.score(raw, precision="float32", failed={})
    pairs = {
        "golden example": (model.scorer.replay(inputs), exact.replay(inputs)),
        "raw item": (items, exact.score(raw)),
    }
    worst = 0.0
    for words, (wanted, found) in pairs.items():
        if wanted.shape != found.shape:
            raise ExportError(f"The {to} export gives {found.shape} for {wanted.shape} predictions", where=words)
        gap = np.abs(model.task.comparable(found) - model.task.comparable(wanted))
        row = int(np.nan_to_num(gap, nan=np.inf).max(axis=1).argmax())
        most = float(gap[row].max()) if np.isfinite(gap).all() else float("inf")
        if not most <= tolerance:
            raise ExportError(
                f"The {to} export does not give what the model gives: predictions differ by {most:.2g}",
                where=f"{words} {row + 1} of {len(gap)}",
                expected=f"at most {tolerance:g}; nothing was kept",
                next_move="another format (--to), and please report this network: "
                + (model.manifest.backbone.architecture if model.manifest.backbone else "a baseline"),
            )
        worst = max(worst, most)
    return (len(inputs), len(raw)), worst


def _on_files(exact: Reloaded, model: Model) -> tuple[str, ...]:
    """How far the export is from the model on the owner's own files, where some are at hand: measured and said."""
    held = costing.kept(model)
    if held is None:
        return ()
    items = held.items[:FILES]
    failed: dict[int, str] = {}
    wanted = model.scorer.score(items, precision="float32", failed=failed)
    if failed:
        return ()
    gap = float(np.abs(model.task.comparable(exact.score(items)) - model.task.comparable(wanted)).max())
    note = f"On {len(items)} of the fit's own validation items, read from their files: at most {gap:.1g} apart"
    return (note + (f". {_raw(model).differs}" if gap > TIGHT else ""),)


def _settled(output: Path, plugin: ModuleType, folder: Path, overwrite: bool) -> Path:
    """Where the export will lie, once it is certain that it may.

    Raises:
        BadOption: for a file name that the format does not have.
        OutputExists: when the place is taken.
    """
    to, suffix = output.expanduser().absolute(), getattr(plugin, "SUFFIX", "")
    inside, model = to.resolve(), folder.expanduser().resolve()
    if inside == model or inside in model.parents:
        raise OutputExists(f"{to} is, or holds, the model itself", next_move="choose another place with -o")
    if suffix and to.suffix != suffix:
        raise BadOption(
            f"{to.name} cannot be the name of this export", where="-o", expected=f"a name ending in {suffix}"
        )
    if not to.exists() and not to.is_symlink():
        return to
    if not overwrite:
        raise OutputExists(
            f"{to} exists already",
            expected="a new file" if suffix else "a new folder",
            next_move="--overwrite to replace it, or another -o",
        )
    ours = to.is_file() if suffix else (to / MARK).is_file() or (to.is_dir() and not any(to.iterdir()))
    if not ours:
        what = f"a {suffix} file" if suffix else "an export of headstart"
        raise OutputExists(f"{to} is not {what}, so it is not overwritten", next_move="choose another place with -o")
    return to


@contextlib.contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """A hidden folder beside the target, gone afterwards.

    Raises:
        HeadstartError: when the disk refuses, whatever the block was doing.
    """
    folder = target.parent / f".{target.name}.{secrets.token_hex(4)}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        yield folder
    except OSError as error:
        if files.is_full(error):
            written = sum(each.stat().st_size for each in _files([folder]))
            shutil.rmtree(folder, ignore_errors=True)
            raise files.full(target.parent, written, "free space there, or choose another place with -o") from error
        raise HeadstartError(
            f"The export cannot be written to {target}: {error.strerror or error}",
            expected="a folder that can be written to, with room on its disk",
            next_move="free space, or choose another place with -o",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _files(paths: Sequence[Path]) -> list[Path]:
    return [each for path in paths for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file()]


def _place(aside: Path, target: Path, written: Written, made: Exported, model: Model) -> None:
    """Move what was written to where it belongs; a folder appears whole, a file too, with its companions first."""
    first, *beside = written.paths
    if first.is_dir():
        whence = {"model": model.path.name, "seal": model.manifest.seal, "headstart": model.manifest.headstart}
        said = {key: value for key, value in made.as_dict().items() if key not in ("path", "to")}
        mark = {"format": made.to, "from": whence, **said}
        (first / MARK).write_text(json.dumps(mark, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for file in _files(written.paths):
        # Safetensors makes files that only their owner can read; the folder knows what the user's umask allows.
        file.chmod(aside.stat().st_mode & 0o666)
        with open(file, "rb+") as stream:
            os.fsync(stream.fileno())
    old = aside / f"old-{target.name}"
    if first.is_dir() and target.exists():
        target.replace(old)
    try:
        for each in (*beside, first):
            each.replace(target.parent / each.name)
    except OSError:
        if old.exists():
            old.replace(target)
        raise
