"""A frozen encoder and a new head: headstart against the Hugging Face Trainer, whole processes on the same texts.

    python benchmarks/text_speed.py                       # 2,000 texts, 10 epochs
    python benchmarks/text_speed.py --texts 10000 --epochs 20
    python benchmarks/text_speed.py --jobs head partial full --repeats 3

Both start from the same encoder (the extra ``text`` installs it) and end with a model on disk and its answers for the
same held-out texts. The Trainer's model is the one that its users write for a sentence encoder: the masked mean of the
last hidden states and a linear layer, batches of texts of similar length, padded to their longest. Its rate is the best
of three on a validation part, which is not counted; start-up is counted for both. Runs alternate; medians are kept.
A head is trained by headstart in closed form on stored features, however many epochs the other one has.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.provenance import commit
from headstart.backbones import installed
from headstart.base import files
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

encoder, train, test, to, epochs, rate, job, frozen = sys.argv[1:]
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
    train_sampling_strategy="group_by_length", logging_strategy="no", warmup_steps=0.06,
)
trainer = Trainer(Model(), arguments, train_dataset=encoded(rows[0]), data_collator=DataCollatorWithPadding(tokenizer))
trainer.train()
trainer.save_model(to)
answers = trainer.predict(encoded(rows[1])).predictions.argmax(1)
right = np.array([names[i] == label for i, (_, label) in zip(answers, rows[1])])
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


def timed(words: Sequence[str]) -> tuple[float, str]:
    """Seconds of a whole process, and what it printed.

    Raises:
        RuntimeError: with what it said, if it failed.
    """
    started = time.perf_counter()
    ended = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(words[:4])} ended with {ended.returncode}:\n{ended.stderr[-3000:]}")
    return time.perf_counter() - started, ended.stdout


class Work:
    """One comparison: the same texts for both."""

    def __init__(self, place: Path, rows: list[list[str]], texts: int, epochs: int) -> None:
        self.place, self.epochs = place, epochs
        self.train = write(place / "train.csv", rows[:texts])
        self.test = write(place / "test.csv", rows[texts : texts + 2000])
        self.small = write(place / "small.csv", rows[: int(0.8 * texts)])
        self.valid = write(place / "valid.csv", rows[int(0.8 * texts) : texts])
        self.encoder = str(installed.folder())
        self.script = place / "trainer.py"
        self.script.write_text(TRAINER, encoding="utf-8")

    def trainer(self, job: str, rate: float, train: Path, test: Path) -> tuple[float, list[int]]:
        """Seconds and right answers of the rival."""
        to = self.place / f"trainer-{job}"
        words = [sys.executable, str(self.script), self.encoder, str(train), str(test), str(to), str(self.epochs)]
        seconds, _ = timed([*words, str(rate), job, str(HALF)])
        return seconds, json.loads((to / "answers.json").read_text())["right"]

    def headstart(self, job: str) -> tuple[float, list[int]]:
        """Seconds and right answers of ours, in an empty cache: nothing is stored that the process did not compute."""
        to, cache = self.place / f"headstart-{job}", tempfile.mkdtemp(dir=self.place)
        os.environ["HEADSTART_CACHE"] = cache
        strategy = {"head": ["probe"], "partial": ["partial", "--depth", str(HALF + 1)], "full": ["full"]}[job]
        given = [] if job == "head" else ["--set", f"strategy.epochs={self.epochs}", "--set", "strategy.rate=0.0001"]
        base = [sys.executable, "-m", "headstart"]
        fit = ["fit", str(self.train), "--backbone", ENCODER, "--strategy", *strategy, *given, "--budget", "10h"]
        rest = ["-o", str(to), "--overwrite", "--no-baselines", "--no-pictures", "--no-near-duplicates", "--quiet"]
        fitting, _ = timed([*base, *fit, *rest])
        predicting, told = timed([*base, "predict", str(to), str(self.test), "--csv", "--quiet"])
        answers = [row["prediction"] for row in csv.DictReader(told.splitlines())]
        return fitting + predicting, [
            int(said == label) for said, (_, label) in zip(answers, read(self.test), strict=True)
        ]


def compared(work: Work, job: str, repeats: int) -> dict[str, Any]:
    """One row of the results."""
    rate = max(RATES[job], key=lambda each: sum(work.trainer(job, each, work.small, work.valid)[1]))
    ours, theirs = [], []
    for _ in range(repeats):
        ours.append(work.headstart(job))
        theirs.append(work.trainer(job, rate, work.train, work.test))
        print(f"{job}: headstart {ours[-1][0]:.1f} s, Trainer {theirs[-1][0]:.1f} s", flush=True)
    mine, other = (statistics.median(seconds for seconds, _ in each) for each in (ours, theirs))
    return {
        "job": job,
        "headstart_seconds": mine,
        "trainer_seconds": other,
        "times_faster": other / mine,
        "headstart_right": 100 * statistics.mean(ours[-1][1]),
        "trainer_right": 100 * statistics.mean(theirs[-1][1]),
        "trainer_rate": rate,
        "repeats": repeats,
    }


def main(words: Sequence[str] | None = None) -> int:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="a table with the columns text and label")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--jobs", nargs="+", choices=tuple(RATES), default=["head"])
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args(words)
    rows = read(given.data)
    if len(rows) < given.texts + 300:
        parser.error(f"{given.data} has {len(rows):,} texts; {given.texts + 300:,} are needed")
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rows": []}
    kept = {(row["job"], row["texts"], row["epochs"]): row for row in known["rows"]}
    with tempfile.TemporaryDirectory(prefix="headstart-") as place:
        for job in given.jobs:
            row = compared(Work(Path(place), rows, given.texts, given.epochs), job, given.repeats)
            about = {"texts": given.texts, "epochs": given.epochs, "commit": commit(), "machine": here().kind}
            command = " ".join(["python", "benchmarks/text_speed.py", *sys.argv[1:]])
            kept[job, given.texts, given.epochs] = {**row, **about, "command": command}
            files.write_json(RESULTS, {"rows": list(kept.values())})
            print(
                f"{job}: {row['times_faster']:.1f} times as fast; {row['headstart_right']:.1f} against "
                f"{row['trainer_right']:.1f} % right"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
