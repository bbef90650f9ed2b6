"""The import direction, read from the source: a room imports only from rows below its own.

The rows are those of ARCHITECTURE.md. ``violations(package)`` parses every file and never imports one. It looks at
plain, relative, in-function and type-checking imports, at ``importlib.import_module("headstart...")``, and at rooms
named to ``base.discovery``, which is an import by another name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = "headstart"

ROWS: tuple[tuple[str, ...], ...] = (
    ("base",),
    ("measure",),
    ("tasks",),
    ("data", "backbones"),
    ("features",),
    ("rank", "tune", "baselines", "adapt", "pretrain"),
    ("engine",),
    ("diagnose", "ship", "track"),
    ("choose",),
    ("api",),
    ("estimators", "studio"),
    ("cli",),
)
"""Rooms from the ground up. A room may import from every row before its own, and from itself."""

ROW = {room: row for row, rooms in enumerate(ROWS) for room in rooms}

FRONT = ("__init__", "__main__")
"""The package's own two files: the front door, through which nobody inside walks."""


@dataclass(frozen=True)
class Reach:
    """One import: the dotted name that is reached, where, and whether it happens when the file is imported."""

    target: str
    line: int
    eager: bool


def violations(package: Path) -> list[str]:
    """Everything in a package folder that breaks the direction, one sentence each with file and line."""
    found = []
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        room = inside.parts[0].removesuffix(".py")
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        if room not in ROW and room not in FRONT:
            found.append(f"{inside}: {room} is no room of the house; place it in a row, or its content in a room")
            continue
        for reach in reaches(tree, inside):
            fault = judge(room, reach)
            if fault:
                found.append(f"{inside}:{reach.line}: {fault}")
    return found


def judge(room: str, reach: Reach) -> str:
    """What is wrong with ``room`` reaching there; empty if nothing is."""
    _, _, rest = reach.target.partition(".")
    goal = rest.split(".")[0]
    if room == "__init__":
        return f"imports {reach.target} when it is imported; the front door is lazy" if reach.eager else ""
    if room == "__main__":
        return "" if goal == "cli" else f"imports {reach.target}; it may only start the command line"
    if not goal:
        return "goes in by the front door (import headstart); name the room's file"
    if goal not in ROW:
        return f"imports {reach.target}, which is in no room of the house"
    if goal == room or ROW[goal] < ROW[room]:
        return ""
    side = "sideways" if ROW[goal] == ROW[room] else "upward"
    return f"imports {side}: {room} may not know {goal} ({reach.target})"


def reaches(tree: ast.Module, inside: Path) -> Iterator[Reach]:
    """Every place in a file that reaches into the package."""
    lazy = {id(child) for node in ast.walk(tree) if _is_lazy(node) for child in ast.walk(node)}
    registry = _discovery_names(tree)
    for node in ast.walk(tree):
        for target in _targets(node, inside, registry):
            if target == ROOT or target.startswith(f"{ROOT}."):
                yield Reach(target, getattr(node, "lineno", 0), id(node) not in lazy)


def _is_lazy(node: ast.AST) -> bool:
    """A function's body does not run at import; a type checker's block never runs."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _targets(node: ast.AST, inside: Path, registry: frozenset[str]) -> list[str]:
    if isinstance(node, ast.Import):
        # ``import headstart.data.images`` binds the package itself, and with it every room; ``as`` binds the file.
        return [alias.name if alias.asname else alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _absolute(node, inside)
        # ``from headstart import data`` and ``from .. import data`` both name the package: the front door.
        return [base]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        name, first = ast.unparse(node.func), node.args[0].value
        if not isinstance(first, str):
            return []
        if name in ("importlib.import_module", "import_module", "__import__"):
            return [first]
        if name in registry:
            return [f"{ROOT}.{first}"]
    return []


def _absolute(node: ast.ImportFrom, inside: Path) -> str:
    """The dotted name an import statement names, relative dots resolved."""
    if not node.level:
        return node.module or ""
    here = (ROOT, *inside.parts[:-1])
    above = here[: len(here) - node.level + 1]
    return ".".join((*above, *([node.module] if node.module else [])))


def _discovery_names(tree: ast.Module) -> frozenset[str]:
    """How this file spells the calls that fetch plug-ins of a room by its name."""
    spelt = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            name = alias.asname or alias.name
            if node.module == f"{ROOT}.base" and alias.name == "discovery":
                spelt |= {f"{name}.load", f"{name}.plugins"}
            if node.module == f"{ROOT}.base.discovery" and alias.name in ("load", "plugins"):
                spelt.add(name)
    return frozenset(spelt)
