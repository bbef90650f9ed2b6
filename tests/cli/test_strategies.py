"""Whole fits with strategies of every kind: each is sealed, and read again by a process that cannot import PEFT."""

import json
import subprocess
import sys

import pytest

from headstart.cli.shell import run
from headstart.ship.sealed import load

STRATEGIES = {"gradual": ["--depth", "2"], "bitfit": [], "lora": ["--set", "strategy.rank=2"], "wise": []}

READER = """
import json, sys
sys.modules["peft"] = None  # whoever imports it now gets an ImportError
from headstart.ship.sealed import load
pictures = sys.argv[1].split("|")
print(json.dumps({to: [one.label for one in load(to).predict(pictures)] for to in sys.argv[2:]}))
"""


@pytest.mark.slow
def test_fits_are_sealed_and_read_again(tmp_path, write_shapes, capsys):
    photos = write_shapes(tmp_path / "photos", per_class=12)
    parts = tmp_path / "parts"
    for seed, (part, per_class) in enumerate({"train": 12, "val": 4, "test": 4}.items()):
        write_shapes(parts / part, per_class=per_class, seed=seed)
    shared = ["--backbone", "embedded/resnet10-procedural", "--no-baselines", "--budget", "10m", "--json", "-q"]
    few = ["--set", "strategy.epochs=6", "--set", "strategy.rate=0.003", "--set", "strategy.batch_size=8"]
    views = {"mixup": "0.2", "randaugment": "5", "flip": "no"}
    mixing = [word for name, value in views.items() for word in ("--set", f"augmentation.{name}={value}")]
    for strategy, more in STRATEGIES.items():
        # One of them in five folds, where the first fold's choice is what the others and the refit repeat.
        data = photos if strategy == "gradual" else parts
        words = ["fit", str(data), "-o", str(tmp_path / strategy), "--strategy", strategy]
        code = run([*words, *shared, *few, *more, *mixing])
        assert code == 0, capsys.readouterr()
        training = load(tmp_path / strategy).manifest.training
        assert training["strategy"] == strategy and training["augmentation"]["mixup"] == 0.2
        assert training["augmentation"]["flip"] is False, "it was set, so it was not measured"
        assert training["options"]["rate"] == 0.003 and 1 <= training["options"]["epochs"] <= 6
    assert load(tmp_path / "gradual").manifest.training["options"]["depth"] == 2
    assert load(tmp_path / "lora").manifest.training["options"]["targets"] == "conv"
    assert 0 <= load(tmp_path / "wise").manifest.training["options"]["mix"] <= 1
    resumed = ["fit", str(parts), "-o", str(tmp_path / "wise"), "--strategy", "wise", *shared, *few, "--resume"]
    assert run([*resumed, "--set", "augmentation.mixup=0.3"]) == 1
    assert "another augmentation" in capsys.readouterr().out
    pictures = [str(path) for path in sorted(photos.glob("*/*.png"))[::5]]
    folders = [str(tmp_path / strategy) for strategy in STRATEGIES]
    found = subprocess.run(
        [sys.executable, "-c", READER, "|".join(pictures), *folders], capture_output=True, text=True, check=True
    )
    for to, labels in json.loads(found.stdout).items():
        assert labels == [one.label for one in load(to).predict(pictures)]


def test_a_strategy_that_cannot_be_is_refused_before_anything_is_written(tmp_path, write_shapes, capsys):
    photos = write_shapes(tmp_path / "photos", per_class=8)
    for words, said in (
        (["--strategy", "wise", "--set", "strategy.mix=1.5"], "mix cannot be 1.5"),
        (["--strategy", "lora", "--set", "strategy.targets=most"], "targets cannot be most"),
        (["--strategy", "full", "--set", "strategy.mixup=0.2"], "augmentation.mixup"),
        (["--strategy", "probe", "--set", "augmentation.mixup=0.2"], "solved on plain items"),
    ):
        assert run(["fit", str(photos), "-o", str(tmp_path / "m"), *words]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "m").exists()
