"""Look at a data set before anything is trained: what is wrong with it, how much, and what to do.

SOURCE is what fit takes. Every item is read once; nothing is written and nothing is downloaded. With --backbone the
items are also compared with what that network reads. Findings are no failure: the exit code is 0, unless --strict is
given and a finding is serious. Of a model that fit wrote, the findings of its run are shown instead.

Examples:

    headstart inspect photos/
    headstart inspect photos/ --backbone embedded/resnet10-procedural
    headstart inspect labels.csv --label species --json
    headstart inspect tags.csv --label rain,snow
    headstart inspect photos/ --strict
    headstart inspect flowers
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.base.manifest import plain
from headstart.cli import options, tables, values
from headstart.cli.reporting import watching
from headstart.data import labels
from headstart.data.printable import count, listing, printable

if TYPE_CHECKING:
    from headstart.base.vocabulary import Finding, Inspected

_COLOURS = {"serious": "31", "warning": "33", "info": "36"}
_SHOWN = 3


def main(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder or a table of labelled pictures or texts, or a model.")
    ],
    *,
    backbone: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Compare with this network (see headstart backbones).", autocompletion=values.backbones
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a finding is serious.")] = False,
    task: options.Task = "auto",
    seed: options.Seed = 0,
    label: options.Label = None,
    path: options.PathColumn = None,
    text: options.TextColumn = None,
    group: options.Group = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
) -> int:
    """Parse, inspect, print."""
    from headstart.api.diagnosing import findings, is_fitted
    from headstart.api.inspecting import inspect

    if is_fitted(source):
        return _show_run(findings(source), as_json=as_json, strict=strict, verbose=verbose)
    with watching(quiet=quiet or as_json, verbose=verbose, progress=progress) as report:
        found = inspect(
            source,
            backbone=backbone,
            task=task,
            seed=seed,
            label=label,
            path=path,
            text=text,
            group=group,
            report=report,
        )
    if as_json:
        print(json.dumps(plain(found.as_dict()), ensure_ascii=False))
    else:
        _show(found, verbose=verbose)
    return int(strict and any(finding.severity == "serious" for finding in found.findings))


def _show(found: Inspected, *, verbose: bool) -> None:
    print(tables.wrapped(printable(found.understood)))
    print(tables.wrapped(printable(labels.chosen(found.task, found.why))))
    if found.about:
        one = found.modality.removesuffix("s")
        print(tables.wrapped(printable(f"{count(found.items, one, found.modality)} {found.about}")))
    if found.parts:
        parts = ", ".join(f"{size:,} {part}" for part, size in found.parts.items() if size)
        how = "cross-validated in 5 folds" if found.cross_validated else "one split"
        print(tables.wrapped(f"fit would use {parts}; {how}"))
    for note in found.notes:
        print(tables.wrapped(f"Note: {printable(note)}", indent="  "))
    print()
    _show_findings(found.findings, verbose=verbose)


def _show_run(found: Sequence[Finding], *, as_json: bool, strict: bool, verbose: bool) -> int:
    if as_json:
        print(json.dumps({"findings": plain([asdict(each) for each in found])}, ensure_ascii=False))
    else:
        _show_findings(found, verbose=verbose)
    return int(strict and any(finding.severity == "serious" for finding in found))


def _show_findings(found: Sequence[Finding], *, verbose: bool) -> None:
    if not found:
        print("Nothing was found that needs attention.")
        return
    print(f"{count(len(found), 'finding')}, the most serious first:")
    for finding in found:
        print()
        _show_one(finding, verbose=verbose)


def _show_one(finding: Finding, *, verbose: bool) -> None:
    print(f"{tables.coloured(finding.severity.upper(), _COLOURS[finding.severity])}  {finding.name.replace('_', ' ')}")
    print(tables.wrapped(printable(f"  {finding.sentence}."), indent="  "))
    if finding.next_move:
        print(tables.wrapped(printable(f"  Next: {finding.next_move}"), indent="    "))
    names = _names(finding)
    if names:
        shown = names if verbose else [listing(names, _SHOWN)]
        for line in shown:
            print(tables.wrapped(printable(f"  See: {line}"), indent="    "))


def _names(finding: Finding) -> list[str]:
    """The items that a finding lists: names, or sets of names that belong together."""
    found: list[Any] = []
    for value in finding.evidence.values():
        if isinstance(value, list | tuple):
            found = list(value)
            break
    names = []
    for one in found:
        if isinstance(one, dict):
            one = one.get("where", "")
        names.append(" = ".join(map(str, one)) if isinstance(one, list | tuple) else str(one))
    return names
