"""All backbones by one name, ``provider/name`` or ``local:PATH``: find, describe, load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from headstart.backbones import bundle as bundles
from headstart.backbones.chain import Backbone
from headstart.base import discovery
from headstart.base.errors import UnknownName, WeightsError
from headstart.base.vocabulary import BackboneInfo

FIRST = ("embedded", "torchvision", "timm")
"""Providers in the order in which they are listed; others follow by name."""


def load(
    name: str,
    *,
    weights: bool = True,
    seed: int = 0,
    architecture: str | None = None,
    bundle: str | Path | None = None,
) -> Backbone:
    """Load a backbone.

    Args:
        name: ``provider/name`` as ``all_names`` lists it, or ``local:PATH``.
        weights: False for the same network from random initialisation.
        seed: of that initialisation.
        architecture: ``provider/name`` of the network that a bare state_dict belongs to.
        bundle: folder of packed backbones to take it from; the one that HEADSTART_BACKBONES names by default. With
            one, nothing is downloaded.

    Raises:
        UnknownName: when nothing answers to the name, with the closest known ones.
        BadOption: when ``architecture`` is missing, or given where it has no meaning.
        WeightsError: when the weights cannot be had, or do not fit.
    """
    provider, rest = _split(name)
    if weights and architecture is None and (packed := _packed(name, bundle)) is not None:
        return packed[0].load(packed[1])
    plugin = discovery.load("backbones", provider, kind="backbone provider")
    backbone: Backbone = plugin.load(rest, weights=weights, seed=seed, architecture=architecture)
    return backbone


def build(architecture: str, config: Mapping[str, Any] | None = None, *, seed: int = 0) -> Backbone:
    """A network from random initialisation, from what a folder says it is; nothing is fetched.

    Args:
        architecture: ``BackboneInfo.architecture``.
        config: ``BackboneInfo.config``.
        seed: of the initialisation.

    Raises:
        UnknownName: when nothing answers to the architecture.
        WeightsError: when the configuration cannot be built.
    """
    if config is None:
        return load(architecture, weights=False, seed=seed)
    provider, rest = _split(architecture)
    plugin = discovery.load("backbones", provider, kind="backbone provider")
    if not hasattr(plugin, "build"):
        raise WeightsError(f"{provider} builds no network from a configuration", where=architecture)
    backbone: Backbone = plugin.build(rest, config, seed=seed)
    return backbone


def describe(name: str, *, bundle: str | Path | None = None) -> BackboneInfo:
    """What is known of a backbone without loading it.

    Args:
        name: its full name.
        bundle: as for ``load``.

    Raises:
        UnknownName: when nothing answers to the name, with the closest known ones.
        WeightsError: when ``local:PATH`` is no backbone.
    """
    provider, rest = _split(name)
    if (packed := _packed(name, bundle)) is not None:
        return packed[0].describe(packed[1])
    info: BackboneInfo = discovery.load("backbones", provider, kind="backbone provider").describe(rest)
    return info


def search(text: str = "", *, bundle: str | Path | None = None) -> list[BackboneInfo]:
    """The backbones whose full name contains every word of ``text``, embedded ones first; with a bundle those in it."""
    words = text.lower().split()
    if (opened := bundles.opened(bundle)) is not None:
        held = [opened.describe(entry) for entry in opened.index.backbones]
        ours = [describe(name) for name in all_names(["embedded"])]
        return [info for info in (*ours, *held) if all(word in info.name.lower() for word in words)]
    return [describe(name) for name in all_names(_named(text)) if all(word in name.lower() for word in words)]


def all_names(providers: Iterable[str] | None = None) -> list[str]:
    """Full names of all backbones that have one; ``local:PATH`` works besides."""
    found = []
    for provider in providers if providers is not None else _providers():
        listed = discovery.load("backbones", provider).names()
        found += [f"{provider}/{name}" for name in listed]
    return found


def _providers() -> list[str]:
    known = discovery.plugins("backbones")
    return [*(name for name in FIRST if name in known), *(name for name in known if name not in FIRST)]


def _packed(name: str, bundle: str | Path | None) -> tuple[bundles.Bundle, bundles.Entry] | None:
    """Where a bundle holds a backbone; None without a bundle, or for one that needs none.

    Raises:
        UnknownName: when it is neither in the bundle nor on this machine.
    """
    opened = bundles.opened(bundle)
    if opened is None or name.startswith(("local:", "embedded/")):
        return None
    if (entry := opened.holds(name)) is not None:
        return opened, entry
    provider, rest = _split(name)
    plugin = discovery.load("backbones", provider)
    if rest in plugin.names() and plugin.describe(rest).local:
        return None
    known = [*opened.names(), *all_names(["embedded"])]
    move = f"headstart backbones pack {name} -o DIR where there is a network, or without --from and {bundles.VARIABLE}"
    raise UnknownName(f"backbone in {opened.path}", name, known, next_move=move)


def _named(text: str) -> list[str]:
    """The one provider that a search such as "embedded/" names, so that the others need not even be imported."""
    provider, slash, _ = text.strip().lower().partition("/")
    return [provider] if slash and provider in discovery.plugins("backbones") else _providers()


def _split(name: str) -> tuple[str, str]:
    if name.startswith("local:"):
        return "local", name.removeprefix("local:")
    provider, slash, rest = name.partition("/")
    if slash and rest and provider != "local" and provider in discovery.plugins("backbones"):
        return provider, rest
    raise unknown(name)


def unknown(name: str) -> UnknownName:
    """The error for a name that nothing answers to, with the closest of all."""
    known = all_names()
    if "/" not in name:
        # Without a provider only what follows it can be close; all that match are worth showing.
        ends = [full for full in known if full.split("/", 1)[1].split(".")[0] == name]
        known = ends or known
    return UnknownName("backbone", name, known, next_move="headstart backbones --search TEXT")
