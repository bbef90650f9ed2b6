"""Plug-ins by file name: a room is listed without importing what is in it.

A file of a room is a plug-in when it defines the functions of the room's contract at its top level; its name is the
file's name, its help is the first line of its docstring, its options are the keyword-only parameters of the
contract's main function. Third parties register a module under the entry-point group ``headstart.<room>``.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.resources
import inspect
import threading
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

from headstart.base.errors import BadOption, UnknownName

CONTRACTS: dict[str, tuple[str, ...]] = {
    "adapt": ("plan",),
    "backbones": ("names", "load"),
    "baselines": ("fit", "restore"),
    "cli": ("main",),
    "data": (
        "decode",
        "digest",
        "load",
        "augment",
        "facts",
        "expects",
        "render",
        "overlay",
        "received",
        "export_inputs",
    ),
    "data.readers": ("ready",),
    "data.sources": ("claims", "open"),
    "diagnose": ("examine",),
    "pretrain": ("plan",),
    "rank": ("score",),
    "ship": ("write", "reload"),
    "ship.panels": ("show",),
    "tasks": ("recognise", "parse", "learn", "restore"),
    "track": ("begin", "check"),
    "tune": ("plan",),
}
"""Room -> the functions that make a file in it a plug-in; the first is its main function."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plug-in that was found, not yet imported."""

    room: str
    name: str
    summary: str
    module: str

    def load(self) -> ModuleType:
        """Import it."""
        return importlib.import_module(self.module)


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword-only parameter of a plug-in's main function."""

    name: str
    type: Any
    default: Any


# Python 3.11 counts the depth of the tree it builds for all threads together, and fails when two of them parse at once.
_PARSING = threading.Lock()


def _own(room: str) -> dict[str, Plugin]:
    package = f"headstart.{room}"
    found = {}
    for entry in importlib.resources.files(package).iterdir():
        if not entry.name.endswith(".py") or entry.name.startswith("_"):
            continue
        name = entry.name[:-3]
        with _PARSING:
            tree = ast.parse(entry.read_text(encoding="utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        if defined.issuperset(CONTRACTS[room]):
            summary = (ast.get_docstring(tree) or "").split("\n", 1)[0]
            found[name] = Plugin(room, name, summary, f"{package}.{name}")
    return found


def _third_party(room: str) -> dict[str, Plugin]:
    found = {}
    for entry in importlib.metadata.entry_points(group=f"headstart.{room}"):
        origin = entry.dist.name if entry.dist else "unknown package"
        found[entry.name] = Plugin(room, entry.name, f"from {origin}", entry.value)
    return found


@lru_cache(maxsize=None)
def plugins(room: str) -> Mapping[str, Plugin]:
    """All plug-ins of a room, by name, in alphabetical order; our own win a clash of names."""
    found = {**_third_party(room), **_own(room)}
    return dict(sorted(found.items()))


def load(room: str, name: str, *, kind: str = "") -> ModuleType:
    """Import one plug-in.

    Raises:
        UnknownName: with the closest known names.
    """
    known = plugins(room)
    if name not in known:
        raise UnknownName(kind or room.rsplit(".", 1)[-1].rstrip("s"), name, known)
    return known[name].load()


def options(function: Any) -> dict[str, Option]:
    """The options of a plug-in: keyword-only parameters with a default."""
    hints = typing.get_type_hints(function)
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.default is not inspect.Parameter.empty:
            found[name] = Option(name, hints.get(name, str), parameter.default)
    return found


def positional(function: Any) -> tuple[str, ...]:
    """The positional parameters of a plug-in's function, by name."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(name for name, each in inspect.signature(function).parameters.items() if each.kind in kinds)


def parse_option(option: Option, text: str) -> Any:
    """Read an option's value from text, as ``--set strategy.rate=0.01`` gives it.

    Raises:
        BadOption: when the text does not fit the option's type.
    """
    kinds = [kind for kind in typing.get_args(option.type) or (option.type,) if kind is not type(None)]
    if text.lower() in ("none", "null") and type(None) in typing.get_args(option.type):
        return None
    for kind in kinds:
        try:
            if kind is bool:
                return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
            if kind in (int, float, str):
                return kind(text)
        except (KeyError, ValueError):
            continue
    wanted = " or ".join(getattr(kind, "__name__", str(kind)) for kind in kinds)
    raise BadOption(f"Option {option.name} cannot be {text!r}", expected=f"{wanted}, such as {option.default}")


def read_options(function: Any, values: Mapping[str, Any], *, kind: str = "option") -> dict[str, Any]:
    """Option values for a plug-in's function; texts are read by each option's type.

    Raises:
        UnknownName: for an option that the function does not have.
        BadOption: for a value that does not fit.
    """
    known = options(function)
    found = {}
    for name, value in values.items():
        if name not in known:
            raise UnknownName(kind, name, known)
        found[name] = parse_option(known[name], value) if isinstance(value, str) else value
    return found
