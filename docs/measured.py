"""Pages made from what the benchmarks measured, so that no figure in them was typed by hand."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import t as student

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
ARMS = ("frozen", "fine-tuned")
NOTE = "<!-- Made from benchmarks/results by `make docs`; run the benchmark instead of editing. -->"

INTRODUCTION = """\
# What moves the needle in pretraining on patterns

One factor changed at a time, everything else as in the base; {views:,} views each, a fraction of what ships. Asked by
the development targets alone (upper-case letters, Greek letters, scenes of two objects) at {shots} labels a class:
logistic regression on frozen features over {probes} draws of the labelled pictures, full fine-tuning over {tuned}. The
digits and the lower-case letters, on which the weights that ship are judged, were not opened.

Accuracy in percent. A gain is the paired difference to the base, averaged over the three targets, with its 95 %
interval over the draws. That interval knows nothing of the luck of one pretraining: {luck}

Command: `{command}`. Machine: {machine}, {threads} thread(s), {precision}."""

SERVING = """\
# A model behind HTTP

    headstart serve flowers

```sh
curl -F file=@a.jpg -F file=@b.jpg http://127.0.0.1:8000/predict          # several: an answer or an error each
curl --data-binary @a.jpg -H 'Content-Type: image/jpeg' 'http://127.0.0.1:8000/predict?top=3'
curl -H 'Content-Type: application/json' -d '{{"items": [{{"data": "BASE64"}}]}}' http://127.0.0.1:8000/predict
```

`Accept: text/csv` or `text/plain` ask for a table or for lines instead of JSON. `/docs` shows everything, errors
included, and tries the model; it needs no network. `/health` and `/ready` are for probes, `/metrics` is for Prometheus,
`/model` says what the model is.

Only this machine reaches the server unless `--host` says otherwise, and then every client needs the token, which is
`--token`, the environment's `HEADSTART_TOKEN`, or one that is made and shown once. Transport encryption is a proxy's
business. What a request may bring is bounded (`--max-body`, `--max-items`, `--max-size`, `--timeout`), and so is what
may wait (`--max-queue`): beyond it clients are answered 503 with the time after which to come again. SIGTERM and Ctrl-C
finish what is in flight. One process serves one model; for more, start several behind a proxy.

## Measured

{clients} clients on loopback, clients and server on the same {cores} cores, pictures as JPEG files. *Offline* is
`Model.predict` with 16 pictures at a time, *one by one* is one client of a server without batches. The three are
measured in turn, {turns} times, and the ratios are medians over the turns; then all clients ask for {seconds:.0f} s
without a break.

{table}

{notes}

