"""What a run keeps for people to look at: which items were held out, small pictures of some, labels to doubt.

All of it is made when the models are fixed, and changes nothing about them. What fails here is said and left out: what
people look at must never cost the model that they look into. ``exhibits.json`` is written last, so whatever it names
is there; a run that was killed before that makes all of it again.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import numpy as np

from headstart.base.errors import BadOption, HeadstartError, MissingExtra
from headstart.base.manifest import plain
from headstart.base.run import SHOWN
from headstart.base.vocabulary import Finding
from headstart.choose import atlas, attention, comparing, doubts, more_labels, pictures, similarity, unfamiliar
from headstart.choose.finish import Finished
from headstart.choose.ground import Ground
from headstart.choose.ladder import Climb
from headstart.choose.parts import HELD_OUT, Part, parts, row, twins
from headstart.diagnose import examining
from headstart.engine.journal import Journal

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Kept:
    """What came of it that the rest of the job should know.

    Attributes:
        findings: of the diagnoses that read a run.
        notes: what whoever passes the folder on should know of it.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Gathering:
    """What is gathered of one run.

    Attributes:
        parts: "tested", "validation" and "training".
        exhibits: what ``exhibits.json`` will hold.
        notes: what is missing in it, and why.
    """

    ground: Ground
    found: Climb
    ended: Finished
    parts: Mapping[str, Part]
    exhibits: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def attempt(self, what: str, make: Callable[[_Gathering], _T]) -> _T | None:
        """What ``make`` gives; None if it fails, which is said and noted."""
        try:
            return make(self)
        except Exception as error:  # a disk, a library or an odd network: nothing here is worth the model
            if isinstance(error, HeadstartError):
                why = error.what
            else:
                why = f"{type(error).__name__}: {error}"
                _LOG.exception("%s could not be made", what)
            self.notes.append(f"{what} could not be made: {why}")
            self.ground.report.say(f"{self.notes[-1]}. The model is not affected.")
            return None


def keep(ground: Ground, found: Climb, ended: Finished, *, shown: bool = True) -> Kept:
    """Gather and write everything; ``shown`` allows small pictures of the items."""
    all_of_it = _Gathering(ground, found, ended, parts(ground, ended))
    ground.report.begin("what there is to look at")
    _clear(ground.journal)
    all_of_it.attempt("The list of held-out items", _held_out)
    all_of_it.attempt("The comparison of the candidates", _compared)
    all_of_it.attempt("The score on what was learnt from", _fitted)
    all_of_it.attempt("The strangest items", _unfamiliar)
    if ground.frozen.backbone.is_absent:
        what = "labels to doubt, a learning curve or a map of features"
        all_of_it.notes.append(f"There are no {what}: they are made with a pretrained network, and none was at hand")
    else:
        all_of_it.attempt("The list of suspected labels", _suspects)
        all_of_it.attempt("The learning curve over labels", _labels)
        all_of_it.attempt("How near source and target are", _similarity)
        all_of_it.attempt("The map of features", _map)
    kept: Mapping[int, str] = {}
    if shown:
        kept = all_of_it.attempt("The small copies of items", _pictures) or {}
        all_of_it.attempt("Where the network looked", lambda given: _attention(given, kept))
    else:
        all_of_it.notes.append("No small copies of items were kept, as --no-pictures asks")
    all_of_it.attempt("The list of what there is to look at", _write)
    findings = all_of_it.attempt("What is found in the run", _findings) or []
    ground.report.end()
    return Kept(tuple(findings), _warning(len(set(kept.values())), ground.dataset.modality))


def _warning(shown: int, modality: str) -> tuple[str, ...]:
    if not shown:
        return ()
    return (
        f"run/{SHOWN} holds small copies of {shown:,} of the {modality} it was made from; to pass the model on without "
        f"them, leave {SHOWN}/ out, or fit with --no-pictures",
    )


def _clear(journal: Journal) -> None:
    """Remove what a run that was killed, or resumed with other wishes, may have left."""
    made = (journal.path / f"{name}.json" for name in ("exhibits", "learning", "similarity"))
    for left in (*made, *journal.path.glob(".*.part")):
        left.unlink(missing_ok=True)
    shutil.rmtree(journal.path / SHOWN, ignore_errors=True)


