"""List pretrained networks, or show one with its numbered stages.

Without NAME and --search, those on this machine are listed. A stage's number or name is what fit --depth takes: the
stages up to it stay frozen. Nothing is downloaded.

Examples:

    headstart backbones
    headstart backbones --search resnet
    headstart backbones --search vit --local --json
    headstart backbones timm/resnet50.a1_in1k
    headstart backbones local:my-model/
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.base.errors import BadOption
from headstart.base.manifest import plain
from headstart.cli import options, tables, values
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.base.vocabulary import BackboneInfo


def main(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="One network, to be shown in detail.", autocompletion=values.backbones),
    ] = None,
    *,
    search: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Those whose name contains TEXT, on this machine or not.")
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Only those whose weights are on this machine.")] = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> int:
    """Parse, look up, print."""
    if name is not None and (search is not None or local):
        raise BadOption("NAME shows one network; --search and --local list many", expected="one of the two")
    from headstart.api import describe_backbone, list_backbones

    if name is not None:
        info = describe_backbone(name)
        if as_json:
            print(json.dumps(as_data(info), ensure_ascii=False))
        else:
            _show_one(info)
        return 0
    found = list_backbones(search or "")
    listed = [info for info in found if info.local] if local or search is None else found
    if as_json:
        print(json.dumps([as_data(info) for info in listed], ensure_ascii=False))
        return 0
    if listed or search is None:
        _show_many(listed)
    _show_rest(found, len(listed), search)
    return 0


def as_data(info: BackboneInfo) -> dict[str, Any]:
    """What is known of a network, as plain data."""
    return {
        "name": info.name,
        "architecture": info.architecture,
        "parameters": info.parameters or None,
        "size": info.preprocessing.size,
        "width": info.width or None,
        "stages": list(info.stages),
        "licence": info.licence,
        "source": info.source,
        "local": info.local,
        "prior": info.prior,
        "modality": info.modality,
        "preprocessing": plain(info.preprocessing.as_dict()),
    }


def _show_many(found: list[BackboneInfo]) -> None:
    if not found:
        print("None on this machine.")
        return
    rows = [
        (info.name, _parameters(info), str(info.preprocessing.size), info.licence, info.source, _here(info))
        for info in found
    ]
    tables.show(("Name", "Params", "Pixels", "Licence", "Source", "Here"), rows, right=(1, 2), fold=(4, 3, 0))


def _show_rest(found: list[BackboneInfo], shown: int, search: str | None) -> None:
    if search is not None:
        print(
            f"\n{shown:,} of {len(found):,} networks with {search!r} in their name"
            if found
            else f"No network has {printable(search)!r} in its name"
        )
        return
    others = Counter(info.name.split("/", 1)[0] for info in found if not info.local)
    if others:
        rest = ", ".join(f"{count:,} of {provider}" for provider, count in sorted(others.items()))
        print(f"\nNot on this machine: {rest}. Find them with --search TEXT; fit downloads what it is asked for.")


def _show_one(info: BackboneInfo) -> None:
    size = info.preprocessing
    rows = [
        ("Name", info.name),
        ("Architecture", info.architecture),
        ("Parameters", _parameters(info)),
        ("Features", str(info.width or "?")),
        ("Input", f"{size.size} x {size.size} pixels, {size.interpolation}, centre crop {size.crop:g}"),
        ("Licence", info.licence),
        ("Pretrained on", info.source),
        ("On this machine", _here(info)),
    ]
    if info.prior is not None:
        rows.append(("Upstream accuracy", f"{info.prior:.1f} %"))
    for title, value in rows:
        print(f"{title + ':':<19}{printable(value)}")
    if info.stages:
        print("\nStages, for --depth (those up to it stay frozen):")
        for number, stage in enumerate(info.stages, start=1):
            print(f"  {number:>2}  {printable(stage)}")


def _parameters(info: BackboneInfo) -> str:
    return tables.count(info.parameters) if info.parameters else "?"


def _here(info: BackboneInfo) -> str:
    return "yes" if info.local else "no"