Command: `{command}`, all of it at nice {nice}. Machine: {processor}, {cores} cores; its load average was
{load} before the measurement. Other work on the machine hurts most what needs two cores at once, which is why the
ratio of a processor second is shown as well. Python {python}, torch {torch}, uvicorn {uvicorn}.
"""


def serving() -> str:
    """The page of benchmarks/serving.py."""
    found = json.loads((RESULTS / "serving.json").read_text("utf-8"))
    head = ["backbone", "offline, a second", "served, a second", "served / offline", "served / one by one"]
    head += ["served / offline, a processor second"]
    head += ["requests", "failed", "p50, ms", "p99, ms", "memory at 10 s and at the end, MB"]
    rows, notes = [], []
    for name, one in found.items():
        lasting, rates, ratios = one["endurance"], one["per_second"], one["medians"]
        answers, memory = lasting["answers"], lasting["memory_megabytes"]
        cells = [f"{rates['offline']:.0f}", f"{rates['served']:.0f}", f"{100 * ratios['of_offline']:.0f} %"]
        cells += [f"{ratios['of_one_by_one']:.1f} times", f"{100 * ratios['of_offline_work']:.0f} %"]
        cells += [f"{sum(answers.values()):,}"]
        cells += [f"{sum(answers.values()) - answers['200']:,}"]
        cells += [f"{lasting['milliseconds'][share]:.0f}" for share in ("p50", "p99")]
        rows.append([f"`{name}`", *cells, f"{memory['early']:.0f} and {memory['end']:.0f}"])
        notes.append(
            f"With `{name}` a request cost {_cost(one, 'served'):.2f} ms of processor time in the server and "
            f"{1000 * _median(one, 'client_cores') / rates['served']:.2f} ms in the client; offline a picture cost "
            f"{_cost(one, 'offline'):.2f} ms."
        )
    first = next(iter(found.values()))
    machine = first["machine"]
    return "\n\n".join([NOTE, SERVING]).format(
        clients=first["endurance"]["clients"],
        turns=len(first["turns"]),
        seconds=first["endurance"]["seconds"],
        table=_table(head, rows),
        notes="\n".join(notes),
        command=first["command"],
        load=machine["load_average_before"],
        **{name: machine[name] for name in ("processor", "cores", "python", "nice")},
        **{name: machine["versions"][name] for name in ("torch", "uvicorn")},
    )


def _median(one: dict[str, Any], name: str) -> float:
    return statistics.median(turn["served"][name] for turn in one["turns"])


def _cost(one: dict[str, Any], what: str) -> float:
    """Processor milliseconds of one item, in a median turn."""
    name = "server_cores" if what == "served" else "cores"
    return 1000 * statistics.median(turn[what][name] / turn[what]["per_second"] for turn in one["turns"])


def recipes() -> str:
    """The page of benchmarks/recipes.py."""
    data = json.loads((RESULTS / "recipes.json").read_text("utf-8"))
    variants = data["variants"]
    first = variants["base"]
    targets = list(first["scores"])
    rows = [_row(name, one, first, targets) for name, one in variants.items()]
    machine = data["machine"]
    page = INTRODUCTION.format(
        **data["configuration"],
        luck=_luck(variants, targets),
        command=f"python benchmarks/recipes.py --views {data['configuration']['views']}",
        machine=machine["kind"],
        threads=machine["threads"],
        precision=machine["precision"],
    )
    head = ["variant", *(f"{target}, {arm}" for arm in ARMS for target in targets)]
    head += [f"gain, {arm}" for arm in ARMS] + ["processor minutes"]
    return "\n\n".join([NOTE, page, _table(head, rows)]) + "\n"


def _row(name: str, one: dict[str, Any], base: dict[str, Any], targets: Sequence[str]) -> list[str]:
    cells = [f"**{name}**: {one['what']}"]
    cells += [f"{statistics.fmean(one['scores'][target][arm]):.1f}" for arm in ARMS for target in targets]
    for arm in ARMS:
        if one is base:
            cells.append("")
            continue
        mean, half = interval(gains(one, base, targets, arm))
        cells.append(f"{mean:+.1f} ± {half:.1f}")
    return [*cells, f"{one['seconds']['processor'] / 60:.1f}"]


def gains(one: dict[str, Any], base: dict[str, Any], targets: Sequence[str], arm: str) -> list[float]:
    """Difference to the base for each draw, averaged over the targets."""
    pairs = [zip(one["scores"][target][arm], base["scores"][target][arm], strict=True) for target in targets]
    return [statistics.fmean(a - b for a, b in draws) for draws in zip(*pairs, strict=True)]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half width of its 95 % interval (Student's t)."""
    half = student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return statistics.fmean(values), float(half)


def _luck(variants: dict[str, Any], targets: Sequence[str]) -> str:
    repeated = [one for name, one in variants.items() if name.startswith("base, seed")]
    if not repeated:
        return "the base has not been repeated from another seed yet."
    found = [interval(gains(one, variants["base"], targets, "frozen"))[0] for one in repeated]
    shown = " and ".join(f"{value:+.1f}" for value in found)
    return f"from {'another seed' if len(found) == 1 else 'other seeds'} the base itself differs by {shown} (frozen)."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
