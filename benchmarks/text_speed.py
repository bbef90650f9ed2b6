"""A frozen encoder and a new head: headstart against the Hugging Face Trainer, whole processes on the same texts.

    python examples/docstrings.py demo
    python benchmarks/text_speed.py --data demo/docstrings.csv            # 2,000 texts, 10 epochs
    python benchmarks/text_speed.py --data demo/docstrings.csv --jobs head partial full --repeats 3
    python benchmarks/text_speed.py --data demo/docstrings.csv --quick    # 300 texts, 2 epochs; nothing is kept

Both start from the same encoder (the extra ``text`` installs it) and end with a model on disk and its answers for the
same held-out texts. The Trainer's model is the one that its users write for a sentence encoder: the masked mean of the
last hidden states and a linear layer, batches of texts of similar length, padded to their longest; a frozen encoder
keeps no gradients and drops nothing out. It computes in the precision that headstart fits in (bf16 where the processor
has it). Its rate is the best of three on a validation part, which is not counted; start-up is counted for both, and
headstart starts twice, to fit and to predict. It reads long texts in windows, where the Trainer's model cuts them off
at 256 tokens. Runs alternate, each of the two beginning in turn; medians are kept. A head is trained by headstart in
closed form on stored features, however many epochs the other one has.

Runs are resumable: one that is in the results already, of the same texts, is not measured again. On two idle cores the
default (the job ``head``) should take 15 to 30 minutes, by what its single steps take; ``partial`` and ``full``, which
compute gradients, about an hour each.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
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
RATES = {"head": (1e-3, 1e-2, 1e-1), "partial": (2e-5, 5e-5, 1e-4), "full": (2e-5, 5e-5, 1e-4)}
"""What the rival's rate is chosen from, by job."""
HALF = 3
"""Frozen layers of the partial job: half of the encoder's."""
TRAINER = """
import csv, json, sys
import numpy as np, torch
from torch import nn
from transformers import AutoModel, AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments

encoder, train, test, to, epochs, rate, job, frozen, precision = sys.argv[1:]
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
    train_sampling_strategy="group_by_length", logging_strategy="no", warmup_steps=0.06, bf16=precision == "bf16",
    use_cpu=not torch.cuda.is_available(),
)
trainer = Trainer(Model(), arguments, train_dataset=encoded(rows[0]), data_collator=DataCollatorWithPadding(tokenizer))
trainer.train()
trainer.save_model(to)
found = trainer.predict(encoded(rows[1]))
# Texts of one length are predicted together: they come in another order than they went.
right = found.predictions.argmax(1) == found.label_ids
json.dump({"right": right.astype(int).tolist()}, open(to + "/answers.json", "w"))
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


def timed(words: Sequence[str], **surroundings: str) -> tuple[float, str]:
    """Seconds of a whole process, and what it printed.

    Raises:
        RuntimeError: with what it said, if it failed.
    """
    started = time.perf_counter()
    ended = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "HF_HUB_OFFLINE": "1", **surroundings}
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(words[:4])} ended with {ended.returncode}:\n{ended.stderr[-3000:]}")
    return time.perf_counter() - started, ended.stdout


class Work:
    """One comparison: the same texts for both, in an order of their own."""

    def __init__(self, place: Path, rows: list[list[str]], texts: int, epochs: int) -> None:
        self.place, self.epochs = place, epochs
        rows = [rows[int(row)] for row in np.random.default_rng(0).permutation(len(rows))]
        self.train = write(place / "train.csv", rows[:texts])
        self.test = write(place / "test.csv", rows[texts : texts + 2000])
        self.small = write(place / "small.csv", rows[: int(0.8 * texts)])
        self.valid = write(place / "valid.csv", rows[int(0.8 * texts) : texts])
        self.encoder = str(installed.folder())
        self.script = place / "trainer.py"
        self.script.write_text(TRAINER, encoding="utf-8")

    def trainer(self, job: str, rate: float, train: Path, test: Path) -> tuple[float, float]:
        """Seconds of the rival, and which share of its answers was right."""
        to = self.place / f"trainer-{job}"
        words = [sys.executable, str(self.script), self.encoder, str(train), str(test), str(to), str(self.epochs)]
        seconds, _ = timed([*words, str(rate), job, str(HALF), here().precision])
        return seconds, statistics.mean(json.loads((to / "answers.json").read_text())["right"])

    def headstart(self, job: str) -> tuple[float, float]:
        """The same of ours, in an empty cache: nothing is stored that the process did not compute."""
        to, cache = self.place / f"headstart-{job}", tempfile.mkdtemp(dir=self.place)
        strategy = {"head": ["probe"], "partial": ["partial", "--depth", str(HALF + 1)], "full": ["full"]}[job]
        given = [] if job == "head" else ["--set", f"strategy.epochs={self.epochs}", "--set", "strategy.rate=0.0001"]
        base = [sys.executable, "-m", "headstart"]
        fit = ["fit", str(self.train), "--backbone", ENCODER, "--strategy", *strategy, *given, "--budget", "10h"]
        rest = ["-o", str(to), "--overwrite", "--no-baselines", "--no-pictures", "--no-near-duplicates", "--quiet"]
        fitting, _ = timed([*base, *fit, *rest], HEADSTART_CACHE=cache)
        asked = [*base, "predict", str(to), str(self.test), "--csv", "--quiet", "--precision", "auto"]
        predicting, told = timed(asked, HEADSTART_CACHE=cache)
        shutil.rmtree(cache)
        answers = [row["label"] for row in csv.DictReader(told.splitlines())]
        right = [said == label for said, (_, label) in zip(answers, read(self.test), strict=True)]
        return fitting + predicting, statistics.mean(right)


Key = tuple[Any, ...]
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

    def run(
        self, job: str, who: str, number: int, work: Callable[[], tuple[float, float]], **more: Any
    ) -> dict[str, Any]:
        """A run: from the results, or measured and written there."""
        row = {**self.about, "job": job, "who": who, "number": number, **more}
        key = tuple(row[name] for name in self.NAMED)
        if key not in self.runs:
            seconds, right = work()
            self.runs[key] = {**row, "seconds": round(seconds, 2), "right": 100 * right}
            print(f"{job}: {who} {number}, {seconds:.1f} s, {100 * right:.1f} % right", flush=True)
            if self.path is not None:
                files.write_json(self.path, {"summary": self.summary(), "runs": list(self.runs.values())})
        return self.runs[key]

    def summary(self) -> list[dict[str, Any]]:
        """Medians of every comparison of which both have run."""
        found = []
        for kind in dict.fromkeys(key[:4] for key in self.runs):
            ours, theirs = (
                [r for k, r in self.runs.items() if k[:5] == (*kind, who)] for who in ("headstart", "Trainer")
            )
            if not ours or not theirs:
                continue
            mine, other = (statistics.median(row["seconds"] for row in each) for each in (ours, theirs))
            found.append(
                {
                    **dict(zip(self.NAMED, kind, strict=False)),
                    "headstart_seconds": mine,
                    "trainer_seconds": other,
                    "times_faster": other / mine,
                    "headstart_right": statistics.median(row["right"] for row in ours),
                    "trainer_right": statistics.median(row["right"] for row in theirs),
                    "trainer_rate": theirs[-1]["rate"],
                    "repeats": min(len(ours), len(theirs)),
                }
            )
        return found


def compared(work: Work, job: str, repeats: int, kept: Kept) -> None:
    """One comparison: the rival's rate, then both in turn."""
    tried = {
        rate: kept.run(job, "rate", number, partial(work.trainer, job, rate, work.small, work.valid), rate=rate)[
            "right"
        ]
        for number, rate in enumerate(RATES[job])
    }
    rate = max(tried, key=lambda each: tried[each])
    runners: dict[str, Callable[[], tuple[float, float]]] = {
        "headstart": partial(work.headstart, job),
        "Trainer": partial(work.trainer, job, rate, work.train, work.test),
    }
    for number in range(repeats):
        for who in sorted(runners, reverse=bool(number % 2)):
            kept.run(job, who, number, runners[who], **({"rate": rate} if who == "Trainer" else {}))


def main(words: Sequence[str] | None = None) -> int:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="a table with the columns text and label")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--jobs", nargs="+", choices=tuple(RATES), default=["head"])
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
        work = Work(Path(place), rows, given.texts, given.epochs)
        for job in given.jobs:
            compared(work, job, given.repeats, kept)
    for row in kept.summary():
        print(
            f"{row['job']}, {row['texts']:,} texts: headstart {row['headstart_seconds']:.1f} s, Trainer "
            f"{row['trainer_seconds']:.1f} s, {row['times_faster']:.1f} times as fast; {row['headstart_right']:.1f} "
            f"against {row['trainer_right']:.1f} % right"
        )
    if given.quick:
        print("One quick run: start-up is most of it, so it shows that the comparison runs, and is no result.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
