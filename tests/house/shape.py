"""The shape of the source: sizes, words that are not used here, documentation. Read, never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

LONGEST_FILE = 600
LONGEST_BODY = 35
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef

PICKLING = ("pickle", "cPickle", "_pickle", "dill", "joblib", "cloudpickle", "shelve", "marshal")
"""Modules whose files are programs; a model folder from somebody else must never be one."""

CATCHABLE = ("PickleError", "UnpicklingError")
"""What may be named of them: errors that a library lets out."""


def too_long(path: Path) -> list[str]:
    """The file, if it has more lines than a file may have."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    return [f"{path}: {lines} lines; at most {LONGEST_FILE}"] if lines > LONGEST_FILE else []


def body_lines(function: FUNCTIONS) -> int:
    """Lines of a function's body, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def functions(path: Path) -> Iterator[FUNCTIONS]:
    """Every function and method of a file."""
    for node in ast.walk(parse(path)):
        if isinstance(node, FUNCTIONS):
            yield node


def parse(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def forbidden(path: Path, *, prints: bool = False) -> list[str]:
    """Constructs that have no place in the package; ``prints`` allows printing."""
    found = []
    for node in ast.walk(parse(path)):
        word = _forbidden_word(node) or _pickling(node)
        if word and not (prints and word == "print"):
            found.append(f"{path}:{getattr(node, 'lineno', 0)}: {word}")
    return found


def _forbidden_word(node: ast.AST) -> str:
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        return "star import"
    if isinstance(node, ast.Assert):
        return "bare assert; raise an error of base/errors.py"
    if isinstance(node, ast.ExceptHandler) and all(_is_nothing(step) for step in node.body):
        return "except that swallows the error; say why with contextlib.suppress, or handle it"
    return _forbidden_call(node) if isinstance(node, ast.Call) else ""


def _pickling(node: ast.AST) -> str:
    """What reads or writes pickles; ``import pickle`` alone does neither, its functions do."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PICKLING:
        return next((f"{node.module}.{each.name}" for each in node.names if each.name not in CATCHABLE), "")
    if isinstance(node, ast.Import):
        return next((f"{each.name} as {each.asname}" for each in node.names if _hides(each)), "")
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in PICKLING:
        return "" if node.attr in CATCHABLE else f"{node.value.id}.{node.attr}"
    return ""


def _hides(alias: ast.alias) -> bool:
    """Under another name its uses would not be seen."""
    return alias.name.split(".")[0] in PICKLING and alias.asname is not None


def _is_nothing(step: ast.stmt) -> bool:
    return isinstance(step, ast.Pass) or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))


def _forbidden_call(call: ast.Call) -> str:
    name = ast.unparse(call.func)
    given = {word.arg: word.value for word in call.keywords}
    if name == "print":
        return "print"
    if name in ("eval", "exec"):
        return f"{name} runs text as code"
    if name == "torch.load" and not _is_true(given.get("weights_only")):
        return "torch.load without weights_only=True runs what it reads"
    if name == "torch.save":
        return "torch.save writes a pickle; safetensors does not"
    if name.endswith((".read_pickle", ".to_pickle")):
        return f"{name} (pickle)"
    if name in ("np.load", "numpy.load") and _is_true(given.get("allow_pickle")):
        return "np.load with allow_pickle runs what it reads"
    return ""


def _is_true(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is True


def undocumented(path: Path) -> list[str]:
    """Modules, public classes and public functions without a docstring, and functions without full annotations."""
    tree = parse(path)
    found = [] if ast.get_docstring(tree) else [f"{path}:1: module without a docstring"]
    found += [f"{path}:{node.lineno}: {fault}" for node, fault in _members(tree.body, public=True)]
    return found


def _members(body: list[ast.stmt], *, public: bool) -> Iterator[tuple[FUNCTIONS | ast.ClassDef, str]]:
    """Faults of the functions and classes of one block; what a function defines inside is its own business."""
    for node in body:
        if isinstance(node, ast.ClassDef | FUNCTIONS):
            shown = public and not node.name.startswith("_")
            if shown and not ast.get_docstring(node) and not _is_overload(node):
                yield node, f"{node.name} without a docstring"
        if isinstance(node, ast.ClassDef):
            yield from _members(node.body, public=public and not node.name.startswith("_"))
        elif isinstance(node, FUNCTIONS):
            missing = _unannotated(node)
            if missing:
                yield node, f"{node.name} without the type of {', '.join(missing)}"


def _is_overload(node: FUNCTIONS | ast.ClassDef) -> bool:
    return any(ast.unparse(each).endswith("overload") for each in node.decorator_list)


def _unannotated(function: FUNCTIONS) -> list[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
    missing = [each.arg for each in every if each.annotation is None and each.arg not in ("self", "cls")]
    return [*missing, *(["its result"] if function.returns is None else [])]
