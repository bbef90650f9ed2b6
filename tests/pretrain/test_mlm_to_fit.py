"""From texts without labels to a sealed model: pretrain mlm makes a folder, fit takes it by its path."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import small_texts

import headstart
from headstart.api.backbones import pretrain_backbone


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone that was trained on paragraphs of one file."""
    folder = tmp_path_factory.mktemp("mlm")
    file = folder / "notes.txt"
    file.write_text("\n\n".join(small_texts.written(150, words=(6, 30), telling=0.9)[0]))
    settings = {"preset": "smoke", "vocabulary": 120, "length": 16, "epochs": 1, "batch_size": 16}
    pretrain_backbone("mlm", folder / "own", str(file), settings=settings, precision="float32")
    return folder / "own"


def table(file: Path, count: int = 90) -> tuple[Path, list[str], np.ndarray]:
    texts, topics = small_texts.written(count, seed=4, telling=0.5)
    names = np.array(list(small_texts.TOPICS))[topics]
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([("text", "label"), *zip(texts, names, strict=True)])
    return file, texts, names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "settings"), [("probe", {}), ("setfit", {"strategy.epochs": 3, "strategy.rate": 0.003})]
)
def test_what_was_learnt_without_labels_becomes_a_sealed_model(
    strategy: str, settings: dict, own: Path, tmp_path: Path
) -> None:
    file, _, _ = table(tmp_path / "topics.csv")
    output = tmp_path / "model"
    headstart.fit(
        str(file),
        output=output,
        backbone=f"local:{own}",
        strategy=strategy,
        settings=settings,
        baselines=False,
        pictures=False,
        precision="float32",
    )
    # What is sealed needs neither the backbone's folder nor the table.
    moved = Path(shutil.move(output, tmp_path / "elsewhere"))
    model = headstart.load(moved)
    fresh, topics = small_texts.written(60, seed=8, telling=0.5)
    answers = model.predict(fresh)
    expected = np.array(list(small_texts.TOPICS))[topics]
    assert np.mean([answer.label == name for answer, name in zip(answers, expected, strict=True)]) > 0.6
