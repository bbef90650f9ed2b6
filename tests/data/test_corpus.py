"""Texts without labels, wherever they lie."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest

from headstart.base.errors import BadSource, UnknownName
from headstart.data import corpus, texts


def read(found: corpus.Corpus) -> list[str]:
    return [str(texts.decode(item)) for item in found.items]


def test_a_folder_has_a_text_in_every_file(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "2.txt").write_text("second\n\nwith a gap")
    (tmp_path / "10.txt").write_text("third")
    (tmp_path / "inner" / "1.txt").write_text("first")
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    found = corpus.opened(tmp_path)
    assert sorted(read(found)) == ["first", "second\n\nwith a gap", "third"]
    assert "3 text files" in found.understood


def test_one_file_has_paragraphs_or_else_lines(tmp_path: Path) -> None:
    file = tmp_path / "all.txt"
    file.write_text("one\nstill one\n\n\ntwo\n  \nthree\n")
    found = corpus.opened(str(file))
    assert read(found) == ["one\nstill one", "two", "three"] and "3 paragraphs" in found.understood
    assert [item.name for item in found.items] == ["line 1", "line 5", "line 7"]
    file.write_text("one\ntwo\nthree\n")
    found = corpus.opened(file)
    assert read(found) == ["one", "two", "three"] and "3 lines" in found.understood


def test_tables_give_a_column(tmp_path: Path) -> None:
    bodies = [f"this is the body number {n} of some" for n in range(5)]
    frame = pandas.DataFrame({"id": range(5), "title": ["a few words here"] * 5, "body": bodies})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    for name in ("t.csv", "t.jsonl"):
        assert read(corpus.opened(tmp_path / name, text="body")) == bodies
    assert read(corpus.opened(tmp_path / "t.csv")) == bodies, "found by itself"
    with pytest.raises(UnknownName, match="boody"):
        corpus.opened(tmp_path / "t.csv", text="boody")


def test_lists_and_what_holds_no_text(tmp_path: Path) -> None:
    assert read(corpus.opened(("a b", "c"))) == ["a b", "c"]
    assert read(corpus.opened(pandas.Series(["a b", "c"]))) == ["a b", "c"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "picture.png").write_bytes(b"no")
    (tmp_path / "latin.txt").write_bytes("größe\n".encode("latin-1"))
    for source in (tmp_path / "empty", tmp_path / "nowhere", tmp_path / "picture.png", [], 7, tmp_path / "latin.txt"):
        with pytest.raises(BadSource) as caught:
            corpus.opened(source)
        assert caught.value.expected
