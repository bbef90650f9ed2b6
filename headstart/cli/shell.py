"""What happens around a verb: finding it, parsing its words, and turning every ending into an exit code.

A verb is a file of this folder that defines ``main``. Its module docstring is its help, in which indented paragraphs
(examples) keep their lines; the parameters of ``main`` are its arguments and options, declared with typer. Only the
verb that is called is imported.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from headstart.base import discovery
from headstart.base.errors import UnknownName
from headstart.cli import completion, failures

WIDTH = 79
"""Columns of help and of tables that go to no terminal."""


def run(words: Sequence[str] | None = None) -> int:
    """The console entry point.

    Args:
        words: what follows ``headstart``; the process's own arguments where None.

    Returns:
        The exit code: 0 done, 1 the job failed, 2 the call was wrong.
    """
    words = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        # A file name may hold bytes that are no text; showing it must not end the job.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except BaseException as error:
        return failures.told(error, words)


def _dispatch(words: list[str]) -> int:
    if completion.wanted(words):
        return completion.answer(words)
    if not words or words[0] in ("-h", "--help") or words == ["help"]:
        print(overview())
        return 0
    if words[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"headstart {version('headstart')}")
        return 0
    if words[0] == "help":
        words = [words[1], "--help"]
    verbs = discovery.plugins("cli")
    if words[0] not in verbs:
        kind, known = (
            ("option", ["--help", "--version", *completion.OPTIONS])
            if words[0].startswith("-")
            else ("verb", list(verbs))
        )
        raise UnknownName(kind, words[0], known, next_move="headstart --help")
    return _call(verbs[words[0]].load(), words[0], words[1:])


def overview() -> str:
    """The text of ``headstart --help``."""
    verbs = discovery.plugins("cli")
    wide = max(map(len, verbs), default=0)
    lines = [f"  {name:<{wide}}  {plugin.summary}" for name, plugin in verbs.items()]
    return _OVERVIEW.format(verbs="\n".join(lines))


def command(module: ModuleType, verb: str) -> Any:
    """The typer command of a verb's module."""
    import typer

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    settings = {"help_option_names": ["-h", "--help"], "max_content_width": WIDTH}
    app.command(name=verb, help=_help(module), context_settings=settings)(module.main)
    return typer.main.get_command(app)


def _call(module: ModuleType, verb: str, words: list[str]) -> int:
    called = command(module, verb)
    # Not .main(): it turns Ctrl-C and broken pipes into endings of its own.
    with called.make_context(f"headstart {verb}", list(words)) as context:
        return int(called.invoke(context) or 0)


def _help(module: ModuleType) -> str:
    paragraphs = inspect.getdoc(module) or ""
    kept = [f"\b\n{each}" if each.startswith("    ") else each for each in paragraphs.split("\n\n")]
    return "\n\n".join(kept)


_OVERVIEW = """\
Usage: headstart VERB [ARGUMENTS] [OPTIONS]

Transfer learning that computes the frozen part once, decides everything else on
evidence, and tells you plainly whether the transfer helped.

Verbs:
{verbs}

Options:
  --version   Print the version.
  -h, --help  This text; headstart VERB --help shows a verb's own, with examples.
  --install-completion [SHELL], --show-completion [SHELL]
              Let Tab complete verbs, options, strategies, backbones and models;
              bash, zsh, fish or powershell, or the shell this is typed in.

Examples:
  headstart fit photos/ -o flowers      a folder with one subfolder a class
  headstart fit reviews.csv -o stars    a table of texts and labels
  headstart predict flowers new/        label, confidence for every picture in new/
  headstart evaluate flowers test/      scores with intervals on labelled items

Exit codes: 0 done, 1 the job failed or was stopped, 2 the call was wrong."""
