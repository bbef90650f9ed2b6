"""List pretrained networks, show one with its numbered stages, or pack some for a machine without a network.

Without NAME and --search, those on this machine are listed. A stage's number or name is what fit --depth takes: the
stages up to it stay frozen. Only pack downloads weights. Besides those listed, any network for pictures or texts on the
Hugging Face hub can be named: hf/OWNER/NAME, and st/OWNER/NAME for a sentence encoder.

Examples:

    headstart backbones
    headstart backbones --search resnet
    headstart backbones --search vit --local --json
    headstart backbones timm/resnet50.a1_in1k
    headstart backbones st/all-MiniLM-L6-v2
    headstart backbones local:my-model/
    headstart backbones pack timm/resnet50 hf/facebook/dinov2-small -o bundle
    headstart backbones --from bundle
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.base.errors import BadOption
from headstart.base.manifest import plain
from headstart.cli import options, tables, values
from headstart.cli.reporting import watching
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.base.vocabulary import BackboneInfo

PACK = "pack"


def main(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="One network to be shown; or pack, and those to be packed.",
            autocompletion=values.backbones,
        ),
    ] = None,
    *,
    search: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Those whose name contains TEXT, on this machine or not.")
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Only those whose weights are on this machine.")] = False,
    bundle: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Those in a bundle that pack wrote.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Of pack: a new folder, or a bundle to add to.")
    ] = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> int:
    """Parse, look up or pack, print."""
    words = words or []
    packing = words[:1] == [PACK]
    if packing != (output is not None):
        expected = "headstart backbones pack NAME... -o DIR"
        raise BadOption("pack needs -o DIR" if packing else "-o DIR belongs to pack", expected=expected)
    if len(words) > 1 and not packing:
        raise BadOption("One network is shown at a time", expected="headstart backbones NAME, or pack NAME... -o DIR")
    if words and (search is not None or local):
        raise BadOption("NAME shows one network; --search and --local list many", expected="one of the two")
    if packing and output is not None:
        if bundle is not None:
            raise BadOption("pack takes no --from", expected="the names of what is packed")
        return _pack(words[1:], output, quiet=quiet, verbose=verbose, as_json=as_json)
    from headstart.api.backbones import describe_backbone, list_backbones

    if words:
        info = describe_backbone(words[0], backbones_from=bundle)
        if as_json:
            print(json.dumps(as_data(info), ensure_ascii=False))
        else:
            _show_one(info)
        return 0
    found = list_backbones(search or "", backbones_from=bundle)
    listed = [info for info in found if info.local] if local or search is None else found
    if as_json:
        print(json.dumps([as_data(info) for info in listed], ensure_ascii=False))
        return 0
    if listed or search is None:
        _show_many(listed)
    _show_rest(found, len(listed), search)
    return 0


def _pack(names: list[str], output: Path, *, quiet: bool, verbose: bool, as_json: bool) -> int:
    from headstart.api.backbones import pack_backbones

    with watching(quiet=quiet, verbose=verbose) as report:
        held = pack_backbones(names, output, report=report)
    size = sum(file.stat().st_size for file in output.expanduser().rglob("*") if file.is_file())
    if as_json:
        print(json.dumps({"folder": str(output), "bytes": size, "backbones": [as_data(info) for info in held]}))
        return 0
    _show_many(held)
    print(f"\n{printable(str(output))} holds {len(held)}, {size / 1e6:,.1f} MB. Copy it, and name it there:")
    print(f"  headstart fit SOURCE --backbone {held[0].name} --from {printable(str(output))}")
    return 0


def as_data(info: BackboneInfo) -> dict[str, Any]:
    """What is known of a network, as plain data."""
    return {
        "name": info.name,
        "architecture": info.architecture,
        "parameters": info.parameters or None,
        "multiply_adds": info.flops or None,
        "size": info.preprocessing.size,
        "width": info.width or None,
        "stages": list(info.stages),
        "stage_multiply_adds": list(info.stage_flops),
        "licence": info.licence,
        "source": info.source,
        "local": info.local,
        "prior": info.prior,
        "modality": info.modality,
        "notes": list(info.notes),
        "preprocessing": plain(info.preprocessing.as_dict()),
    }


def _show_many(found: list[BackboneInfo]) -> None:
    if not found:
        print("None on this machine.")
        return
    rows = [
        (
            info.name,
            _parameters(info),
            _cost(info),
            info.modality,
            info.preprocessing.short,
            info.licence,
            info.source,
            _here(info),
        )
        for info in found
    ]
    heads = ("Name", "Params", "Mult-adds", "Reads", "Input", "Licence", "Source", "Here")
    # Size and cost are known of networks that were built here before: where there is no room, they go first.
    tight = tables.natural_width(heads, rows) > tables.room()
    known = [sum(row[index] != "?" for row in rows) for index in range(len(heads))]
    hidden = {2} if tight or not known[2] else set()
    hidden |= {1} if tight and known[1] < len(rows) / 2 else set()
    # What all have in common needs no column.
    hidden |= {3} if len({info.modality for info in found}) == 1 else set()
    shown = [index for index in range(len(heads)) if index not in hidden]
    tables.show(
        [heads[index] for index in shown],
        [[row[index] for index in shown] for row in rows],
        right=[shown.index(index) for index in (1, 2, 4) if index in shown],
        fold=[shown.index(index) for index in (6, 5, 0)],
    )


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
    from headstart.backbones import licences

    rows = [
        ("Name", info.name),
        ("Architecture", info.architecture),
        ("Parameters", _parameters(info)),
        ("Multiply-adds", f"{_cost(info)} for one input of that size"),
        ("Features", f"{info.width or '?'} after the last stage; what earlier stages give is pooled"),
        ("Input", info.preprocessing.words),
        ("Licence", info.licence),
        ("Pretrained on", info.source),
        ("On this machine", _here(info)),
    ]
    if info.prior is not None:
        rows.append(("Upstream accuracy", f"{info.prior:.1f} %"))
    for title, value in rows:
        print(f"{title + ':':<19}{printable(value)}")
    if info.stages:
        print("\nStages, for --depth (those up to it stay frozen), and their share of the multiply-adds:")
        shares = [f"{cost / info.flops:>5.1%}" for cost in info.stage_flops] if info.flops else [""] * len(info.stages)
        wide = max(len(printable(stage)) for stage in info.stages)
        for number, (stage, share) in enumerate(zip(info.stages, shares, strict=True), start=1):
            print(f"  {number:>2}  {printable(stage):<{wide}}  {share}".rstrip())
    for note in info.notes:
        print(f"\n{tables.wrapped(printable(note))}")
    if warning := licences.warning(info):
        print(f"\n{tables.wrapped(printable(warning))}")


def _parameters(info: BackboneInfo) -> str:
    return tables.count(info.parameters) if info.parameters else "?"


def _cost(info: BackboneInfo) -> str:
    return tables.count(info.flops) if info.flops else "?"


def _here(info: BackboneInfo) -> str:
    return "yes" if info.local else "no"
