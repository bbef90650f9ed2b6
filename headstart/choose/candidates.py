"""Which pretrained networks are compared: those the user names, a family, those on this machine, or a usual choice.

What is here costs nothing to look at; what the hub has is worth a download only where it is named, or is one of the
few that stand for the usual kinds of network. The cheapest come first, so that a short budget compares something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart.backbones import bundle as bundles
from headstart.backbones import catalogue, cost, usual
from headstart.base.errors import BadOption, UnknownName, WeightsError
from headstart.base.vocabulary import BackboneInfo

MOST = 12
"""Networks that are compared unless they are named one by one."""
_TYPICAL = 25_000_000
"""Parameters that a network is taken to have before it was ever built here."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network that may be compared.

    Attributes:
        name: as the user or the catalogue calls it.
        info: what is known of it; None where even that cannot be had.
        why_not: the reason, if so.
        asked: False for one that nobody named and that is not on this machine: it may be missing without harm.
    """

    name: str
    info: BackboneInfo | None
    why_not: str = ""
    asked: bool = True

    @property
    def effort(self) -> float:
        """About what one item costs, to order by."""
        if self.info is None:
            return 0.0
        return self.info.flops or (self.info.parameters or _TYPICAL) * self.info.preprocessing.size**2 / 1000


def find(
    names: Sequence[str] = (),
    *,
    family: str = "",
    all_local: bool = False,
    bundle: Path | None = None,
    modality: str = "images",
) -> tuple[list[Candidate], list[str]]:
    """The candidates, the cheapest first, and what is to be said of how they were found.

    Args:
        names: full names, or ``local:PATH``.
        family: instead of names: part of a name, such as "resnet".
        all_local: instead of both: everything whose weights are on this machine (or in the bundle).
        bundle: folder of packed backbones; with one, nothing is downloaded.
        modality: what the networks have to read, where they are not named one by one.

    Raises:
        BadOption: more than one of the three ways.
        UnknownName: a name that nothing answers to, or a family without a member.
    """
    check(names, family=family, all_local=all_local, bundle=bundle)
    notes: list[str] = []
    if names:
        wanted: list[str] = list(names)
    elif family:
        wanted = _family(family, bundle, modality, notes)
    else:
        here = [info.name for info in _reading(modality, "", bundle) if info.local]
        wanted = here if all_local else _usual(here, bundle, modality, notes)
    asked = bool(names) or bool(family) or all_local
    found = [_described(name, bundle, asked=asked) for name in dict.fromkeys(wanted)]
    return sorted(found, key=lambda one: one.effort), notes


def check(names: Sequence[str] = (), *, family: str = "", all_local: bool = False, bundle: Path | None = None) -> None:
    """Refuse what no data set could make right, before any is opened.

    Raises:
        BadOption, UnknownName: as ``find``.
    """
    if bool(names) + bool(family.strip()) + all_local > 1:
        raise BadOption(
            "--backbones, --family and --all-local exclude each other",
            expected="one of them, or none for a usual choice",
        )
    for name in names:
        _described(name, bundle, asked=True)
    if family and not catalogue.search(family, bundle=bundle):
        raise _no_family(family)


def _no_family(text: str) -> UnknownName:
    return UnknownName("family of backbones", text, [], next_move="headstart backbones --search TEXT")


def reputation(info: BackboneInfo) -> tuple[bool, float, int]:
    """What is believed of a network before it has seen an item, higher is better.

    Its published accuracy; where there is none, its size, and behind every network that has one.
    """
    return info.prior is not None, info.prior or 0.0, info.parameters


def _described(name: str, bundle: Path | None, *, asked: bool) -> Candidate:
    try:
        (info,) = cost.known([catalogue.describe(name, bundle=bundle)])
    except WeightsError as error:
        return Candidate(name, None, error.what)
    return Candidate(name, info, asked=asked or info.local)


def _reading(modality: str, text: str, bundle: Path | None) -> list[BackboneInfo]:
    return [info for info in catalogue.search(text, bundle=bundle) if info.modality == modality]


def _family(text: str, bundle: Path | None, modality: str, notes: list[str]) -> list[str]:
    """The members that are here, then those with a published accuracy, the best first."""
    known = _reading(modality, text, bundle)
    if not known:
        raise _no_family(text)
    inside = bundles.opened(bundle) is not None
    able = [info for info in known if info.local or inside or info.prior is not None]
    chosen = sorted(able or known, key=lambda info: (not info.local, not reputation(info)[0], -reputation(info)[1]))
    if len(known) > len(chosen[:MOST]):
        notes.append(
            f"{len(known):,} networks have {text!r} in their name; compared are {len(chosen[:MOST])}: those on this "
            "machine, then those with the best published accuracy. --backbones names others"
        )
    return [info.name for info in chosen[:MOST]]


def _usual(here: Iterable[str], bundle: Path | None, modality: str, notes: list[str]) -> list[str]:
    """What is on this machine, and unless a bundle forbids it the usual kinds of network."""
    local = list(here)
    if len(local) > MOST:
        notes.append(f"{MOST} of the {len(local)} networks on this machine are compared: --all-local takes them all")
        local = sorted(local, key=lambda name: reputation(catalogue.describe(name, bundle=bundle)), reverse=True)[:MOST]
    return local if bundles.opened(bundle) is not None else [*local, *usual.kinds(modality)]
