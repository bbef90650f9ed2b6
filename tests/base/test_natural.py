from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.base import natural


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "9", "2"], ("2", "9", "10")),
        (["class10", "class2", "Class1"], ("Class1", "class2", "class10")),
        (["b", "A", "a", "B"], ("A", "a", "B", "b")),
        (["-1", "10", "0", "0.5"], ("-1", "0", "0.5", "10")),
        (["1.10", "1.9", "x"], ("1.9", "1.10", "x")),
        (["07", "7", "6"], ("6", "07", "7")),
        (["nan", "2", "10"], ("2", "10", "nan")),
        (["x" + "9" * 5000, "x1"], ("x1", "x" + "9" * 5000)),
        (["²", "1"], ("1", "²")),
        (["a", "a"], ("a",)),
        ([], ()),
    ],
)
def test_order(names: list[str], expected: tuple[str, ...]) -> None:
    assert natural.ordered(names) == expected


@given(st.lists(st.text()), st.randoms())
def test_order_depends_on_the_names_alone(names: list[str], random: object) -> None:
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert natural.ordered(shuffled) == natural.ordered(names)
    assert set(natural.ordered(names)) == set(names)


@given(st.lists(st.integers(0, 10**9), unique=True))
def test_numbered_names_go_by_number(numbers: list[int]) -> None:
    assert natural.ordered(f"img_{n}" for n in numbers) == tuple(f"img_{n}" for n in sorted(numbers))
