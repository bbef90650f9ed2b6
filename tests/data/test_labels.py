from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from headstart.base.errors import DataError, UnknownName
from headstart.data.labels import alike, is_missing, names, plain, task_of


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1, 9], ["0", "1", "9"]),
        ([1.0, 2.0, float("nan")], ["1", "2", None]),
        ([0.5, 1.0], ["0.5", "1.0"]),
        (["1.0", "2.0", "10"], ["1", "2", "10"]),
        (["1.0", "1.5"], ["1.0", "1.5"]),
        (["01", "02"], ["01", "02"]),
        ([np.int64(3), np.float32(4.0), np.str_("x")], ["3", "4.0", "x"]),
        ([np.array(2), torch.tensor(3)], ["2", "3"]),
        ([True, False, np.bool_(True)], ["True", "False", "True"]),
        ([None, np.nan, pd.NA, pd.NaT, "", "  "], [None] * 6),
        ([" cat", "cat "], ["cat", "cat"]),
        (["nan", "None", "NA"], ["nan", "None", "NA"]),
        ([b"cat"], ["cat"]),
        (["cafe\u0301"], ["café"]),
        (["a\nb", "\x1b[1m"], ["a\\nb", "\\x1b[1m"]),
        ([], []),
    ],
)
def test_class_names(labels: list[Any], expected: list[str | None]) -> None:
    assert names(labels) == expected


@pytest.mark.parametrize("label", [[0, 1], (1,), np.array([0, 1]), torch.tensor([0, 1])])
def test_several_names_are_not_one(label: Any) -> None:
    with pytest.raises(DataError, match="Several names"):
        names(["cat", label])


@pytest.mark.parametrize("label", [{"a": 1}, [[0, 1]], np.zeros((2, 2))])
def test_a_container_of_containers_is_no_label(label: Any) -> None:
    with pytest.raises(DataError, match=r"A label is a .*\n.*one class per item(.|\n)*argmax"):
        plain(["cat", label])


def test_lists_sets_and_rows_are_plain_tuples() -> None:
    raw = [["b", " a "], {"y", "x"}, np.array([0, 1]), torch.tensor([1.5, 2.0]), [], None]
    assert plain(raw) == [("b", "a"), ("x", "y"), (0, 1), (1.5, 2.0), (), None]


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (["cat", "dog", None], "classification"),
        ([0, 1, 2, 1, 0], "classification"),
        (list(range(10)) * 9, "classification"),
        ([True, False], "classification"),
        ([["a", "b"], ["c"], []], "multilabel"),
        (["a|b", "b|c", "a"], "multilabel"),
        (["a, b", "b", "a"], "multilabel"),
        ([[1, 0, 1], [0, 1, 1]], "multilabel"),
        ([[1, 0], [0, 1]], "classification"),
        (["Smith, John", "Doe, Jane"], "classification"),
        (["a/b", "b/c"], "classification"),
        ([0.5, 1.25, None], "regression"),
        (["0.5", "1.25", "3"], "regression"),
        (["0,5", "1,25", "3"], "regression"),
        (["1e3", "2.5"], "regression"),
        (list(range(100)), "regression"),
        ([1.0, 2.0, 1.0], "classification"),
        (["1.5", "cat"], "classification"),
    ],
)
def test_labels_say_which_task_they_are_for(labels: list[Any], task: str) -> None:
    assert task_of(plain(labels))[0] == task


def test_what_the_user_or_the_source_says_goes_first() -> None:
    assert task_of([0.5, 1.5], implied="classification") == ("classification", "")
    assert task_of([0.5, 1.5], "classification")[0] == "classification"
    assert task_of(["1", "2"], "regression", implied="classification")[0] == "regression"
    with pytest.raises(UnknownName, match="did you mean regression"):
        task_of(["1"], "regresion")
    with pytest.raises(UnknownName, match="Unknown task: 3"):
        task_of(["1"], 3)  # type: ignore[arg-type]


def test_missing() -> None:
    assert all(is_missing(value) for value in (None, float("nan"), np.float64("nan"), pd.NA, pd.NaT))
    assert not any(is_missing(value) for value in (0, "", "nan", False, 1.5))


def test_names_that_differ_in_spelling_only_are_found() -> None:
    assert alike(["Cat", "cat", "dog", "red fox", "red_fox", "1", "2"]) == ["Cat / cat", "red fox / red_fox"]
    assert alike(["c", "c++", "a1", "a2"]) == []
