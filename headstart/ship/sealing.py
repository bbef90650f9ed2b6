"""Sealing: a finished model becomes a folder, whole or not at all.

Everything is written to a hidden folder next to the target, loaded from there with all of its checks, and only then
moved into place. Where the target exists already (the run that is being sealed lies in it), the manifest moves last:
a folder without one is no model, so a reader never sees half of one.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file

from headstart.base import discovery, files, hashes, readings
from headstart.base.errors import BadOption, HeadstartError, ModelFolderError, OutputExists
from headstart.base.manifest import (
    CARD,
    DOUBT,
    GOLDEN,
    NAME,
    SCHEMA_VERSION,
    WEIGHTS,
    BackboneRecord,
    BaselineRecord,
    EvidenceRecord,
    FileRecord,
    GoldenRecord,
    HeadRecord,
    Manifest,
    ScoreRecord,
    plain,
    sealed,
)
from headstart.base.vocabulary import BackboneInfo, Evidence, Reading
from headstart.baselines.predictor import Predictor
from headstart.features.network import Network
from headstart.ship import card
from headstart.ship import golden as goldens
from headstart.ship.doubt import Doubt
from headstart.ship.scoring import BaselineScorer, NetworkScorer
from headstart.ship.sealed import Model, load
from headstart.tasks.task import Task

LIBRARIES = (
    *("torch", "torchvision", "timm", "transformers", "tokenizers", "safetensors", "numpy", "pillow", "scikit-learn"),
)


def seal(
    to: str | Path,
    *,
    network: Network | None,
    predictor: Predictor | None,
    task: Task,
    info: BackboneInfo | None,
    preprocessing: Reading | None,
    temperature: float,
    modality: str,
    evidence: Sequence[Evidence],
    verdict: Mapping[str, Any],
    data: Mapping[str, Any],
    depth: int,
    golden: str = "generated",
    own_items: Sequence[Any] | None = None,
    seed: int = 0,
    extra: Mapping[str, Any] | None = None,
    doubt: Doubt | None = None,
) -> Model:
    """Write a model folder and load it back.

    Args:
        to: the folder; a ``run/`` in it stays.
        network: the network, or None when a baseline won.
        predictor: the baseline, or None when a network won.
        task: what is predicted.
        info: what is known of the pretrained backbone; the network's own where None.
        preprocessing: of the inputs; the backbone's where None.
        temperature: outputs are divided by it before the softmax.
        modality: name of the plug-in.
        evidence: the evidence table.
        verdict: ``sentence``, ``outcome``, ``gap``, ``tests``.
        data: ``understood``, ``digest``, ``parts`` {part: items}, ``counts`` {class: items}, ``skipped``
            [{where, why}], ``notes``, ``cross_validated``; whatever is there goes into the card.
        depth: stages that stayed frozen.
        golden: "generated" or "own".
        own_items: validation items, of which the first 8 become golden examples with "own".
        seed: of the generated golden examples.
        extra: how it was made (strategy, seed, budget, seconds, limits ...), and its ``metrics``
            {name: interval}; the winner's test scores of the verdict where there are none.
        doubt: what tells how far its answers can be believed.

    Raises:
        BadOption: for a kind of golden examples that does not exist.
        HeadstartError: when the folder cannot be written.
        ModelFolderError: when the model does not come back as it was.
    """
    to = Path(to).expanduser().absolute()
    if to.exists() and not to.is_dir():
        raise OutputExists(f"{to} is a file", expected="a folder, or a name that is free")
    doubt = doubt or Doubt()
    scorer, preprocessing = _scorer(
        network, predictor, task, preprocessing, temperature=temperature, modality=modality, doubt=doubt
    )
    examples = _golden(golden, scorer, task, preprocessing, modality=modality, own_items=own_items, seed=seed)
    extra = dict(extra or {})
    metrics = extra.pop("metrics", None) or _winners(verdict)
    fields = {
        **_made(),
        **_described(scorer, info, depth),
        "task": task.kind,
        "modality": modality,
        "names": tuple(map(str, task.names)),
        "target": plain(task.record()),
        "preprocessing": None if preprocessing is None else readings.recorded(preprocessing),
        "data": plain(data),
        "training": plain(extra),
        "evidence": tuple(EvidenceRecord.of(row) for row in evidence),
        "verdict": plain(verdict),
        "metrics": _scores(metrics),
        "golden": GoldenRecord(
            origin="own" if golden == "own" else "generated", count=len(examples.inputs), tolerance=goldens.TOLERANCE
        ),
        "familiar": doubt.record,
        "unmeasured": doubt.missing,
    }
    with _aside(to, sum(tensor.nbytes for tensor in scorer.tensors().values())) as aside:
        beside = {} if preprocessing is None else readings.beside(preprocessing)
        _fill(aside, scorer, examples, fields, task, name=to.name, doubt=doubt, beside=beside)
        model = load(aside)
        _place(aside, to)
    model.path = to
    return model


def _scorer(
    network: Network | None,
    predictor: Predictor | None,
    task: Task,
    preprocessing: Reading | None,
    *,
    temperature: float,
    modality: str,
    doubt: Doubt,
) -> tuple[NetworkScorer | BaselineScorer, Reading | None]:
    if network is not None:
        preprocessing = preprocessing or network.backbone.info.preprocessing
        return NetworkScorer(network, task, preprocessing, float(temperature), modality, doubt=doubt), preprocessing
    if predictor is None:
        raise BadOption("Nothing to seal", expected="a network or a baseline's predictor")
    return BaselineScorer(predictor, modality), preprocessing or discovery.load("data", modality).PLAIN


def _golden(
    kind: str,
    scorer: NetworkScorer | BaselineScorer,
    task: Task,
    preprocessing: Reading | None,
    *,
    modality: str,
    own_items: Sequence[Any] | None,
    seed: int,
) -> goldens.Golden:
    if kind == "own":
        if not own_items:
            raise BadOption("There are no items of your own to keep", where="golden", expected="own_items")
        inputs = goldens.own(own_items, preprocessing, modality=modality)
    elif kind == "generated":
        inputs = goldens.generate(preprocessing, modality=modality, seed=seed)
    else:
        raise BadOption(f"Golden examples cannot be {kind!r}", where="golden", expected="generated or own")
    judged = scorer.rejudge(inputs)
    strangeness = judged.strangeness.astype(np.float32) if np.isfinite(judged.strangeness).all() else None
    return goldens.Golden(inputs, task.comparable(judged.scores).astype(np.float32), strangeness)


def _made() -> dict[str, Any]:
    libraries = {}
    for name in LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            libraries[name] = metadata.version(name)
    return {
        "schema_version": SCHEMA_VERSION,
        "headstart": metadata.version("headstart"),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "libraries": libraries,
    }


def _described(scorer: NetworkScorer | BaselineScorer, info: BackboneInfo | None, depth: int) -> dict[str, Any]:
    """The fields that differ between a network and a baseline."""
    if isinstance(scorer, BaselineScorer):
        _, state = scorer.predictor.state()
        record = BaselineRecord(name=scorer.predictor.name, state=plain(state))
        return {"kind": "baseline", "temperature": 1.0, "backbone": None, "head": None, "baseline": record}
    network = scorer.network
    info = info or network.backbone.info
    backbone = BackboneRecord(
        name=info.name,
        architecture=info.architecture,
        stages=tuple(network.backbone.info.stages),
        taps=tuple(network.taps),
        depth=depth,
        licence=info.licence,
        source=info.source,
        digest=network.backbone.digest(),
        config=None if info.config is None else plain(info.config),
    )
    head = HeadRecord(width=network.head.in_features, outputs=network.head.out_features)
    return {
        "kind": "network",
        "temperature": scorer.temperature,
        "backbone": backbone,
        "head": head,
        "baseline": None,
    }


def _winners(verdict: Mapping[str, Any]) -> Mapping[str, Any]:
    tests = verdict.get("tests") or {}
    return tests.get("winner") or tests.get(verdict.get("winner")) or {}


def _scores(metrics: Mapping[str, Any]) -> dict[str, ScoreRecord]:
    found = {}
    for name, score in plain(metrics).items():
        if isinstance(score, Mapping) and None not in (score.get("value"), score.get("low"), score.get("high")):
            found[name] = ScoreRecord(value=float(score["value"]), low=float(score["low"]), high=float(score["high"]))
    return found


def _fill(
    folder: Path,
    scorer: NetworkScorer | BaselineScorer,
    examples: goldens.Golden,
    fields: Mapping[str, Any],
    task: Task,
    *,
    name: str,
    doubt: Doubt,
    beside: Mapping[str, bytes],
) -> None:
    try:
        for each, content in beside.items():
            (folder / each).write_bytes(content)
        save_file(scorer.tensors(), folder / WEIGHTS)
        examples.save(folder / GOLDEN)
        kept = doubt.arrays()
        if kept:
            save_arrays(kept, folder / DOUBT)
        described = Manifest(**fields, files={})
        (folder / CARD).write_text(card.render(described, task, name=name), encoding="utf-8")
        listed = {each: _record(folder / each) for each in (WEIGHTS, GOLDEN, *([DOUBT] if kept else []), *beside, CARD)}
        whole = described.model_copy(update={"files": listed}).model_dump(mode="json")
        files.write_json(folder / NAME, sealed(whole))
    except ValidationError as error:
        raise ModelFolderError(f"The model cannot be described: {error}") from error


def _record(path: Path) -> FileRecord:
    # Safetensors makes files that only their owner can read; the folder knows what the user's umask allows.
    path.chmod(path.parent.stat().st_mode & 0o666)
    with open(path, "rb+") as stream:
        os.fsync(stream.fileno())
    return FileRecord(sha256=hashes.of_file(path), size=path.stat().st_size)


@contextlib.contextmanager
def _aside(to: Path, needed: int) -> Iterator[Path]:
    """A hidden folder next to ``to`` that will take about ``needed`` bytes, gone afterwards.

    Raises:
        HeadstartError: when the disk refuses, whatever the block was doing.
    """
    folder: Path | None = None
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        folder = to.parent / f".{to.name}.{secrets.token_hex(4)}.part"
        folder.mkdir()
        yield folder
    except (OSError, SafetensorError) as error:
        if files.is_full(error) and folder is not None:
            written = sum(path.stat().st_size for path in folder.iterdir())
            shutil.rmtree(folder, ignore_errors=True)
            raise files.full(to.parent, max(needed, written)) from error
        raise HeadstartError(
            f"The model cannot be written to {to}: {getattr(error, 'strerror', None) or error}",
            expected="a folder that can be written to, with room on its disk",
            next_move="free space, or choose another place with -o",
        ) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _place(aside: Path, to: Path) -> None:
    if not to.exists():
        aside.replace(to)
        return
    # An earlier model must not lend its manifest to new weights, even for a moment.
    (to / NAME).unlink(missing_ok=True)
    optional = (DOUBT, *readings.FILES.values())
    for name in optional:
        (to / name).unlink(missing_ok=True)
    for name in (WEIGHTS, GOLDEN, *optional, CARD, NAME):
        if (aside / name).exists():
            (aside / name).replace(to / name)
