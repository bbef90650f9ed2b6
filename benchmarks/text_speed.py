"""Text encoders, frozen and not: headstart against the Hugging Face Trainer, whole processes on the same texts.

    python examples/docstrings.py demo
    python benchmarks/text_speed.py --data demo/docstrings.csv            # 2,000 texts, 10 epochs
    python benchmarks/text_speed.py --data demo/docstrings.csv --jobs partial full --epochs 3
    python benchmarks/text_speed.py --data demo/docstrings.csv --quick    # 300 texts, 2 epochs; nothing is kept
    python examples/docstrings.py many --each 2500 --from-one-file 40
    python benchmarks/text_speed.py --data many/docstrings.csv --texts 10000 --epochs 20 --rivals tuned --rate 0.01

Both start from the same encoder (the extra ``text`` installs it), and seconds are those of a process from its start
until a model is on disk; what answering held-out texts takes is kept apart. The Trainer's model is the one that its
users write for a sentence encoder: the masked mean of the last hidden states and a linear layer; a frozen encoder keeps
no gradients and drops nothing out. There are two of it: ``default`` is as the documentation begins, float32 and texts
in random order, padded to the longest of their batch; ``tuned`` has batches of texts of similar length, and the
precision that headstart fits in (bf16 where the processor has it). Their rate is the best of three on a validation
part, which is not counted. All of the texts train the Trainer's model. headstart is given the same ones and holds a
fifth of them back, for the test that its users see; it trains once to choose and once more to seal, reads long texts in
windows where the others cut them off at 256 tokens, and writes its report. A head is trained by it in closed form on
stored features, however many epochs the others have.

Runs alternate, the order turning; medians are kept, and the paired difference of what was right in the first run of
each. A run that is in the results already, of the same texts, is not measured again.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import numpy as np
import torch

from benchmarks.provenance import commit
from headstart.backbones import installed
from headstart.base import files, hashes
from headstart.base.machine import here

RESULTS = Path(__file__).parent / "results" / "text_speed.json"
ENCODER = "st/sentence-transformers/all-MiniLM-L6-v2"
RIVALS = {"default": ("float32", "random"), "tuned": ("", "group_by_length")}
"""Precision (of the machine, where it is empty) and order of the Trainer's batches."""
RATES = {"head": (1e-3, 1e-2, 1e-1), "partial": (2e-5, 5e-5, 1e-4), "full": (2e-5, 5e-5, 1e-4)}
"""What the rival's rate is chosen from, by job."""
OURS = "headstart"
MEASURED = ("seconds", "answering", "right")
HALF = 3
"""Frozen layers of the partial job: half of the encoder's."""
TRAINER = """
import csv, json, sys, time
import numpy as np, torch
from torch import nn
from transformers import AutoModel, AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments

encoder, train, test, to, epochs, rate, job, frozen, precision, order = sys.argv[1:]
rows = [list(csv.reader(open(path, encoding="utf-8")))[1:] for path in (train, test)]
names = sorted({label for _, label in rows[0]})
tokenizer = AutoTokenizer.from_pretrained(encoder)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = AutoModel.from_pretrained(encoder)
        self.head = nn.Linear(self.encoder.config.hidden_size, len(names))
        if job == "head":
            self.encoder.requires_grad_(False)
        if job == "partial":
            self.encoder.embeddings.requires_grad_(False)
            for layer in self.encoder.encoder.layer[: int(frozen)]:
                layer.requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        if job == "head":
            self.encoder.eval()
        return self

    def forward(self, input_ids, attention_mask, token_type_ids=None, labels=None):
        with torch.set_grad_enabled(job != "head" and torch.is_grad_enabled()):
            hidden = self.encoder(input_ids, attention_mask, token_type_ids).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        logits = self.head((hidden * mask).sum(1) / mask.sum(1).clamp(min=1))
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return {"logits": logits} if loss is None else {"loss": loss, "logits": logits}


def encoded(rows):
    found = tokenizer([text for text, _ in rows], truncation=True, max_length=256)
    return [
        {**{key: found[key][i] for key in found}, "labels": names.index(label)} for i, (_, label) in enumerate(rows)
    ]


torch.manual_seed(0)
arguments = TrainingArguments(
    to, num_train_epochs=float(epochs), learning_rate=float(rate), per_device_train_batch_size=32,
    per_device_eval_batch_size=64, report_to=[], save_strategy="no", disable_tqdm=True, seed=0,
    train_sampling_strategy=order, logging_strategy="no", warmup_steps=0.06, bf16=precision == "bf16",
    use_cpu=not torch.cuda.is_available(),
)
trainer = Trainer(Model(), arguments, train_dataset=encoded(rows[0]), data_collator=DataCollatorWithPadding(tokenizer))
trainer.train()
trainer.save_model(to)
saved = time.time()
# In the order of their lengths for both, and put back: the answers are compared one by one.
trainer.args.train_sampling_strategy = "random"
asked = encoded(rows[1])
turn = np.argsort([len(each["input_ids"]) for each in asked], kind="stable")
found = trainer.predict([asked[i] for i in turn])
right = np.empty(len(asked), dtype=int)
right[turn] = found.predictions.argmax(1) == found.label_ids
json.dump({"right": right.tolist(), "saved": saved}, open(to + "/answers.json", "w"))
"""


