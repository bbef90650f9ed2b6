"""See what the store of computed features holds, and make room.

ACTION is ls or prune. What is in the store can always be computed again; fit itself lets go of what was not used for
30 days. The caches of the model hubs are shown for their size only: they belong to those libraries.

Examples:

    headstart cache ls
    headstart cache prune --older-than 7d
    headstart cache prune --down-to 2GB --yes
    headstart cache prune --all --yes
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from headstart.base.errors import BadOption, UnknownName
from headstart.base.machine import cache_folder
from headstart.cli import options, tables, values
from headstart.data.printable import count, printable
from headstart.features import shelves
from headstart.features.shelves import Held

ACTIONS = ("ls", "prune")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_SIZES = {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "b": 1.0}


def main(
    action: Annotated[
        str, typer.Argument(metavar="ACTION", help="ls or prune.", autocompletion=values.among(ACTIONS))
    ] = "ls",
    *,
    older_than: Annotated[
        str | None, typer.Option(metavar="TIME", help="prune: what was not used for so long, as 12h, 7d or 4w.")
    ] = None,
    down_to: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="prune: what was unused for longest, until SIZE is left, as 500MB or 2GB."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="prune: everything.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="prune: remove without asking.")] = False,
    as_json: options.Json = False,
) -> int:
    """Parse, list or remove, print."""
    if action not in ACTIONS:
        raise UnknownName("action", action, ACTIONS, next_move="headstart cache --help")
    criteria = (older_than is not None) + (down_to is not None) + everything
    if action == "ls":
        if criteria or yes:
            raise BadOption("ls only lists", expected="headstart cache prune with these options")
        return _list(as_json=as_json)
    if criteria != 1:
        raise BadOption("What should be removed?", expected="one of --older-than TIME, --down-to SIZE and --all")
    age = None if older_than is None else _read(older_than, _UNITS, "--older-than", "a time such as 12h, 7d or 4w")
    size = None if down_to is None else _read(down_to, _SIZES, "--down-to", "a size such as 500MB or 2GB")
    found = shelves.held()
    going = shelves.chosen(found, older_than=age, down_to=None if size is None else int(size), everything=everything)
    return _prune(found, going, yes=yes, as_json=as_json)


def _list(*, as_json: bool) -> int:
    found, others = shelves.held(), dict(_others())
    total = sum(one.bytes for one in found)
    if as_json:
        rows = [one.as_dict() for one in found]
        print(json.dumps({"folder": str(cache_folder()), "bytes": total, "shelves": rows, "others": others}))
        return 0
    print(
        f"{printable(str(cache_folder() / 'store'))}: {tables.size(total)} in {count(len(found), 'shelf', 'shelves')}"
    )
    if found:
        print()
        _table(found)
        print("\nMake room: headstart cache prune --older-than 7d (or --down-to 2GB, or --all)")
    if others:
        print("\nNot headstart's, and left alone:")
        for name, size in others.items():
            print(f"  {tables.size(size):>9}  {printable(name)}")
    return 0


def _table(found: list[Held]) -> None:
    now = time.time()
    rows = [
        (
            _what(one),
            one.data or "?",
            one.backbone or ("any" if one.what == "pixels" else "?"),
            f"{one.items:,}",
            tables.size(one.bytes),
            _ago(now - one.used),
        )
        for one in found
    ]
    tables.show(("What", "Data", "Backbone", "Items", "Size", "Last used"), rows, right=(3, 4), fold=(1, 2, 0))


def _what(one: Held) -> str:
    where = f" after stage {one.stage}" if one.stage else f", {one.size} pixels" if one.size else ""
    return one.what + where


def _prune(found: list[Held], going: list[Held], *, yes: bool, as_json: bool) -> int:
    freed = sum(one.bytes for one in going)
    if going and not yes:
        if not as_json:
            _table(going)
            print()
        if not sys.stdin.isatty() or as_json:
            text = (
                f"{count(len(going), 'shelf', 'shelves')}, {tables.size(freed)}, would be removed; --yes removes them"
            )
            print(json.dumps({"removed": 0, "would_free": freed, "shelves": len(going)}) if as_json else text)
            return 0
        if not typer.confirm(f"Remove {count(len(going), 'shelf', 'shelves')}, {tables.size(freed)}?"):
            print("Nothing was removed.")
            return 0
    removed = sum(shelves.remove(one) for one in going)
    left = sum(one.bytes for one in found) - removed
    if as_json:
        print(json.dumps({"removed": removed, "shelves": len(going), "left": left}))
    else:
        print(f"Removed {count(len(going), 'shelf', 'shelves')}, {tables.size(removed)}; {tables.size(left)} are left.")
    return 0


def _others() -> Iterator[tuple[str, int]]:
    """Folders in which other libraries keep downloaded weights, and what they take."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    hub = os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or home / "huggingface") / "hub"
    torch = Path(os.environ.get("TORCH_HOME") or home / "torch") / "hub" / "checkpoints"
    for folder in (Path(hub).expanduser(), torch.expanduser()):
        if folder.is_dir():
            yield str(folder), sum(_bytes(path) for path in folder.rglob("*"))


def _bytes(path: Path) -> int:
    try:
        return 0 if path.is_symlink() or not path.is_file() else path.stat().st_size
    except OSError:
        return 0


def _ago(seconds: float) -> str:
    """A length of time in its largest unit; nobody needs it to the second."""
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            return f"{count(int(seconds // unit), name)} ago"
    return "just now"


def _read(text: str, units: dict[str, float], option: str, expected: str) -> float:
    """A number with a unit.

    Raises:
        BadOption: for anything else.
    """
    plain = text.strip().lower()
    unit = next((each for each in units if plain.endswith(each)), "")
    try:
        number = float(plain.removesuffix(unit)) if unit else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise BadOption(f"{option} cannot be {text!r}", expected=expected)
    return number * units[unit]
