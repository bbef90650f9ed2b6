"""How a command ends badly: plain words for errors that were foreseen, a log file for those that were not."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart.base import log
from headstart.base.errors import HeadstartError, Interrupted, UnknownName, UsageError
from headstart.base.machine import cache_folder
from headstart.data.printable import printable


def told(error: BaseException, words: Sequence[str]) -> int:
    """Tell the user how the command ended; the exit code.

    Args:
        error: whatever came out of the verb.
        words: the command's arguments, which say how to tell it (``--json``, ``--verbose``).
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, BrokenPipeError):
        _silence()
        return 1
    if isinstance(error, KeyboardInterrupt):
        error = _interrupted(words)
    ended = _typer_code(error)
    if ended is not None:
        return ended
    foreseen = error if isinstance(error, HeadstartError) else _usage(error)
    try:
        if foreseen is None:
            return _crashed(error, words)
        _tell(str(foreseen) + _where_logged(error), foreseen.as_dict(), words)
        if "--verbose" in words and foreseen.__cause__ is not None:
            traceback.print_exception(foreseen.__cause__)
        return foreseen.exit_code
    except BrokenPipeError:
        _silence()
        return 1


def _tell(text: str, data: dict[str, Any], words: Sequence[str]) -> None:
    if "--json" in words:
        print(json.dumps(data, ensure_ascii=False), flush=True)
        return
    shown = "\n".join(printable(line) for line in text.split("\n"))
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    print(("\x1b[31mError:\x1b[0m " if colour else "Error: ") + shown, file=sys.stderr, flush=True)


def _interrupted(words: Sequence[str]) -> HeadstartError:
    if words and words[0] in ("fit", "pretrain"):
        kept = [word for word in words if word not in ("--overwrite", "--resume")]
        again = shlex.join(["headstart", *kept, "--resume"])
        return HeadstartError(
            "Stopped; what was computed is saved",
            next_move=f"{again} (without its last word, if the output folder was not begun yet)",
        )
    return HeadstartError("Stopped")


def _typer_code(error: BaseException) -> int | None:
    """The exit code of typer's own endings; None for anything else."""
    if "typer" not in sys.modules:
        return None
    import typer

    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    return 1 if isinstance(error, typer.Abort) else None


def _usage(error: BaseException) -> UsageError | None:
    """A parsing error of typer in our words; None for anything else."""
    if "typer" not in sys.modules:
        return None
    import typer

    parsing: Any = typer.BadParameter.__bases__[0]
    if not isinstance(error, parsing):
        return None
    context = getattr(error, "ctx", None)
    help_move = f"{context.command_path} --help" if context is not None else "headstart --help"
    name = getattr(error, "option_name", None)
    if name and hasattr(error, "possibilities"):
        known = [text for each in context.command.get_params(context) for text in each.opts] if context else []
        return UnknownName("option", name, [each for each in known if each.startswith("-")], next_move=help_move)
    return UsageError(error.format_message().rstrip("."), next_move=help_move)


def _where_logged(error: BaseException) -> str:
    """A last line that names the log of a job that failed; "" for one that was stopped, or that has no log yet."""
    recorder = log.left_by(error)
    if recorder is None or recorder.path is None or isinstance(error, Interrupted):
        return ""
    return f"\nLog: {recorder.path}"


def _crashed(error: BaseException, words: Sequence[str]) -> int:
    recorder = log.left_by(error)
    trace = "".join(traceback.format_exception(error))
    what = f"headstart failed unexpectedly: {type(error).__name__}: {error}".split("\n", 1)[0]
    kept = recorder.path if recorder is not None and recorder.path is not None else _write_log(trace, words, recorder)
    text = what + (f"\nThe full traceback is in {kept}; please attach it to a bug report" if kept else f"\n{trace}")
    if "--verbose" in words:
        print(trace, file=sys.stderr)
    _tell(text, {"error": type(error).__name__, "what": what, "log": str(kept or "")}, words)
    return 1


def _write_log(trace: str, words: Sequence[str], recorder: log.Recorder | None) -> Path | None:
    """The log of a job without a run directory, or of a verb that keeps none."""
    recorder = recorder or log.Recorder()
    if not recorder.lines:
        for line in log.header():
            recorder.write(line)
        recorder.write(trace)
    text = "\n".join([recorder.masked(f"headstart {shlex.join(words)}"), "", *recorder.lines, ""])
    name = time.strftime(f"crash-%Y%m%d-%H%M%S-{os.getpid()}.log")
    for folder in (cache_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return path
    return None


def _silence() -> None:
    """Nobody reads the output any more; keep Python from complaining about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
