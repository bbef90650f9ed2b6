"""Networks for pictures and texts of any repository on the Hugging Face hub: those of transformers, and timm's own.

``hf/owner/name``, or ``hf/owner/name@revision``. A repository's own code is never run.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from headstart.backbones import hub, language, sentences, snapshot, tokenizer
from headstart.backbones.chain import Backbone
from headstart.backbones.publishing import Finished, Plain, Published
from headstart.base.errors import BadOption, ExportError, HeadstartError, UnknownName
from headstart.base.vocabulary import BackboneInfo


def names() -> tuple[str, ...]:
    """The networks in this machine's cache of the hub; any other repository can be named as well."""
    found = []
    for repository in hub.repositories():
        # Those of timm's own account and sentence encoders are listed by their providers, with what these know of them.
        elsewhere = repository.startswith("timm/") or hub.cached(repository, sentences.MODULES) is not None
        if elsewhere or not _shows(repository):
            continue
        with contextlib.suppress(HeadstartError):
            describe(repository)
            found.append(repository)
    return tuple(found)


def describe(name: str) -> BackboneInfo:
    """What a repository says of its network; its description is fetched (a few kB) if it is not in the cache.

    Raises:
        UnknownName: when there is no such repository, with similar ones.
        WeightsError: when the description cannot be had, or is of no network for pictures or texts.
    """
    repository, revision = hub.split(name)
    # What is described here already is not asked for again, its model card included.
    return snapshot.describe(_snapshot(name, fetch=not _shows(repository, revision)))


def load(name: str, *, weights: bool = True, seed: int = 0, architecture: str | None = None) -> Backbone:
    """Load a repository's network.

    Args:
        name: ``owner/name``, or ``owner/name@revision``.
        weights: False for random initialisation.
        seed: of that initialisation.
        architecture: must not be given; the repository says it.

    Raises:
        UnknownName, BadOption, WeightsError
        MissingExtra: for a network of transformers, without that library.
    """
    if architecture is not None:
        raise BadOption(f"hf/{name} says its architecture itself", where="architecture", expected="none")
    return snapshot.load(_snapshot(name), weights=weights, seed=seed)


def build(name: str, config: Mapping[str, Any], *, seed: int = 0) -> Backbone:
    """The network of a configuration from random initialisation, without the repository it came from.

    Args:
        name: its family, transformers' ``model_type``.
        config: as ``BackboneInfo.config`` has it.
        seed: of the initialisation.

    Raises:
        WeightsError: when the configuration cannot be built.
        MissingExtra: without transformers.
    """
    return snapshot.build(name, config, seed=seed)


def publish(finished: Finished, to: Path) -> None:
    """Write a trained network as a folder that transformers loads.

    Raises:
        ExportError, WeightsError, MissingExtra
    """
    from headstart.backbones import language_folder, transformed

    writer: Any = language_folder if language.is_one(finished.config or {}) else transformed
    writer.publish(finished, to)


def published(to: Path) -> Published:
    """The folder, loaded by transformers."""
    from headstart.backbones import language_folder, transformed

    reader: Any = language_folder if (to / language_folder.ABOUT).is_file() else transformed
    found: Published = reader.published(to)
    return found


def plain(name: str, config: Mapping[str, Any] | None) -> Plain:
    """The network as transformers itself makes it, its head taken off.

    Raises:
        ExportError: for a network of texts, which leaves whole.
        WeightsError, MissingExtra
    """
    from headstart.backbones import transformed

    if language.is_one(config or {}):
        raise ExportError(
            "The plain weights of a text network are what --to hf writes, with a README that needs no headstart",
            expected="model.safetensors, head.safetensors, head.json and tokenizer.json in a folder",
            next_move="headstart export --to hf",
        )
    return transformed.plain(name, config)


def _snapshot(name: str, *, fetch: bool = True) -> snapshot.Snapshot:
    repository, revision = hub.split(name)
    if not hub.REPOSITORY.fullmatch(repository) or ".." in name:
        raise UnknownName("backbone", f"hf/{name}", [], next_move="hf/OWNER/NAME, as the hub's address has it")
    full = f"hf/{name}"
    named = {"name": full} if fetch else {}
    return snapshot.Snapshot(
        name=full,
        get=partial(hub.get if fetch else hub.cached, repository, revision=revision, **named),
        has=lambda file: hub.cached(repository, file, revision) is not None,
    )


def _shows(repository: str, revision: str | None = None) -> bool:
    """Does what the cache holds describe a network for pictures or texts?"""
    path = hub.cached(repository, snapshot.CONFIG, revision)
    if path is None:
        return False
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if "architecture" in config and "pretrained_cfg" in config:
        return True
    files = (*snapshot.PROCESSORS, tokenizer.FILE, tokenizer.SETTINGS, *tokenizer.OLDER)
    return "model_type" in config and any(hub.cached(repository, file, revision) for file in files)
