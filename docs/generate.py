"""Write the pages that are made from the code: every verb's help, and the index of plug-ins.

python docs/generate.py            write docs/cli.md, docs/plugins.md, and the pages of measurements
python docs/generate.py --check    write nothing; exit code 1 if they differ from the code
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from headstart.base.discovery import CONTRACTS, Plugin, options, plugins
from headstart.cli import shell
from headstart.features.frozen import Augmentation

DOCS = Path(__file__).parent

README = DOCS.parent / "README.md"
PACKAGE = DOCS.parent / "headstart"

TREE = (
    *("__init__.py", "__main__.py", "api", "estimators", "studio"),
    *(
        "cli",
        "choose",
        "diagnose",
        "ship",
        "track",
        "engine",
        "rank",
        "tune",
        "baselines",
        "adapt",
        "pretrain",
        "features",
    ),
    *("data", "tasks", "backbones", "measure", "base"),
)
"""What lies in the package, from the top row down."""

KINDS = {
    "adapt": "Adaptation methods",
    "backbones": "Model providers",
    "baselines": "Baselines",
    "cli": "Commands",
    "data": "Modalities",
    "data.sources": "Data sources",
    "diagnose": "Diagnoses",
    "pretrain": "Ways to make a source model",
    "rank": "Transferability scores",
    "ship": "Exports",
    "ship.panels": "Panels of the report",
    "tasks": "Tasks",
    "track": "Trackers",
    "tune": "Strategies",
}
"""What the plug-ins of a room are called; a room that is missing here goes by its own name."""

NOTE = "<!-- Made from the code by `make docs`; edit the code instead. -->"


def pages() -> dict[Path, str]:
    """The generated pages and what they should say."""
    measured = _beside("measured")
    made = {"cli.md": command_line(), "plugins.md": index()}
    made |= {"recipes.md": measured.recipes(), "serving.md": measured.serving()}
    made["decision.md"] = _beside("decision").page()
    made["ranking.md"] = _beside("rankings").page()
    made["text-measured.md"] = _beside("texts").page()
    made["unfamiliar.md"] = _beside("unfamiliar").page()
    return {**{DOCS / name: text for name, text in made.items()}, README: readme()}


def _beside(name: str) -> ModuleType:
    """The script of that name in this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{name}.py is missing beside {__file__}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def readme() -> str:
    """The README with the tree as it is."""
    text = README.read_text(encoding="utf-8")
    whole = f"<!-- tree:begin -->\n\n{_fenced(tree())}\n\n<!-- tree:end -->"
    return re.sub("<!-- tree:begin -->.*<!-- tree:end -->", lambda _: whole, text, flags=re.DOTALL)


def tree() -> str:
    """The package, one line an entry, in the words of its own docstring."""
    found = {path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    if found != set(TREE):
        raise SystemExit(f"{', '.join(sorted(found ^ set(TREE)))}: in the package or in TREE, but not in both")
    lines = ["headstart/"]
    for name in TREE:
        path = PACKAGE / name
        shown = name if path.is_file() else f"{name}/"
        lines.append(f"  {shown:<13}{_summary(path if path.is_file() else path / '__init__.py')}")
    return "\n".join(lines)


def _summary(path: Path) -> str:
    if path == PACKAGE / "__init__.py":
        return "The public names, sorted, and fetched when they are first asked for."
    first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n", 1)[0]
    alone = path.name == "__init__.py" and not any(other != path for other in path.parent.rglob("*.py"))
    return first.replace("``", "`") + (" (Empty so far.)" if alone else "")


def command_line() -> str:
    """The overview, and each verb's help, arguments and options.

    From the declarations, not from what ``--help`` prints: the layout of that changes with the version of typer.
    """
    parts = [NOTE, "# The command line", _fenced(shell.overview())]
    for verb, plugin in plugins("cli").items():
        if _is_ours(plugin):
            parts += [f"## headstart {verb}", *_help(plugin.load(), verb)]
    return "\n\n".join(parts) + "\n"


def _help(module: ModuleType, verb: str) -> Iterator[str]:
    for paragraph in (inspect.getdoc(module) or "").split("\n\n"):
        yield _fenced(inspect.cleandoc(paragraph), "sh") if paragraph.startswith("    ") else paragraph
    parameters = shell.command(module, verb).params
    yield "\n".join(f"- {_spelt(each)}: {each.help}{_default(each)}" for each in parameters)


def _spelt(parameter: Any) -> str:
    takes = f" {parameter.metavar}" if parameter.metavar else ""
    if parameter.opts[0].startswith("-"):
        return f"`{', '.join(parameter.opts)}{takes}`"
    return f"`{takes.strip() or parameter.opts[0].upper()}`"


def _default(parameter: Any) -> str:
    if parameter.default is None or parameter.default is False or not parameter.opts[0].startswith("-"):
        return ""
    return f" Default: {parameter.default}."


def index() -> str:
    """Every plug-in of every room that has any, with its options."""
    parts = [NOTE, "# Plug-ins", "A file is a plug-in; [CONTRIBUTING.md](../CONTRIBUTING.md) shows how to add one."]
    for room in CONTRACTS:
        found = [plugin for plugin in plugins(room).values() if _is_ours(plugin)]
        if found:
            parts.append(f"## {KINDS.get(room, room)} (`headstart/{room.replace('.', '/')}/`)")
            parts.append("\n".join(_entry(plugin) for plugin in found))
        if room == "tune":
            parts += ["## Training views, for every strategy that trains by steps (`augmentation.NAME`)", _views()]
    return "\n\n".join(parts) + "\n"


def _entry(plugin: Plugin) -> str:
    lines = [f"- **{plugin.name}**: {plugin.summary}"]
    if plugin.room != "cli":
        main = getattr(plugin.load(), CONTRACTS[plugin.room][0])
        given = [each for each in options(main).values() if _is_plain(each.type)]
        lines += [f"  - `{each.name}`: {_type(each.type)}, {each.default!r}" for each in given]
    return "\n".join(lines)


def _views() -> str:
    said = dict(re.findall(r"^    (\w+): (.+)$", inspect.getdoc(Augmentation) or "", flags=re.MULTILINE))
    given = options(Augmentation).values()
    return "\n".join(f"- `{each.name}`: {_type(each.type)}, {each.default!r}: {said[each.name]}" for each in given)


def _is_plain(kind: Any) -> bool:
    """Whether it can be set by text; what a room hands in from inside, such as a reporter, cannot."""
    return all(each in (bool, int, float, str, type(None)) for each in get_args(kind) or (kind,))


def _type(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")


def _is_ours(plugin: Plugin) -> bool:
    # Whatever else is installed on the machine that runs this must not get into the pages.
    return plugin.module.startswith("headstart.")


def _fenced(text: str, language: str = "text") -> str:
    return f"```{language}\n{text}\n```"


def stale() -> Iterator[Path]:
    """Generated pages that do not say what the code says."""
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield path


def main() -> int:
    """Write the pages, or only compare them."""
    if "--check" in sys.argv[1:]:
        wrong = [str(path) for path in stale()]
        print("\n".join(f"{path} is not what the code says; run make docs" for path in wrong) or "Pages are up to date")
        return 1 if wrong else 0
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"Wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
