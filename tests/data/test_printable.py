from __future__ import annotations

import os

import pytest

from headstart.data.printable import count, listed, listing, printable, where


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cats/1.png", "cats/1.png"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("חתול", "חתול"),
        ("می‌خواهم", "می‌خواهم"),
        ("exe\u202egnp.", "exe\\u202egnp."),
        (os.fsdecode(b"caf\xe9.png"), "caf\\udce9.png"),
    ],
)
def test_unprintable_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    printable(text).encode("utf-8")


def test_an_item_is_named_by_its_path_or_its_place() -> None:
    assert where("a\nb.png", 3) == "a\\nb.png"
    assert where(object(), 3) == "item 4"
    assert where("", 0) == "item 1"


def test_counts_and_listings() -> None:
    assert count(1, "class", "classes") == "1 class"
    assert count(1200, "image") == "1,200 images"
    assert listing(list("abc"), 5) == "a, b, c"
    assert listing([str(i) for i in range(1002)], 2) == "0, 1 and 1,000 more"


@pytest.mark.parametrize(
    ("names", "told"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_in_a_sentence(names: list[str], told: str) -> None:
    assert listed(names) == told
