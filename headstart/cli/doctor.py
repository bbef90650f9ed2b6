"""Check this machine: versions, processor, memory, disk, cache, hub, extras, shipped weights.

Nothing is installed, downloaded or sent. A problem is shown with what mends it; the exit code is 1 if something is
broken, and 0 if headstart works, if only without a network or a GPU.

Examples:

    headstart doctor
    headstart doctor --json > doctor.json
"""

from __future__ import annotations

import json

from headstart.cli import options, tables
from headstart.data.printable import printable
from headstart.diagnose import health
from headstart.diagnose.health import Check

_MARKS = {"good": ("ok", "32"), "warning": ("!", "33"), "broken": ("X", "31")}


def main(*, as_json: options.Json = False) -> int:
    """Check, print."""
    found: list[Check] = []
    for check in health.checks():
        found.append(check)
        if not as_json:
            _show(check)
    broken = [check for check in found if check.state == "broken"]
    if as_json:
        print(json.dumps({"ok": not broken, "checks": [check.as_dict() for check in found]}, ensure_ascii=False))
    elif broken:
        print(f"\nBroken: {', '.join(check.name for check in broken)}.")
    else:
        print("\nheadstart can work here.")
    return int(bool(broken))


def _show(check: Check) -> None:
    mark, colour = _MARKS[check.state]
    text = tables.wrapped(printable(f"{mark:<3} {check.name}: {check.said}"), indent="    ")
    print(tables.coloured(mark, colour) + text[len(mark) :], flush=True)
    if check.next_move:
        print(tables.wrapped(printable(f"    Next: {check.next_move}"), indent="      "))
