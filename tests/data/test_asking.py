"""What a model of texts is asked about, from a program and from a command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from headstart.base.errors import BadOption, BadSource, UnknownName
from headstart.data import asking, texts
from headstart.data.inputs import collected


def said(items: list[object]) -> list[object]:
    return [texts.decode(item) for item in items]


def test_a_string_is_a_text_and_a_path_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("from a file")
    assert said(asking.items("a text")) == ["a text"]
    assert said(asking.items(["a text", "another"])) == ["a text", "another"]
    assert said(asking.items([("first", "second")])) == [("first", "second")]
    assert said(asking.items(file)) == said(asking.items(str(file))) == said(asking.items(tmp_path)) == ["from a file"]
    with pytest.raises(BadSource, match="nothing to predict"):
        asking.items([])


def test_arguments_are_files_folders_patterns_and_sentences(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_text(f"in {name}")
    both = ["in a.txt", "in b.txt"]
    assert said(asking.inputs([str(tmp_path)])) == said(asking.inputs([str(tmp_path / "*.txt")])) == both
    found = asking.inputs([str(tmp_path / "b.txt"), "What a film!"])
    assert said(found) == ["in b.txt", "What a film!"] and str(found[1]) == "What a film!"


def test_lines_of_standard_input_are_texts_named_by_their_number() -> None:
    found = asking.inputs(["-"], stdin=io.BytesIO(b"one\n\nthree \xc3\xa9\n"))
    assert said(found) == ["one", "three é"] and [str(each) for each in found] == ["line 1", "line 3"]
    whole = asking.inputs(["-"], stdin=io.BytesIO(b"a text\nof two lines\0another"))
    assert said(whole) == ["a text\nof two lines", "another"]


def test_a_table_gives_its_text_column(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,review,title\n1,it was good indeed,A\n2,it was not so good,B\n")
    assert said(asking.inputs([str(table)])) == ["it was good indeed", "it was not so good"]
    assert said(asking.inputs([str(table)], text="title")) == ["A", "B"]
    assert said(asking.inputs([str(table)], text="title,review"))[0] == ("A", "it was good indeed")
    assert str(asking.inputs([str(table), "and a sentence"])[1]) == f"{table}, row 2"
    with pytest.raises(UnknownName, match="reviw"):
        asking.inputs([str(table)], text="reviw")


@pytest.mark.parametrize("wrong", ["nowhere.txt", "no such file.txt", "word", ""])
def test_what_is_no_file_and_no_sentence_is_named(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"no file|stands for no text"):
        asking.inputs([wrong])
    with pytest.raises(BadSource, match="no text files"):
        asking.inputs([str(tmp_path)])


def test_each_modality_is_asked_in_its_own_way(tmp_path: Path) -> None:
    assert said(collected(["a sentence here"], modality="texts")) == ["a sentence here"]
    with pytest.raises(BadOption, match="reads no text column"):
        collected([str(tmp_path)], modality="images", text="review")