def read(path: Path) -> list[list[str]]:
    """(text, label) rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [[row["text"], row["label"]] for row in rows]


def write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    """A table of them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *rows])
    return path


def timed(words: Sequence[str], **surroundings: str) -> tuple[float, float, str]:
    """When a process began and ended, and what it printed.

    Raises:
        RuntimeError: with what it said, if it failed.
    """
    started = time.time()
    ended = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "HF_HUB_OFFLINE": "1", **surroundings}
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(words[:4])} ended with {ended.returncode}:\n{ended.stderr[-3000:]}")
    return started, time.time(), ended.stdout


@dataclass(frozen=True)
class Run:
    """What a run came to.

    Attributes:
        seconds: from its start until the model was on disk.
        answering: seconds from there, or of the process that answers, until the held-out texts were answered.
        hits: "1" for each held-out text that was answered rightly, "0" for the others.
    """

    seconds: float
    answering: float
    hits: str

    @property
    def right(self) -> float:
        """Percent of the held-out texts."""
        return 100 * self.hits.count("1") / len(self.hits)


class Work:
    """One comparison: the same texts for both, in an order of their own."""

    def __init__(self, place: Path, rows: list[list[str]], given: argparse.Namespace) -> None:
        self.place, self.epochs, self.rate, texts = place, given.epochs, given.rate, given.texts
        rows = [rows[int(row)] for row in np.random.default_rng(0).permutation(len(rows))]
        self.train = write(place / "train.csv", rows[:texts])
        self.test = write(place / "test.csv", rows[texts : texts + 2000])
        self.small = write(place / "small.csv", rows[: int(0.8 * texts)])
        self.valid = write(place / "valid.csv", rows[int(0.8 * texts) : texts])
        self.encoder = str(installed.folder())
        self.script = place / "trainer.py"
        self.script.write_text(TRAINER, encoding="utf-8")

    def trainer(self, job: str, rival: str, rate: float, train: Path, test: Path) -> Run:
        """One of the rivals."""
        to, (precision, order) = self.place / f"trainer-{job}", RIVALS[rival]
        words = [sys.executable, str(self.script), self.encoder, str(train), str(test), str(to), str(self.epochs)]
        started, ended, _ = timed([*words, str(rate), job, str(HALF), precision or here().precision, order])
        found = json.loads((to / "answers.json").read_text())
        return Run(found["saved"] - started, ended - found["saved"], "".join(map(str, found["right"])))

    def headstart(self, job: str) -> Run:
        """Ours, in an empty cache: nothing is stored that the process did not compute."""
        to, cache = self.place / f"headstart-{job}", tempfile.mkdtemp(dir=self.place)
        strategy = {"head": ["probe"], "partial": ["partial", "--depth", str(HALF + 1)], "full": ["full"]}[job]
        given = [] if job == "head" else ["--set", f"strategy.epochs={self.epochs}", "--set", "strategy.rate=0.0001"]
        base = [sys.executable, "-m", "headstart"]
        fit = ["fit", str(self.train), "--backbone", ENCODER, "--strategy", *strategy, *given, "--budget", "10h"]
        rest = ["-o", str(to), "--overwrite", "--no-baselines", "--no-pictures", "--no-near-duplicates", "--quiet"]
        started, sealed, _ = timed([*base, *fit, *rest], HEADSTART_CACHE=cache)
        asked = [*base, "predict", str(to), str(self.test), "--csv", "--quiet", "--precision", "auto"]
        began, ended, told = timed(asked, HEADSTART_CACHE=cache)
        shutil.rmtree(cache)
        answers = [row["label"] for row in csv.DictReader(told.splitlines())]
        right = [said == label for said, (_, label) in zip(answers, read(self.test), strict=True)]
        return Run(sealed - started, ended - began, "".join(str(int(each)) for each in right))


Key = tuple[Any, ...]
Rows = Sequence[dict[str, Any]]
Runs = dict[Key, dict[str, Any]]
"""Who ran what, and what came of it."""


