"""The one reader of a run directory: plain files that the engine writes and the rooms above it read.

config.json       what the user asked for, and the data's digest
plan.json         the step plan: what every rung may cost, in epochs; replayed by --resume
machine.json      where it runs: device, precision, threads, the store's limit
probes.json       which probes the budget allowed
ranking.json      how the backbones compared that --backbone auto chose from
data.json         how the source was understood: counts, split, skipped items
journal.jsonl     one line a finished fit, in order
running.jsonl     one line an epoch of the fit that is running
fits/NAME.safetensors   its held-out outputs and, where kept, its weights
evidence.json     the evidence table, as far as it goes
ladder.json       why each rung was climbed or not, and what its gain cost
verdict.json      the verdict with its test scores
findings.json     what was diagnosed
predictions.safetensors   predictions (m, K) of the models that met the test items, and the items' targets
validation.safetensors   predictions (m, K) of the winner on the held-out development items, and their targets
held_out.json     which items these are: where they lie, and the digests of their contents
comparisons.json  how much better the sealed candidate is than each other one, on the held-out items
fitted.json       how the sealed network does on items that it was fitted to
learning.json     how the score grows with the labels, and what twice as many would bring
similarity.json   how near source and target are: probe strength by stage, what the source is worth, distances
exhibits.json     what there is to look at: labels to doubt, pictures by row, what is missing and why
shown/            small pictures of some of the items; absent with --no-pictures
tracked-NAME.json what a tracker was told of the run
log.txt           everything that was said
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.base import display, files
from headstart.base.errors import RunError

_TOLD = ("severity", "name", "sentence", "next_move")
SHOWN = "shown"
"""The folder of small pictures in a run directory."""


class Run:
    """A run directory, read.

    Raises:
        RunError: when a file is not what it should be.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def exists(self) -> bool:
        """True if a run was begun here."""
        return (self.path / "config.json").is_file()

    @property
    def config(self) -> Mapping[str, Any]:
        """What the user asked for."""
        return self._json("config.json")

    @property
    def plan(self) -> Mapping[str, Any]:
        """The step plan; empty before it was made."""
        return self.written("plan", Mapping)

    @property
    def replays(self) -> bool:
        """True if the step plan is an earlier run's, so that no clock has a say in it."""
        return bool(self._json("config.json", default={}).get("replay"))

    @property
    def threads(self) -> int | None:
        """Threads that the run was begun with; None before they were chosen."""
        return self._json("machine.json", default={}).get("threads")

    @property
    def store_limit(self) -> int | None:
        """Bytes that the store may keep at one cut, as decided when the run began; None before."""
        return self._json("machine.json", default={}).get("store_limit")

    @property
    def probes(self) -> Sequence[str] | None:
        """Names of the probes that were measured; None before they were."""
        return self._json("probes.json", default={}) or None

    @property
    def ranking(self) -> Mapping[str, Any]:
        """How the backbones compared that one was chosen from (``base.ranked`` reads it); empty where none were."""
        return self.written("ranking", Mapping)

    @property
    def data(self) -> Mapping[str, Any]:
        """How the source was understood."""
        return self._json("data.json", default={})

    @property
    def evidence(self) -> Sequence[Mapping[str, Any]]:
        """The evidence table's rows."""
        return self._json("evidence.json", default=[])

    @property
    def ladder(self) -> Mapping[str, Any]:
        """What was decided at every rung; empty before the first was, and of runs that kept no account.

        ``rungs``, in the order of the climb: ``name``, ``kind``, ``decision`` ("climbed", "not climbed", "dropped",
        "over budget", "left out"), ``why``, ``gain`` (an interval in the ``metric``) ``over`` another candidate,
        ``gain_per_second``, ``gain_per_trainable``, ``gain_per_flop`` (all None where nothing was gained on anything),
        ``multiply_adds``, ``seconds``, ``trainable``. ``stopped``: why there was no further rung. ``textbook``: the
        ``cell`` of the usual rule, its ``advice``, whether the measurement ``agreed`` (None if it cannot tell) and
        ``why``. ``constraints``: what the user allowed. ``search``: the trials of a search within a rung.
        ``draws``: what came of further draws of the folds, a sentence.
        """
        return self.written("ladder", Mapping)

    @property
    def verdict(self) -> Mapping[str, Any]:
        """The verdict; empty before it was reached."""
        return self._json("verdict.json", default={})

    @property
    def findings(self) -> Sequence[Mapping[str, Any]]:
        """What was diagnosed."""
        return self._json("findings.json", default=[])

    @property
    def held_out(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The items that models answered without having seen them; empty before the models were fixed.

        ``tested`` in the order of ``arrays("predictions")``, ``validation`` in that of ``arrays("validation")``: rows
        of ``where`` (as shown to people), ``path`` (absolute; None for what is no file) and ``digest``; and of
        ``twin``, a near duplicate among the items that were learnt from, where a given split has left one there.
        """
        return self.written("held_out", Mapping)

    @property
    def comparisons(self) -> Mapping[str, Any]:
        """Gains between candidates on the held-out items, paired; empty before the models were fixed.

        ``metric``: what they are in; ``items``: how many; ``pairs``: rows of the candidate ``of`` which a ``gain``
        (an interval, above 0 is better) is stated, and that ``over`` which it is. The sealed candidate and the best
        transferred one are compared with every other that was measured.
        """
        return self.written("comparisons", Mapping)

    @property
    def fitted(self) -> Mapping[str, Any]:
        """``scores`` of the sealed network on ``items`` ``of`` those that it was fitted to; empty if it has none."""
        return self.written("fitted", Mapping)

    @property
    def exhibits(self) -> Mapping[str, Any]:
        """What there is to look at besides; empty before it was gathered, and every entry may be missing.

        ``pictures``: part -> row -> a small PNG's name within ``path``. Parts are ``tested``, ``validation`` and
        ``training``, the development items that are in neither.
        ``suspects``: labels that are probably wrong, the most suspicious first: ``part``, ``row``, ``where``, ``path``,
        ``digest``, ``said``, ``likely``, ``said_probability``, ``likely_probability`` (both None for numbers) and
        ``because``; ``suspicion``: how many were ``found`` ``of`` how many, ``by`` what.
        ``map``: ``rows`` of a ``part`` in two dimensions by a ``method``, as they lay ``before`` and ``after`` (lists
        of [x, y], in the order of ``rows``; ``after`` is empty where nothing came after), and what each is in words:
        ``before_is``, ``after_is``.
        ``attention``: where the network looked: ``part``, ``row``, ``picture`` and ``overlay`` (names within ``path``),
        what was ``predicted`` and the ``truth``, what the heat is ``about``, and the ``method``.
        ``unfamiliar``: ``missing``, why unfamiliar items are not told; or the ``line`` and its ``rate``, the counts of
        ``held`` items between ``edges`` of strangeness, the ``most`` strange of them (``row`` of the validation part),
        and of test items, where there are any, ``tested``: ``counts``, ``items``, how many were ``flagged``, and
        ``coverage`` and ``risk`` of answering the others only.
        ``notes``: what is missing, and why.
        """
        return self.written("exhibits", Mapping)

    @property
    def learning(self) -> Mapping[str, Any]:
        """The learning curve of a probe over the development labels; empty before it was measured.

        ``metric``, ``title`` and ``percent`` of the score, ``labels`` (n), ``told`` and ``why`` not. Where a curve was
        measured: ``by`` what, ``sizes`` with a ``scores`` interval each, ``items`` and ``repeats``; the fitted
        ``curve``, rows of ``labels`` and an interval; the score ``now`` and ``doubled`` by it, the ``gain`` of twice as
        many labels (above 0 is better, in the score's unit) and the ``share`` of the error that goes away; ``slope``,
        the share that went away a doubling so far; ``sealed``, the same ``gain`` for a sealed ``candidate`` that is no
        probe, as if its error shrank alike; None where it is one.
        """
        return self.written("learning", Mapping)

    @property
    def similarity(self) -> Mapping[str, Any]:
        """How near source and target are; empty before it was measured, and every entry may be missing.

        ``score`` that it is stated in, ``items`` it was measured on; ``probe_strength`` (an interval, 0 chance, 1
        perfect) at ``best_stage`` (from 1), ``stages``, rows of ``stage``, ``name`` and an interval; ``over_random``
        and ``over_raw``: the gain of the probe over the same one on a random copy of the network, and over the best
        model without a network (intervals with ``against``; None where that was not measured); ``slope`` of the
        probe's leave-one-out error, the share that goes away a doubling; ``distances`` to the source: ``frechet``,
        ``mmd``, ``proxy_a`` with ``items``, or ``missing``, why there are none.
        """
        return self.written("similarity", Mapping)

    @property
    def pictures(self) -> int:
        """How many small pictures of the items are kept."""
        by_part = self.exhibits.get("pictures")
        parts = by_part.values() if isinstance(by_part, Mapping) else ()
        return len({name for part in parts if isinstance(part, Mapping) for name in part.values()})

    @property
    def journal(self) -> Sequence[Mapping[str, Any]]:
        """The finished fits, oldest first."""
        return files.read_lines(self.path / "journal.jsonl")

    @property
    def running(self) -> Sequence[Mapping[str, Any]]:
        """The epochs of the fit that is running, with its name as ``fit``; after a resumption some come twice."""
        return files.read_lines(self.path / "running.jsonl")

    def _repr_html_(self) -> str:
        candidate = self.verdict.get("models", {}).get(self.verdict.get("winner"), "")
        return display.panel(
            f"Run in {self.path}",
            display.line(self.verdict.get("sentence") or "It has not come to a verdict"),
            display.evidence(self.evidence, best=candidate),
            *(display.finding(*(str(one[name]) for name in _TOLD)) for one in self.findings),
        )

    def arrays(self, name: str) -> Mapping[str, Any]:
        """The numpy arrays that were kept under a name; empty if none were.

        Raises:
            RunError: when the file is damaged.
        """
        path = self.path / f"{name}.safetensors"
        if not path.exists():
            return {}
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return load_file(path)
        except (OSError, ValueError, SafetensorError) as error:
            raise RunError(f"{path} cannot be read: {error}") from error

    def finished(self, name: str) -> Mapping[str, Any] | None:
        """The journal's line of a fit; None if it did not finish."""
        return next((row for row in self.journal if row.get("name") == name), None)

    def fit_file(self, name: str) -> Path:
        """Where a fit's tensors are kept."""
        return self.path / "fits" / (re.sub(r"[^A-Za-z0-9@._=-]", "_", name) + ".safetensors")

    def written(self, name: str, kind: Any = (Mapping, list)) -> Any:
        """What was written under a name; empty if nothing was."""
        found = self._json(f"{name}.json", default={})
        if isinstance(found, kind):
            return found
        raise RunError(f"{self.path / name}.json is not a {name} that a run wrote", next_move="fit anew")

    def _json(self, name: str, default: Any = None) -> Any:
        path = self.path / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if default is not None:
                return default
            raise RunError(f"{path} is missing", expected="a run directory made by headstart fit") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}", next_move="fit again with --overwrite") from error
