"""How good the decision is: the evidence ladder against every fixed strategy run to its end, and the verdict's truth.

    python benchmarks/decision.py --quick              # 8 cells, 3 seeds: about two hours of one core
    python benchmarks/decision.py                      # the whole suite, 10 seeds
    python benchmarks/decision.py --quick --list       # the units, and which are done
    python benchmarks/decision.py --quick --report     # measure nothing; write down what is done

A cell is a target, a number of labels a class and a source in some relation to it (benchmarks/deciding/cells.py). In
every cell each fixed strategy runs to its end with its own sweep of rates, and so does training from scratch; ``auto``
gets half the processor seconds that all of them took. Models are judged on a population of at least 20,000 pictures
that nobody was taught (digits: on the half that is kept for it), so a gap that is there is known to be there.

The unit of work is a strategy in a cell with a seed. Its result is one file in the work folder; whoever stops this and
starts it again loses at most the unit that was running. ``--redo auto`` measures again what was measured on another
commit. Written at the end, also at an early one: benchmarks/results/decision.json; docs/decision.md is made from it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Before any library is imported: seconds are those of one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))
import torch

from benchmarks.deciding import arms, cells, coverage, reading, sources
from benchmarks.deciding.arms import Bench
from benchmarks.deciding.cells import Unit
from benchmarks.provenance import commit
from headstart.base import files
from headstart.base.errors import HeadstartError
from headstart.base.machine import cache_folder

RESULTS = Path(__file__).parent / "results" / "decision.json"


def measure(unit: Unit, bench: Bench) -> dict[str, Any] | None:
    """Any unit's result; None if it has to wait for others."""
    started = time.process_time()
    if unit.kind == cells.COVERAGE:
        found = coverage.of_test_parts(unit, bench)
    elif unit.kind == cells.CROSSED:
        found = coverage.of_folds(unit, bench)
    else:
        return arms.measure(unit, bench)
    return found and {**found, "seconds": round(time.process_time() - started, 2)}


def run(bench: Bench, units: Sequence[Unit], redo: str | None, until: float) -> int:
    """Measure what is missing, in order, until the time is up; how many units failed, which are left out."""
    now, failed = commit(), 0
    for number, unit in enumerate(units, start=1):
        known = bench.results.get(unit)
        if known is not None and not (unit.kind == redo and known["commit"] != now):
            continue
        if time.time() > until:
            print("The time is up.")
            break
        try:
            found = measure(unit, bench)
        except HeadstartError as error:
            failed += 1
            print(f"{number}/{len(units)} {unit.name}: failed: {error}", flush=True)
            continue
        if found is None:
            print(f"{number}/{len(units)} {unit.name}: waits for others", flush=True)
            continue
        bench.results.put(unit, {**found, "commit": now})
        told = f"{found['accuracy']:.1f} %" if "accuracy" in found else f"{found['held']} of {found['replicates']} held"
        print(f"{number}/{len(units)} {unit.name}: {told}, {found['seconds']:.1f} s", flush=True)
    return failed


def chosen(given: argparse.Namespace) -> list[Unit]:
    """The units that were asked for."""
    planned = cells.planned(cells.QUICK, cells.SEEDS_QUICK) if given.quick else cells.planned(cells.CELLS, cells.SEEDS)
    wanted = [unit for unit in planned if given.kinds is None or _role(unit) in given.kinds]
    return [unit for unit in wanted if not given.only or any(word in unit.name for word in given.only)]


def _role(unit: Unit) -> str:
    return "auto" if unit.kind == cells.AUTO else "fixed" if unit.kind in cells.FIXED else "coverage"


def report(bench: Bench, quick: bool, to: Path = RESULTS) -> dict[str, Any]:
    """Write what is known."""
    found = reading.everything(bench, quick)
    files.write_json(to, found)
    done = found["done"]
    print(f"{done['units']} of {done['units_planned']} units, {done['cells']} of {done['cells_planned']} cells done")
    print(f"Written to {to.name}; make docs writes the page")
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is missing, and write what is known."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="8 cells with 3 seeds instead of all with 10")
    parser.add_argument("--work", type=Path, default=cache_folder() / "decision", help="sources and finished units")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="units with one of these words in their name")
    parser.add_argument("--kinds", nargs="+", choices=("fixed", "auto", "coverage"), help="only these units")
    parser.add_argument("--redo", choices=(*cells.FIXED, cells.AUTO), help="again, if it was on another commit")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing after so many")
    parser.add_argument("--list", action="store_true", help="print the units, and stop")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    given = parser.parse_args(words)
    bench, units = Bench(given.work), chosen(given)
    if given.list:
        for unit in units:
            print(("done     " if bench.results.get(unit) else "missing  ") + unit.name)
        return 0
    failed = 0
    if not given.report:
        until = time.time() + given.seconds
        torch.set_num_threads(1)
        for name in dict.fromkeys((sources.RANDOM, *(unit.source for unit in units if unit.source != cells.NONE))):
            sources.make(name, given.work)
        failed = run(bench, units, given.redo, until)
    report(bench, given.quick)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
