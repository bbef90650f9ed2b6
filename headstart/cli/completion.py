"""Shell completion: verbs, options and values, by typer's own scripts for bash, zsh, fish and PowerShell.

The shell runs ``headstart`` with ``_HEADSTART_COMPLETE`` set whenever Tab is pressed. Only the verb that is being typed
is imported then; the others stand in the list by their summaries.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from headstart.base import discovery

VARIABLE = "_HEADSTART_COMPLETE"
OPTIONS = ("--install-completion", "--show-completion")


def wanted(words: Sequence[str]) -> bool:
    """True if a shell asks for completions, or a person for the completion itself."""
    return VARIABLE in os.environ or (bool(words) and words[0] in OPTIONS)


def answer(words: Sequence[str]) -> int:
    """Print what the shell asked for, or install or show its script.

    Args:
        words: what follows ``headstart``; a shell's question is in the environment instead.
    """
    if len(words) > 1:
        # typer takes the name of a shell only where it is told not to find it out by itself.
        os.environ["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    group = _group()
    try:
        group.main(args=list(words), prog_name="headstart", complete_var=VARIABLE)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _group() -> Any:
    """All verbs as one typer command; of those that are not being typed, the name and the summary."""
    import typer

    app = typer.Typer(add_completion=True, rich_markup_mode=None, pretty_exceptions_enable=False)
    typed = os.environ.get("COMP_WORDS", "") + " " + os.environ.get("_TYPER_COMPLETE_ARGS", "")
    for name, plugin in discovery.plugins("cli").items():
        main = plugin.load().main if name in typed.split() else _nothing
        app.command(name=name, help=plugin.summary)(main)
    app.callback()(_nothing)
    return typer.main.get_command(app)


def _nothing() -> None:
    """A verb that nobody is typing."""