def _held_out(given: _Gathering) -> None:
    journal, data = given.ground.journal, given.ground.dataset
    validation = given.parts["validation"]
    winner = np.asarray(validation.predictions, dtype=np.float32)
    journal.keep("validation", {"winner": winner, "targets": validation.targets})
    listed = {name: [row(data, int(i)) for i in given.parts[name].rows] for name in HELD_OUT}
    learnt = twins(data)
    for position, one in zip(given.parts["tested"].rows, listed["tested"], strict=True):
        if int(position) in learnt:
            one["twin"] = row(data, learnt[int(position)])["where"]
    journal.write("held_out", listed)


def _compared(given: _Gathering) -> None:
    given.ground.journal.write("comparisons", comparing.compared(given.ground, given.found, given.ended))


def _fitted(given: _Gathering) -> None:
    given.ground.journal.write("fitted", comparing.fitted(given.ground, given.ended))


def _labels(given: _Gathering) -> None:
    found = more_labels.of(given.ground, given.found, given.ended)
    given.ground.journal.write("learning", found)


def _similarity(given: _Gathering) -> None:
    given.ground.journal.write("similarity", similarity.of(given.ground, given.found))


def _suspects(given: _Gathering) -> None:
    ground = given.ground
    found = doubts.of(ground, given.found, given.ended)
    given.exhibits["suspicion"] = found.about()
    given.exhibits["suspects"] = [_placed(given, each) for each in found.listed]


def _unfamiliar(given: _Gathering) -> None:
    ended, tested = given.ended, given.parts["tested"]
    seen = (tested.predictions, tested.targets, ended.strangeness)
    given.exhibits["unfamiliar"] = unfamiliar.shown(given.ground, ended.trial, ended.watch, seen)


def _placed(given: _Gathering, suspect: Mapping[str, Any]) -> dict[str, Any]:
    """A suspect with its part and its row in it, instead of its position among the development items."""
    data = given.ground.dataset
    position = int(data.development[suspect["row"]])
    for name in ("validation", "training"):
        rows = np.flatnonzero(given.parts[name].rows == position)
        if len(rows):
            return {"part": name, **suspect, "row": int(rows[0]), **row(data, position)}
    raise LookupError(f"item {position} is in no part")


def _map(given: _Gathering) -> None:
    given.exhibits["map"] = atlas.of(given.ground, given.ended, given.parts["tested"])


def _pictures(given: _Gathering) -> Mapping[int, str]:
    ground, to = given.ground, given.ground.journal.path
    suspects = given.exhibits.get("suspects", [])
    doubted = [int(given.parts[each["part"]].rows[each["row"]]) for each in suspects]
    strange = given.exhibits.get("unfamiliar", {}).get("most", [])
    doubted += [int(given.parts["validation"].rows[each["row"]]) for each in strange]
    points = given.exhibits.get("map", {}).get("rows", range(len(given.parts["tested"])))
    tested = given.parts["tested"]
    looked_at = [int(tested.rows[each]) for each in attention.rows(tested, ground.task)]
    chosen = pictures.worth(given.parts, [*looked_at, *doubted], points, ground.task)
    kept = pictures.draw(ground.dataset, chosen, to)
    given.exhibits["pictures"] = pictures.by_row(given.parts, kept)
    return kept


def _attention(given: _Gathering, kept: Mapping[int, str]) -> None:
    ground = given.ground
    if given.ended.network is None:
        given.notes.append("Where the network looked is not shown: the model that is sealed has none")
        return
    try:
        found = attention.of(ground, given.ended, given.parts["tested"], kept)
    except (MissingExtra, BadOption) as error:
        # Nothing went wrong: it is not to be had here, which whoever looks for it will read.
        more = f" ({error.next_move})" if error.next_move else ""
        given.notes.append(f"Where the network looked is not shown: {error.what[0].lower()}{error.what[1:]}{more}")
        return
    given.exhibits["attention"] = found


def _write(given: _Gathering) -> None:
    given.ground.journal.write("exhibits", plain({**given.exhibits, "notes": given.notes}))


def _findings(given: _Gathering) -> list[Finding]:
    """What the diagnoses that read a run have to say, among what was said of the data."""
    journal = given.ground.journal
    before = {each["name"] for each in journal.findings}
    found = examining.renewed(journal)
    journal.write("findings", [asdict(each) for each in found])
    return [each for each in found if each.name not in before]