class Kept:
    """Runs that are done, and those that are measured now.

    Args:
        about: what every run of this call is of.
        path: where they are kept; None keeps nothing.
    """

    NAMED = ("data", "texts", "epochs", "job", "who", "number")

    def __init__(self, about: dict[str, Any], path: Path | None) -> None:
        self.about, self.path = about, path
        known = json.loads(path.read_text(encoding="utf-8"))["runs"] if path and path.exists() else []
        self.runs: Runs = {tuple(row[name] for name in self.NAMED): row for row in known}

    def run(self, job: str, who: str, number: int, work: Callable[[], Run], **more: Any) -> dict[str, Any]:
        """A run: from the results, or measured and written there."""
        row = {**self.about, "job": job, "who": who, "number": number, **more}
        key = tuple(row[name] for name in self.NAMED)
        if key not in self.runs:
            found = work()
            seconds = {"seconds": round(found.seconds, 2), "answering": round(found.answering, 2)}
            self.runs[key] = {**row, **seconds, "right": round(found.right, 3), "hits": found.hits}
            print(f"{job}: {who} {number}, {found.seconds:.1f} s, {found.right:.1f} % right", flush=True)
            if self.path is not None:
                files.write_json(self.path, {"summary": self.summary(), "runs": list(self.runs.values())})
        return self.runs[key]

    def summary(self) -> list[dict[str, Any]]:
        """Medians of every comparison of which both have run."""
        found = []
        for kind in dict.fromkeys(key[:4] for key in self.runs):
            for rival in RIVALS:
                ours, theirs = ([r for k, r in self.runs.items() if k[:5] == (*kind, who)] for who in (OURS, rival))
                if ours and theirs:
                    found.append({**dict(zip(self.NAMED, kind, strict=False)), "rival": rival, **beside(ours, theirs)})
        return found


def beside(ours: Rows, theirs: Rows) -> dict[str, Any]:
    """Medians of two series of runs, and the paired difference of what was right."""
    mine, other = ({name: statistics.median(row[name] for row in rows) for name in MEASURED} for rows in (ours, theirs))
    pairs = zip(ours[0]["hits"], theirs[0]["hits"], strict=True)
    gaps = np.array([int(one) - int(two) for one, two in pairs], dtype=float)
    error = 100 * float(gaps.std(ddof=1)) / math.sqrt(len(gaps))
    return {
        "headstart": mine,
        "trainer": other,
        "times_faster": other["seconds"] / mine["seconds"],
        "texts_answered": len(gaps),
        "gap": {
            "value": 100 * gaps.mean(),
            "low": 100 * gaps.mean() - 1.96 * error,
            "high": 100 * gaps.mean() + 1.96 * error,
        },
        "rate": theirs[-1]["rate"],
        "runs": [len(ours), len(theirs)],
    }


def compared(work: Work, job: str, rivals: Sequence[str], repeats: int, kept: Kept) -> None:
    """One comparison: the rivals' rate, then all in turn."""
    rate = work.rate
    if rate is None:
        tried = {}
        for number, each in enumerate(RATES[job]):
            fit = partial(work.trainer, job, "tuned", each, work.small, work.valid)
            tried[each] = kept.run(job, "rate", number, fit, rate=each)["right"]
        rate = max(tried, key=lambda each: tried[each])
    runners: dict[str, Callable[[], Run]] = {OURS: partial(work.headstart, job)}
    runners |= {rival: partial(work.trainer, job, rival, rate, work.train, work.test) for rival in rivals}
    for number in range(repeats):
        for who in sorted(runners, reverse=bool(number % 2)):
            kept.run(job, who, number, runners[who], **({} if who == OURS else {"rate": rate}))


def main(words: Sequence[str] | None = None) -> int:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="a table with the columns text and label")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--jobs", nargs="+", choices=tuple(RATES), default=["head"])
    parser.add_argument("--rivals", nargs="+", choices=tuple(RIVALS), default=list(RIVALS))
    parser.add_argument("--rate", type=float, help="the Trainer's, instead of the best of three")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="300 texts, 2 epochs, once; keep nothing")
    given = parser.parse_args(words)
    if given.quick:
        given.texts, given.epochs, given.repeats = 300, 2, 1
    rows = read(given.data)
    if len(rows) < given.texts + 300:
        parser.error(f"{given.data} has {len(rows):,} texts; {given.texts + 300:,} are needed")
    if not installed.is_here():
        parser.error("the encoder is not installed: pip install 'headstart[text]'")
    about = {
        "data": hashes.of_texts([word for row in rows for word in row])[:16],
        "texts": given.texts,
        "epochs": given.epochs,
        "precision": here().precision,
        "threads": torch.get_num_threads(),
        "machine": here().kind,
        "commit": commit(),
    }
    kept = Kept(about, None if given.quick else RESULTS)
    with tempfile.TemporaryDirectory(prefix="headstart-") as place:
        work = Work(Path(place), rows, given)
        for job in given.jobs:
            compared(work, job, given.rivals, given.repeats, kept)
    for row in kept.summary():
        mine, other = row["headstart"], row["trainer"]
        print(
            f"{row['job']}, {row['texts']:,} texts, {row['epochs']} epochs: headstart {mine['seconds']:.1f} s, Trainer "
            f"({row['rival']}) {other['seconds']:.1f} s, {row['times_faster']:.1f} times as fast; {mine['right']:.1f} "
            f"against {other['right']:.1f} % right ({row['gap']['low']:+.1f} to {row['gap']['high']:+.1f})"
        )
    if given.quick:
        print("One quick run: start-up is most of it, so it shows that the comparison runs, and is no result.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
