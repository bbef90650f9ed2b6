"""Golden examples: varied, reproducible, and strict about drift while fair about ties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.base.errors import ModelFolderError
from headstart.base.vocabulary import Preprocessing
from headstart.data import texts
from headstart.ship import golden
from headstart.ship.golden import Golden
from tests import small_texts


def drawn(size: int, *, seed: int, count: int = 8) -> np.ndarray:
    return golden.generate(Preprocessing(size), modality="images", seed=seed, count=count)


@pytest.mark.parametrize("size", [1, 8, 64])
def test_generated_inputs_are_of_the_right_kind_and_all_different(size: int) -> None:
    inputs = drawn(size, seed=0)
    assert inputs.shape == (8, 3, size, size) and inputs.dtype == np.uint8
    assert len({picture.tobytes() for picture in inputs}) == 8


def test_generated_inputs_follow_the_seed() -> None:
    assert np.array_equal(drawn(32, seed=3), drawn(32, seed=3))
    assert not np.array_equal(drawn(32, seed=3), drawn(32, seed=4))


def test_generated_inputs_use_the_range() -> None:
    for picture in drawn(64, seed=1)[[0, 2, 4, 5, 6]]:
        assert int(picture.max()) - int(picture.min()) > 40


def test_generated_texts_are_read_by_the_tokenizer_or_are_their_bytes() -> None:
    reading = small_texts.reading()
    inputs = golden.generate(reading, modality="texts", seed=0)
    assert inputs.dtype == np.int32 and inputs.ndim == 4 and len({each.tobytes() for each in inputs}) == 8
    assert np.array_equal(inputs, golden.generate(reading, modality="texts", seed=0))
    assert inputs.shape[1] > 1 and not np.array_equal(inputs, golden.generate(reading, modality="texts", seed=1))
    raw = golden.generate(None, modality="texts", seed=0)
    assert raw.dtype == np.uint8 and all(text.strip() for text in texts.handed(raw))


def test_texts_and_pairs_are_handed_over_as_they_were() -> None:
    kept = golden.own(["é à la", ("first", "second"), "x"], None, modality="texts")
    assert texts.handed(kept) == ["é à la", ("first", "second"), "x"]


def test_own_inputs_are_the_first_eight_preprocessed() -> None:
    items = [Image.new("RGB", (20, 10), (value, 0, 0)) for value in range(10)]
    inputs = golden.own(items, Preprocessing(8), modality="images")
    assert inputs.shape == (8, 3, 8, 8)
    assert inputs[:, 0, 0, 0].tolist() == list(range(8))


def examples() -> Golden:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.4995, 0.5005, 0.0]], dtype=np.float32)
    return Golden(drawn(8, seed=0, count=2), probabilities)


def test_the_same_answers_pass_and_the_gap_is_returned() -> None:
    found = examples().predictions.astype(np.float64)
    found[0] += [5e-4, -5e-4, 0]
    assert golden.check(examples(), found, tolerance=1e-3, where="m") == pytest.approx(5e-4, rel=1e-3)


def test_drift_is_refused_with_both_numbers() -> None:
    found = examples().predictions.astype(np.float64)
    found[0] += [2e-3, -2e-3, 0]
    with pytest.raises(ModelFolderError, match=r"golden example 1 of 2(.|\n)*0\.700000, got 0\.702000(.|\n)*0\.001"):
        golden.check(examples(), found, tolerance=1e-3, where="m")


def test_a_label_that_changes_beyond_a_tie_is_refused_even_within_a_wide_tolerance() -> None:
    found = examples().predictions.astype(np.float64)
    found[1] = [0.51, 0.49, 0.0]
    with pytest.raises(ModelFolderError):
        golden.check(examples(), found, tolerance=1e-4, where="m")
    tied = examples().predictions.astype(np.float64)
    tied[1] = [0.5001, 0.4999, 0.0]
    golden.check(examples(), tied, tolerance=1e-3, where="m")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_refused(value: float) -> None:
    found = examples().predictions.astype(np.float64)
    found[0, 0] = value
    with pytest.raises(ModelFolderError, match="no longer gives"):
        golden.check(examples(), found, tolerance=1e-3, where="m")


def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "golden.safetensors"
    examples().save(path)
    found = golden.read(path, columns=3)
    assert np.array_equal(found.inputs, examples().inputs)
    assert np.array_equal(found.predictions, examples().predictions)


def test_another_number_of_classes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "golden.safetensors"
    examples().save(path)
    with pytest.raises(ModelFolderError, match="does not hold golden examples"):
        golden.read(path, columns=2)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\xff" * 64])
def test_a_broken_file_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "golden.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFolderError, match="cannot be read"):
        golden.read(path, columns=2)
